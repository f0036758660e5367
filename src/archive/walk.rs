//! Finds the files of a folder: which are left out, where symbolic links may lead, and what is no
//! file at all. Reads names and metadata only, never content.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{DirEntry, WalkBuilder};

use super::ArchiveError;
use super::identity::Identity;
use crate::base::plain_text::read_text;

/// What is left out unless asked for: version control, caches, secrets, half-written files.
pub const DEFAULT_EXCLUDES: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    "__pycache__/",
    "*.pyc",
    ".ipynb_checkpoints/",
    ".cache/",
    ".mypy_cache/",
    ".pytest_cache/",
    ".venv/",
    "node_modules/",
    "wandb/",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    "._*",
    "__MACOSX/",
    ".AppleDouble/",
    "*.tmp",
    "*.part",
    "*.swp",
    ".env",
    ".env.*",
    ".netrc",
    ".aws/",
    ".ssh/",
    "*.pem",
    "*.key",
    "id_rsa*",
    "id_ed25519*",
    IGNORE_FILE,
];

/// Patterns in the way of `.gitignore`, read from the folder's root.
pub const IGNORE_FILE: &str = ".dwignore";

/// What is done with a symbolic link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Symlinks {
    /// Followed where it stays inside the folder, or inside the blobs of the Hugging Face cache
    /// that the folder is a snapshot of; refused elsewhere.
    #[default]
    Inside,
    /// Followed wherever it leads.
    Follow,
    /// Left out.
    Skip,
    /// Refused.
    Error,
}

/// Which files of a folder are taken.
#[derive(Clone, Debug)]
pub struct WalkOptions {
    pub symlinks: Symlinks,
    /// Whether [`DEFAULT_EXCLUDES`] hold.
    pub default_excludes: bool,
    /// Patterns in the way of `.gitignore`, later ones win.
    pub excludes: Vec<String>,
    /// Where there are any, only files that match one are taken.
    pub includes: Vec<String>,
}

impl Default for WalkOptions {
    fn default() -> Self {
        Self {
            symlinks: Symlinks::default(),
            default_excludes: true,
            excludes: Vec::new(),
            includes: Vec::new(),
        }
    }
}

/// A file below the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// `/`-joined path below the root; what the archive calls it. Shared with whoever tells of it.
    pub name: Arc<str>,
    pub identity: Identity,
}

/// The files of a folder, in the byte order of their names.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    pub files: Vec<Found>,
    /// What the rules took away, folders with a trailing slash, in the order of their names.
    pub left_out: Vec<String>,
}

/// Walks a folder.
///
/// # Errors
/// The first thing that cannot be sent: a device, a link that leaves the folder, a name that no
/// archive can carry, a folder that cannot be read.
pub fn walk(root: &Path, options: &WalkOptions) -> Result<Tree, ArchiveError> {
    let bounds = Bounds::of(root)?;
    let left_out = Arc::new(Mutex::new(Vec::new()));
    let rules = Rules::of(root, options)?;
    let mut tree = Tree::default();
    let mut builder = WalkBuilder::new(root);
    builder.standard_filters(false);
    builder.follow_links(matches!(options.symlinks, Symlinks::Inside | Symlinks::Follow));
    let skips_links = options.symlinks == Symlinks::Skip;
    builder.filter_entry({
        let left_out = Arc::clone(&left_out);
        let root = root.to_owned();
        move |entry| {
            let skipped = rules.leave_out(entry) || (skips_links && is_link(entry));
            if skipped && let Ok(mut list) = left_out.lock() {
                list.push(shown(&root, entry));
            }
            !skipped
        }
    });
    for entry in builder.build() {
        let entry = entry.map_err(|error| walk_error(root, &error))?;
        if entry.depth() == 0 {
            continue;
        }
        if is_link(&entry) {
            check_link(entry.path(), options.symlinks, &bounds)?;
        }
        if let Some(found) = take(root, &entry)? {
            tree.files.push(found);
        }
    }
    tree.files.sort_unstable_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    tree.left_out = left_out.lock().map(|list| list.clone()).unwrap_or_default();
    tree.left_out.sort_unstable();
    Ok(tree)
}

/// The patterns of one walk.
struct Rules {
    excludes: Gitignore,
    includes: Option<Gitignore>,
}

