//! The walk-through of the service's own documentation, word for word but for the ports, which may be
//! taken here: its curl command and its Python snippet upload a model, and the event is shown as it
//! shows it.

use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::http::Call;
use crate::support::peers;
use crate::support::run::{Outcome, Running, Stream};
use crate::support::stack::Stack;

const CURL: &str = r#"curl -X POST "http://localhost:8000/ai-models/upload/single" \
  -H "Content-Type: multipart/form-data" \
  -F "file=@model.pt" \
  -F "user_id=user123" \
  -F "model_id=test-model-1" \
  -F "name=Test Model" \
  -F "version=v1" \
  -F "framework=pytorch" \
  -F "model_type=classification" \
  -F "training_dataset=dataset123" \
  -F "training_accuracy=0.95"
"#;

const PYTHON: &str = r"import requests

files = {'file': open('model.pt', 'rb')}
data = {
    'user_id': 'user123',
    'model_id': 'test-model-1',
    'name': 'Test Model',
    'version': 'v1',
    'framework': 'pytorch',
    'model_type': 'classification',
    'training_dataset': 'dataset123',  # Optional - links to dataset
    'training_accuracy': 0.95
}

response = requests.post(
    'http://localhost:8000/ai-models/upload/single',
    files=files,
    data=data
)
print(response.json())
";

/// A stack with the model that everybody uploads.
fn stack() -> Stack {
    let stack = Stack::start();
    stack.environment.write("model.pt", "weights");
    stack
}

/// A text of the walk-through with this stack's port in the place of the service's.
fn with_port(text: &str, stack: &Stack) -> String {
    let (_, port) = stack.host().rsplit_once(':').unwrap();
    assert!(text.contains("localhost:8000"), "nothing to replace in {text}");
    text.replace("localhost:8000", &format!("localhost:{port}"))
}

#[track_caller]
fn assert_announced(stack: &Stack, dataset: &str) {
    let arguments = ["tail", "automl", "-n", "1", "--from", "beginning"];
    let outcome = stack.run(arguments).expect(0);
    assert_shown(outcome.out(), dataset);
}

/// The seed's form, with its fields in its order; time and size are the upload's own.
#[track_caller]
fn assert_shown(shown: &str, dataset: &str) {
    let event = shown.split_once("Event=").unwrap().1;
    let event: Value = serde_json::from_str(event).unwrap();
    let text = |field: &str| event[field].as_str().unwrap().to_owned();
    let (id, timestamp) = (text("event_id"), text("timestamp"));
    let seconds = id.strip_prefix("model_uploaded_test-model-1_").unwrap();
    assert!(seconds.len() == 10 && seconds.parse::<u64>().is_ok(), "{id}");
    assert_eq!(timestamp.len(), "2025-10-10T12:00:34.567890".len(), "{timestamp}");
    let size = &event["model_size_mb"];
    assert_eq!(
        shown,
        format!(
            r#"AutoML Message received
  Partition=0 Offset=0
  Key=user123_test-model-1
  Event={{
    "event_type": "model.uploaded",
    "event_id": "{id}",
    "timestamp": "{timestamp}",
    "user_id": "user123",
    "model_id": "test-model-1",
    "dataset_id": {dataset},
    "version": "v1",
    "framework": "pytorch",
    "model_type": "classification",
    "algorithm": null,
    "model_size_mb": {size},
    "training_accuracy": 0.95,
    "validation_accuracy": null,
    "test_accuracy": null
  }}
"#
        )
    );
}

#[test]
fn the_curl_command_uploads_and_announces() {
    if !peers::has("curl") {
        return;
    }
    let stack = stack();
    let reply = stack.environment.bash(&with_port(CURL, &stack)).finish().expect(0).json();
    assert_eq!(reply["files"][0]["file_hash"], "63f4f1e9b725370f459720575cd5f953");
    assert_announced(&stack, "\"dataset123\"");
}

#[test]
fn without_the_optional_dataset_the_events_is_null() {
    if !peers::has("curl") {
        return;
    }
    let stack = stack();
    let without = CURL.replace("  -F \"training_dataset=dataset123\" \\\n", "");
    assert_ne!(without, CURL);
    stack.environment.bash(&with_port(&without, &stack)).finish().must_succeed();
    assert_announced(&stack, "null");
}

