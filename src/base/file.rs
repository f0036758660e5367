//! Files that are opened without waiting. A FIFO or a device in place of a file would hold a command
//! for as long as it likes.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Maximum bytes of an input that is read as a whole.
const LARGEST_INPUT: u64 = 64 * 1024 * 1024;

/// Opens a regular file, or the null device, for reading.
///
/// # Errors
/// It does not exist, cannot be opened, or is not a regular file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Reads a regular file as a whole.
///
/// # Errors
/// As [`open_regular`], or reading fails.
pub fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a regular file as text.
///
/// # Errors
/// As [`read_regular`], or it is not UTF-8.
pub fn read_regular_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open_regular(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// Reads what a user names as an input: a file, or a pipe such as `<(command)`, which may take its
/// time. Devices that never end are bounded.
///
/// # Errors
/// It does not exist, cannot be read, is a folder, or is larger than [`LARGEST_INPUT`].
pub fn read_input(path: &Path) -> io::Result<Vec<u8>> {
    if path.metadata()?.is_dir() {
        return Err(not_regular("a folder"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST_INPUT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_INPUT {
        let message = format!("it holds more than {LARGEST_INPUT} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// Opens a file for writing, made or emptied; a file that exists is a regular one.
///
/// # Errors
/// It cannot be opened, or is not a regular file.
pub fn create_regular(path: &Path) -> io::Result<File> {
    let file = open_to_write(path)?;
    let metadata = file.metadata()?;
    check_regular(&metadata)?;
    if metadata.is_file() {
        file.set_len(0)?;
    }
    Ok(file)
}

/// Writes a regular file as a whole.
///
/// # Errors
/// As [`create_regular`], or writing fails.
pub fn write_regular(path: &Path, bytes: &[u8]) -> io::Result<()> {
    io::Write::write_all(&mut create_regular(path)?, bytes)
}

/// Opens what a user names as an output, made or emptied: a file, a device, or a FIFO that is read.
///
/// # Errors
/// It cannot be opened, or is a FIFO without a reader.
pub fn create_output(path: &Path) -> io::Result<File> {
    let file = open_to_write(path)?;
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    // Writing may wait; only opening may not.
    let flags = rustix::fs::fcntl_getfl(&file)?;
    rustix::fs::fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
    Ok(file)
}

fn open_to_write(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let mut options = File::options();
    options.write(true).create(true).truncate(false).custom_flags(flags);
    options.open(path).map_err(|error| match error.raw_os_error() {
        // What a FIFO without a reader answers.
        Some(code) if code == rustix::io::Errno::NXIO.raw_os_error() => {
            io::Error::new(io::ErrorKind::InvalidInput, "it is a FIFO that nobody reads")
        }
        _ => error,
    })
}

/// Accepts a regular file, and the null device, which users name for an empty one.
fn check_regular(metadata: &Metadata) -> io::Result<()> {
    let what = match metadata.file_type() {
        kind if kind.is_file() || is_null_device(metadata) => return Ok(()),
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a FIFO",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(not_regular(what))
}

fn is_null_device(metadata: &Metadata) -> bool {
    let is_device = metadata.file_type().is_char_device();
    is_device && std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == metadata.rdev())
}

fn not_regular(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_are_opened_and_nothing_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mkfifoat(rustix::fs::CWD, &fifo, rustix::fs::Mode::from_raw_mode(0o600))
            .unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in [&fifo, &socket, folder.path(), Path::new("/dev/zero")] {
            assert!(open_regular(path).is_err(), "{}", path.display());
            assert!(create_regular(path).is_err(), "{}", path.display());
        }
        // It is what users name for an empty file.
        assert_eq!(read_regular(Path::new("/dev/null")).unwrap(), b"");
        write_regular(Path::new("/dev/null"), b"text").unwrap();
        let file = folder.path().join("file");
        write_regular(&file, b"longer").unwrap();
        write_regular(&file, b"text").unwrap();
        assert_eq!(read_regular_text(&file).unwrap(), "text");
        assert_eq!(read_input(&file).unwrap(), b"text");
        assert!(read_input(Path::new("/dev/zero")).is_err());
        assert!(create_output(&fifo).is_err() && create_output(Path::new("/dev/null")).is_ok());
    }
}
