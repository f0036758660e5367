//! Where clients come in. Each of them costs a descriptor, and a process has a fixed number of them:
//! when they are used up, the client that has been idle for longest makes room for the next one. A
//! client whose upload goes on stays.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::serve::Listener;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::connection::{ClientState, Connection, Phase};

/// How long a client without a request may have been quiet before it makes room for another.
const IDLE: Duration = Duration::from_millis(100);
/// The same for a client in the middle of a body.
const STALLED: Duration = Duration::from_secs(1);
/// The longest wait before the clients are looked at again.
const LOOK: Duration = Duration::from_millis(50);
/// Descriptors that are left to the database, the broker and its clients.
const RESERVED: u64 = 16;
/// A client costs its connection, and the file that it uploads or downloads.
const DESCRIPTORS_OF_A_CLIENT: u64 = 2;
/// The most clients at once, however many descriptors there are: each of them takes memory too.
const MOST_CLIENTS: u64 = 4096;

/// Returns how many clients the descriptors of this process are enough for.
pub(in crate::serve) fn client_capacity() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    // Of systems without this folder the usual number.
    let used = std::fs::read_dir("/proc/self/fd").map_or(40, |files| files.count() as u64);
    let free = limit.saturating_sub(used + RESERVED) / DESCRIPTORS_OF_A_CLIENT;
    usize::try_from(free.clamp(4, MOST_CLIENTS)).unwrap_or(4)
}

/// The listener with its gate.
#[derive(Debug)]
pub(in crate::serve) struct Entrance {
    listener: TcpListener,
    gate: Arc<Gate>,
    patience: Duration,
}

impl Entrance {
    /// `patience` is how long a client may leave its part undone.
    pub fn new(listener: TcpListener, capacity: usize, patience: Duration) -> Self {
        let (clients, next, left) = (Mutex::default(), AtomicU64::new(0), Notify::new());
        Self { listener, gate: Arc::new(Gate { capacity, clients, next, left }), patience }
    }
}

impl Listener for Entrance {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    self.gate.make_room().await;
                    return (self.gate.enter(stream, self.patience), address);
                }
                Err(error) if is_exhausted(&error) => self.gate.free_one().await,
                // The client has gone again.
                Err(error) if is_of_client(&error) => {}
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

fn is_exhausted(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM))
}

fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Who is in.
#[derive(Debug)]
pub(super) struct Gate {
    capacity: usize,
    clients: Mutex<HashMap<u64, Arc<ClientState>>>,
    next: AtomicU64,
    /// A client has left.
    left: Notify,
}

impl Gate {
    fn clients(&self) -> MutexGuard<'_, HashMap<u64, Arc<ClientState>>> {
        // A panic while the map is held leaves it as good as before.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(self: &Arc<Self>, stream: TcpStream, patience: Duration) -> Connection {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let local = stream.local_addr().ok().map(|address| address.ip());
        let state = Arc::new(ClientState::new(local));
        self.clients().insert(number, Arc::clone(&state));
        Connection::new(stream, number, state, Arc::clone(self), patience)
    }

    pub(super) fn leave(&self, number: u64) {
        self.clients().remove(&number);
        self.left.notify_one();
    }

    /// Waits until there is room for one more client.
    async fn make_room(&self) {
        while self.clients().len() >= self.capacity {
            self.free_one().await;
        }
    }

    /// Ends the connection that is missed least, and waits for it, or for any other, to be gone.
    async fn free_one(&self) {
        let left = self.left.notified();
        if let Some(client) = choose(self.clients().values()) {
            client.evict();
        }
        // After it the clients are looked at again: nothing is lost by a look too many.
        let _ = tokio::time::timeout(LOOK, left).await;
    }
}

/// Returns the client that has been idle for longest. An upload that has stalled is chosen only if
/// all others go on, and not because the idle ones have just come.
fn choose<'a>(clients: impl Iterator<Item = &'a Arc<ClientState>>) -> Option<&'a Arc<ClientState>> {
    let clients: Vec<_> = clients.filter(|client| !client.is_evicted()).collect();
    let longest = |phase: Phase| {
        let of_phase = clients.iter().filter(move |client| client.phase() == phase);
        of_phase.map(|client| (client.quiet_for(), *client)).max_by_key(|(quiet, _)| *quiet)
    };
    let (quiet, client, least) = match longest(Phase::Request) {
        Some((quiet, client)) => (quiet, client, IDLE),
        None => longest(Phase::Body).map(|(quiet, client)| (quiet, client, STALLED))?,
    };
    (quiet >= least).then_some(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clients in these phases, all of which have been quiet for as long as the test wants.
    fn chosen(phases: &[Phase], quiet: Duration) -> Option<usize> {
        let clients: Vec<_> =
            phases.iter().map(|phase| Arc::new(ClientState::in_phase(*phase, quiet))).collect();
        let client = choose(clients.iter())?;
        clients.iter().position(|other| Arc::ptr_eq(other, client))
    }

    #[test]
    fn idle_clients_go_first_and_uploads_only_when_none_is_left() {
        use Phase::{Body, Reply, Request};
        let (short, long) = (Duration::from_millis(50), Duration::from_secs(60));
        assert_eq!(chosen(&[Body, Reply, Request], long), Some(2));
        assert_eq!(chosen(&[Body, Reply], long), Some(0));
        assert_eq!(chosen(&[Reply], long), None);
        assert_eq!(chosen(&[Body, Request], short), None, "the next moment one is idle");
        assert_eq!(chosen(&[], long), None);
    }
}
