//! What a path is, and how it is sent: the one decision between file, ready archive and folder.
//! A payload can be opened again and again, so that a retry sends the same bytes anew.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::deflate::Packing;
use super::feed::{Feed, FileSum, Sent, SentFile};
use super::pack::{copy, pack, reopen};
use super::walk::special;
use super::{ArchiveError, Identity, Plan, WalkOptions, walk};
use crate::base::file::open_regular;

/// Whether an empty file may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Emptiness {
    #[default]
    Refused,
    Allowed,
}

/// Something that can be sent.
#[derive(Clone, Debug)]
pub enum Payload {
    /// The bytes of one file as they are.
    File { path: PathBuf, identity: Identity },
    /// A folder, packed while it is sent.
    Folder(Arc<Plan>),
}

impl Payload {
    /// Takes one file.
    ///
    /// # Errors
    /// It is missing, unreadable, empty where that is refused, or no file.
    pub fn file(path: &Path, emptiness: Emptiness) -> Result<Self, ArchiveError> {
        let at = |error| ArchiveError::at(path, error);
        let metadata = std::fs::metadata(path).map_err(at)?;
        if metadata.is_dir() {
            return Err(ArchiveError::NotRegular { path: path.to_owned(), what: "a folder" });
        }
        if !metadata.is_file() {
            let what = special(metadata.file_type());
            return Err(ArchiveError::NotRegular { path: path.to_owned(), what });
        }
        // Opened once now: what cannot be read is said before anything is asked or sent.
        open_regular(path).map_err(at)?;
        if metadata.len() == 0 && emptiness == Emptiness::Refused {
            return Err(ArchiveError::Empty { path: path.to_owned() });
        }
        Ok(Self::File { path: path.to_owned(), identity: Identity::of(&metadata) })
    }

    /// Takes a folder.
    ///
    /// # Errors
    /// What [`walk`] refuses, or a folder without a single file.
    pub fn folder(
        path: &Path,
        options: &WalkOptions,
        packing: Packing,
    ) -> Result<Self, ArchiveError> {
        let tree = walk(path, options)?;
        if tree.files.is_empty() {
            let left_out = tree.left_out.len();
            return Err(ArchiveError::NoFiles { path: path.to_owned(), left_out });
        }
        Ok(Self::Folder(Arc::new(match packing {
            Packing::Stored => Plan::stored(path, tree),
            Packing::Compressed => Plan::compressed(path, tree)?,
        })))
    }

