//! The service's own exchanges, put to `dwctl serve` again in their order: the same status, headers
//! and JSON, and the same events, but where the service is known to be wrong. Stamps and ids that a
//! server makes are compared by their form.
//!
//! One list is ours, in `tests/exchanges/`. The recordings of the real service are not part of the
//! project; `DWCTL_RECORDINGS` names their folder.

mod compare;
mod exchange;
mod faults;
mod run;

use std::path::PathBuf;

use crate::support::skip::skip;
use exchange::Exchange;
use faults::{FLAT, LATER_FLAT, TASK};

/// What is replayed of a recording: models, single datasets, and reports on bias and transformations.
/// The rest is not served.
fn is_served(exchange: &Exchange) -> bool {
    const SERVED: [&str; 7] =
        ["model_", "dataset_", "bias_", "transformation_", "detect_", "not_found", "service_info"];
    const NOT_SERVED: [&str; 5] = ["dataset_job", "dataset_public", "_folder", "_split", "_public"];
    let name = exchange.name.as_str();
    SERVED.iter().any(|prefix| name.starts_with(prefix))
        && !(name.starts_with("dataset_") && NOT_SERVED.iter().any(|part| name.contains(part)))
}

#[track_caller]
fn recorded(generation: &str) -> Option<Vec<Exchange>> {
    let Some(folder) = std::env::var_os("DWCTL_RECORDINGS") else {
        skip("DWCTL_REQUIRE_RECORDINGS", "DWCTL_RECORDINGS names no recordings of the service");
        return None;
    };
    let mut exchanges = exchange::read_recordings(&PathBuf::from(folder).join(generation));
    exchanges.retain(is_served);
    Some(exchanges)
}

#[test]
fn todays_recordings_are_answered_as_the_service_did() {
    let Some(exchanges) = recorded("today") else { return };
    assert!(exchanges.len() > 140, "{} exchanges", exchanges.len());
    run::replay("task", exchanges, TASK, &[]);
}

#[test]
fn recordings_of_the_flat_service_are_answered_as_it_did() {
    let Some(exchanges) = recorded("seed-events") else { return };
    assert!(exchanges.len() > 120, "{} exchanges", exchanges.len());
    run::replay("flat", exchanges, FLAT, LATER_FLAT);
}

#[test]
fn our_own_list_of_todays_exchanges_is_answered_to_the_letter() {
    run::replay("task", exchange::read_list(include_str!("exchanges/task.json")), &[], &[]);
}

#[test]
fn our_own_list_of_flat_exchanges_is_answered_to_the_letter() {
    run::replay("flat", exchange::read_list(include_str!("exchanges/flat.json")), &[], &[]);
}
