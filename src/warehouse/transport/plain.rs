//! Requests over plain TCP on connections of our own. Idle connections are kept for the next
//! request; a body always gets a fresh one, so that its bytes can be counted where the kernel takes
//! them.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::BodyExt;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::examine::speaks_tls;
use super::{CONNECT, Call, Incoming, Outgoing, TlsFault};
use crate::warehouse::meter::Meter;
use crate::warehouse::{ApiAddress, WarehouseError};

/// Idle connections that are kept.
const MOST_IDLE: usize = 64;

pub(super) type Failed = Box<dyn std::error::Error + Send + Sync>;
type Pool = Arc<Mutex<Vec<Line>>>;

/// A connection. Dropped, it is cut, whatever is still on its way.
struct Line {
    sender: SendRequest<Outgoing>,
    task: AbortHandle,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Requests to one address.
pub(in crate::warehouse) struct Plain {
    address: ApiAddress,
    agent: HeaderValue,
    host: HeaderValue,
    idle: Pool,
    /// Whether the port was found to speak TLS; not asked while it answers as HTTP.
    speaks_tls: OnceLock<bool>,
}

impl Plain {
    pub fn new(address: ApiAddress, agent: &str) -> Self {
        let value = |text: &str| {
            // Both are made of characters that a header takes.
            HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("dwctl"))
        };
        let (agent, host) = (value(agent), value(&address.authority()));
        Self { address, agent, host, idle: Arc::default(), speaks_tls: OnceLock::new() }
    }

    pub fn address(&self) -> &ApiAddress {
        &self.address
    }

    pub(super) async fn exchange(
        &self,
        call: Call,
        meter: Option<&Arc<Meter>>,
    ) -> Result<(StatusCode, HeaderMap, Incoming), WarehouseError> {
        let repeatable = call.repeatable;
        let (method, path) = (call.method.clone(), call.path.clone());
        let mut request = self.request(call)?;
        if repeatable {
            while let Some(line) = self.take_idle().await {
                match self.send(line, request, true).await {
                    Ok(answer) => return Ok(answer),
                    // The server closed a connection that had been idle: nothing was answered, and
                    // asking again changes nothing.
                    Err(_) => {
                        let call = Call { method: method.clone(), ..Call::get(path.clone()) };
                        request = self.request(call)?;
                    }
                }
            }
        }
        let line = self.connect(meter).await?;
        self.send(line, request, meter.is_none()).await
    }

    fn request(&self, call: Call) -> Result<Request<Outgoing>, WarehouseError> {
        let mut request = Request::builder()
            .method(call.method)
            .uri(call.path)
            .body(call.body)
            .map_err(|error| WarehouseError::Client(error.into()))?;
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.clone());
        headers.insert(header::USER_AGENT, self.agent.clone());
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        headers.extend(call.headers);
        Ok(request)
    }

    async fn take_idle(&self) -> Option<Line> {
        loop {
            let mut line = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if line.sender.ready().await.is_ok() {
                return Some(line);
            }
        }
    }

    async fn connect(&self, meter: Option<&Arc<Meter>>) -> Result<Line, WarehouseError> {
        let unreachable =
            |error: io::Error| WarehouseError::unreachable(&self.address.to_string(), &error);
        let stream = tokio::time::timeout(CONNECT, open(self.address.host(), self.address.port()))
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(unreachable)?;
        let stream = Counted { stream, meter: meter.cloned(), is_deaf: false };
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| WarehouseError::Client(error.into()))?;
        // What ends the connection is told to whoever waits for the reply.
        let task = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        Ok(Line { sender, task })
    }

    async fn send(
        &self,
        mut line: Line,
        request: Request<Outgoing>,
        reusable: bool,
    ) -> Result<(StatusCode, HeaderMap, Incoming), WarehouseError> {
        let response = match line.sender.send_request(request).await {
            Ok(response) => response,
            Err(error) => return Err(self.failure(error).await),
        };
        // Whoever answers speaks HTTP; a later call says the same.
        let _ = self.speaks_tls.set(false);
        let (head, body) = response.into_parts();
        let pool = reusable.then(|| Arc::clone(&self.idle));
        let receiving = Receiving { body, line: Some(line), pool };
        Ok((head.status, head.headers, Incoming::Plain(receiving)))
    }

    async fn failure(&self, error: hyper::Error) -> WarehouseError {
        let address = self.address.to_string();
        // A server with TLS answers with an alert, or ends the connection.
        if self.speaks_tls().await {
            return WarehouseError::Tls { address, fault: TlsFault::WantsTls };
        }
        if error.is_parse() {
            return WarehouseError::Nonsense {
                action: "speak HTTP".to_owned(),
                address,
                what: "something that is not HTTP".to_owned(),
                line: String::new(),
            };
        }
        WarehouseError::Lost { address, doing: "waiting for the reply", cause: error.into() }
    }

    async fn speaks_tls(&self) -> bool {
        if let Some(known) = self.speaks_tls.get() {
            return *known;
        }
        let address = self.address.clone();
        // A thread that panicked has found nothing.
        let found = tokio::task::spawn_blocking(move || speaks_tls(&address)).await;
        *self.speaks_tls.get_or_init(|| found.unwrap_or(false))
    }
}

