//! Notices that the reader of standard output went away, also while nothing is written: `tail` on a
//! quiet topic would otherwise outlive the `head` that it was piped into.

use rustix::event::{PollFd, PollFlags, poll};

use crate::base::{Shutdown, Signal};

/// Starts a thread that asks for a quiet stop once nobody can read standard output any more. The
/// thread waits in the kernel and ends with the process. For a file or a terminal it does nothing.
pub fn watch_reader(shutdown: &Shutdown) {
    let is_pipe = rustix::fs::fstat(rustix::stdio::stdout()).is_ok_and(|stat| {
        matches!(
            rustix::fs::FileType::from_raw_mode(stat.st_mode),
            rustix::fs::FileType::Fifo | rustix::fs::FileType::Socket
        )
    });
    if is_pipe {
        let shutdown = shutdown.clone();
        // Without the thread a closed pipe is noticed at the next write: later, not wrongly.
        let _ = std::thread::Builder::new().name("pipe".into()).spawn(move || wait(&shutdown));
    }
}

fn wait(shutdown: &Shutdown) {
    loop {
        let stdout = rustix::stdio::stdout();
        // No events are asked for: the kernel reports errors and hang-ups unasked.
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        match poll(&mut watched, None) {
            Ok(_)
                if watched[0]
                    .revents()
                    .intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL) =>
            {
                shutdown.notify(Signal::PipeClosed);
                return;
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}
