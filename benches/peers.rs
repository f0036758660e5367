//! The other people's tools: whether they are there, and a loud word where they are not.

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