fn run_snippet(stack: &Stack, python: &Path) -> Outcome {
    stack.environment.write("upload.py", with_port(PYTHON, stack));
    let mut command = stack.environment.command(python);
    command.arg("upload.py");
    Running::start(command).finish()
}

#[test]
fn the_python_snippet_uploads_and_announces() {
    let Some(python) = peers::python() else { return };
    let stack = stack();
    let outcome = run_snippet(&stack, &python).expect(0);
    assert!(outcome.out().contains("'model_id': 'test-model-1'"), "{outcome}");
    assert_announced(&stack, "\"dataset123\"");
}

#[test]
fn our_own_command_announces_the_same() {
    let stack = stack();
    let script = "$DWCTL upload model.pt --user-id user123 --model-id test-model-1 --name 'Test Model' --version v1 --framework pytorch --model-type classification --training-dataset dataset123 --training-accuracy 0.95 --dialect form";
    let script = format!("export DWCTL_API_URL={}\n{script}", stack.api_url);
    stack.environment.bash(&script).finish().must_succeed();
    assert_announced(&stack, "\"dataset123\"");
    let model = stack.call(&Call::get("/ai-models/user123/test-model-1")).expect(200).json();
    assert_eq!(model["name"], "Test Model");
}

#[test]
fn a_watching_terminal_shows_the_event_when_it_comes() {
    if !peers::has("curl") {
        return;
    }
    let stack = stack();
    let tail = stack.start_client(["tail", "automl"]);
    tail.wait_for(Stream::Err, "waiting for new records");
    stack.environment.bash(&with_port(CURL, &stack)).finish().must_succeed();
    tail.wait_for(Stream::Out, "Partition=0 Offset=0");
    tail.wait_for(Stream::Out, "Key=user123_test-model-1");
}

/// The consumer of the walk-through, with its variables; the API's address is ours to say.
const CONSUMER: &str = r#"KAFKA_BOOTSTRAP_SERVERS=localhost:9092 \
KAFKA_AUTOML_TOPIC=automl-events \
KAFKA_CONSUMER_GROUP=automl-consumer \
exec "$DWCTL" forward"#;

/// The third step to the fifth: the consumer runs, `upload` uploads, the consumer's log shows it, and
/// what XAI is asked for lies there.
fn walk(upload: impl FnOnce(&Stack)) {
    let stack = stack();
    let (_, port) = stack.brokers.rsplit_once(':').unwrap();
    let script = format!(
        "export DWCTL_API_URL={}\n{}",
        stack.api_url,
        CONSUMER.replace("localhost:9092", &format!("localhost:{port}"))
    );
    let consumer = stack.environment.bash(&script);
    consumer.wait_for(Stream::Err, "joined group automl-consumer");
    upload(&stack);
    consumer.wait_for(Stream::Err, "sent xai.trigger to xai-events[0]@0");
    consumer.signal(Signal::INT);
    let outcome = consumer.finish().expect(130);
    assert_shown(outcome.out(), "\"dataset123\"");

    let sent = stack.run(["tail", "xai", "--until", "end", "-o", "raw"]).expect(0);
    let trigger: Value = sent.json();
    let (id, timestamp) =
        (trigger["event_id"].as_str().unwrap(), trigger["timestamp"].as_str().unwrap());
    assert!(id.starts_with("xai_trigger_test-model-1_"), "{id}");
    assert_eq!(timestamp.len(), "2025-10-10T12:00:00.000000".len(), "{timestamp}");
    assert_eq!(
        sent.out(),
        format!(
            r#"{{"event_type":"xai.trigger","event_id":"{id}","timestamp":"{timestamp}","user_id":"user123","model_id":"test-model-1","dataset_id":"dataset123","version":"v1","framework":"pytorch","model_type":"classification","source_event":"model.uploaded"}}
"#
        )
    );
}

#[test]
fn the_consumer_shows_what_the_curl_command_uploads_and_asks_for_its_explanation() {
    if !peers::has("curl") {
        return;
    }
    walk(|stack| stack.environment.bash(&with_port(CURL, stack)).finish().must_succeed());
}

#[test]
fn the_consumer_shows_what_the_python_snippet_uploads_and_asks_for_its_explanation() {
    let Some(python) = peers::python() else { return };
    walk(|stack| run_snippet(stack, &python).must_succeed());
}
