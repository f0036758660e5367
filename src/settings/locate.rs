//! Which settings files apply: `$DWCTL_CONFIG`, else `.dwctl.toml` in this folder or up to the root of
//! the repository, else `$XDG_CONFIG_HOME/dwctl/config.toml`.
//!
//! A project file came with the project, so others may have written it. Until the user trusts its
//! content, it cannot redirect anything, and the user's own file stays in force under it.

use std::path::{Path, PathBuf};

use super::file::{SettingsFile, parse_file};
use super::ownership::{OwnershipFault, TrustedUsers, read_named_file, read_own_file};
use super::trust::{Trust, TrustList};
use super::{Environment, SettingsError};

/// The name of a project's settings file.
pub(super) const PROJECT_FILE: &str = ".dwctl.toml";

/// A sentence about settings that stops nothing, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsWarning {
    pub message: String,
    pub hint: Option<String>,
}

impl From<String> for SettingsWarning {
    fn from(message: String) -> Self {
        Self { message, hint: None }
    }
}

/// The files that apply, the strongest last.
#[derive(Clone, Debug, Default)]
pub(super) struct AppliedFiles {
    pub files: Vec<SettingsFile>,
    /// Whether the project file is trusted, if one applies.
    pub trust: Option<Trust>,
    /// Names of the settings that an untrusted file must not set.
    pub withheld: Vec<String>,
    pub warnings: Vec<SettingsWarning>,
}

impl AppliedFiles {
    fn add(&mut self, file: SettingsFile) {
        self.warnings.extend(file.warnings.iter().cloned().map(SettingsWarning::from));
        self.files.push(file);
    }

    fn ignore(&mut self, path: &Path, fault: &OwnershipFault) {
        self.warnings.push(SettingsWarning {
            message: format!("ignored {}: {fault}", path.display()),
            hint: Some(fault.hint()),
        });
    }
}

/// Reads the files that apply for a command in `folder`.
///
/// # Errors
/// A file that applies is malformed, or the named one does not exist.
pub(super) fn read_files(
    environment: &Environment,
    folder: &Path,
) -> Result<AppliedFiles, SettingsError> {
    let mut applied = AppliedFiles::default();
    if let Some(named) = environment.get("DWCTL_CONFIG") {
        applied.add(read_named(Path::new(named))?);
        return Ok(applied);
    }
    let users = TrustedUsers::of_process(environment);
    let project = find_project_file(folder, users, &mut applied);
    if let Some((path, bytes)) = project {
        let mut file = parse_file(&path, &bytes)?;
        let trust = TrustList::open(environment).map(|list| list.trust_of(&path, &bytes));
        if matches!(trust, Ok(Trust::Trusted)) {
            applied.trust = Some(Trust::Trusted);
            applied.add(file);
            return Ok(applied);
        }
        read_users_file(environment, users, &mut applied)?;
        withhold(&mut file, trust, &mut applied);
        applied.add(file);
        return Ok(applied);
    }
    read_users_file(environment, users, &mut applied)?;
    Ok(applied)
}

/// Removes from an untrusted file what it must not set, with a warning.
fn withhold(
    file: &mut SettingsFile,
    trust: Result<Trust, SettingsError>,
    applied: &mut AppliedFiles,
) {
    applied.withheld = file.withhold();
    applied.trust = Some(*trust.as_ref().unwrap_or(&Trust::Untrusted));
    if applied.withheld.is_empty() {
        return;
    }
    let (path, names) = (file.path.display(), applied.withheld.join(", "));
    let state = match trust {
        Ok(Trust::Changed) => "has changed since you trusted it".to_owned(),
        Ok(_) => "is not trusted".to_owned(),
        Err(error) => format!("is not trusted ({error})"),
    };
    applied.warnings.push(SettingsWarning {
        message: format!("{path} {state}; ignored: {names}"),
        hint: Some("read the file, then run dwctl config trust".to_owned()),
    });
}

/// Reads a file that the user named in a variable. Its owner and mode are the user's business.
fn read_named(path: &Path) -> Result<SettingsFile, SettingsError> {
    let bytes = read_named_file(path).map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            SettingsError::Missing { path: path.to_owned() }
        }
        _ => SettingsError::Unreadable { path: path.to_owned(), cause },
    })?;
    // Files of secrets and commands start in its folder, which must not depend on the current one.
    parse_file(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()), &bytes)
}

