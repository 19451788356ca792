//! A small HTTP server for stubs and receivers: a thread for each connection, kept alive.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// Answers a path and a body; the server runs until the process ends.
pub type Handler = dyn Fn(&str, &str) -> Arc<String> + Send + Sync;

/// Starts a server; gives its address.
pub fn start(handler: impl Fn(&str, &str) -> Arc<String> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    let handler: Arc<Handler> = Arc::new(handler);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let handler = Arc::clone(&handler);
            // A connection ends when its client ends it.
            std::thread::spawn(move || drop(serve(stream, &*handler)));
        }
    });
    address
}

fn serve(stream: TcpStream, handler: &Handler) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut output = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or("/").to_string();
        let mut length = 0;
        loop {
            let mut header = String::new();
            input.read_line(&mut header)?;
            let Some((name, value)) = header.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(std::io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        input.read_exact(&mut body)?;
        let answer = handler(&path, &String::from_utf8_lossy(&body));
        let kind = if answer.starts_with('{') { "application/json" } else { "text/plain" };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        output.write_all(head.as_bytes())?;
        output.write_all(answer.as_bytes())?;
    }
}
