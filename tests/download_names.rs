//! Files whose names an API does not know, or fails on: taken from its archive of all files.

use serde_json::{Value, json};

use crate::support::environment::Environment;
use crate::support::run::Outcome;
use crate::support::scripted::{Answer, ScriptedApi};
use crate::support::zips::{patched, stored};

/// `weights` and `others`, as `md5sum` has them.
const WEIGHTS: &str = "63f4f1e9b725370f459720575cd5f953";
const OTHERS: &str = "5e2bab0ecb94c4ea40777733195abe1b";

fn record(paths: &[&str]) -> Value {
    let file = |(place, path): (usize, &&str)| {
        let (size, md5) = if place == 0 { (7, WEIGHTS) } else { (6, OTHERS) };
        json!({
            "filename": path.rsplit('/').next(), "file_path": format!("models/u/m/v1/{path}"),
            "file_size": size, "file_type": "", "file_hash": md5
        })
    };
    json!({
        "model_id": "m", "user_id": "u", "name": "m", "version": "v1", "framework": "pytorch",
        "model_type": "nlp", "files": paths.iter().enumerate().map(file).collect::<Vec<_>>(),
        "created_at": "2026-11-23T13:19:20.418000"
    })
}

/// How a generation finds a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Knows {
    BaseNames,
    Paths,
    Nothing,
}

/// An API with these files, of which the first is `weights` and each other is `others`.
fn api(paths: &'static [&'static str], knows: Knows, refusal: Answer) -> ScriptedApi {
    let record = record(paths).to_string();
    let content = |place: usize| if place == 0 { "weights" } else { "others" };
    let entries: Vec<(&str, &[u8])> =
        paths.iter().enumerate().map(|(place, path)| (*path, content(place).as_bytes())).collect();
    let archive = stored(&entries);
    ScriptedApi::start(move |request| {
        let Some((_, query)) = request.path.split_once("/download?") else {
            return Answer::json(200, &record);
        };
        let pairs = form_urlencoded::parse(query.as_bytes());
        let name = pairs.filter(|(key, _)| key == "filename").map(|(_, name)| name).next();
        let Some(name) = name else { return zip(&archive) };
        let found = paths.iter().position(|path| match knows {
            Knows::BaseNames => path.rsplit('/').next() == Some(&name),
            Knows::Paths => *path == name,
            Knows::Nothing => false,
        });
        found.map_or_else(|| refusal.clone(), |place| Answer::plain(200, content(place)))
    })
}

fn zip(body: &[u8]) -> Answer {
    let (headers, body) = (Vec::new(), body.to_vec());
    Answer::Send { status: 200, content_type: "application/zip", headers, body }
}

