//! Connections of clients. What is read at once has a bound: the HTTP library doubles its buffer for
//! a client that fills it, and sixteen large uploads would hold ten times of what they need. And
//! what a client may leave half done has a bound in time: see [`super::gate`] and
//! [`super::patience`].

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::gate::{Entrance, Gate};

/// Bytes that one read takes at most.
const PIECE: usize = 128 * 1024;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// For a request, or for the client to take the last reply.
    Request,
    /// For more of a request's body.
    Body,
    /// For this server.
    Reply,
}

/// What is known about a client while it is connected.
#[derive(Debug)]
pub(super) struct ClientState {
    /// The address of this machine that the client has reached.
    pub local: Option<IpAddr>,
    began: Instant,
    /// Milliseconds from `began` to the last progress: a byte in either direction.
    progress: AtomicU64,
    /// The same to the beginning of the wait for a request; bytes of its head do not move it.
    waits_since: AtomicU64,
    is_answering: AtomicBool,
    waits_for_body: AtomicBool,
    is_evicted: AtomicBool,
    reader: AtomicWaker,
}

impl ClientState {
    pub fn new(local: Option<IpAddr>) -> Self {
        Self {
            local,
            began: Instant::now(),
            progress: AtomicU64::new(0),
            waits_since: AtomicU64::new(0),
            is_answering: AtomicBool::new(false),
            waits_for_body: AtomicBool::new(false),
            is_evicted: AtomicBool::new(false),
            reader: AtomicWaker::new(),
        }
    }

    /// A client that has been quiet in a phase for a while.
    #[cfg(test)]
    pub(super) fn in_phase(phase: Phase, quiet: Duration) -> Self {
        let mut client = Self::new(None);
        client.began = Instant::now().checked_sub(quiet).unwrap_or(client.began);
        client.is_answering.store(phase != Phase::Request, Ordering::Relaxed);
        client.waits_for_body.store(phase == Phase::Body, Ordering::Relaxed);
        client
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A request has come whole, but for its body.
    pub fn begin_reply(&self) {
        self.is_answering.store(true, Ordering::Relaxed);
    }

    /// The reply is on its way.
    pub fn end_reply(&self) {
        self.waits_since.store(self.now(), Ordering::Relaxed);
        self.is_answering.store(false, Ordering::Relaxed);
    }

    pub fn wait_for_body(&self, waits: bool) {
        self.waits_for_body.store(waits, Ordering::Relaxed);
    }

    pub(super) fn phase(&self) -> Phase {
        match (
            self.is_answering.load(Ordering::Relaxed),
            self.waits_for_body.load(Ordering::Relaxed),
        ) {
            (false, _) => Phase::Request,
            (true, true) => Phase::Body,
            (true, false) => Phase::Reply,
        }
    }

    /// How long nothing has come or gone.
    pub(super) fn quiet_for(&self) -> Duration {
        Duration::from_millis(self.now().saturating_sub(self.progress.load(Ordering::Relaxed)))
    }

    /// Ends the connection at its next read, which is now.
    pub(super) fn evict(&self) {
        self.is_evicted.store(true, Ordering::SeqCst);
        self.reader.wake();
    }

    pub(super) fn is_evicted(&self) -> bool {
        self.is_evicted.load(Ordering::SeqCst)
    }

    fn has_read(&self) {
        self.progress.store(self.now(), Ordering::Relaxed);
    }

    fn has_written(&self) {
        let now = self.now();
        self.progress.store(now, Ordering::Relaxed);
        self.waits_since.store(now, Ordering::Relaxed);
    }

    fn waits_since(&self) -> Instant {
        self.began + Duration::from_millis(self.waits_since.load(Ordering::Relaxed))
    }
}

/// A client's connection.
#[derive(Debug)]
pub(in crate::serve) struct Connection {
    stream: TcpStream,
    number: u64,
    state: Arc<ClientState>,
    gate: Arc<Gate>,
    patience: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(
        stream: TcpStream,
        number: u64,
        state: Arc<ClientState>,
        gate: Arc<Gate>,
        patience: Duration,
    ) -> Self {
        Self { stream, number, state, gate, patience, timer: None }
    }

    /// Waits for the client to do its part. The timer is set once and moved only when it ends, so
    /// that a request costs nothing here.
    ///
    /// # Errors
    /// The client has taken too long.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        loop {
            let deadline = self.state.waits_since() + self.patience;
            let timer =
                self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
            if timer.as_mut().poll(cx).is_pending() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            timer.as_mut().reset(deadline);
        }
    }

    fn wait_to_read(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.state.reader.register(cx.waker());
        if self.state.is_evicted() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        if self.state.phase() == Phase::Request { self.poll_patience(cx) } else { Ok(()) }
    }

    /// Bounds a write or flush that the client holds up.
    fn bound<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match outcome {
            Poll::Pending if self.state.is_evicted() => {
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
            Poll::Pending => match self.poll_patience(cx) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
            Poll::Ready(outcome) => {
                self.state.has_written();
                Poll::Ready(outcome)
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.gate.leave(self.number);
    }
}

/// The client of a request.
#[derive(Clone, Debug)]
pub(in crate::serve) struct Client(pub(super) Arc<ClientState>);

impl Connected<IncomingStream<'_, Entrance>> for Client {
    fn connect_info(stream: IncomingStream<'_, Entrance>) -> Self {
        Self(Arc::clone(&stream.io().state))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = if buffer.remaining() <= PIECE {
            Pin::new(&mut self.stream).poll_read(cx, buffer)
        } else {
            let mut piece = ReadBuf::new(buffer.initialize_unfilled_to(PIECE));
            let outcome = Pin::new(&mut self.stream).poll_read(cx, &mut piece);
            let read = piece.filled().len();
            buffer.advance(read);
            outcome
        };
        if outcome.is_pending() {
            self.wait_to_read(cx)?;
            return Poll::Pending;
        }
        if buffer.filled().len() > before {
            self.state.has_read();
        }
        outcome
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bound(cx, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.bound(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
