//! The house's rules, held against its sources: which room may import which, where each library
//! stays, and what stands nowhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Each room with the rooms that it may import: downwards only.
const ROOMS: &[(&str, &[&str])] = &[
    ("main", &["base", "cli", "ui"]),
    ("watch", &["base", "cli", "ui"]),
    ("lib", &[]),
    ("cli", &["base", "commands", "context", "settings", "ui"]),
    (
        "commands",
        &[
            "archive",
            "base",
            "context",
            "flows",
            "kafka",
            "schema",
            "serve",
            "settings",
            "ui",
            "warehouse",
            // Completions and the manual are made from the whole command line.
            "cli",
        ],
    ),
    (
        "context",
        &["archive", "base", "flows", "kafka", "schema", "settings", "tls", "ui", "warehouse"],
    ),
    // Beside the records it shows, the interface implements what flows and the rooms below report to.
    ("ui", &["archive", "base", "flows", "kafka", "schema", "warehouse"]),
    ("flows", &["archive", "base", "kafka", "schema", "tls", "warehouse"]),
    ("serve", &["archive", "base", "kafka", "schema"]),
    ("settings", &["base", "schema"]),
    ("warehouse", &["archive", "base", "schema", "tls"]),
    ("kafka", &["base", "schema", "tls"]),
    ("archive", &["base", "schema"]),
    ("tls", &["base"]),
    ("schema", &["base"]),
    ("base", &[]),
];

/// Libraries that stay in the rooms named here; the others may be used anywhere.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("clap", &["main", "cli", "commands"]),
    ("clap_complete", &["commands"]),
    ("clap_mangen", &["commands"]),
    ("reqwest", &["warehouse"]),
    ("hyper", &["warehouse"]),
    ("hyper_util", &["warehouse"]),
    ("rdkafka", &["kafka"]),
    ("zip", &["archive", "serve"]),
    ("ignore", &["archive"]),
    ("axum", &["serve"]),
    ("multer", &["serve"]),
    ("rusqlite", &["serve"]),
    ("colored", &["ui"]),
    ("indicatif", &["ui"]),
    ("unicode_width", &["ui"]),
    ("dialoguer", &["ui"]),
    ("toml", &["settings"]),
    ("tracing_subscriber", &["main", "ui"]),
];

/// A source file without its comments and its tests.
struct Source {
    /// Below `src`.
    path: String,
    text: String,
    code: String,
}

/// What stands before a module of tests, in the file or in one of its own.
const TESTS: &str = "#[cfg(test)]\nmod ";

impl Source {
    fn room(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Whether a path begins with this name: `name::`, with nothing before it.
    fn mentions(&self, name: &str) -> bool {
        let path = format!("{name}::");
        self.code.match_indices(&path).any(|(at, _)| {
            let before = self.code[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
        })
    }

    /// The names that stand behind `crate::`, or `dwctl::` in the binary.
    fn imported_rooms(&self) -> BTreeSet<&str> {
        let is_of_binary = matches!(self.room(), "main" | "watch");
        let root = if is_of_binary { "dwctl::" } else { "crate::" };
        let mut rooms = BTreeSet::new();
        for (at, _) in self.code.match_indices(root) {
            let rest = &self.code[at + root.len()..];
            match rest.strip_prefix('{') {
                None => rooms.extend(first_name(rest)),
                Some(group) => rooms.extend(names_of_group(group)),
            }
        }
        rooms
    }
}

fn first_name(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    (end > 0).then(|| &text[..end])
}

/// The first name of each member of `{a::B, c::{D, E}}`, from behind the opening brace.
fn names_of_group(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                names.extend(first_name(group[start..at].trim_start()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                let code = without_comments(text.split(TESTS).next().unwrap_or_default());
                sources.push(Source { path, text, code });
            }
        }
    }
    assert!(sources.len() > 50, "only {} sources were found", sources.len());
    let tests = files_of_tests(&sources);
    sources.retain(|source| !tests.contains(&source.path));
    sources
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect()
}

/// Files that are modules of tests as a whole: `#[cfg(test)] mod name;`.
fn files_of_tests(sources: &[Source]) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for source in sources {
        let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (at, _) in source.text.match_indices(TESTS) {
            let rest = &source.text[at + TESTS.len()..];
            if let Some(name) = first_name(rest).filter(|name| rest[name.len()..].starts_with(';'))
            {
                files.insert(format!("{folder}/{name}.rs"));
            }
        }
    }
    files
}

/// The sources that a rule does not hold for, as `path: reason`.
#[track_caller]
fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn each_room_imports_only_rooms_below_it() {
    let mut broken = Vec::new();
    for source in sources() {
        let Some((room, below)) = ROOMS.iter().find(|(room, _)| *room == source.room()) else {
            broken.push(format!("{}: this room stands in no table", source.path));
            continue;
        };
        for import in source.imported_rooms() {
            if import != *room && !below.contains(&import) {
                broken.push(format!("{}: imports {import}", source.path));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn each_library_stays_in_its_room() {
    let mut broken = Vec::new();
    for source in sources() {
        for (library, rooms) in LIBRARIES {
            if source.mentions(library) && !rooms.contains(&source.room()) {
                broken.push(format!("{}: uses {library}", source.path));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn the_environment_is_read_in_settings_alone() {
    let mut broken = Vec::new();
    for source in sources() {
        for (at, path) in source.code.match_indices("env::") {
            let used = first_name(&source.code[at + path.len()..]).unwrap_or_default();
            let allowed = match source.room() {
                "settings" => true,
                // Whether a refusal of the arguments is to be JSON must be known before they parse.
                "main" => used == "args_os",
                // The folder from which the project's settings file is looked for.
                "cli" => used == "current_dir",
                _ => used == "temp_dir",
            };
            if !allowed {
                broken.push(format!("{}: env::{used}", source.path));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn unsafe_code_stands_in_kafka_native_and_in_one_function_before_main() {
    // Closed streams are replaced before `main`, so one function must run earlier.
    let is_allowed = |path: &str| path.starts_with("kafka/native/") || path == "ui/closed.rs";
    let uses = |source: &Source| {
        // A flag may have the word in it, with dashes.
        let words = source.code.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-')));
        words.into_iter().any(|word| word == "unsafe")
    };
    let broken: Vec<String> = sources()
        .into_iter()
        .filter(|source| uses(source) && !is_allowed(&source.path))
        .map(|source| source.path)
        .collect();
    assert_none(&broken);
}

#[test]
fn the_process_ends_in_main_alone() {
    let broken: Vec<String> = sources()
        .into_iter()
        .filter(|source| source.code.contains("process::exit") && source.room() != "main")
        .map(|source| source.path)
        .collect();
    assert_none(&broken);
}

#[test]
fn no_path_climbs_two_modules_at_once() {
    let climb = ["super::", "super::"].concat();
    let broken: Vec<String> = sources()
        .into_iter()
        .filter(|source| source.text.contains(&climb))
        .map(|source| source.path)
        .collect();
    assert_none(&broken);
}

#[test]
fn every_file_says_first_what_it_owns() {
    let broken: Vec<String> = sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path)
        .collect();
    assert_none(&broken);
}
