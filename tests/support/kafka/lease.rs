//! The shared broker's life: it runs as long as any test process holds the write end of a FIFO open.
//! The kernel closes that end however a process dies, so nothing has to be cleaned up by anybody.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::io::Errno;

use super::jars;
use super::server::{Server, serves};

/// The right to use the shared broker. Dropping it, or dying, gives it back.
pub struct Lease {
    brokers: String,
    _write_end: File,
}

impl Lease {
    pub fn brokers(&self) -> &str {
        &self.brokers
    }
}

/// Joins the broker that is running, or starts it; the reason where neither can be.
pub fn take() -> Result<Lease, String> {
    let jars = jars::folder()?;
    take_with(&jars).map_err(|error| format!("the shared Kafka did not start: {error}"))
}

fn take_with(jars: &Path) -> std::io::Result<Lease> {
    let folder = jars::cache().join("shared");
    std::fs::create_dir_all(&folder)?;
    // Held while the broker starts, so that whoever comes second finds it serving. Its supervisor
    // takes the same lock before it stops the broker: no lease is taken of one that is ending.
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    let fifo = folder.join("lease");
    match mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let address = folder.join("address");
    match open_write_end(&fifo) {
        Ok(write_end) => {
            let brokers = std::fs::read_to_string(&address)?;
            if serves(&brokers) {
                Ok(Lease { brokers, _write_end: write_end })
            } else {
                // The supervisor lives and its broker does not.
                Err(std::io::Error::other(format!("the broker at {brokers} died")))
            }
        }
        // Nobody reads: there is no supervisor.
        Err(error) if Errno::from_io_error(&error) == Some(Errno::NXIO) => {
            let read_end = open_read_end(&fifo)?;
            let write_end = open_write_end(&fifo)?;
            let server = Server::start(jars, &folder, read_end)?;
            std::fs::write(&address, server.brokers())?;
            Ok(Lease { brokers: server.leave_to_its_supervisor(), _write_end: write_end })
        }
        Err(error) => Err(error),
    }
}

fn open_write_end(fifo: &Path) -> std::io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    File::options().write(true).custom_flags(flags).open(fifo)
}

/// A blocking read end, opened before there is a writer.
fn open_read_end(fifo: &Path) -> std::io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let read_end = File::options().read(true).custom_flags(flags).open(fifo)?;
    rustix::fs::fcntl_setfl(&read_end, OFlags::empty())?;
    Ok(read_end)
}
