//! Tests that cannot run here. A skip is written where it is seen, by name and with its reason, and
//! a run that must be complete turns it into a failure.

use std::io::Write;
use std::panic::Location;

/// Says that the running test is skipped, or fails it where `variable` is set to 1.
#[track_caller]
pub fn skip(variable: &str, reason: &str) {
    let thread = std::thread::current();
    // With one test thread libtest runs tests on the main thread, which has no test's name.
    let place = Location::caller().to_string();
    let name = thread.name().filter(|name| *name != "main").unwrap_or(&place);
    assert!(
        std::env::var(variable).as_deref() != Ok("1"),
        "{variable}=1, and {name} cannot run: {reason}"
    );
    // `eprintln!` would be captured, and shown only for tests that fail.
    let line = format!("SKIPPED {name}: {reason} ({variable}=1 makes this a failure)\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Whether a program of this name can be started.
pub fn is_installed(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join(program).is_file())
}
