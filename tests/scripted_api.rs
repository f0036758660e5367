//! `dwctl upload` and `models` against an API that behaves badly: each fault with its code, its cause
//! and the address.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::broken_broker::DEAD;
use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, Request, ScriptedApi};
use crate::support::stack::Stack;

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

/// `weights`, as `md5sum` has it.
const WEIGHTS_MD5: &str = "63f4f1e9b725370f459720575cd5f953";

/// One attempt of an upload in the `form` dialect, so that the only request is the upload itself.
fn upload_to(api_url: &str, content: &[u8]) -> Outcome {
    let environment = Environment::new();
    environment.write("model.pt", content);
    let flags = ["--dialect", "form", "--retries", "0", "-u", api_url];
    environment.run([&UPLOAD[..], &flags].concat())
}

/// An upload to an API that answers this after the whole request.
fn answered(answer: Answer) -> Outcome {
    let api = ScriptedApi::start(move |request| {
        request.body();
        answer.clone()
    });
    upload_to(api.url(), b"weights")
}

/// The record of the uploaded model, with this checksum of its file.
fn record(md5: &str) -> Value {
    json!({
        "model_id": "m", "user_id": "u", "name": "m", "version": "v1", "framework": "pytorch",
        "model_type": "nlp",
        "files": [{
            "filename": "model.pt", "file_path": "models/u/m/v1/model.pt", "file_size": 7,
            "file_type": "pt", "file_hash": md5, "content_type": "application/octet-stream",
            "is_primary": false, "description": null
        }],
        "primary_file_path": null, "model_size_mb": 0.1, "dependencies": [], "tags": [],
        "custom_metadata": {}, "created_at": "2026-11-23T13:19:20.418000",
        "updated_at": "2026-11-23T13:19:20.418000", "is_active": true,
        "is_production_ready": false
    })
}

#[test]
fn a_form_holds_the_fields_in_their_order_and_the_file_last() {
    let api = ScriptedApi::start(|request| {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/ai-models/upload/single")
        );
        let kind = request.header("content-type").unwrap();
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap().to_owned();
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let shown = body.replace(&boundary, "BOUNDARY").replace("\r\n", "\n");
        let field = |name: &str, value: &str| {
            format!("--BOUNDARY\nContent-Disposition: form-data; name=\"{name}\"\n\n{value}\n")
        };
        let file = "--BOUNDARY\nContent-Disposition: form-data; name=\"file\"; filename=\"model.pt\"\nContent-Type: application/octet-stream\n\nweights\n--BOUNDARY--\n";
        let fields = [
            ("user_id", "u"),
            ("model_id", "m"),
            ("name", "m"),
            ("framework", "pytorch"),
            ("model_type", "nlp"),
            ("training_dataset", "d"),
        ];
        let expected: String = fields.iter().map(|(name, value)| field(name, value)).collect();
        assert_eq!(shown, expected + file);
        Answer::json(200, &record(WEIGHTS_MD5).to_string())
    });
    assert_eq!(upload_to(api.url(), b"weights").expect(0).out(), "u/m@v1\n");
    assert_eq!(api.calls(), 1);
}