impl Rules {
    fn of(root: &Path, options: &WalkOptions) -> Result<Self, ArchiveError> {
        let mut excludes = GitignoreBuilder::new(root);
        if options.default_excludes {
            add(&mut excludes, DEFAULT_EXCLUDES.iter().copied())?;
        }
        let own = root.join(IGNORE_FILE);
        if let Some(text) = read_ignore_file(&own)? {
            add(&mut excludes, text.split(['\n', '\r']))?;
        }
        add(&mut excludes, options.excludes.iter().map(String::as_str))?;
        let mut includes = GitignoreBuilder::new(root);
        add(&mut includes, options.includes.iter().map(String::as_str))?;
        Ok(Self {
            excludes: built(&excludes)?,
            includes: if options.includes.is_empty() { None } else { Some(built(&includes)?) },
        })
    }

    fn leave_out(&self, entry: &DirEntry) -> bool {
        if entry.depth() == 0 {
            return false;
        }
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        if self.excludes.matched(entry.path(), is_folder).is_ignore() {
            return true;
        }
        // A folder is entered whatever its name: a pattern may match what lies in it.
        !is_folder
            && self.includes.as_ref().is_some_and(|rules| {
                !rules.matched_path_or_any_parents(entry.path(), false).is_ignore()
            })
    }
}

/// Reads the file of patterns, if there is one. Patterns that cannot be read are no reason to send what
/// they keep out.
fn read_ignore_file(path: &Path) -> Result<Option<String>, ArchiveError> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !path.is_symlink() => {
            return Ok(None);
        }
        Err(error) => return Err(ArchiveError::Unreadable { path: path.to_owned(), cause: error }),
    };
    // A pipe would never end.
    if !metadata.is_file() {
        let what = special(metadata.file_type());
        return Err(ArchiveError::NotRegular { path: path.to_owned(), what });
    }
    read_text(path)
        .map(Some)
        .map_err(|cause| ArchiveError::Unreadable { path: path.to_owned(), cause })
}

fn add<'a>(
    builder: &mut GitignoreBuilder,
    lines: impl Iterator<Item = &'a str>,
) -> Result<(), ArchiveError> {
    for line in lines {
        builder.add_line(None, line).map_err(|error| ArchiveError::Pattern {
            pattern: line.to_owned(),
            reason: error.to_string(),
        })?;
    }
    Ok(())
}

fn built(builder: &GitignoreBuilder) -> Result<Gitignore, ArchiveError> {
    builder.build().map_err(|error| ArchiveError::Pattern {
        pattern: String::new(),
        reason: error.to_string(),
    })
}

/// Where links may lead.
struct Bounds {
    inside: Vec<PathBuf>,
}

impl Bounds {
    fn of(root: &Path) -> Result<Self, ArchiveError> {
        let real = root.canonicalize().map_err(|error| ArchiveError::at(root, error))?;
        // A Hugging Face cache keeps `snapshots/REVISION/NAME -> ../../blobs/HASH`.
        let blobs = real
            .parent()
            .filter(|parent| parent.file_name().is_some_and(|name| name == "snapshots"))
            .and_then(Path::parent)
            .map(|cache| cache.join("blobs"));
        Ok(Self { inside: std::iter::once(real).chain(blobs).collect() })
    }
}

fn check_link(path: &Path, policy: Symlinks, bounds: &Bounds) -> Result<(), ArchiveError> {
    if policy == Symlinks::Error {
        return Err(ArchiveError::LinkRefused { path: path.to_owned() });
    }
    let target =
        path.canonicalize().map_err(|_| ArchiveError::LinkBroken { path: path.to_owned() })?;
    let inside = bounds.inside.iter().any(|bound| target.starts_with(bound));
    if policy == Symlinks::Inside && !inside {
        return Err(ArchiveError::LinkLeaves { path: path.to_owned(), target });
    }
    Ok(())
}

fn take(root: &Path, entry: &DirEntry) -> Result<Option<Found>, ArchiveError> {
    let path = entry.path();
    let unreadable = |error: ignore::Error| walk_error(root, &error);
    let metadata = entry.metadata().map_err(unreadable)?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Ok(None);
    }
    if !kind.is_file() {
        return Err(ArchiveError::NotRegular { path: path.to_owned(), what: special(kind) });
    }
    let name = entry_name(path.strip_prefix(root).unwrap_or(path), path)?;
    Ok(Some(Found { name: name.into(), identity: Identity::of(&metadata) }))
}

/// What something that is neither file nor folder is called.
pub(super) fn special(kind: std::fs::FileType) -> &'static str {
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device"
    } else {
        "something else"
    }
}

/// The archive's name of a file. Backslashes are separators to some readers, control characters
/// break others.
fn entry_name(relative: &Path, path: &Path) -> Result<Box<str>, ArchiveError> {
    let refuse = |reason| ArchiveError::Name { path: path.to_owned(), reason };
    let name = relative.to_str().ok_or_else(|| refuse("is not UTF-8"))?;
    if name.contains('\\') {
        return Err(refuse("has a backslash, which some systems take for a folder"));
    }
    if name.chars().any(char::is_control) {
        return Err(refuse("has control characters"));
    }
    if name.len() > usize::from(u16::MAX) {
        return Err(refuse("is too long for an archive"));
    }
    Ok(name.into())
}

