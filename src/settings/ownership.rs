//! Who may change a settings file. As ssh and git do it, a file counts only if it, its folder and the
//! links that lead to it belong to the user or to root, and no other user may write them.

use std::fs::{File, Metadata, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::Environment;
use crate::base::file::open_regular;

/// Links that are followed before a loop is assumed (Linux: 40).
const MAX_LINKS: usize = 40;
/// Maximum bytes of a settings file.
const MAX_BYTES: u64 = 1 << 20;
/// Permission bits for writing by the group and by others.
const WRITE_BY_OTHERS: u32 = 0o022;

/// Why a settings file does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnershipFault {
    #[error("{} belongs to another user (uid {uid})", path.display())]
    ForeignOwner { path: PathBuf, uid: u32 },
    #[error("other users may write {} (mode {mode:03o})", path.display())]
    WritableByOthers { path: PathBuf, mode: u32 },
    #[error("{} is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error("{} is larger than {MAX_BYTES} bytes", path.display())]
    TooLarge { path: PathBuf },
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
}

impl OwnershipFault {
    /// Returns what to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::WritableByOthers { path, .. } => {
                let path = path.display().to_string();
                format!("run chmod go-w {}", crate::base::shell::quoted(&path))
            }
            Self::ForeignOwner { .. } => {
                "copy it if you trust it, or name it in DWCTL_CONFIG".to_owned()
            }
            _ => "write settings in a regular file, or remove it".to_owned(),
        }
    }
}

/// The users whose files count.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrustedUsers {
    effective: u32,
    /// The user who called sudo. As git does it, root accepts that user's files too.
    invoking: Option<u32>,
}

impl TrustedUsers {
    pub fn of_process(environment: &Environment) -> Self {
        let effective = rustix::process::geteuid().as_raw();
        let invoking = environment.get("SUDO_UID").and_then(|uid| uid.parse().ok());
        Self { effective, invoking: invoking.filter(|_| effective == 0) }
    }

    /// Leaves out the user who called sudo.
    pub fn without_invoking(self) -> Self {
        Self { invoking: None, ..self }
    }

    fn check(self, path: &Path, metadata: &Metadata) -> Result<(), OwnershipFault> {
        let uid = metadata.uid();
        if uid != 0 && uid != self.effective && Some(uid) != self.invoking {
            return Err(OwnershipFault::ForeignOwner { path: path.to_owned(), uid });
        }
        // The mode of a link has no meaning.
        let mode = metadata.mode() & 0o7777;
        if !metadata.is_symlink() && mode & WRITE_BY_OTHERS != 0 {
            return Err(OwnershipFault::WritableByOthers { path: path.to_owned(), mode });
        }
        Ok(())
    }
}

/// Reads a settings file that only the user or root can have written.
///
/// The bytes come from the file that was checked: it is opened once.
///
/// # Errors
/// Another user may have written it, or it cannot be read.
pub(super) fn read_own_file(path: &Path, users: TrustedUsers) -> Result<Vec<u8>, OwnershipFault> {
    let target = follow_links(path, users)?;
    let file = open(&target)?;
    let metadata = file.metadata().map_err(|error| unreadable(&target, &error))?;
    if !metadata.is_file() {
        return Err(OwnershipFault::NotAFile { path: target });
    }
    users.check(&target, &metadata)?;
    read_bounded(file, &target)
}

/// Reads a settings file that the user named, without a look at its owner.
///
/// # Errors
/// It cannot be read or is too large.
pub(super) fn read_named_file(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // A FIFO that has a name would be waited for; a pipe of `<(command)` has none.
    let is_pipe_of_shell = path.starts_with("/dev/fd") || path.starts_with("/proc/self/fd");
    let file = if is_pipe_of_shell { File::open(path)? } else { open_regular(path)? };
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("it is larger than {MAX_BYTES} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// Checks each link and its folder. Returns the path at the end, which is not a link.
fn follow_links(path: &Path, users: TrustedUsers) -> Result<PathBuf, OwnershipFault> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let about = std::fs::metadata(&folder).map_err(|error| unreadable(&folder, &error))?;
        users.check(&folder, &about)?;
        let about = std::fs::symlink_metadata(&path).map_err(|error| unreadable(&path, &error))?;
        if !about.is_symlink() {
            return Ok(path);
        }
        users.check(&path, &about)?;
        let target = std::fs::read_link(&path).map_err(|error| unreadable(&path, &error))?;
        path = folder.join(target);
    }
    Err(OwnershipFault::Unreadable { path, reason: "too many links".to_owned() })
}