fn read_users_file(
    environment: &Environment,
    users: TrustedUsers,
    applied: &mut AppliedFiles,
) -> Result<(), SettingsError> {
    let base = environment.xdg("XDG_CONFIG_HOME", ".config");
    let Some(path) = base.map(|base| base.join("dwctl/config.toml")).filter(|path| exists(path))
    else {
        return Ok(());
    };
    match read_own_file(&path, users) {
        Ok(bytes) => applied.add(parse_file(&path, &bytes)?),
        Err(fault) => applied.ignore(&path, &fault),
    }
    Ok(())
}

/// Whether anything has this name, also a link that leads nowhere.
fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

/// Returns the nearest project file that counts, with its content. Those that do not are named.
fn find_project_file(
    folder: &Path,
    users: TrustedUsers,
    applied: &mut AppliedFiles,
) -> Option<(PathBuf, Vec<u8>)> {
    for path in project_candidates(folder) {
        match read_own_file(&path, users) {
            Ok(bytes) => return Some((path, bytes)),
            Err(fault) => applied.ignore(&path, &fault),
        }
    }
    None
}

/// Returns the project files that exist in this folder and, inside a repository, above it up to the
/// root.
fn project_candidates(folder: &Path) -> Vec<PathBuf> {
    let root = folder.ancestors().find(|parent| parent.join(".git").exists()).unwrap_or(folder);
    folder
        .ancestors()
        .take_while(|parent| parent.starts_with(root))
        .map(|parent| parent.join(PROJECT_FILE))
        .filter(|path| exists(path))
        .collect()
}

/// A project file that the user wants to trust, or not any more.
#[derive(Clone, Debug)]
pub struct ProjectFile {
    path: PathBuf,
}

impl ProjectFile {
    /// Returns the project file at a path, in a folder, or the one that applies in the current folder.
    ///
    /// # Errors
    /// The path has another name than project files have.
    pub fn find(named: Option<&Path>) -> Result<Self, SettingsError> {
        let path = match named {
            Some(path) if path.is_dir() => path.join(PROJECT_FILE),
            Some(path) => path.to_owned(),
            None => {
                let folder = std::env::current_dir().unwrap_or_default();
                let nearest = project_candidates(&folder).into_iter().next();
                nearest.unwrap_or_else(|| folder.join(PROJECT_FILE))
            }
        };
        if path.file_name().is_none_or(|name| name != PROJECT_FILE) {
            return Err(SettingsError::NotAProjectFile { path });
        }
        Ok(Self { path: resolve_folder(&path) })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds the file with its present content to the user's list. Returns the digest.
    ///
    /// # Errors
    /// The file does not exist, does not count or is malformed, or the list cannot be written.
    pub fn trust(&self, environment: &Environment) -> Result<String, SettingsError> {
        if !exists(&self.path) {
            return Err(SettingsError::Missing { path: self.path.clone() });
        }
        let bytes = read_own_file(&self.path, TrustedUsers::of_process(environment))
            .map_err(|fault| SettingsError::Foreign { fault })?;
        parse_file(&self.path, &bytes)?;
        TrustList::open(environment)?.add(&self.path, &bytes)
    }

    /// Removes the file from the user's list. Returns whether it was there.
    ///
    /// # Errors
    /// The list cannot be read or written.
    pub fn untrust(&self, environment: &Environment) -> Result<bool, SettingsError> {
        TrustList::open(environment)?.remove(&self.path)
    }
}

/// The path with its folder as the system names it, as the current folder is when settings are read.
fn resolve_folder(path: &Path) -> PathBuf {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match std::fs::canonicalize(folder) {
        Ok(folder) => folder.join(PROJECT_FILE),
        Err(_) => std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_file_counts_here_and_up_to_the_root_of_the_repository() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("repo/a/b");
        std::fs::create_dir_all(&deep).unwrap();
        let write = |folder: &Path| {
            let path = folder.join(PROJECT_FILE);
            std::fs::write(&path, "").unwrap();
            path
        };
        let above = write(root.path());
        let own = write(&root.path().join("repo"));
        assert_eq!(project_candidates(&deep), [""; 0].map(PathBuf::from), "no repository");
        assert_eq!(
            project_candidates(&root.path().join("repo")),
            std::slice::from_ref(&own),
            "this folder"
        );
        // A worktree has a file of that name.
        std::fs::write(root.path().join("repo/.git"), "gitdir: x").unwrap();
        assert_eq!(project_candidates(&deep), std::slice::from_ref(&own), "up to the root");
        let inner = write(&root.path().join("repo/a"));
        assert_eq!(project_candidates(&deep), [inner, own], "the nearest first");
        assert_eq!(project_candidates(root.path()), [above]);
    }
}