fn is_link(entry: &DirEntry) -> bool {
    entry.path_is_symlink()
}

fn shown(root: &Path, entry: &DirEntry) -> String {
    let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
    let slash = if entry.file_type().is_some_and(|kind| kind.is_dir()) { "/" } else { "" };
    format!("{}{slash}", relative.display())
}

fn walk_error(root: &Path, error: &ignore::Error) -> ArchiveError {
    match error {
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            walk_error(root, err)
        }
        ignore::Error::WithPath { path, err } => match &**err {
            ignore::Error::Io(cause) => at_link_or_file(path, cause),
            other => walk_error(path, other),
        },
        ignore::Error::Loop { child, .. } => ArchiveError::LinkLoop { path: child.clone() },
        ignore::Error::Io(cause) => at_link_or_file(root, cause),
        other => ArchiveError::Unreadable {
            path: root.to_owned(),
            cause: std::io::Error::other(other.to_string()),
        },
    }
}

fn at_link_or_file(path: &Path, cause: &std::io::Error) -> ArchiveError {
    if cause.kind() == std::io::ErrorKind::NotFound && path.is_symlink() {
        return ArchiveError::LinkBroken { path: path.to_owned() };
    }
    let again = cause.raw_os_error().map_or_else(
        || std::io::Error::new(cause.kind(), cause.to_string()),
        std::io::Error::from_raw_os_error,
    );
    ArchiveError::at(path, again)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        }
        folder
    }

    fn names(tree: &Tree) -> Vec<&str> {
        tree.files.iter().map(|file| &*file.name).collect()
    }

    fn with(symlinks: Symlinks) -> WalkOptions {
        WalkOptions { symlinks, ..WalkOptions::default() }
    }

    #[test]
    fn files_come_in_the_byte_order_of_their_names() {
        let folder = folder(&["b", "a/z", "a-b", "é", "B"]);
        let tree = walk(folder.path(), &WalkOptions::default()).unwrap();
        assert_eq!(names(&tree), ["B", "a-b", "a/z", "b", "é"]);
    }

    #[test]
    fn secrets_and_caches_stay_at_home_and_are_named() {
        let folder = folder(&["w.pt", ".git/HEAD", ".env", "sub/__pycache__/x.pyc", "sub/k.pem"]);
        let tree = walk(folder.path(), &WalkOptions::default()).unwrap();
        assert_eq!(names(&tree), ["w.pt"]);
        assert_eq!(tree.left_out, [".env", ".git/", "sub/__pycache__/", "sub/k.pem"]);
        let all = WalkOptions { default_excludes: false, ..WalkOptions::default() };
        assert_eq!(walk(folder.path(), &all).unwrap().files.len(), 5);
    }

    #[test]
    fn patterns_of_the_folder_and_of_the_caller_hold() {
        let folder = folder(&["w.pt", "log/a.txt", "notes.md", "keep.tmp"]);
        std::fs::write(folder.path().join(IGNORE_FILE), "log/\n!keep.tmp\n").unwrap();
        let options = WalkOptions { excludes: vec!["*.md".into()], ..WalkOptions::default() };
        assert_eq!(names(&walk(folder.path(), &options).unwrap()), ["keep.tmp", "w.pt"]);
        let options = WalkOptions { includes: vec!["*.pt".into()], ..WalkOptions::default() };
        assert_eq!(names(&walk(folder.path(), &options).unwrap()), ["w.pt"]);
    }

    #[test]
    fn patterns_hold_in_every_encoding_and_with_every_end_of_line() {
        let lines = ["*.log", "secret/", "# no pattern", "!keep.log"];
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
        };
        for end in ["\n", "\r\n", "\r"] {
            let text = lines.join(end);
            for bytes in [
                text.clone().into_bytes(),
                [b"\xef\xbb\xbf", text.as_bytes()].concat(),
                utf16(&text, u16::to_le_bytes),
                utf16(&text, u16::to_be_bytes),
            ] {
                let folder = folder(&["w.pt", "a.log", "keep.log", "secret/key"]);
                std::fs::write(folder.path().join(IGNORE_FILE), &bytes).unwrap();
                let tree = walk(folder.path(), &WalkOptions::default()).unwrap();
                assert_eq!(names(&tree), ["keep.log", "w.pt"], "{end:?} {bytes:?}");
            }
        }
    }

    #[test]
    fn patterns_that_cannot_be_read_are_no_reason_to_send_everything() {
        for bytes in [&b"*.log\xff"[..], b"\xff\xfe*", b"*\0.\0l\0o\0g\0"] {
            let folder = folder(&["w.pt", "a.log"]);
            std::fs::write(folder.path().join(IGNORE_FILE), bytes).unwrap();
            assert!(walk(folder.path(), &WalkOptions::default()).is_err(), "{bytes:?}");
        }
        let folder = folder(&["w.pt"]);
        std::fs::create_dir(folder.path().join(IGNORE_FILE)).unwrap();
        assert!(walk(folder.path(), &WalkOptions::default()).is_err());
    }

    #[test]
    fn what_macos_and_windows_add_is_left_out_and_named() {
        let added =
            ["._w.pt", "__MACOSX/sub/._w.pt", "desktop.ini", "sub/._x", "sub/.AppleDouble/x"];
        let folder = folder(&["w.pt", "sub/x", "_w", "a._b"]);
        for name in added {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let tree = walk(folder.path(), &WalkOptions::default()).unwrap();
        assert_eq!(names(&tree), ["_w", "a._b", "sub/x", "w.pt"]);
        let left_out = ["._w.pt", "__MACOSX/", "desktop.ini", "sub/.AppleDouble/", "sub/._x"];
        assert_eq!(tree.left_out, left_out);
        let all = WalkOptions { default_excludes: false, ..WalkOptions::default() };
        assert_eq!(walk(folder.path(), &all).unwrap().files.len(), 9);
    }

    #[test]
    fn a_link_that_leaves_the_folder_is_refused_unless_asked_for() {
        let outside = folder(&["secret"]);
        let folder = folder(&["w.pt"]);
        symlink(outside.path().join("secret"), folder.path().join("link")).unwrap();
        let refused = walk(folder.path(), &WalkOptions::default()).unwrap_err();
        assert!(matches!(refused, ArchiveError::LinkLeaves { .. }), "{refused}");
        assert_eq!(names(&walk(folder.path(), &with(Symlinks::Follow)).unwrap()), ["link", "w.pt"]);
        assert_eq!(names(&walk(folder.path(), &with(Symlinks::Skip)).unwrap()), ["w.pt"]);
        assert!(walk(folder.path(), &with(Symlinks::Error)).is_err());
    }

    #[test]
    fn a_folder_link_that_leaves_is_refused_before_it_is_read() {
        let outside = folder(&["secret/key"]);
        let folder = folder(&["w.pt"]);
        symlink(outside.path().join("secret"), folder.path().join("dir")).unwrap();
        assert!(matches!(
            walk(folder.path(), &WalkOptions::default()).unwrap_err(),
            ArchiveError::LinkLeaves { .. }
        ));
    }

    #[test]
    fn a_hugging_face_snapshot_reaches_its_own_blobs() {
        let cache = folder(&["blobs/abc"]);
        let snapshot = cache.path().join("snapshots/rev");
        std::fs::create_dir_all(&snapshot).unwrap();
        symlink("../../blobs/abc", snapshot.join("model.safetensors")).unwrap();
        let tree = walk(&snapshot, &WalkOptions::default()).unwrap();
        assert_eq!(names(&tree), ["model.safetensors"]);
        assert_eq!(tree.files[0].identity.size, "blobs/abc".len() as u64);
    }

    #[test]
    fn loops_broken_links_and_pipes_have_names_of_their_own() {
        let folder = folder(&["a/w.pt"]);
        symlink("..", folder.path().join("a/up")).unwrap();
        let error = walk(folder.path(), &WalkOptions::default()).unwrap_err();
        assert!(matches!(error, ArchiveError::LinkLoop { .. }), "{error}");
        std::fs::remove_file(folder.path().join("a/up")).unwrap();
        symlink("nowhere", folder.path().join("broken")).unwrap();
        let error = walk(folder.path(), &WalkOptions::default()).unwrap_err();
        assert!(matches!(error, ArchiveError::LinkBroken { .. }), "{error}");
        std::fs::remove_file(folder.path().join("broken")).unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
        let error = walk(folder.path(), &WalkOptions::default()).unwrap_err();
        assert!(matches!(error, ArchiveError::NotRegular { what: "a named pipe", .. }), "{error}");
    }

    #[test]
    fn names_that_no_archive_carries_are_refused() {
        for bad in ["a\\b", "a\nb"] {
            let folder = folder(&[bad]);
            let error = walk(folder.path(), &WalkOptions::default()).unwrap_err();
            assert!(matches!(error, ArchiveError::Name { .. }), "{error}");
        }
    }
}
