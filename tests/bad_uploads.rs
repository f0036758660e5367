//! What `dwctl serve` answers to uploads that are wrong by mistake or by intent: in the service's
//! words where it has any, with a 4xx, never with a file outside the data folder, and it stays up.

use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::http::{Call, Multipart, Reply};
use crate::support::stack::Stack;
use crate::support::zips::{zipped, zipped_link};

const SINGLE: &str = "/ai-models/upload/single";
const FOLDER: &str = "/ai-models/upload/folder";
const FIELDS: [(&str, &str); 5] = [
    ("user_id", "user123"),
    ("model_id", "m"),
    ("name", "M"),
    ("framework", "pytorch"),
    ("model_type", "classification"),
];

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The server works on, nothing half-received is left in its folder, and nothing outside it was
/// made. The first is asked while it runs, the rest once it has ended and nobody writes any more.
#[track_caller]
fn assert_unharmed(stack: Stack) {
    let form = Multipart::new().file("file", "model.pt", b"weights").texts(&FIELDS);
    drop(stack.call(&Call::post("/ai-models/upload/single/unharmed", &form)).expect(200));
    assert_eq!(stack.call(&Call::get("/health")).expect(200).json()["status"], "healthy");
    let data = stack.data_dir();
    let (outcome, environment) = stack.stop(Signal::INT);
    drop(outcome.expect(130));
    assert_eq!(files(&data.join("staging")), [] as [PathBuf; 0]);
    let outside: Vec<PathBuf> =
        files(environment.folder()).into_iter().filter(|path| !path.starts_with(&data)).collect();
    assert_eq!(outside, [] as [PathBuf; 0]);
}

/// The problems of a 422: type, place and message.
#[track_caller]
fn problems(reply: &Reply) -> Vec<(String, String, String)> {
    let detail = reply.json()["detail"].clone();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let list = detail.as_array().unwrap_or_else(|| panic!("no list of problems: {detail}"));
    list.iter()
        .map(|problem| (text(&problem["type"]), text(&problem["loc"]), text(&problem["msg"])))
        .collect()
}

fn missing(fields: &[&str]) -> Vec<(String, String, String)> {
    let problem = |field: &&str| {
        ("missing".to_owned(), json!(["body", field]).to_string(), "Field required".to_owned())
    };
    fields.iter().map(problem).collect()
}

#[test]
fn every_missing_field_is_named_in_the_order_of_the_route() {
    let stack = Stack::start();
    let empty = Multipart::new().text("unknown", "x");
    for (path, fields) in [
        (SINGLE, &["file", "user_id", "model_id", "name", "framework", "model_type"][..]),
        (FOLDER, &["zip_file", "user_id", "model_id", "name", "framework", "model_type"]),
        ("/ai-models/upload/single/u", &["file", "model_id", "name", "framework", "model_type"]),
        (
            "/ai-models/upload/folder/u",
            &["zip_file", "model_id", "name", "framework", "model_type"],
        ),
    ] {
        let reply = stack.call(&Call::post(path, &empty)).expect(422);
        assert_eq!(problems(&reply), missing(fields), "{path}");
        let reply = stack.call(&Call::new("POST", path)).expect(422);
        assert_eq!(problems(&reply), missing(fields), "{path} without a body");
        let reply = stack.call(&Call::post_json(path, "{\"model_id\": \"m\"}")).expect(422);
        assert_eq!(problems(&reply), missing(fields), "{path} with a JSON body");
    }
}

#[test]
fn a_urlencoded_form_lacks_only_its_file() {
    let stack = Stack::start();
    let body = b"user_id=u&model_id=m&name=M+1&framework=onnx&model_type=other".to_vec();
    let call = Call::new("POST", SINGLE).body("application/x-www-form-urlencoded", body);
    assert_eq!(problems(&stack.call(&call).expect(422)), missing(&["file"]));
}

#[test]
fn a_file_under_the_wrong_name_is_missing_under_the_right_one() {
    let stack = Stack::start();
    let form = Multipart::new().file("file", "m.zip", b"PK").texts(&FIELDS);
    let reply = stack.call(&Call::post(FOLDER, &form)).expect(422);
    assert_eq!(problems(&reply), missing(&["zip_file"]));
}

#[test]
fn a_text_in_the_place_of_a_file_is_told_apart() {
    let stack = Stack::start();
    let form = Multipart::new().text("file", "weights").texts(&FIELDS);
    let reply = stack.call(&Call::post(SINGLE, &form)).expect(422);
    assert_eq!(
        reply.json()["detail"],
        json!([{
            "type": "value_error",
            "loc": ["body", "file"],
            "msg": "Value error, Expected UploadFile, received: <class 'str'>",
            "input": "weights",
            "ctx": {"error": {}},
            "url": "https://errors.pydantic.dev/2.5/v/value_error"
        }])
    );
}

