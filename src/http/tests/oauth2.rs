//! Tokens from a strict server: it takes nothing but what RFC 6749 says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::response::Response;
use base64::Engine;

use super::server::{Seen, Server, TempDir, client, ok, response};
use crate::http::{Auth, HttpClient, HttpConfig, HttpError, HttpRequest, OAuth2Config};
use crate::model::{Secret, SecretSource};

/// How a token server behaves.
#[derive(Clone, Copy, Default)]
struct Manner {
    /// Id and secret must stand in the form.
    in_form: bool,
    /// What `expires_in` is, as JSON.
    expires_in: Option<&'static str>,
}

/// Gives out `token-1`, `token-2` and so on to whoever knows the secret "s3cret+/".
async fn token_server(manner: Manner) -> Server {
    let count = Arc::new(AtomicU32::new(0));
    Server::start(move |seen: &Seen| {
        let error = |status, error: &str| {
            let text = format!("{{\"error\":\"{error}\",\"error_description\":\"{}\"}}", seen.body);
            response(status, &[("content-type", "application/json")], text)
        };
        let form: BTreeMap<String, String> =
            url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect();
        let field = |name: &str| form.get(name).map(String::as_str);
        let kind = seen.header("content-type");
        if seen.method != "POST" || kind != Some("application/x-www-form-urlencoded") {
            return error(400, "invalid_request");
        }
        if field("grant_type") != Some("client_credentials") {
            return error(400, "unsupported_grant_type");
        }
        // `watch bell:s3cret+/`, both encoded as in a form.
        let pair = "watch+bell:s3cret%2B%2F";
        let header = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
        let in_header = seen.header("authorization") == Some(&header);
        let in_form = (field("client_id"), field("client_secret"))
            == (Some("watch bell"), Some("s3cret+/"))
            && seen.header("authorization").is_none();
        if (manner.in_form && !in_form) || (!manner.in_form && !in_header) {
            return error(401, "invalid_client");
        }
        if (field("scope"), field("audience")) != (Some("read write"), Some("prometheus")) {
            return error(400, "invalid_scope");
        }
        let n = count.fetch_add(1, Ordering::Relaxed) + 1;
        let life = manner.expires_in.map(|s| format!(",\"expires_in\":{s}")).unwrap_or_default();
        let text = format!("{{\"access_token\":\"token-{n}\",\"token_type\":\"bearer\"{life}}}");
        response(200, &[("content-type", "application/json")], text)
    })
    .await
}

fn config(tokens: &Server, secret: &str) -> OAuth2Config {
    OAuth2Config {
        client_id: "watch bell".to_string(),
        client_secret: Some(SecretSource::Inline(Secret::new(secret))),
        scopes: vec!["read".to_string(), "write".to_string()],
        token_url: Secret::new(tokens.url("/oauth/token")),
        endpoint_params: vec![("audience".to_string(), Secret::new("prometheus"))],
        tls: crate::http::TlsConfig::default(),
        proxy: crate::http::ProxyConfig::Direct,
    }
}

fn with(config: OAuth2Config) -> HttpClient {
    client(&HttpConfig { auth: Auth::OAuth2(Box::new(config)), ..HttpConfig::default() })
}

async fn ask(client: &HttpClient, server: &Server) -> u16 {
    let request = HttpRequest::post(&server.url("/query")).unwrap().body("text/plain", "up");
    client.send(request).await.unwrap().status()
}

/// The tokens that a server saw.
fn shown(server: &Server) -> Vec<String> {
    let headers = server.seen().into_iter();
    headers.map(|seen| seen.header("authorization").unwrap_or("none").to_string()).collect()
}

#[tokio::test]
async fn a_token_is_fetched_once_and_used_until_shortly_before_its_end() {
    let tokens = token_server(Manner { expires_in: Some("60"), ..Manner::default() }).await;
    let (server, client) = (Server::start(ok).await, with(config(&tokens, "s3cret+/")));
    for _ in 0..3 {
        assert_eq!(ask(&client, &server).await, 200);
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(49)).await;
    tokio::time::resume();
    assert_eq!(ask(&client, &server).await, 200);
    assert_eq!(shown(&server), ["Bearer token-1"; 4]);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
    assert_eq!(ask(&client, &server).await, 200);
    assert_eq!(shown(&server)[4], "Bearer token-2");
    assert_eq!(tokens.seen().len(), 2);
}

