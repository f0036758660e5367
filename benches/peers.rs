//! The other people's tools: whether they are there, and a loud word where they are not.

use std::path::PathBuf;

use crate::support::peers::python_with;
use crate::support::skip::is_installed;

/// Whether all of these can be started; says which one cannot, and what is left out for it.
pub fn have(what: &str, programs: &[&str]) -> bool {
    let missing: Vec<&str> =
        programs.iter().copied().filter(|program| !is_installed(program)).collect();
    if !missing.is_empty() {
        skip(what, &format!("{} is not installed", missing.join(", ")));
    }
    missing.is_empty()
}

pub fn skip(what: &str, reason: &str) {
    eprintln!("SKIPPED {what}: {reason}");
}

/// Why a real Kafka cannot be started here.
pub fn no_kafka() -> Option<String> {
    let missing: Vec<&str> = ["java", "mvn", "flock", "setpriv"]
        .into_iter()
        .filter(|program| !is_installed(program))
        .collect();
    (!missing.is_empty()).then(|| format!("{} is not installed", missing.join(", ")))
}

/// A Python with what the peers in `peers/` import; `None`, said aloud, where it cannot be made.
pub fn python(what: &str) -> Option<PathBuf> {
    const LIBRARIES: [&str; 5] = [
        "aiohttp==3.14.5",
        "aiokafka==0.14.0",
        "fastapi==0.165.0",
        "python-multipart==0.0.34",
        "uvicorn[standard]==0.54.0",
    ];
    python_with("bench-python", &LIBRARIES).map_err(|reason| skip(what, &reason)).ok()
}