/// The one problem of an upload in which a field has another value.
#[track_caller]
fn problem_with(stack: &Stack, field: &str, value: &str) -> (String, String, String) {
    let fields: Vec<(&str, &str)> =
        FIELDS.into_iter().filter(|(name, _)| *name != field).chain([(field, value)]).collect();
    let form = Multipart::new().file("file", "m.pt", b"weights").texts(&fields);
    let found = problems(&stack.call(&Call::post(SINGLE, &form)).expect(422));
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn a_value_that_cannot_be_is_named_with_what_could_be() {
    let stack = Stack::start();
    let (kind, place, message) = problem_with(&stack, "framework", "caffe");
    assert_eq!((kind.as_str(), place.as_str()), ("enum", r#"["body","framework"]"#));
    assert_eq!(
        message,
        "Input should be 'pytorch', 'tensorflow', 'sklearn', 'onnx', 'keras', 'huggingface' or 'other'"
    );
    assert_eq!(problem_with(&stack, "model_type", "magic").0, "enum");
    assert_eq!(problem_with(&stack, "training_accuracy", "high").0, "float_parsing");
    assert_eq!(problem_with(&stack, "training_accuracy", "nan").0, "finite_number");
    assert_eq!(problem_with(&stack, "is_primary", "perhaps").0, "bool_parsing");
    for (field, value) in
        [("model_id", "a/b"), ("user_id", ".."), ("version", "../v1"), ("user_id", "upload")]
    {
        let (_, place, _) = problem_with(&stack, field, value);
        assert_eq!(place, json!(["body", field]).to_string(), "{value}");
    }
    assert_unharmed(stack);
}

#[test]
fn a_body_that_is_no_multipart_is_a_bad_request() {
    let stack = Stack::start();
    let whole = Multipart::new().file("file", "m.pt", &[7; 100_000]).texts(&FIELDS);
    let right = Multipart::content_type();
    let cut = |at: usize| whole.body()[..at].to_vec();
    let nameless = Multipart::new().raw(b"Content-Disposition: form-data", b"x").body();
    let headless = b"no boundary anywhere".to_vec();
    for (content_type, body) in [
        ("multipart/form-data", whole.body()),
        ("multipart/form-data; boundary=another", whole.body()),
        (&right, cut(60)),
        (&right, cut(50_000)),
        (&right, cut(whole.body().len() - 70)),
        (&right, nameless),
        (&right, headless),
        (&right, Vec::new()),
    ] {
        let call = Call::new("POST", SINGLE).body(content_type, body);
        let reply = stack.call(&call).expect(400);
        assert!(reply.json()["detail"].is_string(), "{}", reply.text());
    }
    assert_unharmed(stack);
}

#[test]
fn too_many_and_too_long_fields_are_a_bad_request() {
    let stack = Stack::start();
    let many = (0..1_001).fold(Multipart::new(), |form, n| form.text(&format!("f{n}"), "x"));
    drop(stack.call(&Call::post(SINGLE, &many)).expect(400));
    let long = Multipart::new().text("name", &"x".repeat(1024 * 1024 + 1));
    drop(stack.call(&Call::post(SINGLE, &long)).expect(400));
    assert_unharmed(stack);
}

#[test]
fn a_client_that_goes_away_leaves_nothing_behind() {
    let stack = Stack::start();
    let form = Multipart::new().file("file", "m.pt", &[7; 4_000_000]).texts(&FIELDS);
    for bytes in [10, 200, 70_000, 3_000_000] {
        drop(Call::post(SINGLE, &form).begin(stack.host(), bytes));
    }
    assert_eq!(stack.call(&Call::get("/ai-models/user123")).expect(200).text(), "[]");
    assert_unharmed(stack);
}

#[test]
fn no_file_name_leads_out_of_the_data_folder_or_into_a_header() {
    let stack = Stack::start();
    for (sent, kept) in [
        ("../../../outside.pt", "outside.pt"),
        ("/etc/outside.pt", "outside.pt"),
        ("..\\\\..\\\\outside.pt", "outside.pt"),
        ("μοντέλο 模型.pt", "μοντέλο 模型.pt"),
        ("it's; a=b, \u{2028}.pt", "it's; a=b, \u{2028}.pt"),
        ("say \\\"hi\\\".pt", "say \"hi\".pt"),
        ("per%22cent%0D%0A.pt", "per%22cent%0D%0A.pt"),
    ] {
        let form = Multipart::new().file("file", sent, b"weights").texts(&FIELDS);
        let call = Call::post("/ai-models/upload/single/names", &form);
        let model = stack.call(&call).expect(200).json();
        let file = &model["files"][0];
        assert_eq!(file["filename"], kept, "{sent}");
        let version = model["version"].as_str().unwrap();
        assert_eq!(file["file_path"], format!("models/names/m/{version}/{kept}"));
        let path = format!("/ai-models/names/m/download?version={version}&filename=");
        let query: String = form_urlencoded::byte_serialize(kept.as_bytes()).collect();
        let reply = stack.call(&Call::get(&(path + &query))).expect(200);
        assert_eq!(reply.body, b"weights");
        assert_eq!(reply.header("content-type"), Some("application/octet-stream"));
    }
    assert_unharmed(stack);
}

#[test]
fn a_file_name_that_cannot_be_kept_is_refused() {
    let stack = Stack::start();
    for name in ["", "..", ".", "../", "a\0b.pt", "tab\tbed.pt", "a\x7fb.pt"] {
        let form = Multipart::new().file("file", name, b"weights").texts(&FIELDS);
        let reply = stack.call(&Call::post(SINGLE, &form));
        assert!((400..500).contains(&reply.status), "{name:?}: {} {}", reply.status, reply.text());
    }
    // A line break in a file name is one in the part's head: what follows it is another header.
    for head in [
        &b"Content-Disposition: form-data; name=\"file\"; filename=\"a\r\nX-Smuggled: 1\r\n\r\nb.pt\""[..],
        b"Content-Disposition: form-data; name=\"file\"; filename=\"a\nb.pt\"",
        b"Content-Disposition: form-data; name=\"file\"; filename=\"\xff\xfe.pt\"",
    ] {
        let form = Multipart::new().raw(head, b"weights").texts(&FIELDS);
        let reply = stack.call(&Call::post(SINGLE, &form));
        assert!((400..500).contains(&reply.status), "{} {}", reply.status, reply.text());
    }
    assert_unharmed(stack);
}

#[track_caller]
fn upload_zip(stack: &Stack, archive: &[u8]) -> Reply {
    let form = Multipart::new().file("zip_file", "m.zip", archive).texts(&FIELDS);
    stack.call(&Call::post(FOLDER, &form))
}

#[test]
fn what_is_no_archive_or_an_empty_one_is_refused_in_the_services_words() {
    let stack = Stack::start();
    let whole = zipped(&[("weights.pkl", &[7; 10_000])]);
    for archive in [&b"not a zip"[..], b"", b"PK\x03\x04", &whole[..whole.len() / 2]] {
        let reply = upload_zip(&stack, archive).expect(400);
        assert_eq!(reply.json(), json!({"detail": "Invalid zip file"}));
    }
    let reply = upload_zip(&stack, &zipped(&[])).expect(400);
    assert_eq!(
        reply.json(),
        json!({"detail": "No valid model files found in the uploaded folder"})
    );
    assert_unharmed(stack);
}

#[test]
fn an_entry_whose_checksum_is_wrong_is_refused() {
    let stack = Stack::start();
    let mut archive = zipped(&[("weights.pkl", &[7; 10_000])]);
    // In the middle of the compressed bytes: the head is 30 bytes and the name.
    archive[50] ^= 0xff;
    drop(upload_zip(&stack, &archive).expect(400));
    assert_unharmed(stack);
}

#[test]
fn entries_that_lead_outside_are_refused() {
    let stack = Stack::start();
    for name in
        ["../outside", "/etc/outside", "a/../../outside", "a\\..\\..\\outside", "C:/outside"]
    {
        let archive = zipped(&[("fine.pkl", b"weights"), (name, b"x")]);
        let reply = upload_zip(&stack, &archive).expect(400);
        assert!(reply.text().contains("leads outside"), "{name}: {}", reply.text());
    }
    drop(upload_zip(&stack, &zipped_link("link", "/etc/passwd")).expect(400));
    assert_eq!(stack.call(&Call::get("/ai-models/user123")).expect(200).text(), "[]");
    assert_unharmed(stack);
}

#[test]
fn a_bomb_is_refused_before_it_fills_the_disk() {
    let stack = Stack::start();
    let archive = zipped(&[("zeros", &vec![0; 100 * 1024 * 1024])]);
    assert!(archive.len() < 200_000, "{} bytes are no bomb", archive.len());
    drop(upload_zip(&stack, &archive).expect(413));
    assert_unharmed(stack);
}

#[test]
fn a_bias_report_that_is_none_is_refused_with_its_fields() {
    let stack = Stack::start();
    let reply = stack.call(&Call::post_json("/bias-reports/", "{}")).expect(422);
    assert_eq!(problems(&reply), missing(&["user_id", "dataset_id", "report"]));
    let wrong = r#"{"user_id": 7, "dataset_id": "d", "report": 1}"#;
    let reply = stack.call(&Call::post_json("/bias-reports/", wrong)).expect(422);
    assert_eq!(problems(&reply)[0].1, r#"["body","user_id"]"#);
    for body in ["", "{", "[]", "null", "\"x\""] {
        drop(stack.call(&Call::post_json("/bias-reports/", body)).expect(422));
    }
    assert_unharmed(stack);
}
