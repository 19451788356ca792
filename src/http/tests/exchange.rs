//! Requests, answers, limits and redirects.

use std::time::Duration;

use axum::body::Body;
use futures::stream;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::server::{Seen, Server, TIMEOUTS, client, ok, response};
use crate::http::{Auth, ExtraHeader, HttpClient, HttpConfig, HttpError, HttpRequest, Timeouts};
use crate::model::{Secret, SecretSource, Timestamp};

fn extra(name: &str, values: &[&str]) -> ExtraHeader {
    let values = values.iter().map(|v| SecretSource::Inline(Secret::new(*v))).collect();
    ExtraHeader { name: name.to_string(), values }
}

fn bearer() -> HttpConfig {
    let credentials = Some(SecretSource::Inline(Secret::new("token-one")));
    HttpConfig {
        auth: Auth::Scheme { scheme: "Bearer".to_string(), credentials },
        ..HttpConfig::default()
    }
}

#[tokio::test]
async fn a_request_carries_agent_headers_and_form() {
    let server = Server::start(ok).await;
    let headers = vec![extra("X-Scope-OrgID", &["a", "b"])];
    let client = client(&HttpConfig { headers, ..bearer() });
    let form = [("query", "up == 0"), ("time", "1")];
    let request = HttpRequest::post(&server.url("/p?a=1")).unwrap().form(&form);
    let answer = client.send(request.query(&[("b", "x y")])).await.unwrap();
    assert_eq!((answer.status(), answer.body()), (200, b"ok".as_slice()));
    assert!(!answer.is_redirected());
    let seen = server.last();
    assert_eq!((seen.method.as_str(), seen.uri.as_str()), ("POST", "/p?a=1&b=x+y"));
    assert_eq!(seen.body, "query=up+%3D%3D+0&time=1");
    let agent = format!("watchbell/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(seen.header("user-agent"), Some(agent.as_str()));
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen.header("authorization"), Some("Bearer token-one"));
    let orgs: Vec<_> = seen.headers.get_all("x-scope-orgid").iter().collect();
    assert_eq!(orgs, ["a", "b"]);
}

#[tokio::test]
async fn a_requests_own_token_replaces_the_configured_one() {
    let server = Server::start(ok).await;
    let request = HttpRequest::get(&server.url("/")).unwrap().bearer(&Secret::new("own"));
    client(&bearer()).send(request.unwrap()).await.unwrap();
    let values: Vec<_> = server.last().headers.get_all("authorization").iter().cloned().collect();
    assert_eq!(values, ["Bearer own"]);
}

#[tokio::test]
async fn a_large_answer_is_cut_off() {
    // 100,000 times the letter a, compressed.
    const BOMB: &str = "H4sIAAAAAAACA+3BMQEAAADCoKzrX8IaHkABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAArwaH+uIboIYBAA==";
    let answer = |seen: &Seen| match seen.uri.as_str() {
        "/announced" => response(200, &[], "x".repeat(20_000)),
        "/gzip" => {
            use base64::Engine;
            let bytes = base64::engine::general_purpose::STANDARD.decode(BOMB).unwrap();
            response(200, &[("content-encoding", "gzip")], bytes)
        }
        _ => {
            let chunks = (0..20).map(|_| Ok::<_, std::io::Error>("x".repeat(1_000)));
            response(200, &[], Body::from_stream(stream::iter(chunks)))
        }
    };
    let server = Server::start(answer).await;
    let client = client(&HttpConfig::default());
    for path in ["/announced", "/gzip", "/streamed"] {
        let get = || HttpRequest::get(&server.url(path)).unwrap();
        let error = client.send(get().max_body(10_000)).await.unwrap_err();
        assert!(matches!(error, HttpError::BodyTooLarge { limit: 10_000, .. }), "{path} {error}");
        let whole = client.send(get().max_body(100_000)).await.unwrap();
        assert!(whole.body().len() >= 20_000, "{path}");
    }
}

#[tokio::test]
async fn time_runs_out_before_or_within_the_answer() {
    let silent = Server::start(|seen: &Seen| {
        let never = stream::pending::<Result<String, std::io::Error>>();
        assert_eq!(seen.uri, "/");
        response(200, &[], Body::from_stream(never))
    })
    .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mute = format!("http://{}", listener.local_addr().unwrap());
    let timeouts = Timeouts { total: Duration::from_millis(150), ..TIMEOUTS };
    let client = HttpClient::new(&HttpConfig::default(), timeouts).unwrap();
    for origin in [&silent.origin, &mute] {
        let error = client.send(HttpRequest::get(origin).unwrap()).await.unwrap_err();
        assert!(matches!(error, HttpError::Timeout { .. }) && error.is_transient(), "{error}");
        assert_eq!(error.to_string(), format!("no complete answer from {origin} within 150ms"));
    }
}