#[tokio::test]
async fn those_who_come_at_once_share_one_token() {
    let tokens = token_server(Manner::default()).await;
    let (server, client) = (Server::start(ok).await, with(config(&tokens, "s3cret+/")));
    let all = (0..8).map(|_| ask(&client, &server));
    assert_eq!(futures::future::join_all(all).await, [200; 8]);
    assert_eq!(tokens.seen().len(), 1);
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let tokens = token_server(Manner { expires_in: Some("\"3600\""), ..Manner::default() }).await;
    let taken = |seen: &Seen| -> Response {
        let good = seen.header("authorization") == Some("Bearer token-2");
        response(if good { 200 } else { 401 }, &[], seen.body.clone())
    };
    let (server, client) = (Server::start(taken).await, with(config(&tokens, "s3cret+/")));
    assert_eq!(ask(&client, &server).await, 200);
    assert_eq!(shown(&server), ["Bearer token-1", "Bearer token-2"]);
    assert_eq!(server.last().body, "up", "the body is sent again");
    assert_eq!(ask(&client, &server).await, 200);
    assert_eq!(tokens.seen().len(), 2);
    // A server that takes none is not asked for ever.
    let never = Server::start(|_: &Seen| response(401, &[], "")).await;
    assert_eq!(ask(&client, &never).await, 401);
    assert_eq!(shown(&never), ["Bearer token-2", "Bearer token-3"]);
}

#[tokio::test]
async fn a_server_that_wants_the_secret_in_the_form_gets_it_there() {
    let tokens = token_server(Manner { in_form: true, expires_in: Some("1") }).await;
    let (server, client) = (Server::start(ok).await, with(config(&tokens, "s3cret+/")));
    assert_eq!(ask(&client, &server).await, 200);
    assert_eq!(tokens.seen().len(), 2, "the header first");
    // So short a life is over at once; the form is remembered.
    assert_eq!(ask(&client, &server).await, 200);
    assert_eq!(tokens.seen().len(), 3);
}

#[tokio::test]
async fn a_secret_from_a_file_is_read_for_each_token() {
    let tokens = token_server(Manner::default()).await;
    let (server, folder) = (Server::start(ok).await, TempDir::new());
    let path = folder.file("secret", "old\n");
    let source = Some(SecretSource::File(path));
    let client = with(OAuth2Config { client_secret: source, ..config(&tokens, "") });
    let get = || HttpRequest::get(&server.url("/")).unwrap();
    assert!(client.send(get()).await.is_err());
    folder.file("secret", "s3cret+/\n");
    assert_eq!(client.send(get()).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_requests_own_token_needs_no_other() {
    let tokens = token_server(Manner::default()).await;
    let (server, client) = (Server::start(ok).await, with(config(&tokens, "s3cret+/")));
    let request = HttpRequest::get(&server.url("/")).unwrap().bearer(&Secret::new("own"));
    client.send(request.unwrap()).await.unwrap();
    assert_eq!((shown(&server), tokens.seen().len()), (vec!["Bearer own".to_string()], 0));
}

#[tokio::test]
async fn failures_name_the_server_and_no_secret() {
    let server = Server::start(ok).await;
    let strict = token_server(Manner::default()).await;
    let fixed =
        async |text: String| Server::start(move |_: &Seen| response(200, &[], text.clone())).await;
    let elsewhere = strict.url("/");
    let moved =
        Server::start(move |_: &Seen| response(307, &[("location", elsewhere.as_str())], "")).await;
    for (tokens, secret, reason, transient) in [
        // It quotes the whole form back.
        (&strict, "wr0ng+/", "answered 401", false),
        (&fixed("no".to_string()).await, "s3cret+/", "no JSON", false),
        (&fixed("{}".to_string()).await, "s3cret+/", "no access_token", false),
        (
            &fixed("{\"access_token\":\"t0ken\",\"token_type\":\"mac\"}".to_string()).await,
            "s3cret+/",
            "another type",
            false,
        ),
        (&fixed("x".repeat(100_000)).await, "s3cret+/", "larger than", false),
        (&moved, "s3cret+/", "answered 307", false),
    ] {
        let client = with(config(tokens, secret));
        let error = client.send(HttpRequest::get(&server.url("/")).unwrap()).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(error.to_string().starts_with("no token by oauth2: "), "{error}");
        assert!(text.contains(reason) && text.contains(&tokens.origin), "{text}");
        for secret in ["wr0ng", "s3cret", "t0ken", "/oauth"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!((error.is_transient(), error.kind()), (transient, "oauth2"));
    }
    let gone = {
        let server = Server::start(ok).await;
        config(&server, "s3cret+/")
    };
    let error = with(gone).send(HttpRequest::get(&server.url("/")).unwrap()).await.unwrap_err();
    assert!(matches!(error, HttpError::OAuth2(_)) && error.is_transient(), "{error}");
    assert!(server.seen().is_empty(), "nothing is sent without a token");
}

#[tokio::test]
async fn a_silent_token_server_holds_nobody_for_longer_than_a_request_may_take() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let server = Server::start(ok).await;
    let url = Secret::new(format!("{silent}/oauth/token"));
    let client = with(OAuth2Config { token_url: url, ..config(&server, "s3cret+/") });
    let began = std::time::Instant::now();
    let ask = || {
        let request = HttpRequest::get(&server.url("/")).unwrap();
        client.send(request.timeout(Duration::from_millis(300)))
    };
    for result in futures::future::join_all((0..5).map(|_| ask())).await {
        let error = result.unwrap_err();
        assert!(error.is_transient() && error.to_string().contains(&silent), "{error}");
    }
    assert!(began.elapsed() < Duration::from_millis(1200), "not one after the other");
}
