//! Uploads to `dwctl serve` by raw HTTP, as curl would send them: both dialects, replies with their
//! fields in order, and the events that follow.

use serde_json::{Value, json};

use crate::support::http::{Call, Multipart};
use crate::support::stack::Stack;
use crate::support::zips::zipped;

const USER: (&str, &str) = ("user_id", "user123");
const FIELDS: [(&str, &str); 4] = [
    ("model_id", "test-model-1"),
    ("name", "Test Model"),
    ("framework", "pytorch"),
    ("model_type", "classification"),
];
/// `weights`, as `md5sum` has it.
const WEIGHTS_MD5: &str = "63f4f1e9b725370f459720575cd5f953";

fn form(file_field: &str, filename: &str, content: &[u8]) -> Multipart {
    Multipart::new().file(file_field, filename, content).texts(&FIELDS)
}

/// The next event on the topic: key and value as sent.
fn event(stack: &Stack, offset: u64) -> (Value, String) {
    let from = offset.to_string();
    let arguments = ["tail", "automl-events", "--from", &from, "-n", "1", "-o"];
    let read = |form| stack.run([&arguments[..], &[form]].concat()).expect(0);
    (read("json").json()["key"].clone(), read("raw").out().trim_end().to_owned())
}

/// The event's text with what differs from run to run taken out.
fn without_time(event: &str) -> String {
    let mut event: Value = serde_json::from_str(event).unwrap();
    event["timestamp"] = json!("NOW");
    let id = event["event_id"].as_str().unwrap().rsplit_once('_').unwrap().0.to_owned();
    event["event_id"] = json!(id);
    event.to_string()
}

#[test]
fn a_file_in_the_form_dialect_is_stored_and_announced_with_every_field() {
    let stack = Stack::start();
    let form = form("file", "model.pt", b"weights").texts(&[
        USER,
        ("version", "v7"),
        ("description", "a description"),
        ("algorithm", "ResNet50"),
        ("is_primary", "true"),
        ("tags", "a, b,,c"),
        ("training_dataset", "dataset123"),
        ("training_accuracy", "0.95"),
        ("validation_accuracy", "0.93"),
        ("test_accuracy", "0.92"),
        ("training_loss", "0.1"),
        ("python_version", "3.11"),
        ("hardware_requirements", "a GPU"),
        ("unknown_field", "ignored"),
    ]);
    let mut model = stack.call(&Call::post("/ai-models/upload/single", &form)).expect(200).json();
    for stamp in ["created_at", "updated_at"] {
        model[stamp] = json!("NOW");
    }
    let size = json!(7.0 / 1024.0 / 1024.0);
    let expected = format!(
        r#"{{"model_id":"test-model-1","user_id":"user123","name":"Test Model","description":"a description","version":"v7","framework":"pytorch","model_type":"classification","algorithm":"ResNet50","files":[{{"filename":"model.pt","file_path":"models/user123/test-model-1/v7/model.pt","file_size":7,"file_type":"pt","file_hash":"{WEIGHTS_MD5}","content_type":"application/octet-stream","is_primary":true,"description":null}}],"primary_file_path":"models/user123/test-model-1/v7/model.pt","input_shape":null,"output_shape":null,"num_parameters":null,"model_size_mb":{size},"training_dataset":"dataset123","training_accuracy":0.95,"validation_accuracy":0.93,"test_accuracy":0.92,"training_loss":0.1,"python_version":"3.11","dependencies":[],"hardware_requirements":"a GPU","tags":["a","b","c"],"custom_metadata":{{}},"created_at":"NOW","updated_at":"NOW","is_active":true,"is_production_ready":false}}"#
    );
    assert_eq!(model.to_string(), expected);
    let (key, event) = event(&stack, 0);
    assert_eq!(key, "user123_test-model-1");
    assert_eq!(
        without_time(&event),
        format!(
            r#"{{"event_type":"model.uploaded","event_id":"model_uploaded_test-model-1","timestamp":"NOW","user_id":"user123","model_id":"test-model-1","dataset_id":"dataset123","version":"v7","framework":"pytorch","model_type":"classification","algorithm":"ResNet50","model_size_mb":{size},"training_accuracy":0.95,"validation_accuracy":0.93,"test_accuracy":0.92}}"#
        )
    );
}