    /// The file or folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::File { path, .. } => path,
            Self::Folder(plan) => plan.root(),
        }
    }

    /// Bytes that will be sent, exactly.
    #[must_use]
    pub fn length(&self) -> u64 {
        match self {
            Self::File { identity, .. } => identity.size,
            Self::Folder(plan) => plan.length(),
        }
    }

    /// Starts reading, from the beginning.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn open(&self) -> Result<Feed, ArchiveError> {
        match self {
            Self::File { path, identity } => {
                let (path, identity) = (path.clone(), *identity);
                Feed::start(identity.size, move |outlet| {
                    let file = reopen(&path, &identity)?;
                    let md5 = copy(file, &path, &identity, None, outlet)?;
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    let sum = FileSum::Md5(md5);
                    let file = SentFile { name: (&*name).into(), size: identity.size, sum };
                    Ok(Sent { bytes: 0, files: vec![file] })
                })
            }
            Self::Folder(plan) => {
                let plan = Arc::clone(plan);
                Feed::start(plan.length(), move |outlet| pack(&plan, outlet))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Whatever a payload sends, and what its reader says about it.
    fn send(payload: &Payload) -> (Vec<u8>, Result<Sent, ArchiveError>) {
        let mut feed = payload.open().unwrap();
        let mut bytes = Vec::new();
        while let Some(Ok(chunk)) = feed.chunks.blocking_recv() {
            bytes.extend_from_slice(&chunk);
        }
        drop(feed.chunks);
        (bytes, feed.outcome.join())
    }

    fn folder_of(path: &Path) -> Payload {
        Payload::folder(path, &WalkOptions::default(), Packing::Stored).unwrap()
    }

    /// A linear congruential generator: trees that differ, the same on every run.
    struct Lottery(u64);

    impl Lottery {
        fn below(&mut self, limit: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (self.0 >> 33) % limit
        }
    }

    fn plant(root: &Path, lottery: &mut Lottery) {
        let sizes = [0, 1, 7, 1_000, 262_144 - 40, 262_144, 1_048_576, 1_048_577, 3_000_000];
        for index in 0..=lottery.below(12) {
            let deep = ["", "a/", "b/é/", "b/c d/e/"][usize::try_from(lottery.below(4)).unwrap()];
            let path = root.join(format!("{deep}f{index}-{}.bin", lottery.below(1_000)));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let pick = usize::try_from(lottery.below(sizes.len() as u64)).unwrap();
            // Large files are rarer: the test is about lengths, not about volume.
            let size = if lottery.below(4) == 0 { sizes[pick] } else { sizes[pick % 5] };
            let byte = u8::try_from(lottery.below(256)).unwrap();
            std::fs::write(path, vec![byte; size]).unwrap();
        }
    }

    #[test]
    fn the_archive_is_read_back_entry_by_entry() {
        let mut lottery = Lottery(7);
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), &mut lottery);
        std::fs::write(folder.path().join("empty"), "").unwrap();
        std::fs::write(folder.path().join("text.json"), "{\"a\": 1}\n".repeat(1_000)).unwrap();
        for packing in [Packing::Stored, Packing::Compressed] {
            let options = WalkOptions::default();
            let payload = Payload::folder(folder.path(), &options, packing).unwrap();
            assert_eq!(
                read_back(&payload, folder.path()),
                u64::from(packing == Packing::Compressed)
            );
        }
    }

    /// Compares every entry with its file, and counts those that are deflated.
    fn read_back(payload: &Payload, folder: &Path) -> u64 {
        let (bytes, sent) = send(payload);
        assert_eq!(bytes.len() as u64, payload.length());
        let mut deflated = 0;
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
        let sent = sent.unwrap();
        assert_eq!(archive.len(), sent.files.len());
        for (index, file) in sent.files.iter().enumerate() {
            let mut entry = archive.by_index(index).unwrap();
            assert_eq!(entry.name().unwrap(), &*file.name);
            deflated += u64::from(entry.compression() == zip::CompressionMethod::Deflated);
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            assert_eq!(content, std::fs::read(folder.join(&*file.name)).unwrap());
            let mut digest = crate::archive::Digest::start().unwrap();
            digest.update(&content).unwrap();
            assert_eq!(Some(&digest.finish().unwrap()), file.sum.md5());
        }
        deflated
    }

    #[test]
    fn equal_content_gives_equal_bytes_whatever_order_time_and_mode() {
        use std::os::unix::fs::PermissionsExt;
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = [("b/x", "1"), ("a", "22"), ("b/a", "333")];
        for (name, text) in files {
            std::fs::create_dir_all(one.path().join("b")).unwrap();
            std::fs::write(one.path().join(name), text).unwrap();
        }
        for (name, text) in files.iter().rev() {
            std::fs::create_dir_all(two.path().join("b")).unwrap();
            let path = two.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            let old = std::time::SystemTime::UNIX_EPOCH;
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        }
        assert_eq!(send(&folder_of(one.path())).0, send(&folder_of(two.path())).0);
    }

    #[test]
    fn opening_twice_sends_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), &mut Lottery(3));
        let payload = folder_of(folder.path());
        assert_eq!(send(&payload).0, send(&payload).0);
    }

    #[test]
    fn a_file_that_changed_since_it_was_found_is_never_sent_whole() {
        let folder = tempfile::tempdir().unwrap();
        for (name, size) in [("small", 10), ("large", 2_000_000)] {
            let path = folder.path().join(name);
            std::fs::write(&path, vec![b'1'; size]).unwrap();
            let options = WalkOptions::default();
            let payloads = [
                Payload::file(&path, Emptiness::Refused).unwrap(),
                folder_of(folder.path()),
                Payload::folder(folder.path(), &options, Packing::Compressed).unwrap(),
            ];
            for change in [size + 1, size - 1] {
                std::fs::write(&path, vec![b'1'; change]).unwrap();
                for payload in &payloads {
                    let (bytes, sent) = send(payload);
                    assert!(matches!(sent, Err(ArchiveError::Changed { .. })), "{sent:?}");
                    assert!((bytes.len() as u64) < payload.length());
                }
            }
            std::fs::remove_file(&path).unwrap();
            let (_, sent) = send(&payloads[0]);
            assert!(matches!(sent, Err(ArchiveError::Changed { what: "it vanished", .. })));
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_its_path() {
        use crate::base::{Classify, Kind};
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        std::fs::write(&empty, "").unwrap();
        let refused = Payload::file(&empty, Emptiness::Refused).unwrap_err();
        assert_eq!(refused.kind(), Kind::Usage);
        assert!(refused.to_string().contains("empty"));
        assert_eq!(Payload::file(&empty, Emptiness::Allowed).unwrap().length(), 0);
        let missing = Payload::file(&folder.path().join("no"), Emptiness::Refused).unwrap_err();
        assert_eq!(missing.kind(), Kind::NotFound);
        let bare = tempfile::tempdir().unwrap();
        std::fs::write(bare.path().join(".env"), "x").unwrap();
        let none =
            Payload::folder(bare.path(), &WalkOptions::default(), Packing::Stored).unwrap_err();
        assert!(matches!(none, ArchiveError::NoFiles { left_out: 1, .. }));
    }

    #[test]
    fn an_entry_beyond_four_gibibytes_has_the_length_and_the_end_it_needs() {
        let folder = tempfile::tempdir().unwrap();
        // Sparse: five gibibytes that take no place on the disk; only the plan is made.
        std::fs::File::create(folder.path().join("big")).unwrap().set_len(5 << 30).unwrap();
        std::fs::write(folder.path().join("small"), "x").unwrap();
        let payload = folder_of(folder.path());
        let (big, small) = (30 + 3 + 20 + (5 << 30), 30 + 5 + 1);
        let directory = (46 + 3 + 4 + 16) + (46 + 5 + 4 + 8);
        assert_eq!(payload.length(), big + small + directory + 56 + 20 + 22);
    }
}
