//! What the local API does at the edges of its contract: users that no path can name, files of one
//! name, large bodies, and names for other machines.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::environment::Environment;
use crate::support::http::{Call, Multipart};
use crate::support::run::{Running, Stream};
use crate::support::stack::Stack;
use crate::support::zips::zipped;

const FIELDS: [(&str, &str); 4] =
    [("model_id", "m"), ("name", "N"), ("framework", "pytorch"), ("model_type", "nlp")];

#[test]
fn a_user_that_no_path_could_name_is_refused_wherever_it_stands() {
    let stack = Stack::start();
    for user in ["%2e%2e", "%00", "a%20%0a"] {
        for route in ["ai-models/upload/single", "datasets/upload"] {
            let form = Multipart::new().file("file", "m.pt", b"w").texts(&FIELDS);
            let reply = stack.call(&Call::post(&format!("/{route}/{user}"), &form)).expect(422);
            let problem = &reply.json()["detail"][0];
            assert_eq!(problem["loc"], json!(["path", "user_id"]), "{user}: {problem}");
        }
    }
}

#[test]
fn of_equal_base_names_the_first_of_the_record_is_downloaded() {
    let stack = Stack::start();
    let archive = zipped(&[("z/w.bin", b"zzz"), ("a/w.bin", b"a"), ("m/w.bin", b"mm")]);
    let form = Multipart::new().file("zip_file", "m.zip", &archive).texts(&FIELDS);
    let model = stack.call(&Call::post("/ai-models/upload/folder/u", &form)).expect(200).json();
    assert_eq!(model["files"][0]["file_size"], 3);
    let get = |name: &str| {
        let path = format!("/ai-models/u/m/download?filename={name}");
        stack.call(&Call::get(&path)).expect(200).body
    };
    assert_eq!((get("w.bin"), get("m/w.bin")), (b"zzz".to_vec(), b"mm".to_vec()));
}

#[test]
fn a_report_of_many_megabytes_is_taken_whole() {
    let stack = Stack::start();
    let form = Multipart::new()
        .file("file", "d.csv", b"a\n1\n")
        .texts(&[("dataset_id", "d"), ("name", "D")]);
    drop(stack.call(&Call::post("/datasets/upload/u", &form)).expect(200));
    let body = json!({"user_id": "u", "dataset_id": "d", "report": "x".repeat(5_000_000)});
    let reply = stack.call(&Call::post_json("/bias-reports/", &body.to_string())).expect(200);
    assert_eq!(reply.json()["report"].as_str().map(str::len), Some(5_000_000));
    let too_large = json!({"user_id": "u", "dataset_id": "d", "report": "x".repeat(65 << 20)});
    let call = Call::post_json("/bias-reports/", &too_large.to_string());
    let detail = stack.call(&call).expect(413).json();
    assert_eq!(detail, json!({"detail": "The body has more than 67108864 bytes"}));
}

#[test]
fn the_addresses_are_those_that_clients_can_use_in_the_form_that_is_asked_for() {
    let environment = Environment::new();
    let serve = |flags: &str| {
        let fixed = "serve --port 0 --broker-port 0 --data-dir data -o json";
        environment.start(fixed.split_whitespace().chain(flags.split_whitespace()))
    };
    let addresses = |process: &Running| {
        let line = process.wait_for(Stream::Out, "dwctl.serve/1");
        let document: Value = serde_json::from_str(&line).unwrap();
        ["api_url", "brokers"].map(|name| document[name].as_str().unwrap().to_owned())
    };
    let anywhere = serve("--host 0.0.0.0 --topic mine --partitions 2");
    let [api, brokers] = addresses(&anywhere);
    assert!(api.starts_with("http://127.0.0.1:"), "{api}");
    let topics = environment.run(["topics", "mine", "-b", &brokers]).expect(0);
    assert_eq!(topics.out().lines().count(), 3, "{topics}");
    anywhere.signal(Signal::TERM);
    let outcome = anywhere.finish().expect(143);
    assert!(outcome.err().contains("name it with --advertise"), "{outcome}");
    let named = serve("--host 0.0.0.0 --advertise localhost");
    let [api, brokers] = addresses(&named);
    assert!(api.starts_with("http://localhost:") && brokers.starts_with("localhost:"), "{api}");
    drop(environment.run(["topics", "-b", &brokers]).expect(0));
    named.signal(Signal::TERM);
    drop(named.finish().expect(143));
    let bounded = serve("--timeout 1s").finish().expect(0);
    assert!(bounded.err().contains("the timeout has passed"), "{bounded}");
    let both = environment.run(["serve", "--brokers", "127.0.0.1:1", "--broker-port", "5"]);
    assert!(both.expect(2).err().contains("--brokers names another"));
    drop(environment.run(["serve", "--topic", "no/name"]).expect(2));
}