#[test]
fn the_dialect_is_asked_for_once_and_remembered() {
    let api = ScriptedApi::start(|request: &mut Request| match request.path.as_str() {
        "/openapi.json" => {
            Answer::json(200, r#"{"paths": {"/ai-models/upload/single/{user_id}": {"post": {}}}}"#)
        }
        path => {
            assert_eq!(path, "/ai-models/upload/single/u");
            request.body();
            Answer::json(200, &record(WEIGHTS_MD5).to_string())
        }
    });
    let environment = Environment::new();
    environment.write("model.pt", "weights");
    for _ in 0..2 {
        environment.run([&UPLOAD[..], &["-u", api.url()]].concat()).must_succeed();
    }
    assert_eq!(api.calls(), 3);
}

#[test]
fn an_api_that_is_down_is_told_with_its_address_and_how_to_start_one() {
    let outcome = upload_to(&format!("http://{DEAD}"), b"weights");
    assert_eq!(
        outcome.to_string(),
        format!(
            "--- stderr\n\
             error: failed to reach the API at http://{DEAD}: connection refused\n\
             hint: start a local API with dwctl serve, or name another with --api-url\n\
             --- exit 6\n"
        )
    );
}

#[test]
fn an_address_that_is_none_is_refused() {
    for (address, words) in [
        ("127.0.0.1:8000", "did you mean http://127.0.0.1:8000?"),
        ("ftp://127.0.0.1", "ftp://127.0.0.1"),
        ("http://", "http://"),
    ] {
        let outcome = upload_to(address, b"weights").expect(2);
        assert!(outcome.err().contains(words), "{outcome}");
    }
}

#[test]
fn a_page_in_the_place_of_a_record_is_told_by_its_first_line() {
    for (answer, words) in [
        (Answer::html(200, "\n<!doctype html>\n<title>Login</title>"), "<!doctype html>"),
        (Answer::plain(200, "It works!\nmore"), "It works!"),
        (Answer::plain(500, "Internal Server Error"), "Internal Server Error"),
        (Answer::html(502, "<h1>Bad Gateway</h1>\nnginx"), "<h1>Bad Gateway</h1>"),
        (
            Answer::json(500, r#"{"detail":"Failed to upload AI model"}"#),
            "Failed to upload AI model",
        ),
        (Answer::json(200, r#"{"ok": true}"#), "error: "),
    ] {
        let outcome = answered(answer).expect(5);
        assert!(outcome.err().contains(words), "{outcome}");
        assert!(!outcome.err().contains("more") && !outcome.err().contains("nginx"), "{outcome}");
    }
}

#[test]
fn each_place_of_a_422_becomes_the_flag_that_caused_it() {
    let detail = json!({"detail": [
        {"type": "enum", "loc": ["body", "model_type"], "msg": "Input should be 'nlp'", "input": "x"},
        {"type": "missing", "loc": ["body", "hardware_requirements"], "msg": "Field required", "input": null},
    ]});
    let outcome = answered(Answer::json(422, &detail.to_string())).expect(4);
    assert!(outcome.err().contains("--model-type: Input should be 'nlp'"), "{outcome}");
    assert!(outcome.err().contains("--hardware-requirements: Field required"), "{outcome}");
}

#[test]
fn each_status_has_its_code() {
    for (status, code) in [(400, 4), (401, 10), (403, 10), (409, 4), (413, 4), (429, 4), (503, 5)] {
        let outcome = answered(Answer::json(status, r#"{"detail":"the reason"}"#)).expect(code);
        assert!(outcome.err().contains("the reason"), "{outcome}");
    }
}

#[test]
fn a_checksum_that_differs_is_a_failed_check() {
    let other = "0123456789abcdef0123456789abcdef";
    let outcome = answered(Answer::json(200, &record(other).to_string())).expect(8);
    assert!(outcome.err().contains(other), "{outcome}");
    assert!(outcome.err().contains("63f4f1e9b725370f459720575cd5f953"), "{outcome}");
    assert!(outcome.stdout.is_empty(), "{outcome}");
}

#[test]
fn a_record_without_the_file_is_a_failed_check() {
    let mut record = record(WEIGHTS_MD5);
    record["files"] = json!([]);
    let outcome = answered(Answer::json(200, &record.to_string())).expect(8);
    assert!(outcome.err().contains("model.pt"), "{outcome}");
}

#[test]
fn a_connection_that_breaks_is_unreachable() {
    let outcome = answered(Answer::Break).expect(6);
    assert!(outcome.err().contains("was lost"), "{outcome}");
}

#[test]
fn a_record_that_is_cut_off_is_no_success() {
    let answer = Answer::CutOff { body: b"{\"model_id\"".to_vec(), missing: 100 };
    let outcome = answered(answer);
    assert!(outcome.stdout.is_empty() && outcome.err().contains("error: "), "{outcome}");
}

#[test]
fn an_answer_that_comes_before_the_body_is_read_is_the_reason() {
    let api = ScriptedApi::start(|_| Answer::json(413, r#"{"detail":"too large for us"}"#));
    let outcome = upload_to(api.url(), &vec![7; 50_000_000]).expect(4);
    assert!(outcome.err().contains("too large for us"), "{outcome}");
}

#[test]
fn an_answer_is_heard_even_when_the_door_is_slammed_behind_it() {
    for size in [100, 5_000_000, 50_000_000] {
        let body = br#"{"detail":"too large for us"}"#.to_vec();
        let api = ScriptedApi::start(move |_| Answer::Slam { status: 413, body: body.clone() });
        let outcome = upload_to(api.url(), &vec![7; size]).expect(4);
        assert!(outcome.err().contains("too large for us"), "{outcome}");
    }
}

#[test]
fn an_api_that_says_nothing_ends_at_the_timeout() {
    let api = ScriptedApi::start(|_| Answer::Stall);
    let environment = Environment::new();
    environment.write("model.pt", "weights");
    let flags = ["--dialect", "form", "-u", api.url(), "--timeout", "1s"];
    let outcome = environment.run([&UPLOAD[..], &flags].concat()).expect(7);
    assert!(outcome.err().contains("before the timeout"), "{outcome}");
}

#[test]
fn a_download_that_is_not_what_the_record_says_is_not_kept() {
    let api = ScriptedApi::start(|request| {
        if request.path.contains("/download") {
            Answer::plain(200, "weightz")
        } else {
            Answer::json(200, &record(WEIGHTS_MD5).to_string())
        }
    });
    let environment = Environment::new();
    let outcome = environment.run(["models", "download", "u/m@v1", "-u", api.url()]).expect(8);
    assert!(outcome.err().contains("model.pt"), "{outcome}");
    assert!(!environment.path("model.pt").exists(), "{outcome}");
}

#[test]
fn a_file_name_of_a_server_never_leads_out_of_the_folder() {
    for name in ["../outside.pt", "/tmp/outside.pt", "..", "a/../../outside.pt"] {
        let mut record = record(WEIGHTS_MD5);
        record["files"][0]["filename"] = json!(name);
        record["files"][0]["file_path"] = json!(format!("models/u/m/v1/{name}"));
        let api = ScriptedApi::start(move |request| {
            if request.path.contains("/download") {
                Answer::plain(200, "weights")
            } else {
                Answer::json(200, &record.to_string())
            }
        });
        let environment = Environment::new();
        let inside = environment.path("inside");
        let mut command = environment.dwctl(["models", "download", "u/m@v1", "-u", api.url()]);
        command.arg("--output-dir").arg(&inside);
        let outcome = crate::support::run::Running::start(command).finish();
        assert!(!environment.path("outside.pt").exists(), "{name}: {outcome}");
        assert!(!std::path::Path::new("/tmp/outside.pt").exists(), "{name}: {outcome}");
        assert!(outcome.err().is_empty() || outcome.err().contains("error: "), "{outcome}");
    }
}

#[test]
fn an_api_that_was_renewed_is_asked_again_when_an_upload_has_a_task() {
    let is_renewed = Arc::new(AtomicBool::new(false));
    let api = ScriptedApi::start({
        let is_renewed = is_renewed.clone();
        move |request: &mut Request| match request.path.as_str() {
            "/openapi.json" => {
                let header = json!([{"in": "header", "name": "X-Task-ID"}]);
                let parameters = if is_renewed.load(Ordering::SeqCst) { header } else { json!([]) };
                let route = json!({"post": {"parameters": parameters}});
                let paths = json!({"/ai-models/upload/single/{user_id}": route});
                Answer::json(200, &json!({"paths": paths}).to_string())
            }
            _ => {
                let has_task = request.header("x-task-id") == Some("T-1");
                assert_eq!(has_task, is_renewed.load(Ordering::SeqCst));
                request.body();
                Answer::json(200, &record(WEIGHTS_MD5).to_string())
            }
        }
    });
    let environment = Environment::new();
    environment.write("model.pt", b"weights");
    environment.run([&UPLOAD[..], &["-u", api.url()]].concat()).must_succeed();
    is_renewed.store(true, Ordering::SeqCst);
    let outcome = environment.run([&UPLOAD[..], &["--task-id", "T-1", "-u", api.url()]].concat());
    assert!(!outcome.expect(0).err().contains("knows no tasks"));
}

#[test]
fn a_folder_with_a_task_is_warned_of_where_the_service_announces_none() {
    let api = ScriptedApi::start(|request| {
        request.body();
        Answer::json(200, &record(WEIGHTS_MD5).to_string())
    });
    let environment = Environment::new();
    environment.write("folder/model.pt", b"weights");
    let mut arguments = UPLOAD;
    arguments[1] = "folder";
    let task = ["--dialect", "task", "--task-id", "T", "-u"];
    let outcome = environment.run([&arguments[..], &task, &[api.url()]].concat()).expect(0);
    assert!(outcome.err().contains("announces no folder uploads"), "{outcome}");
    let stack = Stack::start();
    stack.environment.write("folder/model.pt", b"weights");
    let announced = stack.run([&arguments[..], &task[..4]].concat()).expect(0);
    assert!(!announced.err().contains("announces no folder"), "{announced}");
}

#[test]
fn a_question_follows_a_redirect_at_the_same_origin_and_none_to_another() {
    let api = ScriptedApi::start(|request| match request.path.as_str() {
        "/moved/ai-models/u/m?version=v1" => Answer::json(200, &record(WEIGHTS_MD5).to_string()),
        path => Answer::plain(307, "").with_header("Location", &format!("/moved{path}")),
    });
    let environment = Environment::new();
    let show = ["models", "show", "u/m@v1", "-u"];
    environment.run([&show[..], &[api.url()]].concat()).must_succeed();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let target = format!("http://{}", elsewhere.local_addr().unwrap());
    let api = ScriptedApi::start({
        let target = target.clone();
        move |request| {
            let location = format!("{target}{}", request.path);
            Answer::plain(308, "").with_header("Location", &location)
        }
    });
    let outcome = environment.run([&show[..], &[api.url()]].concat()).expect(4);
    assert!(outcome.err().contains(&format!("redirects to {target}")), "{outcome}");
    assert!(elsewhere.accept().is_err(), "the redirect was followed");
}
