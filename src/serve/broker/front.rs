//! The broker's fixed port: takes connections and passes frames on to the mock cluster, whose port
//! is chosen at random. Frames of any size pass through a small buffer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::filling::Filling;
use super::frame::{cap_wait, is_fetch};

/// Bytes passed on at once.
const CHUNK: usize = 64 * 1024;
/// How long a failed accept keeps others waiting.
const PAUSE: Duration = Duration::from_millis(50);
/// No Fetch request of a real client comes near this; a larger one passes unchanged.
const LARGEST_FETCH: usize = 1024 * 1024;

/// Accepts until it is aborted; its connections end with it.
pub(super) async fn run(listener: TcpListener, upstream: String, filling: Arc<Filling>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A failed accept concerns one client, or passes when descriptors are free again.
                if let Ok((client, _)) = accepted {
                    connections.spawn(forward(client, upstream.clone(), Arc::clone(&filling)));
                } else {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One client to the end of its connection; either side's end ends both.
async fn forward(client: TcpStream, upstream: String, filling: Arc<Filling>) {
    let Ok(broker) = TcpStream::connect(&upstream).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_broker, to_broker) = broker.into_split();
    for half in [&to_client, &to_broker] {
        // Without it replies wait for more: slower, not wrong.
        let _ = half.as_ref().set_nodelay(true);
    }
    tokio::select! {
        _ = requests(from_client, to_broker, &filling) => {}
        _ = replies(from_broker, to_client) => {}
    }
}

async fn requests(
    mut client: OwnedReadHalf,
    mut broker: OwnedWriteHalf,
    filling: &Filling,
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(CHUNK);
    loop {
        let mut length = [0; 4];
        client.read_exact(&mut length).await?;
        let size =
            usize::try_from(i32::from_be_bytes(length)).map_err(|_| io::ErrorKind::InvalidData)?;
        buffer.clear();
        buffer.extend(length);
        let first = size.min(CHUNK);
        read_more(&mut client, &mut buffer, first).await?;
        if is_fetch(&buffer[4..]) && size <= LARGEST_FETCH {
            read_more(&mut client, &mut buffer, size - first).await?;
            cap_wait(&mut buffer[4..]);
            broker.write_all(&buffer).await?;
            continue;
        }
        filling.request(&buffer[4..]);
        broker.write_all(&buffer).await?;
        let mut left = size - first;
        while left > 0 {
            buffer.clear();
            let step = left.min(CHUNK);
            read_more(&mut client, &mut buffer, step).await?;
            broker.write_all(&buffer).await?;
            left -= step;
        }
    }
}

async fn read_more(from: &mut OwnedReadHalf, buffer: &mut Vec<u8>, count: usize) -> io::Result<()> {
    let start = buffer.len();
    buffer.resize(start + count, 0);
    from.read_exact(&mut buffer[start..]).await?;
    Ok(())
}

async fn replies(mut broker: OwnedReadHalf, mut client: OwnedWriteHalf) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = broker.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        client.write_all(&buffer[..read]).await?;
    }
}