fn not_found() -> Answer {
    Answer::json(404, r#"{"detail":"File 'x' not found in model"}"#)
}

fn failed() -> Answer {
    Answer::json(500, r#"{"detail":"Failed to download AI model"}"#)
}

fn download(environment: &Environment, api: &ScriptedApi, flags: &[&str]) -> Outcome {
    let fixed = ["models", "download", "u/m@v1", "--output-dir", "back", "-u", api.url()];
    environment.run([&fixed[..], flags].concat())
}

fn names(environment: &Environment) -> Vec<String> {
    let Ok(names) = std::fs::read_dir(environment.path("back")) else { return Vec::new() };
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_file_comes_by_the_path_that_models_files_prints_from_every_generation() {
    let two: &[&str] = &["sub/tok.txt", "config.json"];
    let equal: &[&str] = &["sub/tok.txt", "tok.txt"];
    for (paths, file, content) in [
        (two, "sub/tok.txt", "weights"),
        (two, "tok.txt", "weights"),
        (two, "config.json", "others"),
        (equal, "sub/tok.txt", "weights"),
        (&["a/tok.txt", "b/tok.txt"], "b/tok.txt", "others"),
    ] {
        for knows in [Knows::BaseNames, Knows::Paths, Knows::Nothing] {
            for refusal in [
                not_found(),
                Answer::json(404, r#"{"detail":"Model file not found"}"#),
                failed(),
                Answer::plain(500, "Internal Server Error"),
            ] {
                let environment = Environment::new();
                let api = api(paths, knows, refusal);
                let outcome = download(&environment, &api, &["--file", file]).expect(0);
                let name = file.rsplit('/').next().unwrap();
                assert_eq!(names(&environment), [name], "{outcome}");
                let path = environment.path("back").join(name);
                assert_eq!(std::fs::read_to_string(path).unwrap(), content, "{knows:?} {file}");
            }
        }
    }
}

#[test]
fn a_model_of_one_file_comes_though_the_api_fails_on_its_name() {
    let paths: [&'static [&'static str]; 4] =
        [&["μοντέλο.pt"], &["模型.onnx"], &["🦀"], &["a b;c.pt"]];
    for paths in paths {
        for flags in [&[][..], &["--extract"], &["--file", paths[0]]] {
            let environment = Environment::new();
            let api = api(paths, Knows::Nothing, failed());
            let outcome = download(&environment, &api, flags).expect(0);
            assert_eq!(names(&environment).len(), 1, "{outcome}");
        }
    }
    let environment = Environment::new();
    let api = api(&["μ.pt"], Knows::Nothing, failed());
    let outcome = download(&environment, &api, &[]).expect(0);
    assert!(outcome.err().contains("from the archive of all files"), "{outcome}");
}

#[test]
fn a_name_that_several_files_have_is_refused() {
    let environment = Environment::new();
    let api = api(&["a/tok.txt", "b/tok.txt"], Knows::BaseNames, not_found());
    let outcome = download(&environment, &api, &["--file", "tok.txt"]).expect(2);
    assert!(outcome.err().contains("a/tok.txt, b/tok.txt"), "{outcome}");
    assert_eq!(names(&environment), [""; 0]);
}

#[test]
fn an_archive_that_does_not_help_leaves_the_refusal_of_the_name() {
    let whole = stored(&[("m.pt", b"weights")]);
    let empty = stored(&[]);
    let other = stored(&[("n.pt", b"weights")]);
    let broken = patched(whole.clone(), b"weights\x50\x4b", b"weightz\x50\x4b");
    for (body, refusal, code) in [
        (zip(&empty), not_found(), 3),
        (zip(&other), not_found(), 3),
        (zip(&other), failed(), 5),
        (zip(&broken), failed(), 5),
        (zip(b"no archive"), failed(), 5),
        (failed(), not_found(), 3),
        (not_found(), failed(), 5),
    ] {
        let environment = Environment::new();
        let record = record(&["m.pt"]).to_string();
        let api = ScriptedApi::start(move |request| {
            match (request.path.contains("/download"), request.path.contains("filename=")) {
                (false, _) => Answer::json(200, &record),
                (true, true) => refusal.clone(),
                (true, false) => body.clone(),
            }
        });
        let outcome = download(&environment, &api, &[]).expect(code);
        assert_eq!(names(&environment), [""; 0], "{outcome}");
    }
    // Another content under the name: as wrong as from the route of the file.
    let swapped = stored(&[("m.pt", b"weightz")]);
    let environment = Environment::new();
    let record = record(&["m.pt"]).to_string();
    let api = ScriptedApi::start(move |request| {
        match (request.path.contains("/download"), request.path.contains("filename=")) {
            (false, _) => Answer::json(200, &record),
            (true, true) => failed(),
            (true, false) => zip(&swapped),
        }
    });
    let outcome = download(&environment, &api, &[]).expect(8);
    assert!(outcome.err().contains("m.pt has MD5"), "{outcome}");
    assert_eq!(names(&environment), [""; 0]);
}

#[test]
fn a_refusal_that_is_not_about_the_name_asks_for_no_archive() {
    for (status, code) in [(401, 10), (403, 10), (413, 4), (503, 5)] {
        let environment = Environment::new();
        let record = record(&["m.pt"]).to_string();
        let api = ScriptedApi::start(move |request| {
            if !request.path.contains("/download") {
                return Answer::json(200, &record);
            }
            assert!(request.path.contains("filename="), "{}", request.path);
            Answer::json(status, r#"{"detail":"no"}"#)
        });
        drop(download(&environment, &api, &["--timeout", "20s"]).expect(code));
    }
}