/// Opens without waiting for the other end of a FIFO, and without following a link that was put there
/// in between.
fn open(path: &Path) -> Result<File, OwnershipFault> {
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits();
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.cast_signed())
        .open(path)
        .map_err(|error| unreadable(path, &error))
}

fn read_bounded(file: File, path: &Path) -> Result<Vec<u8>, OwnershipFault> {
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(OwnershipFault::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> OwnershipFault {
    OwnershipFault::Unreadable { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn users() -> TrustedUsers {
        TrustedUsers::of_process(&Environment::default())
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A folder with a file of this mode.
    fn file_with(file_mode: u32, folder_mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".dwctl.toml");
        std::fs::write(&path, "text").unwrap();
        set_mode(&path, file_mode);
        set_mode(folder.path(), folder_mode);
        (folder, path)
    }

    #[test]
    fn modes_decide_whether_a_file_counts() {
        for (file, folder, counts) in [
            (0o600, 0o700, true),
            (0o644, 0o755, true),
            (0o400, 0o500, true),
            (0o664, 0o755, false),
            (0o646, 0o755, false),
            (0o666, 0o755, false),
            (0o644, 0o775, false),
            (0o644, 0o777, false),
            (0o644, 0o1777, false),
            (0o644, 0o2770, false),
        ] {
            let (_folder, path) = file_with(file, folder);
            let read = read_own_file(&path, users());
            assert_eq!(read.is_ok(), counts, "{file:o} {folder:o}: {read:?}");
            if let Err(fault) = read {
                assert!(fault.hint().starts_with("run chmod go-w /"), "{fault}: {}", fault.hint());
            }
        }
    }

    #[test]
    fn owners_decide_too() {
        let (_folder, path) = file_with(0o600, 0o700);
        let own = std::fs::metadata(&path).unwrap().uid();
        let check = |effective, invoking| {
            let users = TrustedUsers { effective, invoking };
            users.check(&path, &std::fs::metadata(&path).unwrap())
        };
        assert_eq!(check(own, None), Ok(()));
        assert_eq!(check(own + 1, Some(own)), Ok(()));
        if own != 0 {
            assert!(check(own + 1, None).is_err());
        }
    }

    #[test]
    fn only_root_accepts_the_files_of_the_user_who_called_sudo() {
        let sudo = Environment::of([("SUDO_UID", "1234")]);
        let users = TrustedUsers::of_process(&sudo);
        assert_eq!(users.invoking.is_some(), users.effective == 0);
        let nonsense = Environment::of([("SUDO_UID", "me")]);
        assert_eq!(TrustedUsers::of_process(&nonsense).invoking, None);
    }

    #[test]
    fn a_link_is_followed_only_through_folders_that_no_other_user_may_write() {
        let (folder, target) = file_with(0o600, 0o700);
        let open = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink(&target, &link).unwrap();
        assert!(read_own_file(&link, users()).is_ok());
        let through = open.path().join("link");
        symlink(&target, &through).unwrap();
        assert!(read_own_file(&through, users()).is_ok());
        set_mode(open.path(), 0o1777);
        assert!(read_own_file(&through, users()).is_err(), "the folder of a link");
        let twice = folder.path().join("twice");
        symlink(&through, &twice).unwrap();
        assert!(read_own_file(&twice, users()).is_err(), "the folder of a link between");
        let outside = open.path().join("file");
        std::fs::write(&outside, "").unwrap();
        let out = folder.path().join("out");
        symlink(&outside, &out).unwrap();
        assert!(read_own_file(&out, users()).is_err(), "the folder of a target");
        let circle = folder.path().join("circle");
        symlink(&circle, &circle).unwrap();
        assert!(read_own_file(&circle, users()).is_err());
    }

    #[test]
    fn what_is_no_regular_file_is_never_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        set_mode(folder.path(), 0o700);
        let fifo = folder.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        set_mode(&fifo, 0o600);
        let not_a_file = |path: &Path| {
            matches!(read_own_file(path, users()), Err(OwnershipFault::NotAFile { .. }))
        };
        assert!(not_a_file(&fifo));
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        assert!(not_a_file(&inner));
        let large = folder.path().join("large");
        File::create(&large).unwrap().set_len(MAX_BYTES + 1).unwrap();
        set_mode(&large, 0o600);
        assert!(matches!(read_own_file(&large, users()), Err(OwnershipFault::TooLarge { .. })));
    }
}
