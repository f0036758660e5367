//! What an upload does after a failure that passes by itself: the whole body is sent again, an API
//! that asks to be left alone is, and what may be stored already is looked for first.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::environment::Environment;
use crate::support::run::{Outcome, Stream};
use crate::support::scripted::{Answer, Request, ScriptedApi};

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

fn upload(api: &ScriptedApi, dialect: &str, flags: &[&str]) -> Outcome {
    let environment = Environment::new();
    environment.write("model.pt", "weights");
    let fixed = ["--dialect", dialect, "-u", api.url()];
    environment.run([&UPLOAD[..], &fixed, flags].concat())
}

/// The record of the uploaded model, made at this time and stamped as the service does it.
fn record(version: &str, made: Timestamp) -> Value {
    let stamp = made.to_zoned(TimeZone::UTC).datetime().to_string();
    json!({
        "model_id": "m", "user_id": "u", "name": "m", "version": version, "framework": "pytorch",
        "model_type": "nlp", "training_dataset": "d",
        "files": [{
            "filename": "model.pt", "file_path": format!("models/u/m/{version}/model.pt"),
            // `weights`, as `md5sum` has it.
            "file_size": 7, "file_type": "pt", "file_hash": "63f4f1e9b725370f459720575cd5f953",
            "content_type": "application/octet-stream", "is_primary": false, "description": null
        }],
        "primary_file_path": null, "model_size_mb": 0.1, "dependencies": [], "tags": [],
        "custom_metadata": {}, "created_at": stamp, "updated_at": stamp, "is_active": true,
        "is_production_ready": false
    })
}

fn stored(version: &str) -> Answer {
    Answer::json(200, &record(version, Timestamp::now()).to_string())
}

