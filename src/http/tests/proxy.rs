//! Ways through a proxy.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::server::{Server, client, ok};
use crate::http::{ExtraHeader, HttpConfig, HttpError, HttpRequest, ProxyConfig};
use crate::model::{Secret, SecretSource};

fn through(url: &str, no_proxy: Option<&str>) -> HttpConfig {
    let value = SecretSource::Inline(Secret::new("via-watchbell"));
    let header = ExtraHeader { name: "x-proxy-token".to_string(), values: vec![value] };
    let proxy = ProxyConfig::Url {
        url: Secret::new(url),
        no_proxy: no_proxy.map(str::to_string),
        connect_headers: vec![header],
    };
    HttpConfig { proxy, ..HttpConfig::default() }
}

#[tokio::test]
async fn plain_requests_go_to_the_proxy_unless_excluded() {
    let (proxy, server) = (Server::start(ok).await, Server::start(ok).await);
    let request = || HttpRequest::get("http://hooks.invalid/a").unwrap();
    client(&through(&proxy.origin, None)).send(request()).await.unwrap();
    assert_eq!(proxy.last().uri, "http://hooks.invalid/a");

    let excluded = through(&proxy.origin, Some("example.com,127.0.0.0/8"));
    client(&excluded).send(HttpRequest::get(&server.url("/b")).unwrap()).await.unwrap();
    assert_eq!(server.last().uri, "/b");
    assert_eq!(proxy.seen().len(), 1);
}

/// A proxy for CONNECT that leads every name to one address; it keeps what it was asked.
async fn connect_proxy(target: Option<u16>) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(Mutex::new(String::new()));
    let record = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(near.read_u8().await.unwrap());
            }
            *record.lock().unwrap() = String::from_utf8(head).unwrap();
            let Some(port) = target else {
                let _ = near.write_all(b"HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n").await;
                continue;
            };
            let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
        }
    });
    (address, asked)
}

#[tokio::test]
async fn tls_goes_through_a_tunnel() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hello = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.read_u8().await.unwrap()
    });
    let (address, asked) = connect_proxy(Some(port)).await;
    let config = through(&format!("http://user:pass@{address}"), None);
    let request = HttpRequest::get("https://hooks.invalid/path-secret").unwrap();
    let error = client(&config).send(request).await.unwrap_err();
    assert!(!error.to_string().contains("path-secret"), "{error}");
    assert_eq!(hello.await.unwrap(), 0x16, "a TLS handshake arrives at the end of the tunnel");
    let asked = asked.lock().unwrap().to_ascii_lowercase();
    assert!(asked.starts_with("connect hooks.invalid:443 http/1.1\r\n"), "{asked}");
    assert!(asked.contains("x-proxy-token: via-watchbell\r\n"), "{asked}");
    assert!(asked.contains("proxy-authorization: basic dxnlcjpwyxnz\r\n"), "{asked}");
    assert!(!asked.contains("path-secret"), "{asked}");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_a_connect_error() {
    let (address, _) = connect_proxy(None).await;
    let config = through(&format!("http://{address}"), None);
    let request = HttpRequest::get("https://hooks.invalid/path-secret").unwrap();
    let error = client(&config).send(request).await.unwrap_err();
    assert!(matches!(error, HttpError::Connect { .. }), "{error:?}");
    assert!(!format!("{error:?}").contains("path-secret"), "{error:?}");
}

/// The environment belongs to the whole process, so the test asks in one of its own.
#[tokio::test]
async fn the_environments_proxy_is_used_on_demand_only() {
    let proxy = Server::start(ok).await;
    let origin = proxy.origin.clone();
    let run = async |config: &'static str| {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "http::tests::proxy::asks_as_the_environment_says"])
            .env("HTTP_PROXY", &origin)
            .env("http_proxy", &origin)
            .env("WATCHBELL_TEST_PROXY", config)
            .env_remove("NO_PROXY")
            .env_remove("no_proxy");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        output.status.success()
    };
    assert!(run("environment").await);
    assert_eq!(proxy.seen().len(), 1);
    assert_eq!(proxy.last().uri, "http://hooks.invalid/");
    assert!(run("direct").await);
    assert_eq!(proxy.seen().len(), 1, "the environment is not asked unless told so");
}

/// The other half of the test above; on its own it does nothing.
#[tokio::test]
async fn asks_as_the_environment_says() {
    let proxy = match std::env::var("WATCHBELL_TEST_PROXY").as_deref() {
        Ok("environment") => ProxyConfig::Environment,
        Ok("direct") => ProxyConfig::Direct,
        _ => return,
    };
    let direct = proxy == ProxyConfig::Direct;
    let client = client(&HttpConfig { proxy, ..HttpConfig::default() });
    let result = client.send(HttpRequest::get("http://hooks.invalid/").unwrap()).await;
    assert_eq!(result.is_err(), direct, "{result:?}");
}
