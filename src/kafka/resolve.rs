//! Addresses of a name, within a time: the system's resolver has none of its own.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::base::Deadline;

/// Returns the addresses of a name, in the resolver's order.
///
/// # Errors
/// The resolver's words, or that it does not answer before the deadline.
pub(super) fn resolve_name(
    host: &str,
    port: u16,
    deadline: Deadline,
) -> Result<Vec<SocketAddr>, String> {
    if let Ok(address) = host.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (sender, answer) = channel();
    let name = host.to_owned();
    let asking = std::thread::Builder::new().name("resolve".into()).spawn(move || {
        let found = (name.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
        // Without a receiver the answer came too late.
        let _ = sender.send(found);
    });
    asking.map_err(|error| error.to_string())?;
    let patience = deadline.slice(Duration::from_secs(30)).max(Duration::from_millis(1));
    match answer.recv_timeout(patience) {
        Ok(Ok(found)) if found.is_empty() => Err("it has no address".to_owned()),
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(resolver_words(&error.to_string()).to_owned()),
        Err(RecvTimeoutError::Timeout) => Err("the resolver does not answer".to_owned()),
        Err(RecvTimeoutError::Disconnected) => Err("the resolver failed".to_owned()),
    }
}

/// The resolver's words without those of the library that passes them on.
fn resolver_words(text: &str) -> &str {
    text.rsplit_once(": ").map_or(text, |(_, words)| words)
}
