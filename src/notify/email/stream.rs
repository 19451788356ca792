//! From an address to a connection on which mail may be sent.
//!
//! lettre speaks SMTP over a connection that it is given. This file makes one, because lettre
//! takes neither a rustls configuration of our own nor a server's name of its own, and does not
//! look at what a server has sent ahead of TLS (the hole in CVE-2021-38371 and its like).

use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::pki_types::ServerName;
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, ReadBuf,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::config::{EmailConfig, Security};
use super::error::{Hidden, SmtpError};
use super::smtp::{CONNECT, step};
use crate::http::tls_client_config;

const STARTTLS: &str = "STARTTLS";
/// The longest line and the most lines of an answer (RFC 5321, 4.5.3.1.5, with room).
const MAX_LINE: u64 = 1000;
const MAX_LINES: usize = 100;
/// What lettre reads first on a connection whose greeting has been read here.
const GREETED: &[u8] = b"220 greeted\r\n";

/// A connection, and whether others can read it.
pub(super) struct Connection {
    pub(super) stream: Box<dyn AsyncTokioStream>,
    pub(super) encrypted: bool,
}

/// Connects, with TLS as configured.
pub(super) async fn connect(config: &EmailConfig, name: &str) -> Result<Connection, SmtpError> {
    let (server, with_login) = (&config.server, config.login.is_some());
    match server.security {
        Security::Implicit => {
            let tcp = tcp(config, name).await?;
            encrypt(config, name, tcp, &[], false).await
        }
        Security::StartTls => match starttls(config, name, false).await? {
            Some(connection) => Ok(connection),
            None => Err(SmtpError::NoTls { server: name.to_string() }),
        },
        // Whoever does not ask for TLS gets what there is (RFC 7435): a certificate that nobody
        // trusts is still better than none. A password needs a trusted one.
        Security::Opportunistic => match starttls(config, name, !with_login).await {
            Ok(Some(connection)) => Ok(connection),
            Ok(None) => plain(tcp(config, name).await?, name),
            Err(SmtpError::Tls { .. } | SmtpError::Answer { step: STARTTLS, .. })
                if !with_login =>
            {
                plain(tcp(config, name).await?, name)
            }
            Err(error) => Err(error),
        },
    }
}

/// A connection with TLS by STARTTLS. `None` where the server offers none.
async fn starttls(
    config: &EmailConfig,
    name: &str,
    any_certificate: bool,
) -> Result<Option<Connection>, SmtpError> {
    match upgrade(config, name, tcp(config, name).await?).await? {
        None => Ok(None),
        Some(tcp) => encrypt(config, name, tcp, GREETED, any_certificate).await.map(Some),
    }
}

async fn tcp(config: &EmailConfig, name: &str) -> Result<TcpStream, SmtpError> {
    let address = (config.server.host.as_str(), config.server.port);
    let failed =
        |e: io::Error| SmtpError::Connect { server: name.to_string(), reason: e.to_string() };
    step(name, "the connection", CONNECT, async {
        TcpStream::connect(address).await.map_err(failed)
    })
    .await
}

fn plain(stream: TcpStream, name: &str) -> Result<Connection, SmtpError> {
    let stream = Stream::new(stream, name, &[], |tcp| tcp.peer_addr())?;
    Ok(Connection { stream: Box::new(stream), encrypted: false })
}

async fn encrypt(
    config: &EmailConfig,
    name: &str,
    tcp: TcpStream,
    first: &'static [u8],
    any_certificate: bool,
) -> Result<Connection, SmtpError> {
    let mut tls = config.server.tls.clone();
    tls.insecure_skip_verify |= any_certificate;
    let settings = tls_client_config(&tls).map_err(|e| SmtpError::Local(e.to_string()))?;
    let failed = |reason: String| SmtpError::Tls { server: name.to_string(), reason };
    let host =
        ServerName::try_from(config.server.host.clone()).map_err(|e| failed(e.to_string()))?;
    let connector = TlsConnector::from(Arc::new(settings));
    let shake = async { connector.connect(host, tcp).await.map_err(|e| failed(e.to_string())) };
    let stream = step(name, "the tls handshake", CONNECT, shake).await?;
    let stream = Stream::new(stream, name, first, |tls| tls.get_ref().0.peer_addr())?;
    Ok(Connection { stream: Box::new(stream), encrypted: true })
}