#[tokio::test]
async fn a_missing_server_is_a_connect_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for (origin, reason) in [(gone.as_str(), "refused"), ("http://nowhere.invalid", "dns")] {
        let request = HttpRequest::get(&format!("{origin}/secret-path")).unwrap();
        let error = client(&HttpConfig::default()).send(request).await.unwrap_err();
        assert!(matches!(error, HttpError::Connect { .. }) && error.is_transient(), "{error}");
        let text = error.to_string();
        assert!(text.contains(origin) && text.contains(reason), "{text}");
        assert!(!text.contains("secret-path"), "{text}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_an_exchange_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
        }
    });
    let request = HttpRequest::get(&format!("{origin}/secret-path")).unwrap();
    let error = client(&HttpConfig::default()).send(request).await.unwrap_err();
    assert!(matches!(error, HttpError::Exchange { .. }) && error.is_transient(), "{error}");
    assert!(!error.to_string().contains("secret-path"), "{error}");
}

#[tokio::test]
async fn redirects_are_followed_without_leaking() {
    let other = Server::start(ok).await;
    let elsewhere = other.url("/there");
    let answer = move |seen: &Seen| match seen.uri.as_str() {
        "/near" => response(307, &[("location", "/end")], ""),
        "/far" => response(307, &[("location", elsewhere.as_str())], ""),
        "/loop" => response(302, &[("location", "/loop")], ""),
        _ => ok(seen),
    };
    let server = Server::start(answer).await;
    let post = |path: &str| HttpRequest::post(&server.url(path)).unwrap().body("text/plain", "b");

    let answer = client(&bearer()).send(post("/near")).await.unwrap();
    assert!(answer.is_redirected());
    let seen = server.last();
    assert_eq!((seen.uri.as_str(), seen.body.as_str()), ("/end", "b"));
    assert_eq!(seen.header("authorization"), Some("Bearer token-one"));

    client(&bearer()).send(post("/far")).await.unwrap();
    assert_eq!(other.last().header("authorization"), None, "the token stays with its server");
    assert_eq!(other.last().header("referer"), None, "a webhook's path is a secret");

    let headers = vec![extra("X-Api-Key", &["k"])];
    let error = client(&HttpConfig { headers, ..bearer() }).send(post("/far")).await.unwrap_err();
    assert!(matches!(error, HttpError::Redirect { .. }), "{error}");
    assert_eq!(other.seen().len(), 1, "own headers do not go to another server");

    let error = client(&bearer()).send(post("/loop")).await.unwrap_err();
    assert!(error.to_string().contains("more than 10 redirects"), "{error}");

    let config = HttpConfig { follow_redirects: false, ..bearer() };
    let answer = client(&config).send(post("/near")).await.unwrap();
    assert_eq!((answer.status(), answer.is_redirected()), (307, false));
}

#[tokio::test]
async fn retry_after_is_seconds_or_a_date() {
    let server = Server::start(|seen: &Seen| {
        let value = seen.header("x-value").unwrap();
        response(429, &[("retry-after", value)], "")
    })
    .await;
    // The example of RFC 9110: Sun, 06 Nov 1994 08:49:37 GMT is 784111777.
    let now = Timestamp::from_secs(784_111_770);
    for (value, wait) in [
        ("120", Some(120)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
        ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
        ("soon", None),
        ("-1", None),
    ] {
        let request = HttpRequest::get(&server.url("/")).unwrap().header("x-value", value);
        let answer = client(&HttpConfig::default()).send(request.unwrap()).await.unwrap();
        assert_eq!(answer.retry_after(now), wait.map(Duration::from_secs), "{value}");
        assert!(answer.error_for_status().unwrap_err().is_transient());
    }
}

#[test]
fn urls_that_cannot_be_used_are_refused_unquoted() {
    for url in ["", "hunter2", "ftp://hunter2", "http://", "http://hunter2:x", "unix:/hunter2"] {
        let error = HttpRequest::get(url).unwrap_err();
        assert!(matches!(error, HttpError::Url { .. }), "{url}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(!error.is_transient());
    }
}
