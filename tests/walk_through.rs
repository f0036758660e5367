//! The walk-through of the service's own documentation, word for word but for the ports, which may be
//! taken here: its curl command and its Python snippet upload a model, and the event is shown as it
//! shows it.

use serde_json::Value;

use crate::support::http::Call;
use crate::support::peers;
use crate::support::run::Running;
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

/// The seed's form, with its fields in its order; time and size are the upload's own.
#[track_caller]
fn assert_announced(stack: &Stack, dataset: &str) {
    let arguments = ["tail", "automl", "-n", "1", "--from", "beginning"];
    let outcome = stack.run(arguments).expect(0);
    let event = outcome.out().split_once("Event=").unwrap().1;
    let event: Value = serde_json::from_str(event).unwrap();
    let text = |field: &str| event[field].as_str().unwrap().to_owned();
    let (id, timestamp) = (text("event_id"), text("timestamp"));
    let seconds = id.strip_prefix("model_uploaded_test-model-1_").unwrap();
    assert!(seconds.len() == 10 && seconds.parse::<u64>().is_ok(), "{id}");
    assert_eq!(timestamp.len(), "2025-10-10T12:00:34.567890".len(), "{timestamp}");
    let size = &event["model_size_mb"];
    assert_eq!(
        outcome.out(),
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

#[test]
fn the_python_snippet_uploads_and_announces() {
    let Some(python) = peers::python() else { return };
    let stack = stack();
    stack.environment.write("upload.py", with_port(PYTHON, &stack));
    let mut command = stack.environment.command(python);
    command.arg("upload.py");
    let outcome = Running::start(command).finish().expect(0);
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
    tail.wait_for(crate::support::run::Stream::Err, "waiting for new records");
    stack.environment.bash(&with_port(CURL, &stack)).finish().must_succeed();
    tail.wait_for(crate::support::run::Stream::Out, "Partition=0 Offset=0");
    tail.wait_for(crate::support::run::Stream::Out, "Key=user123_test-model-1");
}

/// The consumer of the walk-through, with its variables; the API's address is ours to say.
const CONSUMER: &str = r#"KAFKA_BOOTSTRAP_SERVERS=localhost:9092 \
KAFKA_AUTOML_TOPIC=automl-events \
KAFKA_CONSUMER_GROUP=automl-consumer \
exec "$DWCTL" forward"#;

#[test]
fn the_consumer_shows_the_upload_and_asks_for_its_explanation() {
    if !peers::has("curl") {
        return;
    }
    let stack = stack();
    let (_, port) = stack.brokers.rsplit_once(':').unwrap();
    let script = format!(
        "export DWCTL_API_URL={}\n{}",
        stack.api_url,
        CONSUMER.replace("localhost:9092", &format!("localhost:{port}"))
    );
    let consumer = stack.environment.bash(&script);
    consumer.wait_for(crate::support::run::Stream::Err, "joined group automl-consumer");
    stack.environment.bash(&with_port(CURL, &stack)).finish().must_succeed();
    consumer.wait_for(crate::support::run::Stream::Err, "sent xai.trigger to xai-events[0]@0");
    consumer.signal(rustix::process::Signal::INT);
    let outcome = consumer.finish().expect(130);
    let head = "AutoML Message received\n  Partition=0 Offset=0\n  Key=user123_test-model-1\n  Event={\n    \"event_type\": \"model.uploaded\",\n";
    assert!(outcome.out().starts_with(head), "{outcome}");

    let sent = stack.run(["tail", "xai", "--until", "end", "-o", "json"]).expect(0).json();
    assert_eq!(sent["key"], "user123_test-model-1");
    let trigger = sent["value"].as_object().unwrap();
    let fields: Vec<&str> = trigger.keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        [
            "event_type",
            "event_id",
            "timestamp",
            "user_id",
            "model_id",
            "dataset_id",
            "version",
            "framework",
            "model_type",
            "source_event"
        ]
    );
    assert_eq!(
        (&trigger["event_type"], &trigger["dataset_id"]),
        (&"xai.trigger".into(), &"dataset123".into())
    );
    assert_eq!(trigger["source_event"], "model.uploaded");
}
