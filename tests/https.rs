//! An API over TLS: everything works with the right authority, and what is wrong with a certificate,
//! a protocol or a file of authorities is named in plain words.

use crate::support::certificates::{Shown, Signed};
use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::stack::Stack;
use crate::support::tls_api::{Habit, TlsApi};

const UPLOAD: [&str; 12] = [
    "upload",
    "model.pt",
    "--user-id",
    "u",
    "--model-id",
    "m",
    "--framework",
    "pytorch",
    "--model-type",
    "nlp",
    "--training-dataset",
    "d",
];

/// Flags, variables and settings that name an authority.
type Way<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

fn host(stack: &Stack) -> String {
    stack.api_url.replace("http://", "")
}

/// A listing over TLS, with these authorities in `ca.pem` and these flags.
fn list(api: &TlsApi, authority: &str, flags: &[&str]) -> Outcome {
    let environment = Environment::new();
    environment.write("ca.pem", authority);
    let fixed = ["models", "list", "--user-id", "u", "--timeout", "30s", "-u", &api.url];
    environment.run([&fixed[..], flags].concat())
}

/// No code, library or place of OpenSSL's.
#[track_caller]
fn is_plain(outcome: &Outcome) {
    for part in ["error:", "routines", "ssl3_", "tls_", ".c:", "SSL alert"] {
        let told = outcome.err().replace("error: ", "");
        assert!(!told.contains(part), "{part:?} of OpenSSL in\n{outcome}");
    }
}