/// Asks for TLS. `None` where the server offers none.
async fn upgrade(
    config: &EmailConfig,
    name: &str,
    tcp: TcpStream,
) -> Result<Option<TcpStream>, SmtpError> {
    let mut reader = BufReader::new(tcp);
    step(name, "the greeting", CONNECT, answer(&mut reader, name, "the greeting")).await?;
    let hello = format!("EHLO {}\r\n", config.server.hello);
    let offers = step(name, "EHLO", CONNECT, ask(&mut reader, name, "EHLO", &hello)).await?;
    if !offers.iter().skip(1).any(|line| line.eq_ignore_ascii_case(STARTTLS)) {
        return Ok(None);
    }
    let asked = ask(&mut reader, name, STARTTLS, "STARTTLS\r\n");
    step(name, STARTTLS, CONNECT, asked).await?;
    if !reader.buffer().is_empty() {
        let reason = "it sent data ahead of tls".to_string();
        return Err(SmtpError::Tls { server: name.to_string(), reason });
    }
    Ok(Some(reader.into_inner()))
}

async fn ask(
    reader: &mut BufReader<TcpStream>,
    name: &str,
    step: &'static str,
    command: &str,
) -> Result<Vec<String>, SmtpError> {
    let broken = |e: io::Error| exchange(name, step, e.to_string());
    reader.get_mut().write_all(command.as_bytes()).await.map_err(broken)?;
    answer(reader, name, step).await
}

fn exchange(name: &str, step: &'static str, reason: String) -> SmtpError {
    SmtpError::Exchange { server: name.to_string(), step, reason }
}

/// The lines of an answer without their code; an error where the code is no 2yz.
async fn answer(
    reader: &mut BufReader<TcpStream>,
    name: &str,
    step: &'static str,
) -> Result<Vec<String>, SmtpError> {
    let mut lines = Vec::new();
    while lines.len() < MAX_LINES {
        let mut line = Vec::new();
        let read = reader.take(MAX_LINE).read_until(b'\n', &mut line).await;
        read.map_err(|e| exchange(name, step, e.to_string()))?;
        if !line.ends_with(b"\n") {
            let reason = if line.is_empty() { "connection closed" } else { "no whole answer" };
            return Err(exchange(name, step, reason.to_string()));
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_string();
        let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
        let code =
            code.ok_or_else(|| exchange(name, step, "the answer is not smtp".to_string()))?;
        lines.push(line.get(4..).unwrap_or_default().to_string());
        if line.as_bytes().get(3) == Some(&b'-') {
            continue;
        }
        if (200..300).contains(&code) {
            return Ok(lines);
        }
        let text = Hidden::default().clean(&lines.join(" "));
        return Err(SmtpError::Answer { server: name.to_string(), step, status: code, text });
    }
    Err(exchange(name, step, "the answer is too long".to_string()))
}

/// A stream in front of which some bytes are read first.
#[derive(Debug)]
struct Stream<S> {
    first: &'static [u8],
    inner: S,
    peer: SocketAddr,
}

impl<S> Stream<S> {
    fn new(
        inner: S,
        name: &str,
        first: &'static [u8],
        peer: impl Fn(&S) -> io::Result<SocketAddr>,
    ) -> Result<Self, SmtpError> {
        let failed =
            |e: io::Error| SmtpError::Connect { server: name.to_string(), reason: e.to_string() };
        let peer = peer(&inner).map_err(failed)?;
        Ok(Self { first, inner, peer })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.inner).poll_read(context, buffer);
        }
        let (now, later) = self.first.split_at(self.first.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.first = later;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin + Debug> AsyncTokioStream for Stream<S> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
