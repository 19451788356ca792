//! Connections: how many there may be and for how long, so that no client, slow or broken, keeps
//! the others out.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::api::guard::Peer;
use crate::telemetry::HttpRefusal;
use crate::web::{ClientCertificate, Web};

/// How many connections may be open; more have to wait to be accepted.
const MAX_CONNECTIONS: usize = 256;
/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the head of a request may take, and how long a connection may rest between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection is used for new requests.
const MAX_AGE: Duration = Duration::from_secs(300);
/// How long an answer may go on after that, and after a stop.
const LAST_ANSWER: Duration = Duration::from_secs(10);
/// The largest head of a request, in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// How long to wait after the system has refused to accept a connection: it may be out of files.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Answers requests until `stop` completes, then lets those that have begun finish.
pub(super) async fn serve(
    listener: TcpListener,
    app: Router,
    web: Arc<Web>,
    stop: impl Future<Output = ()>,
) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some((stream, client, permit)) = accept(&listener, &permits) => {
                let Some(slot) = web.connect(client) else {
                    web.metrics().http.refused(HttpRefusal::Connections);
                    continue;
                };
                let (app, web, stopped) = (app.clone(), Arc::clone(&web), stopped.clone());
                connections.spawn(async move {
                    web.metrics().http.connections.inc();
                    secured(stream, client, app, &web, stopped).await;
                    web.metrics().http.connections.dec();
                    drop((permit, slot));
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
    stopping.send_replace(true);
    while connections.join_next().await.is_some() {}
}

/// The next connection, as soon as there is a place for it.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, client)) => return Some((stream, client.ip().to_canonical(), permit)),
            Err(error) => {
                tracing::warn!(%error, "a connection to the API could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Agrees on TLS where it is configured now, then answers requests.
async fn secured(
    stream: TcpStream,
    client: IpAddr,
    app: Router,
    web: &Web,
    mut stopped: watch::Receiver<bool>,
) {
    let Some(tls) = web.ready().tls.clone() else {
        let service = WithPeer::new(app, Peer { address: client, certificate: None });
        return connection(stream, service, web, stopped).await;
    };
    let handshake = TlsAcceptor::from(tls.server).accept(stream);
    let agreed = tokio::select! {
        agreed = tokio::time::timeout(HANDSHAKE_TIMEOUT, handshake) => agreed,
        _ = stopped.wait_for(|stopped| *stopped) => return,
    };
    let stream = match agreed {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            web.metrics().http.refused(HttpRefusal::Tls);
            tracing::debug!(%client, %error, "a TLS handshake with the API has failed");
            return;
        }
        Err(_) => {
            web.metrics().http.refused(HttpRefusal::Tls);
            tracing::debug!(%client, "a TLS handshake with the API took too long");
            return;
        }
    };
    let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let certificate = shown.map(|der| Arc::new(ClientCertificate::new(der, tls.verifies_clients)));
    let service = WithPeer::new(app, Peer { address: client, certificate });
    connection(stream, service, web, stopped).await;
}

async fn connection<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    service: WithPeer,
    web: &Web,
    mut stopped: watch::Receiver<bool>,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let finished = tokio::select! {
        result = connection.as_mut() => Some(result),
        () = tokio::time::sleep(MAX_AGE) => None,
        // The sender is gone only when the server is.
        _ = stopped.wait_for(|stopped| *stopped) => None,
    };
    let result = match finished {
        Some(result) => result,
        None => {
            // The answer that has begun is finished, if that does not take too long.
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(LAST_ANSWER, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = result {
        if error.is_parse() {
            web.metrics().http.refused(HttpRefusal::Head);
        }
        tracing::debug!(%error, "a connection to the API has failed");
    }
}

/// The routes, told with each request who is at the other end.
struct WithPeer {
    app: TowerToHyperService<Router>,
    peer: Peer,
}

impl WithPeer {
    fn new(app: Router, peer: Peer) -> Self {
        Self { app: TowerToHyperService::new(app), peer }
    }
}

impl Service<Request<Incoming>> for WithPeer {
    type Response = Response;
    type Error = Infallible;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer.clone());
        self.app.call(request)
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::*;
    use crate::model::Timestamp;
    use crate::telemetry::{BuildInfo, Metrics};

    /// A server whose `/slow` answers after five seconds, and the way to stop it.
    async fn start() -> (std::net::SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let slow = get(async || {
            tokio::time::sleep(Duration::from_secs(5)).await;
            "done"
        });
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { drop(stopped.await) };
        let build = BuildInfo { version: String::new(), revision: String::new() };
        let metrics = Arc::new(Metrics::new(&build, Timestamp::default()));
        let web = Arc::new(Web::open(None, metrics).unwrap());
        let app = Router::new().route("/slow", slow);
        let server = tokio::spawn(serve(listener, app, web, stopped));
        (address, stop, server)
    }

    async fn all(mut stream: TcpStream) -> String {
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text).await;
        text
    }

    const REQUEST: &[u8] = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_is_let_go() {
        let (address, _stop, _server) = start().await;
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /slow HTTP/1.1\r\nHost").await.unwrap();
        all(stream).await;
        let waited = began.elapsed();
        assert!((HEAD_TIMEOUT..HEAD_TIMEOUT * 2).contains(&waited), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_lets_an_answer_finish_and_takes_no_more() {
        let (address, stop, server) = start().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.send(()).unwrap();
        let answer = all(stream).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
        server.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn connections_beyond_the_limit_wait() {
        let (address, _stop, _server) = start().await;
        let mut resting = Vec::new();
        for _ in 0..MAX_CONNECTIONS {
            resting.push(TcpStream::connect(address).await.unwrap());
        }
        let began = Instant::now();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        assert!(all(stream).await.ends_with("done"));
        assert!(began.elapsed() >= HEAD_TIMEOUT, "it waited for a place: {:?}", began.elapsed());
    }
}