#[test]
fn without_a_training_dataset_the_events_dataset_is_null() {
    let stack = Stack::start();
    let form = form("file", "model.pt", b"weights").texts(&[USER]);
    drop(stack.call(&Call::post("/ai-models/upload/single", &form)).expect(200));
    let (_, event) = event(&stack, 0);
    assert!(event.contains("\"dataset_id\":null,"), "{event}");
    assert!(event.contains("\"version\":\"v1\","), "{event}");
}

#[test]
fn in_the_flat_dialect_the_user_is_in_the_path_and_the_server_counts_versions() {
    let stack = Stack::start();
    let call = Call::post("/ai-models/upload/single/user123", &form("file", "m.pt", b"weights"));
    for (offset, version) in [(0, "v1"), (1, "v2"), (2, "v3")] {
        let model = stack.call(&call).expect(200).json();
        assert_eq!((&model["version"], &model["user_id"]), (&json!(version), &json!("user123")));
        let (key, event) = event(&stack, offset);
        assert_eq!(key, "user123_test-model-1");
        assert!(event.contains(&format!("\"version\":\"{version}\"")), "{event}");
    }
}

#[test]
fn in_the_flat_dialect_a_version_of_the_form_is_ignored() {
    let stack = Stack::start();
    let form = form("file", "m.pt", b"weights").texts(&[("version", "v9"), ("user_id", "other")]);
    let model =
        stack.call(&Call::post("/ai-models/upload/single/user123", &form)).expect(200).json();
    assert_eq!((&model["version"], &model["user_id"]), (&json!("v1"), &json!("user123")));
}

#[test]
fn a_folder_is_stored_file_by_file_and_announced_once_in_either_dialect() {
    let archive = zipped(&[
        ("model/weights.pkl", b"weights"),
        ("model/config.json", b"{}"),
        ("README.md", b"read me"),
    ]);
    let stack = Stack::start();
    for (offset, (path, fields)) in
        [("/ai-models/upload/folder", &[USER][..]), ("/ai-models/upload/folder/user9", &[])]
            .into_iter()
            .enumerate()
    {
        let form = form("zip_file", "model.zip", &archive)
            .texts(fields)
            .texts(&[("training_dataset", "dataset123")]);
        let model = stack.call(&Call::post(path, &form)).expect(200).json();
        let files = model["files"].as_array().unwrap();
        let facts: Vec<(&str, bool)> = files
            .iter()
            .map(|file| (file["filename"].as_str().unwrap(), file["is_primary"] == json!(true)))
            .collect();
        assert_eq!(facts, [("README.md", false), ("weights.pkl", true), ("config.json", false)]);
        assert_eq!(files[1]["file_hash"], WEIGHTS_MD5);
        assert_eq!(files[1]["description"], "Uploaded from folder structure");
        let (_, event) = event(&stack, offset as u64);
        assert!(event.contains("\"dataset_id\":\"dataset123\""), "{event}");
    }
}

#[test]
fn without_structure_a_folders_files_have_base_names() {
    let stack = Stack::start();
    let archive = zipped(&[("deep/down/weights.pkl", b"weights")]);
    let form = form("zip_file", "m.zip", &archive).texts(&[USER, ("preserve_structure", "false")]);
    let model = stack.call(&Call::post("/ai-models/upload/folder", &form)).expect(200).json();
    assert_eq!(model["files"][0]["file_path"], "models/user123/test-model-1/v1/weights.pkl");
}

