//! `dwctl demo`: the main job on a stack of its own.

use rustix::process::Signal;

use crate::support::environment::Environment;
use crate::support::http::Call;
use crate::support::run::Stream;

#[test]
fn every_step_is_proved_and_the_verdict_is_the_exit_code() {
    let document = Environment::new().run(["demo", "-o", "json"]).expect(0).json();
    assert_eq!((&document["schema"], &document["ok"]), (&"dwctl.demo/1".into(), &true.into()));
    let steps: Vec<(&str, bool)> = document["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["step"].as_str().unwrap(), step["ok"] == true))
        .collect();
    for name in [
        "upload a file",
        "upload a folder",
        "send a bias event",
        "read the events back",
        "download and compare",
        "forward to XAI",
        "update a model",
        "delete a model",
        "read the changes back",
    ] {
        assert!(steps.contains(&(name, true)), "{name} is not proved in {steps:?}");
    }
}

#[test]
fn the_events_are_shown_in_the_pretty_form() {
    let outcome = Environment::new().run(["demo"]).expect(0);
    for line in [
        "AutoML Message received",
        "  Partition=0 Offset=0 Topic=automl-events",
        "  Partition=0 Offset=1 Topic=automl-events",
        "  Key=demo_classifier",
        "Bias Message received",
        "  Partition=0 Offset=0 Topic=bias-events",
        "    \"dataset_id\": \"demo-dataset\",",
        "XAI Message received",
        "    \"event_type\": \"xai.trigger\",",
        "    \"event_type\": \"model.updated\",",
        "    \"event_type\": \"model.deleted\",",
    ] {
        assert!(outcome.out().lines().any(|shown| shown == line), "{line:?} is not in {outcome}");
    }
    assert!(outcome.out().lines().last().unwrap().starts_with("The pipeline works:"), "{outcome}");
}

#[test]
fn nothing_is_left_behind() {
    let environment = Environment::new();
    std::fs::create_dir(environment.path("tmp")).unwrap();
    let environment = {
        let temporary = environment.path("tmp");
        environment.set("TMPDIR", temporary.to_str().unwrap())
    };
    environment.run(["demo", "-q"]).must_succeed();
    assert_eq!(std::fs::read_dir(environment.path("tmp")).unwrap().count(), 0);
    for folder in ["home", "config", "data", "cache"] {
        assert_eq!(std::fs::read_dir(environment.path(folder)).unwrap().count(), 0, "{folder}");
    }
}

#[test]
fn a_kept_stack_goes_on_until_it_is_stopped() {
    let demo = Environment::new();
    let demo = demo.start(["demo", "--keep"]);
    let line = demo.wait_for(Stream::Err, "export DWCTL_API_URL=");
    demo.wait_for(Stream::Out, "KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:");
    let host = line.split("http://").nth(1).unwrap().split(' ').next().unwrap();
    let models = Call::get("/ai-models/demo").send(host).expect(200).json();
    assert_eq!(models.as_array().unwrap().len(), 1, "one of two was deleted");
    demo.signal(Signal::INT);
    drop(demo.finish().expect(130));
}