#[test]
fn upload_event_verification_and_download_work_over_tls_however_the_authority_is_named() {
    let stack = Stack::start();
    let api = TlsApi::before(&host(&stack), Shown::Good);
    let cacert = ["--cacert", "ca.pem"];
    let ways: &[Way<'_>] = &[
        (&cacert, &[], ""),
        (&[], &[("DWCTL_API_CA", "ca.pem")], ""),
        (&[], &[("SSL_CERT_FILE", "ca.pem")], ""),
        (&[], &[], "api-ca = \"ca.pem\"\n"),
        (&cacert, &[("SSL_CERT_FILE", "/nowhere/ca.pem")], ""),
    ];
    for (flags, variables, settings) in ways {
        let environment =
            variables.iter().fold(Environment::new(), |all, (name, value)| all.set(name, value));
        environment.write("ca.pem", &api.authority);
        environment.write("model.pt", vec![7; 300_000]);
        if !settings.is_empty() {
            environment.write("config/dwctl/config.toml", settings);
        }
        let to = ["-u", &api.url, "-b", &stack.brokers, "--timeout", "60s"];
        let run = |command: &[&str]| environment.run([command, flags, &to].concat());
        let uploaded = run(&[&UPLOAD[..], &["--wait-event=30s"]].concat()).expect(0);
        let coordinates = uploaded.out().trim_end();
        run(&["models", "verify", coordinates, "model.pt"]).expect(0).must_succeed();
        run(&["models", "download", coordinates, "--output-dir", "out"]).must_succeed();
        let back = std::fs::read(environment.path("out/model.pt")).unwrap();
        assert_eq!(back, vec![7; 300_000], "{uploaded}");
        run(&["models", "delete", coordinates, "--yes"]).must_succeed();
    }
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_in_words_with_what_to_do() {
    let stack = Stack::start();
    for (shown, words, hint) in [
        (Shown::Expired, "the certificate expired at", "renew"),
        (Shown::NotYetValid, "the certificate is not valid before", "clocks"),
        (
            Shown::OtherName,
            "made out for elsewhere.invalid, not for 127.0.0.1",
            "elsewhere.invalid",
        ),
        (Shown::SelfSigned, "signed by itself", "--cacert FILE"),
    ] {
        let api = TlsApi::before(&host(&stack), shown);
        let outcome = list(&api, &api.authority, &["--cacert", "ca.pem"]).expect(6);
        assert!(outcome.err().contains(words), "{shown:?}: {outcome}");
        assert!(outcome.err().contains(hint), "{shown:?}: {outcome}");
        is_plain(&outcome);
    }
    let api = TlsApi::before(&host(&stack), Shown::Good);
    for (authority, flags) in [
        (api.authority.clone(), &[][..]),
        (Signed::authority().certificate_pem(), &["--cacert", "ca.pem"][..]),
    ] {
        let outcome = list(&api, &authority, flags).expect(6);
        assert!(
            outcome.err().contains("signed by the tests' authority, an authority"),
            "{outcome}"
        );
        assert!(outcome.err().contains("--cacert FILE"), "{outcome}");
        is_plain(&outcome);
    }
}

#[test]
fn an_upload_over_tls_that_is_not_trusted_names_the_same() {
    let stack = Stack::start();
    let api = TlsApi::before(&host(&stack), Shown::Good);
    let environment = Environment::new();
    environment.write("model.pt", b"weights");
    let flags = ["--dialect", "form", "--retries", "0", "-u", &api.url];
    let outcome = environment.run([&UPLOAD[..], &flags].concat()).expect(6);
    assert!(outcome.err().contains("an authority that is not trusted here"), "{outcome}");
    is_plain(&outcome);
}

#[test]
fn protocols_that_do_not_fit_are_told_apart() {
    let stack = Stack::start();
    for (habit, code, words) in [
        (Habit::Old, 6, "only versions of TLS before 1.2"),
        (Habit::WantsCertificate, 10, "wants a client certificate"),
        (Habit::WantsCertificateLater, 10, "wants a client certificate"),
    ] {
        let api = TlsApi::with_habit(&host(&stack), Shown::Good, habit);
        let outcome = list(&api, &api.authority, &["--cacert", "ca.pem"]).expect(code);
        assert!(outcome.err().contains(words), "{habit:?}: {outcome}");
        is_plain(&outcome);
    }
    // The other way round, and back.
    let api = TlsApi::before(&host(&stack), Shown::Good);
    let plain = TlsApi { url: api.url.replace("https://", "http://"), authority: String::new() };
    let outcome = list(&plain, "", &[]).expect(6);
    assert!(outcome.err().contains("it speaks TLS, and was spoken to without it"), "{outcome}");
    assert!(outcome.err().contains(&format!("--api-url {}", api.url)), "{outcome}");
    let tls = stack.api_url.replace("http://", "https://");
    let sealed = TlsApi { url: tls, authority: String::new() };
    let outcome = list(&sealed, "", &[]).expect(6);
    assert!(outcome.err().contains("it speaks no TLS"), "{outcome}");
    assert!(outcome.err().contains(&format!("--api-url {}", stack.api_url)), "{outcome}");
    is_plain(&outcome);
}

#[test]
fn a_file_of_authorities_that_cannot_be_used_is_refused_by_name_before_any_request() {
    let environment = Environment::new();
    environment.write("garbage.pem", "nothing");
    environment.write("empty.pem", "");
    std::fs::create_dir(environment.path("folder")).unwrap();
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        environment.path("fifo"),
        rustix::fs::Mode::from_raw_mode(0o600),
    )
    .unwrap();
    let list = ["models", "list", "--user-id", "u", "-u", "https://127.0.0.1:1"];
    for file in ["missing.pem", "garbage.pem", "empty.pem", "folder", "fifo", "/dev/zero"] {
        let outcome = environment.run([&list[..], &["--cacert", file]].concat()).expect(2);
        assert!(outcome.err().contains(file), "{outcome}");
        assert!(outcome.err().contains("--cacert"), "{outcome}");
        is_plain(&outcome);
    }
    let environment = Environment::new().set("SSL_CERT_FILE", "missing.pem");
    let outcome = environment.run(list).expect(2);
    assert!(outcome.err().contains("missing.pem ($SSL_CERT_FILE)"), "{outcome}");
}