#[test]
fn the_same_version_twice_is_a_conflict_and_announces_nothing() {
    let stack = Stack::start();
    let call = |dataset: &str| {
        let form = form("file", "m.pt", b"weights").texts(&[USER, ("training_dataset", dataset)]);
        Call::post("/ai-models/upload/single", &form)
    };
    drop(stack.call(&call("first")).expect(200));
    let reply = stack.call(&call("second")).expect(409);
    assert_eq!(reply.text(), r#"{"detail":"Model with this ID and version already exists"}"#);
    let other = form("file", "m.pt", b"other").texts(&[USER, ("version", "v2")]);
    drop(stack.call(&Call::post("/ai-models/upload/single", &other)).expect(200));
    let (_, second) = event(&stack, 1);
    assert!(second.contains("\"version\":\"v2\""), "{second}");
}

#[test]
fn what_was_uploaded_is_listed_shown_and_downloaded_with_the_same_md5() {
    let stack = Stack::start();
    // Larger than what is kept in the database.
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let form = form("file", "model.pt", &content).texts(&[USER]);
    let model = stack.call(&Call::post("/ai-models/upload/single", &form)).expect(200).json();
    let get = |path: &str| stack.call(&Call::get(path)).expect(200);
    assert_eq!(get("/ai-models/user123").json(), json!([model]));
    assert_eq!(get("/ai-models/user123/test-model-1").json(), model);
    assert_eq!(get("/ai-models/user123/test-model-1/files").json(), model["files"]);
    let file = get("/ai-models/user123/test-model-1/download?filename=model.pt");
    assert_eq!(file.header("content-type"), Some("application/octet-stream"));
    assert!(file.body == content, "{} bytes came back", file.body.len());
    let zip = get("/ai-models/user123/test-model-1/download");
    assert_eq!(zip.header("content-disposition"), Some("attachment; filename=test-model-1_v1.zip"));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip.body)).unwrap();
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut archive.by_name("model.pt").unwrap(), &mut unpacked).unwrap();
    assert!(unpacked == content, "{} bytes were in the archive", unpacked.len());
}

#[test]
fn what_is_not_there_is_not_found_in_the_services_words() {
    let stack = Stack::start();
    for (path, detail) in [
        ("/ai-models/user123/nothing", "Model not found"),
        ("/ai-models/user123/nothing/files", "Model not found"),
        ("/ai-models/user123/nothing/download", "Model not found"),
        ("/bias-reports/user123/nothing", "Bias report not found for dataset nothing"),
        ("/datasets/user123/nothing", "Dataset not found"),
        ("/datasets/user123/nothing/version/v1", "Dataset not found"),
        ("/datasets/user123/nothing/version/v1/download", "Dataset version not found"),
        ("/transformation-reports/user123/nothing/v1", "Transformation report not found"),
        ("/ai-models/a%2Fb/c", "Not Found"),
        ("/nothing/at/all", "Not Found"),
    ] {
        let reply = stack.call(&Call::get(path)).expect(404);
        assert_eq!(reply.json(), json!({"detail": detail}), "{path}");
    }
    assert_eq!(stack.call(&Call::get("/ai-models/nobody")).expect(200).text(), "[]");
}

#[test]
fn a_bias_report_is_stored_and_every_field_of_the_seed_is_announced() {
    let stack = Stack::start();
    let dataset = Multipart::new()
        .file("file", "data.csv", b"a\n1\n")
        .texts(&[("dataset_id", "dataset123"), ("name", "Test Dataset")]);
    drop(stack.call(&Call::post("/datasets/upload/user123", &dataset)).expect(200));
    let body = r#"{"user_id":"user123","dataset_id":"dataset123","report":{"groups":[1,2]},"target_column_name":"target","task_type":"classification"}"#;
    let report = stack.call(&Call::post_json("/bias-reports/", body)).expect(200).json();
    assert_eq!(report["report"], json!({"groups": [1, 2]}));
    let read = stack.run(["tail", "bias-events", "--from", "beginning", "-n", "1", "-o", "json"]);
    let line = read.expect(0).json();
    assert_eq!(line["key"], "dataset123");
    let mut event = line["value"].clone();
    event["timestamp"] = json!("NOW");
    let id = report["id"].as_str().unwrap();
    assert_eq!(
        event.to_string(),
        format!(
            r#"{{"event_type":"bias.reported","dataset_id":"dataset123","user_id":"user123","bias_report_id":"{id}","has_transformation_report":false,"target_column_name":"target","task_type":"classification","timestamp":"NOW"}}"#
        )
    );
}

#[test]
fn a_bias_report_without_the_slash_is_sent_on_as_the_service_does() {
    let stack = Stack::start();
    let reply = stack.call(&Call::post_json("/bias-reports", "{}")).expect(307);
    let there = format!("{}/bias-reports/", stack.api_url);
    assert_eq!(reply.header("location"), Some(there.as_str()));
}
