//! `models list --model-type`: the words that one generation of the service stores under others.

use serde_json::{Value, json};

use crate::support::environment::Environment;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::stack::Stack;

fn record(id: &str, kind: &str) -> Value {
    json!({
        "model_id": id, "user_id": "u", "name": id, "version": "v1", "framework": "sklearn",
        "model_type": kind, "files": [], "created_at": "2026-11-23T13:19:20.418000"
    })
}

/// What a list or a search says that has these models and compares words as they stand; a word that
/// the generation does not know is a 422.
fn listing(kinds: &'static [&'static str], known: fn(&str) -> bool) -> ScriptedApi {
    ScriptedApi::start(move |request| {
        let (_, query) = request.path.split_once('?').unwrap();
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let wanted = pairs.iter().find(|(name, _)| name == "model_type").map(|(_, word)| &**word);
        if let Some(word) = wanted.filter(|word| !known(word)) {
            let body = format!(r#"{{"detail":"{word} is no type"}}"#);
            return Answer::json(422, &body);
        }
        let skip = pairs.iter().any(|(name, value)| name == "skip" && value != "0");
        let models: Vec<Value> = kinds
            .iter()
            .enumerate()
            .filter(|(_, kind)| !skip && wanted.is_none_or(|wanted| wanted == **kind))
            .map(|(place, kind)| record(&format!("{kind}-{place}"), kind))
            .collect();
        Answer::json(200, &Value::from(models).to_string())
    })
}

#[test]
fn both_words_find_what_either_generation_stored() {
    let early: &[&str] = &["regression", "time_series", "classification", "nlp"];
    let today: &[&str] =
        &["tabular_regression", "tabular_time_series", "classification", "tabular_classification"];
    let is_new = |word: &str| word.starts_with("tabular_") || word == "classification";
    let is_early = |word: &str| !word.starts_with("tabular_");
    for (kinds, known) in
        [(today, (|_| true) as fn(&str) -> bool), (today, is_new), (early, is_early)]
    {
        for (word, family) in [
            ("regression", "regression"),
            ("tabular_regression", "regression"),
            ("time_series", "time_series"),
            ("tabular_time_series", "time_series"),
            ("classification", "classification-2"),
        ] {
            for search in [&[][..], &["--search", "x"]] {
                let environment = Environment::new();
                let api = listing(kinds, known);
                let list = ["models", "list", "--user-id", "u", "--model-type", word, "-o", "json"];
                let words = [&list[..], &["-u", api.url()], search].concat();
                let document = environment.run(words).expect(0).json();
                let models = document["models"].as_array().unwrap();
                assert_eq!(models.len(), 1, "{word}: {document}");
                let id = models[0]["model_id"].as_str().unwrap();
                assert!(id.contains(family), "{word}: {id}");
            }
        }
    }
}

#[test]
fn other_words_are_compared_by_the_api_and_its_refusal_stands() {
    let environment = Environment::new();
    let api = listing(&["nlp"], |word| word == "nlp");
    let list = ["models", "list", "--user-id", "u", "-u", api.url(), "--model-type"];
    let outcome = environment.run([&list[..], &["nlp"]].concat()).expect(0);
    assert!(outcome.out().contains("nlp-0"), "{outcome}");
    let outcome = environment.run([&list[..], &["masked_lm"]].concat()).expect(4);
    assert!(outcome.err().contains("masked_lm is no type"), "{outcome}");
}

#[test]
fn a_search_is_made_here_where_the_first_generation_takes_it_for_a_model() {
    let models = [record("bert-base", "nlp"), record("resnet", "computer_vision")];
    for (search, wanted) in [("BERT", &["bert-base"][..]), ("^res", &["resnet"]), ("none", &[])] {
        let list = Value::from(models.to_vec()).to_string();
        let api =
            ScriptedApi::start(move |request| match request.path.starts_with("/ai-models/u?") {
                true => Answer::json(200, &list),
                false => Answer::json(404, r#"{"detail":"Model not found"}"#),
            });
        let environment = Environment::new();
        let words = ["models", "list", "--user-id", "u", "--search", search, "-u", api.url()];
        let document = environment.run([&words[..], &["-o", "json"]].concat()).expect(0).json();
        let found: Vec<&str> = document["models"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model["model_id"].as_str().unwrap())
            .collect();
        assert_eq!(found, wanted, "{search}");
    }
}

#[test]
fn what_was_uploaded_under_a_word_is_listed_under_it_in_every_dialect() {
    for dialect in ["form", "flat", "task"] {
        let stack = Stack::start_with(&["--dialect", dialect]);
        for word in ["regression", "time_series", "classification"] {
            stack.environment.write("m.onnx", word);
            let upload = ["upload", "m.onnx", "--user-id", "u", "--model-id", word];
            let flags = ["--framework", "onnx", "--model-type", word];
            stack.run([&upload[..], &flags].concat()).must_succeed();
        }
        for word in ["regression", "time_series", "classification"] {
            let list = ["models", "list", "--user-id", "u", "--model-type", word, "-o", "json"];
            let document = stack.run(list).expect(0).json();
            let ids: Vec<&str> = document["models"]
                .as_array()
                .unwrap()
                .iter()
                .map(|model| model["model_id"].as_str().unwrap())
                .collect();
            assert_eq!(ids, [word], "{dialect}");
        }
    }
}
