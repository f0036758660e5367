//! An HTTP server that throws away what it is sent and answers with a record that was made before, so
//! that only the client is measured. It runs as a helper.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use anyhow::Result;

/// Prints its address and serves until standard input ends.
pub fn serve(reply: String) -> Result<()> {
    let reply: Arc<[u8]> = reply.into_bytes().into();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let reply = Arc::clone(&reply);
            std::thread::spawn(move || {
                if let Err(error) = answer_all(&stream, &reply) {
                    eprintln!("the sink lost a client: {error}");
                }
            });
        }
    });
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn answer_all(mut stream: &TcpStream, reply: &[u8]) -> Result<()> {
    let mut reader = BufReader::with_capacity(64 * 1024, stream.try_clone()?);
    while let Some(head) = Head::read(&mut reader)? {
        if head.waits {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        discard(&mut reader, head.length)?;
        let length = reply.len();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(answer.as_bytes())?;
        stream.write_all(reply)?;
    }
    Ok(())
}

/// What is known of a request.
struct Head {
    length: u64,
    /// For the word to go on.
    waits: bool,
}

impl Head {
    /// `None` where the client has closed.
    fn read(reader: &mut impl BufRead) -> Result<Option<Self>> {
        let mut head = Self { length: 0, waits: false };
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                return Ok(Some(head));
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = value.trim().parse()?,
                "expect" => head.waits = true,
                _ => {}
            }
        }
    }
}

/// Reads in large pieces: what the sink costs is taken from the same cores.
fn discard(reader: &mut BufReader<TcpStream>, length: u64) -> Result<()> {
    let buffered = u64::try_from(reader.buffer().len())?.min(length);
    reader.consume(usize::try_from(buffered)?);
    let mut left = length - buffered;
    let mut buffer = vec![0; 1 << 20];
    while left > 0 {
        let room = usize::try_from(left.min(1 << 20))?;
        let read = reader.get_mut().read(&mut buffer[..room])?;
        anyhow::ensure!(read > 0, "{left} bytes of the body are missing");
        left -= u64::try_from(read)?;
    }
    Ok(())
}
