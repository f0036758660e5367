//! The data folder of `dwctl serve` when something is wrong with it: another database, none, a full
//! disk. Nothing that was answered for is removed.

use std::path::Path;

use rustix::process::Signal;

use crate::support::environment::Environment;
use crate::support::http::{Call, Multipart};
use crate::support::run::Outcome;
use crate::support::stack::Stack;

fn upload(stack: &Stack, model: &str, content: &[u8]) {
    let form = Multipart::new().file("file", "model.pt", content).texts(&[
        ("model_id", model),
        ("name", "M"),
        ("framework", "pytorch"),
        ("model_type", "nlp"),
    ]);
    drop(stack.call(&Call::post("/ai-models/upload/single/u", &form)).expect(200));
}

fn content(stack: &Stack, model: &str) -> Vec<u8> {
    let path = format!("/ai-models/u/{model}/download?filename=model.pt");
    stack.call(&Call::get(&path)).expect(200).body
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn serve(environment: &Environment, data: &Path) -> Outcome {
    let data = data.to_str().unwrap();
    environment.run(["serve", "--port", "0", "--broker-port", "0", "--data-dir", data])
}

/// A folder with one large model, and its server gone.
fn filled() -> Environment {
    let stack = Stack::start();
    upload(&stack, "m", &[7; 100_000]);
    stack.stop(Signal::TERM).1
}

#[test]
fn a_database_that_is_not_the_folders_own_is_refused_and_nothing_is_lost() {
    let other = filled();
    let other = other.path("warehouse/warehouse.db");
    let foreign = {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let sql = "CREATE TABLE foreign_table (a); PRAGMA user_version = 4";
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        std::fs::read(path).unwrap()
    };
    let own_other = std::fs::read(&other).unwrap();
    let mut cut = own_other.clone();
    cut.truncate(own_other.len() / 2 / 4096 * 4096);
    let mut scratched = own_other.clone();
    scratched[4096..].fill(0xa5);
    for (what, database, expected) in [
        ("empty", Some(Vec::new()), "warehouse.db"),
        ("text", Some(b"not a database at all, but long enough".repeat(50)), "warehouse.db"),
        ("zeros", Some(vec![0; 8192]), "warehouse.db"),
        ("of another folder", Some(own_other), "does not name"),
        ("foreign", Some(foreign), "is not a database of dwctl serve"),
        ("cut", Some(cut), "warehouse.db"),
        ("scratched", Some(scratched), "warehouse.db"),
        ("gone", None, "no warehouse.db that names them"),
    ] {
        let environment = filled();
        let data = environment.path("warehouse");
        let database_path = data.join("warehouse.db");
        let own = std::fs::read(&database_path).unwrap();
        let blobs = names(&data.join("blobs"));
        match &database {
            Some(bytes) => std::fs::write(&database_path, bytes).unwrap(),
            None => std::fs::remove_file(&database_path).unwrap(),
        }
        let refused = serve(&environment, &data).expect(2);
        assert!(refused.err().contains(expected), "{what}: {refused}");
        assert!(refused.err().contains("hint: "), "{what}: {refused}");
        assert_eq!(names(&data.join("blobs")), blobs, "{what}");
        for ending in ["-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(data.join(format!("warehouse.db{ending}")));
        }
        std::fs::write(&database_path, own).unwrap();
        let stack = Stack::start_in(environment, &[]);
        assert_eq!(content(&stack, "m"), vec![7; 100_000], "{what}");
    }
}

#[test]
fn what_no_record_names_is_set_aside_in_a_dated_folder() {
    let mut environment = filled();
    let data = environment.path("warehouse");
    let left = "0123456789abcdef0123456789abcdef";
    for round in ["one", "two"] {
        std::fs::write(data.join("blobs").join(left), round).unwrap();
        let stack = Stack::start_in(environment, &[]);
        assert_eq!(content(&stack, "m"), vec![7; 100_000]);
        let (outcome, back) = stack.stop(Signal::TERM);
        environment = back;
        assert!(outcome.err().contains("1 file (3 bytes) that no record names is set aside in "));
        assert!(outcome.err().contains("/set-aside/20"), "{outcome}");
    }
    let folders = names(&data.join("set-aside"));
    assert_eq!(folders.len(), 2, "{folders:?}");
    let mut texts: Vec<_> = folders
        .iter()
        .map(|folder| std::fs::read_to_string(data.join("set-aside").join(folder).join(left)))
        .map(Result::unwrap)
        .collect();
    texts.sort();
    assert_eq!(texts, ["one", "two"]);
}

#[test]
fn an_older_copy_of_the_database_puts_newer_files_out_of_the_way_and_keeps_them() {
    let environment = filled();
    let data = environment.path("warehouse");
    let older = std::fs::read(data.join("warehouse.db")).unwrap();
    let stack = Stack::start_in(environment, &[]);
    upload(&stack, "newer", &[8; 100_000]);
    let (_, environment) = stack.stop(Signal::TERM);
    let _ = std::fs::remove_file(data.join("warehouse.db-wal"));
    std::fs::write(data.join("warehouse.db"), older).unwrap();
    let stack = Stack::start_in(environment, &[]);
    assert_eq!(content(&stack, "m"), vec![7; 100_000]);
    drop(stack.call(&Call::get("/ai-models/u/newer")).expect(404));
    let folder = names(&data.join("set-aside"));
    let kept = data.join("set-aside").join(&folder[0]);
    let file = kept.join(&names(&kept)[0]);
    assert_eq!(std::fs::read(file).unwrap(), vec![8; 100_000]);
}