fn not_found() -> Answer {
    Answer::json(404, r#"{"detail":"Model not found"}"#)
}

fn refusal(status: u16) -> Answer {
    Answer::json(status, r#"{"detail":"the reason"}"#)
}

/// An API whose script sees the number of the upload, from 1, or 0 for a question about records.
struct Numbered {
    api: ScriptedApi,
    uploads: Arc<AtomicUsize>,
}

impl Numbered {
    fn start(mut script: impl FnMut(usize, &Request) -> Answer + Send + 'static) -> Self {
        let uploads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&uploads);
        let api = ScriptedApi::start(move |request| {
            if request.method == "GET" {
                return script(0, request);
            }
            let body = String::from_utf8_lossy(request.body()).into_owned();
            assert!(body.contains("\r\n\r\nweights\r\n--"), "{body}");
            script(counted.fetch_add(1, Ordering::SeqCst) + 1, request)
        });
        Self { api, uploads }
    }

    fn uploads(&self) -> usize {
        self.uploads.load(Ordering::SeqCst)
    }
}

#[test]
fn an_api_that_is_busy_gets_the_whole_body_again() {
    for status in [408, 425, 429] {
        let busy = Numbered::start(move |number, _| match number {
            1 | 2 => refusal(status),
            _ => stored("v1"),
        });
        let outcome = upload(&busy.api, "form", &["-o", "json"]).expect(0);
        assert_eq!(outcome.json()["attempts"], 3);
        assert!(outcome.err().contains("the reason; sending it again in"), "{outcome}");
        assert!(outcome.err().contains("(2 of 3)"), "{outcome}");
        assert_eq!(busy.api.calls(), 3);
    }
}

#[test]
fn what_never_passes_is_sent_once() {
    for (status, code) in
        [(400, 4), (401, 10), (403, 10), (404, 4), (413, 4), (422, 4), (501, 5), (507, 5)]
    {
        let api = Numbered::start(move |_, _| Answer::json(status, r#"{"detail":"Not Found"}"#));
        drop(upload(&api.api, "form", &[]).expect(code));
        assert_eq!(api.api.calls(), 1, "{status}");
    }
}

#[test]
fn without_retries_there_is_one_attempt_and_no_look() {
    for answer in [refusal(429), refusal(500), Answer::Break] {
        let api = Numbered::start(move |_, _| answer.clone());
        let outcome = upload(&api.api, "form", &["--retries", "0"]);
        assert!(outcome.err().starts_with("error: "), "{outcome}");
        assert_eq!(api.api.calls(), 1, "{outcome}");
    }
}

#[test]
fn the_last_attempt_tells_the_error() {
    let api = Numbered::start(|number, _| match number {
        0 => not_found(),
        number => Answer::json(503, &json!({"detail": format!("no. {number}")}).to_string()),
    });
    let outcome = upload(&api.api, "form", &["--retries", "2"]).expect(5);
    assert!(outcome.err().contains("error: failed to upload u/m: the API answered 503: no. 3"));
    assert_eq!(api.uploads(), 3);
}

#[test]
fn an_api_that_asks_to_be_left_alone_is_left_alone_so_long() {
    let later = Timestamp::now() + SignedDuration::from_secs(86_401);
    let at = |time: Timestamp| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for answer in [
        refusal(429).with_header("Retry-After", "1"),
        refusal(429)
            .with_header("Date", &at(later))
            .with_header("Retry-After", &at(later + SignedDuration::from_secs(1))),
    ] {
        let busy = Numbered::start(move |number, _| match number {
            1 => answer.clone(),
            _ => stored("v1"),
        });
        let outcome = upload(&busy.api, "form", &[]).expect(0);
        let said = outcome.err().split("sending it again in ").nth(1).unwrap();
        let pause: f64 = said.split(' ').next().unwrap().parse().unwrap();
        assert!((1.0..=1.6).contains(&pause), "{outcome}");
    }
}

#[test]
fn a_pause_that_ends_after_the_timeout_or_takes_too_long_is_not_begun() {
    for (seconds, flags) in [("30", &["--timeout", "20s"][..]), ("301", &[])] {
        let busy = Numbered::start(move |_, _| refusal(429).with_header("Retry-After", seconds));
        let outcome = upload(&busy.api, "form", flags).expect(4);
        assert!(outcome.err().starts_with("error: "), "{outcome}");
        assert_eq!(busy.api.calls(), 1);
    }
}

#[test]
fn an_api_that_is_not_up_yet_is_waited_for_from_the_first_question_on() {
    for (dialect, calls) in [("form", 1), ("auto", 2)] {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let environment = Environment::new();
        environment.write("model.pt", "weights");
        let url = format!("http://{address}");
        let flags = ["--dialect", dialect, "--retries", "9", "-u", &url];
        let running = environment.start([&UPLOAD[..], &flags].concat());
        running.wait_for(Stream::Err, "connection refused; ");
        let api = ScriptedApi::start_at(&address, |request| {
            request.body();
            match request.path.as_str() {
                "/openapi.json" => {
                    Answer::json(200, r#"{"paths":{"/ai-models/upload/single":{}}}"#)
                }
                _ => stored("v1"),
            }
        });
        assert_eq!(running.finish().expect(0).out(), "u/m@v1\n");
        assert_eq!(api.calls(), calls);
    }
}

#[test]
fn what_is_stored_though_no_reply_came_is_not_sent_again() {
    for answer in [
        Answer::Break,
        refusal(500),
        refusal(502),
        refusal(504),
        Answer::CutOff { body: b"{".to_vec(), missing: 10 },
    ] {
        for (dialect, path) in [("form", "/ai-models/u/m?version=v1"), ("task", "/ai-models/u?")] {
            let answer = answer.clone();
            let api = Numbered::start(move |number, request| {
                if number > 0 {
                    return answer.clone();
                }
                assert!(request.path.starts_with(path), "{}", request.path);
                match path {
                    "/ai-models/u?" => {
                        let all = json!([record("v1", Timestamp::now())]);
                        Answer::json(200, &all.to_string())
                    }
                    _ => stored("v1"),
                }
            });
            let outcome = upload(&api.api, dialect, &["-o", "json"]).expect(0);
            assert_eq!(outcome.json()["status"], "created");
            assert_eq!(outcome.json()["attempts"], 1);
            assert!(outcome.err().contains("note: u/m@v1 is stored"), "{outcome}");
            assert_eq!(api.uploads(), 1, "{outcome}");
        }
    }
}

#[test]
fn what_is_not_stored_is_sent_again_after_a_look() {
    for answer in [Answer::Break, refusal(503), refusal(504)] {
        let api = Numbered::start(move |number, _| match number {
            0 => not_found(),
            1 => answer.clone(),
            _ => stored("v1"),
        });
        let outcome = upload(&api.api, "form", &[]).expect(0);
        assert_eq!(outcome.out(), "u/m@v1\n");
        assert_eq!((api.uploads(), api.api.calls()), (2, 3), "{outcome}");
    }
}

#[test]
fn the_same_files_of_an_older_version_are_not_taken_for_what_was_sent() {
    let api = Numbered::start(|number, _| {
        let old = record("v1", Timestamp::now() - SignedDuration::from_hours(1));
        match number {
            0 => Answer::json(200, &json!([old]).to_string()),
            1 => Answer::Break,
            _ => stored("v2"),
        }
    });
    assert_eq!(upload(&api.api, "flat", &[]).expect(0).out(), "u/m@v2\n");
    assert_eq!(api.uploads(), 2);
}

#[test]
fn the_servers_own_clock_says_what_is_old() {
    let api = Numbered::start(|number, _| {
        let behind = Timestamp::now() - SignedDuration::from_hours(5);
        let date = behind.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        match number {
            0 => Answer::json(200, &json!([record("v1", behind)]).to_string())
                .with_header("Date", &date),
            _ => Answer::Break,
        }
    });
    assert_eq!(upload(&api.api, "flat", &[]).expect(0).out(), "u/m@v1\n");
    assert_eq!(api.uploads(), 1);
}

#[test]
fn a_gateway_that_gave_up_gets_no_second_version_while_the_first_may_come() {
    let mut looks = 0;
    let slow = Numbered::start(move |number, _| {
        let all = json!([record("v1", Timestamp::now())]);
        match number {
            0 => {
                looks += 1;
                Answer::json(200, if looks < 2 { "[]".into() } else { all.to_string() }.as_str())
            }
            _ => refusal(504),
        }
    });
    assert_eq!(upload(&slow.api, "flat", &[]).expect(0).out(), "u/m@v1\n");
    assert_eq!(slow.uploads(), 1);
    let never = Numbered::start(|number, _| match number {
        0 => Answer::json(200, "[]"),
        _ => refusal(504),
    });
    let outcome = upload(&never.api, "flat", &["--retries", "2"]).expect(5);
    assert_eq!((never.uploads(), never.api.calls()), (1, 3), "{outcome}");
    assert!(outcome.err().contains("see whether it is stored: dwctl models show u/m"), "{outcome}");
}

#[test]
fn a_conflict_with_what_the_first_attempt_stored_is_no_conflict() {
    let mut looks = 0;
    let api = Numbered::start(move |number, _| match number {
        0 => {
            looks += 1;
            // The server was not done when it was asked first.
            if looks == 1 { not_found() } else { stored("v1") }
        }
        1 => Answer::Break,
        _ => Answer::json(409, r#"{"detail":"exists"}"#),
    });
    assert_eq!(upload(&api.api, "form", &[]).expect(0).out(), "u/m@v1\n");
    assert_eq!(api.uploads(), 2);
}

#[test]
fn a_look_that_gets_no_answer_is_repeated_and_nothing_is_sent_meanwhile() {
    let mut looks = 0;
    let api = Numbered::start(move |number, _| match number {
        0 => {
            looks += 1;
            if looks < 3 { refusal(503) } else { stored("v1") }
        }
        _ => Answer::Break,
    });
    assert_eq!(upload(&api.api, "form", &[]).expect(0).out(), "u/m@v1\n");
    assert_eq!((api.uploads(), api.api.calls()), (1, 4));
    let denied = Numbered::start(|number, _| match number {
        0 => refusal(403),
        _ => Answer::Break,
    });
    let outcome = upload(&denied.api, "form", &[]).expect(6);
    assert!(outcome.err().contains("see whether it is stored: "), "{outcome}");
    assert_eq!(denied.uploads(), 1);
}

#[test]
fn an_upload_is_sent_on_at_the_same_origin_and_nowhere_else() {
    for status in [307, 308] {
        let api = Numbered::start(move |number, request| match number {
            1 => Answer::plain(status, "").with_header("Location", "/api/upload"),
            _ => {
                assert_eq!(request.path, "/api/upload");
                stored("v1")
            }
        });
        assert_eq!(upload(&api.api, "form", &[]).expect(0).out(), "u/m@v1\n");
        assert_eq!(api.uploads(), 2);
    }
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let there = format!("http://{}/", elsewhere.local_addr().unwrap());
    for (status, location) in [(307, there.as_str()), (303, "/other"), (301, "/other")] {
        let target = location.to_owned();
        let api =
            Numbered::start(move |_, _| Answer::plain(status, "").with_header("Location", &target));
        let outcome = upload(&api.api, "form", &[]).expect(4);
        assert!(outcome.err().contains("redirects to http://"), "{outcome}");
        assert_eq!(api.api.calls(), 1, "{outcome}");
    }
    assert!(elsewhere.accept().is_err(), "the upload went to another origin");
    let endless = Numbered::start(|_, _| {
        Answer::plain(307, "").with_header("Location", "/ai-models/upload/single")
    });
    let outcome = upload(&endless.api, "form", &[]).expect(4);
    assert!(outcome.err().contains("again and again"), "{outcome}");
}
