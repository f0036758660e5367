//! A SOCKS5 proxy (RFC 1928) that sends every connection to one place, and remembers which names it was
//! asked for.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The proxy while its test lasts.
pub struct SocksProxy {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl SocksProxy {
    /// Sends connections to `target`, or refuses them if there is none.
    pub fn start(target: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (names, target) = (Arc::clone(&asked), target.map(str::to_owned));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (names, target) = (Arc::clone(&names), target.clone());
                std::thread::spawn(move || serve(stream, &names, target.as_deref()));
            }
        });
        Self { address, asked }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// The hosts that connections were asked for, as they were written.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut client: TcpStream, names: &Mutex<Vec<String>>, target: Option<&str>) -> Option<()> {
    let [_version, methods] = read(&mut client)?;
    let mut offered = vec![0; methods.into()];
    client.read_exact(&mut offered).ok()?;
    // Without a login.
    client.write_all(&[5, 0]).ok()?;
    let [_version, _connect, _reserved, kind] = read(&mut client)?;
    let host = match kind {
        1 => read::<4>(&mut client)?.map(|byte| byte.to_string()).join("."),
        _ => {
            let [length] = read(&mut client)?;
            let mut name = vec![0; length.into()];
            client.read_exact(&mut name).ok()?;
            String::from_utf8(name).ok()?
        }
    };
    let _port: [u8; 2] = read(&mut client)?;
    names.lock().unwrap().push(host);
    let Some(mut server) = target.map(|target| TcpStream::connect(target).unwrap()) else {
        // Host unreachable.
        client.write_all(&[5, 4, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
        return None;
    };
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
    let (mut from_client, mut to_server) = (client.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut server, &mut client);
    let _ = client.shutdown(Shutdown::Write);
    Some(())
}

fn read<const N: usize>(stream: &mut TcpStream) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}
