//! Project files that the user trusts: their absolute paths with the SHA-256 of their content, in the
//! user's state folder. A file that changes is not trusted any more.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::ownership::{OwnershipFault, TrustedUsers, read_own_file};
use super::{Environment, SettingsError};

/// Whether a project file is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    Trusted,
    /// It was trusted with other content.
    Changed,
    Untrusted,
}

/// The list of trusted files.
#[derive(Clone, Debug)]
pub(super) struct TrustList {
    path: PathBuf,
    /// The digest of each file, by its path.
    digests: BTreeMap<String, String>,
}

impl TrustList {
    /// Reads the user's list. A list that does not exist is empty.
    ///
    /// # Errors
    /// There is no state folder, other users may write the list, or it is damaged.
    pub fn open(environment: &Environment) -> Result<Self, SettingsError> {
        let folder = environment
            .xdg("XDG_STATE_HOME", ".local/state")
            .ok_or_else(|| unusable("HOME is not set"))?;
        let path = folder.join("dwctl/trusted-files.json");
        let users = TrustedUsers::of_process(environment).without_invoking();
        let digests = match read_own_file(&path, users) {
            Ok(bytes) => parse_digests(&bytes)
                .ok_or_else(|| unusable(format!("{} is damaged; remove it", path.display())))?,
            Err(OwnershipFault::Unreadable { .. }) if !exists(&path) => BTreeMap::new(),
            Err(fault) => return Err(unusable(fault.to_string())),
        };
        Ok(Self { path, digests })
    }

    pub fn trust_of(&self, file: &Path, content: &[u8]) -> Trust {
        match file.to_str().and_then(|name| self.digests.get(name)) {
            Some(digest) if *digest == digest_of(content) => Trust::Trusted,
            Some(_) => Trust::Changed,
            None => Trust::Untrusted,
        }
    }

    /// Trusts a file with its present content. Returns the digest.
    ///
    /// # Errors
    /// The list cannot be written, or the path is not UTF-8.
    pub fn add(&mut self, file: &Path, content: &[u8]) -> Result<String, SettingsError> {
        let name = file.to_str().ok_or_else(|| unusable("the path is not UTF-8"))?;
        let digest = digest_of(content);
        self.digests.insert(name.to_owned(), digest.clone());
        self.save()?;
        Ok(digest)
    }

    /// Returns whether the file was on the list.
    ///
    /// # Errors
    /// The list cannot be written.
    pub fn remove(&mut self, file: &Path) -> Result<bool, SettingsError> {
        let was_there = file.to_str().is_some_and(|name| self.digests.remove(name).is_some());
        if was_there {
            self.save()?;
        }
        Ok(was_there)
    }

    /// Writes the list in one step: a reader sees the old one or the new one.
    fn save(&self) -> Result<(), SettingsError> {
        let fail = |error: std::io::Error| unusable(format!("{}: {error}", self.path.display()));
        let folder = self.path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fail)?;
        let staging = folder.join(format!("trusted-files.{}", std::process::id()));
        let text = json!({ "files": self.digests }).to_string() + "\n";
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&staging)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| std::fs::rename(&staging, &self.path));
        written.map_err(|error| {
            // What is left over is of no use, and the error is about the list.
            let _ = std::fs::remove_file(&staging);
            fail(error)
        })
    }
}

/// Whether anything has this name, also a link that leads nowhere.
fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

fn unusable(reason: impl Into<String>) -> SettingsError {
    SettingsError::TrustList { reason: reason.into() }
}

fn parse_digests(bytes: &[u8]) -> Option<BTreeMap<String, String>> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let files = value.get("files")?.as_object()?;
    files.iter().map(|(name, digest)| Some((name.clone(), digest.as_str()?.to_owned()))).collect()
}

fn digest_of(content: &[u8]) -> String {
    use std::fmt::Write as _;
    openssl::sha::sha256(content).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn state() -> (tempfile::TempDir, Environment) {
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::of([("XDG_STATE_HOME", folder.path().to_str().unwrap())]);
        (folder, environment)
    }

    #[test]
    fn content_is_trusted_until_it_changes() {
        let (folder, environment) = state();
        let file = Path::new("/p/.dwctl.toml");
        let mut list = TrustList::open(&environment).unwrap();
        assert_eq!(list.trust_of(file, b"a"), Trust::Untrusted);
        list.add(file, b"a").unwrap();
        let mut list = TrustList::open(&environment).unwrap();
        assert_eq!(list.trust_of(file, b"a"), Trust::Trusted);
        assert_eq!(list.trust_of(file, b"b"), Trust::Changed);
        assert_eq!(list.trust_of(Path::new("/q/.dwctl.toml"), b"a"), Trust::Untrusted);
        let stored = folder.path().join("dwctl/trusted-files.json");
        let mode = std::fs::metadata(&stored).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(list.remove(file).unwrap() && !list.remove(file).unwrap());
        assert_eq!(list.trust_of(file, b"a"), Trust::Untrusted);
    }

    #[test]
    fn a_list_that_others_may_write_or_that_is_damaged_is_refused() {
        let (folder, environment) = state();
        TrustList::open(&environment).unwrap().add(Path::new("/p"), b"a").unwrap();
        let stored = folder.path().join("dwctl/trusted-files.json");
        for mode in [0o620, 0o602, 0o666] {
            std::fs::set_permissions(&stored, std::fs::Permissions::from_mode(mode)).unwrap();
            assert!(TrustList::open(&environment).is_err(), "{mode:o}");
        }
        std::fs::set_permissions(&stored, std::fs::Permissions::from_mode(0o600)).unwrap();
        for text in ["", "{}", "{\"files\": []}", "{\"files\": {\"/p\": 1}}"] {
            std::fs::write(&stored, text).unwrap();
            assert!(TrustList::open(&environment).is_err(), "{text}");
        }
        assert!(TrustList::open(&Environment::default()).is_err());
    }
}
