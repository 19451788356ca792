//! Secrets are read afresh and never shown.

use super::server::{Seen, Server, TIMEOUTS, TempDir, client, ok, response};
use crate::http::{
    Auth, ExtraHeader, HttpClient, HttpConfig, HttpError, HttpRequest, PemSource, ProxyConfig,
    TlsConfig,
};
use crate::model::{Secret, SecretSource};

fn inline(text: &str) -> SecretSource {
    SecretSource::Inline(Secret::new(text))
}

#[tokio::test]
async fn a_rotated_token_is_used_at_once() {
    let (server, folder) = (Server::start(ok).await, TempDir::new());
    let path = folder.file("token", "one\n");
    let credentials = Some(SecretSource::File(path.clone()));
    let auth = Auth::Scheme { scheme: "Bearer".to_string(), credentials };
    let client = client(&HttpConfig { auth, ..HttpConfig::default() });
    let get = || HttpRequest::get(&server.url("/")).unwrap();
    client.send(get()).await.unwrap();
    assert_eq!(server.last().header("authorization"), Some("Bearer one"));
    folder.file("token", "two\n");
    client.send(get()).await.unwrap();
    assert_eq!(server.last().header("authorization"), Some("Bearer two"));
    std::fs::remove_file(path).unwrap();
    let error = client.send(get()).await.unwrap_err();
    assert!(matches!(error, HttpError::Secret(_)) && error.is_transient(), "{error}");
    assert_eq!(server.seen().len(), 2, "nothing is sent without the token");
}

#[tokio::test]
async fn basic_auth_from_configuration_files_or_url() {
    let (server, folder) = (Server::start(ok).await, TempDir::new());
    let get = |url: &str| HttpRequest::get(url).unwrap();
    // RFC 7617's own example.
    let expected = Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    let password = SecretSource::File(folder.file("password", "open sesame\n"));
    let auth = Auth::Basic { username: Some(inline("Aladdin")), password: Some(password) };
    let config = HttpConfig { auth, ..HttpConfig::default() };
    client(&config).send(get(&server.origin)).await.unwrap();
    assert_eq!(server.last().header("authorization"), expected);
    let url = server.origin.replace("http://", "http://Aladdin:open%20sesame@");
    let answer = client(&HttpConfig::default()).send(get(&url)).await.unwrap();
    assert_eq!(server.last().header("authorization"), expected);
    assert!(!answer.is_redirected(), "the user in the url is no other url");
}

#[tokio::test]
async fn what_the_server_quotes_is_cleaned() {
    let server = Server::start(|seen: &Seen| {
        let authorization = seen.header("authorization").unwrap_or_default();
        let key = seen.header("x-key").unwrap_or_default();
        let text = format!("no {} for\n{authorization} or {key}", seen.uri);
        response(403, &[], text)
    })
    .await;
    let auth =
        Auth::Scheme { scheme: "Bearer".to_string(), credentials: Some(inline("tok-secret")) };
    let headers =
        vec![ExtraHeader { name: "x-key".to_string(), values: vec![inline("key-secret")] }];
    let client = client(&HttpConfig { auth, headers, ..HttpConfig::default() });
    let request = HttpRequest::get(&server.url("/services/path-secret?q=query-secret")).unwrap();
    assert!(!format!("{request:?} {client:?}").contains("-secret"));
    let answer = client.send(request).await.unwrap();
    assert!(!format!("{answer:?}").contains("-secret"));
    let error = answer.error_for_status().unwrap_err();
    let origin = &server.origin;
    assert_eq!(
        error.to_string(),
        format!("{origin} answered 403: no <secret> for <secret> or <secret>")
    );
    assert!(!format!("{error:?}").contains("-secret"));
    assert!(!error.is_transient());
}

#[tokio::test]
async fn failures_of_every_kind_hide_the_url() {
    let folder = TempDir::new();
    let broken = folder.file("key-file", "no pem, but hunter2");
    let tls = TlsConfig {
        cert: Some(PemSource::Inline("hunter2".to_string())),
        key: Some(SecretSource::File(broken)),
        ..TlsConfig::default()
    };
    let error =
        HttpClient::new(&HttpConfig { tls, ..HttpConfig::default() }, TIMEOUTS).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");

    let url = Secret::new("http://user:hunter2@127.0.0.1:1");
    let proxy = ProxyConfig::Url { url, no_proxy: None, connect_headers: Vec::new() };
    let config = HttpConfig { proxy, ..HttpConfig::default() };
    assert!(!format!("{config:?}").contains("hunter2"));
    let url = "https://user:hunter2@hooks.invalid/hunter2?hunter2=hunter2#hunter2";
    let error = client(&config).send(HttpRequest::get(url).unwrap()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    assert!(error.to_string().contains("https://hooks.invalid"), "{error}");
}

#[tokio::test]
async fn a_token_that_cannot_stand_in_a_header_is_not_quoted() {
    let config = |credentials| HttpConfig {
        auth: Auth::Scheme { scheme: "Bearer".to_string(), credentials: Some(credentials) },
        ..HttpConfig::default()
    };
    let client = client(&config(inline("hunter2\nX-Injected: 1")));
    let error = client.send(HttpRequest::get("http://127.0.0.1:1").unwrap()).await.unwrap_err();
    assert!(matches!(error, HttpError::Config { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}