/// How long an address is tried alone before the next one is tried beside it (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first address of a name that answers; one that is silent does not hold up the
/// others.
async fn open(host: &str, port: u16) -> io::Result<TcpStream> {
    let addresses: Vec<SocketAddr> = match host.parse() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => tokio::net::lookup_host((host, port)).await?.collect(),
    };
    let stream = connect_first(addresses).await.map_err(|error| match error {
        Some(error) => error,
        None => io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address")),
    })?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn connect_first(addresses: Vec<SocketAddr>) -> Result<TcpStream, Option<io::Error>> {
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut failure = None;
    loop {
        attempts.extend(waiting.next().map(TcpStream::connect));
        if attempts.is_empty() {
            return Err(failure);
        }
        tokio::select! {
            Some(attempt) = attempts.next() => match attempt {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = Some(error),
            },
            () = tokio::time::sleep(HEAD_START), if waiting.len() > 0 => {}
        }
    }
}

/// The body of a reply; read to its end, its connection serves again. That of an upload does not:
/// after an early reply it still sends.
pub(super) struct Receiving {
    body: hyper::body::Incoming,
    line: Option<Line>,
    pool: Option<Pool>,
}

impl Receiving {
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Failed> {
        while let Some(frame) = self.body.frame().await {
            if let Ok(bytes) = frame?.into_data() {
                return Ok(Some(bytes));
            }
        }
        if let (Some(line), Some(pool)) = (self.line.take(), &self.pool) {
            let mut idle = pool.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < MOST_IDLE {
                idle.push(line);
            }
        }
        Ok(None)
    }
}

/// A stream that counts what the kernel accepts, and still listens to a server that takes no more.
struct Counted {
    stream: TcpStream,
    meter: Option<Arc<Meter>>,
    /// The other side has closed its ear: what it said before lies in our receive buffer.
    is_deaf: bool,
}

impl Counted {
    /// A server that refuses early may close with bytes unread, which resets the connection. An
    /// error from the write would end the exchange before its reply is read, so writing waits from
    /// then on, and reading tells what came: the reply, or the end.
    fn written(
        &mut self,
        context: &Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                if let Some(meter) = &self.meter {
                    meter.add(bytes as u64);
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error))
                if matches!(
                    error.kind(),
                    io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
                ) =>
            {
                self.is_deaf = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            other => other,
        }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_deaf {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_deaf {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.written(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_deaf {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_silent_address_does_not_hold_up_the_next_one() {
        // Port 1 refuses; a listener whose queue is full is silent.
        let served = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, refused) = (served.local_addr().unwrap(), "127.0.0.1:1".parse().unwrap());
        let full = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let silent = full.local_addr().unwrap();
        let _queue: Vec<_> = (0..300)
            .map_while(|_| {
                std::net::TcpStream::connect_timeout(&silent, Duration::from_millis(50)).ok()
            })
            .collect();
        for addresses in [vec![silent, refused, address], vec![refused, silent, address]] {
            let stream = connect_first(addresses).await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), address);
        }
        assert!(connect_first(vec![refused]).await.unwrap_err().is_some());
        assert!(connect_first(Vec::new()).await.unwrap_err().is_none());
    }
}
