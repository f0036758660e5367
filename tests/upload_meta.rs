//! Where the metadata of an upload comes from: flags, variables, a file, a model card, the content;
//! and what is said of content that is not what it seems.

use serde_json::json;

use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::stack::Stack;

/// A safetensors file of eight bytes of weights.
fn safetensors(metadata: &str) -> Vec<u8> {
    let header = format!(
        r#"{{"__metadata__":{metadata},"w":{{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}}}"#
    );
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &[0; 8]].concat()
}

/// A folder as the Hugging Face libraries save one, with a model card.
fn write_bert(environment: &Environment) {
    let config = json!({"architectures": ["BertForSequenceClassification"], "model_type": "bert"});
    environment.write("bert/config.json", config.to_string());
    environment.write("bert/model.safetensors", safetensors(r#"{"format":"pt"}"#));
    let card = "---\ntags:\n- a\n- b\npipeline_tag: text-classification\n---\n# Bert\n";
    environment.write("bert/README.md", card);
}

const WHO: [&str; 4] = ["--user-id", "u", "--model-id", "m"];

fn upload(environment: &Environment, path: &str, more: &[&str]) -> Outcome {
    environment.run([&["upload", path], &WHO[..], more].concat())
}

/// The value and the origin of a field.
#[track_caller]
fn field(shown: &Outcome, name: &str) -> (String, String) {
    let line = shown.out().lines().find(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no {name}: {shown}"));
    let rest = line[name.len()..].trim_start();
    let (value, origin) = rest.split_once(' ').expect("a value and its origin");
    (value.to_owned(), origin.trim_start().to_owned())
}

#[test]
fn a_folder_says_itself_what_it_is() {
    let stack = Stack::start();
    write_bert(&stack.environment);
    stack.run([&["upload", "bert"], &WHO[..]].concat()).must_succeed();
    let model = stack.run(["models", "show", "u/m", "-o", "json"]).expect(0).json();
    let record = &model["model"];
    assert_eq!(record["framework"], "huggingface", "{model:#}");
    assert_eq!(record["model_type"], "text_classification", "{model:#}");
    assert_eq!(record["tags"], json!(["a", "b"]), "{model:#}");
}

#[test]
fn every_layer_hides_those_below_it_and_each_value_tells_its_own() {
    let environment = Environment::new();
    write_bert(&environment);
    let shown = upload(&environment, "bert", &["--print-meta"]).expect(0);
    let framework = field(&shown, "framework");
    assert_eq!(framework.0, "huggingface");
    assert!(framework.1.starts_with("recognised: config.json"), "{shown}");
    assert_eq!(field(&shown, "tags").1, "bert/README.md (tags)");
    environment.write("bert/dwctl.toml", "tags = [\"c\"]\nname = \"from the file\"\n");
    let shown = upload(&environment, "bert", &["--print-meta"]).expect(0);
    assert_eq!(field(&shown, "tags").0, "c", "{shown}");
    let environment = environment.set("DWCTL_META_TAGS", "d");
    let shown = upload(&environment, "bert", &["--print-meta"]).expect(0);
    assert_eq!(field(&shown, "tags").0, "d", "{shown}");
    let shown = upload(&environment, "bert", &["--print-meta", "--tags", "e"]).expect(0);
    assert_eq!(field(&shown, "tags"), ("e".to_owned(), "--tags".to_owned()), "{shown}");
}

#[test]
fn what_nothing_tells_is_refused_by_the_name_of_its_flag() {
    let environment = Environment::new();
    environment.write("model.safetensors", safetensors(r#"{"format":"pt"}"#));
    let outcome = upload(&environment, "model.safetensors", &[]).expect(2);
    assert!(outcome.err().contains("the upload needs --model-type"), "{outcome}");
    assert!(!outcome.err().contains("needs --framework"), "{outcome}");
}

#[test]
fn a_flag_that_contradicts_the_content_is_warned_of_and_holds() {
    let environment = Environment::new();
    environment.write("model.safetensors", safetensors(r#"{"format":"pt"}"#));
    let flags = ["--framework", "sklearn", "--model-type", "classification", "--dry-run"];
    let outcome = upload(&environment, "model.safetensors", &flags).expect(0);
    assert!(outcome.out().contains("framework = sklearn"), "{outcome}");
    assert!(outcome.err().contains("its content says pytorch"), "{outcome}");
}

#[test]
fn an_unsafe_file_is_a_warning_or_a_failure_before_anything_is_sent() {
    let environment = Environment::new();
    let whole = safetensors(r#"{"format":"pt"}"#);
    environment.write("cut.safetensors", &whole[..whole.len() - 4]);
    // Protocol 4: an empty dictionary.
    environment.write("model.pkl", b"\x80\x04}.");
    let flags = ["--framework", "pytorch", "--model-type", "nlp"];
    for (name, words) in [("cut.safetensors", "is cut off"), ("model.pkl", "runs code")] {
        let dry = upload(&environment, name, &[&flags[..], &["--dry-run"]].concat()).expect(0);
        assert!(dry.err().contains(words), "{dry}");
        // Nobody listens there, so that anything that is sent would be another code.
        let strict = [&flags[..], &["--fail-on-unsafe", "-u", "http://127.0.0.1:1"]].concat();
        let outcome = upload(&environment, name, &strict).expect(8);
        assert!(outcome.err().contains("nothing was sent"), "{outcome}");
    }
}

#[test]
fn a_file_of_metadata_with_an_unknown_field_is_refused_with_the_nearest() {
    let environment = Environment::new();
    environment.write("model.pt", "weights");
    environment.write("meta.toml", "framwork = \"pytorch\"\n");
    let outcome = upload(&environment, "model.pt", &["--meta", "meta.toml"]).expect(2);
    assert!(outcome.err().contains("framwork") && outcome.err().contains("framework"), "{outcome}");
}
