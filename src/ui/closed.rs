//! Whether standard output was closed when the process started, as by `>&-`.
//!
//! The standard library opens `/dev/null` in place of a closed stream before `main`. Afterwards nothing
//! tells the two apart: other programs pass on `/dev/null` opened for reading and writing as well. So
//! this looks earlier, in a function that the loader calls.

#![expect(unsafe_code, reason = "the loader calls functions of this section before main")]

use std::sync::atomic::{AtomicBool, Ordering};

static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether standard output was closed at the start. Always false on systems other than Linux.
pub(super) fn was_stdout_closed() -> bool {
    WAS_CLOSED.load(Ordering::Relaxed)
}

/// Runs before the standard library is initialised: one system call and one store, no allocation.
#[cfg(target_os = "linux")]
extern "C" fn look_at_stdout() {
    let flags = rustix::io::fcntl_getfd(rustix::stdio::stdout());
    WAS_CLOSED.store(flags == Err(rustix::io::Errno::BADF), Ordering::Relaxed);
}

// SAFETY: entries of `.init_array` are pointers to C functions, which the loader calls once each with
// arguments that they may ignore.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK_AT_STDOUT: extern "C" fn() = look_at_stdout;
