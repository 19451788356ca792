//! A way to a server on which every request takes its time.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Passes connections on; what a client says is held up, what it hears is not.
pub struct SlowWay {
    /// Where to ask instead of the server.
    pub url: String,
}

impl SlowWay {
    /// A way to `url` that lasts as long as the test program.
    pub fn to(url: &str, delay: Duration) -> Self {
        let server = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that is gone ends the client's connection, as it would itself.
                let Ok(server) = TcpStream::connect(&server) else { continue };
                let (from_client, from_server) = (copy(&client), copy(&server));
                thread::spawn(move || pass(from_client, server, delay));
                thread::spawn(move || pass(from_server, client, Duration::ZERO));
            }
        });
        Self { url }
    }
}

fn copy(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("one more file")
}

/// Passes on what comes until either side ends.
fn pass(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        thread::sleep(delay);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}
