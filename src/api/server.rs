//! Connections: how many there may be and for how long, so that no client, slow or broken, keeps
//! the others out.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// How many connections may be open; more have to wait to be accepted.
const MAX_CONNECTIONS: usize = 256;
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
pub(super) async fn serve(listener: TcpListener, app: Router, stop: impl Future<Output = ()>) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some((stream, permit)) = accept(&listener, &permits) => {
                let (app, stopped) = (app.clone(), stopped.clone());
                connections.spawn(async move {
                    connection(stream, app, stopped).await;
                    drop(permit);
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
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Some((stream, permit)),
            Err(error) => {
                tracing::warn!(%error, "a connection to the API could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, app: Router, mut stopped: watch::Receiver<bool>) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(MAX_HEAD);
    let service = TowerToHyperService::new(app);
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
        None => last_answer(connection).await,
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection to the API has failed");
    }
}

type Connection = http1::Connection<TokioIo<TcpStream>, TowerToHyperService<Router>>;

/// Finishes the answer that has begun, if that does not take too long.
async fn last_answer(mut connection: std::pin::Pin<&mut Connection>) -> hyper::Result<()> {
    connection.as_mut().graceful_shutdown();
    tokio::time::timeout(LAST_ANSWER, connection).await.unwrap_or(Ok(()))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;
    use tokio::time::Instant;

    use super::*;

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
        let server = tokio::spawn(serve(listener, Router::new().route("/slow", slow), stopped));
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
