//! Authorities, names, versions, client certificates and their rotation.

use super::ca::Ca;
use super::server::{Seen, Server, TempDir, client, ok, response};
use crate::http::{
    HttpClient, HttpConfig, HttpError, HttpRequest, HttpResponse, PemSource, TlsConfig, TlsVersion,
};
use crate::model::{Secret, SecretSource};

fn trusting(ca: &Ca) -> TlsConfig {
    TlsConfig { ca: Some(PemSource::Inline(ca.pem())), ..TlsConfig::default() }
}

fn with(tls: TlsConfig) -> HttpClient {
    client(&HttpConfig { tls, ..HttpConfig::default() })
}

async fn ask(client: &HttpClient, server: &Server) -> Result<HttpResponse, HttpError> {
    client.send(HttpRequest::get(&server.url("/secret-path")).unwrap()).await
}

#[track_caller]
fn assert_tls(result: Result<HttpResponse, HttpError>, reason: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, HttpError::Tls { .. }), "{error:?}");
    assert!(error.is_transient());
    let text = error.to_string();
    assert!(text.contains(reason), "{text}");
    assert!(!text.contains("secret-path"), "{text}");
}

#[tokio::test]
async fn only_the_given_authority_is_trusted() {
    let ca = Ca::new();
    let server = Server::start_tls(ca.issue("localhost").config, ok).await;
    assert_eq!(ask(&with(trusting(&ca)), &server).await.unwrap().status(), 200);
    assert_tls(ask(&with(TlsConfig::default()), &server).await, "UnknownIssuer");
    assert_tls(ask(&with(trusting(&Ca::new())), &server).await, "");
    let careless = TlsConfig { insecure_skip_verify: true, ..TlsConfig::default() };
    assert_eq!(ask(&with(careless), &server).await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_certificate_must_hold_the_name() {
    let ca = Ca::new();
    let server = Server::start_tls(ca.issue("prometheus.internal").config, ok).await;
    assert_tls(ask(&with(trusting(&ca)), &server).await, "not valid for name");
    let named = |name: &str| TlsConfig { server_name: Some(name.to_string()), ..trusting(&ca) };
    assert_eq!(ask(&with(named("prometheus.internal")), &server).await.unwrap().status(), 200);
    assert_tls(ask(&with(named("other.internal")), &server).await, "not valid for name");
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_asked_for() {
    let (ca, clients) = (Ca::new(), Ca::new());
    let server = ca.issue_for("localhost", Some(&clients), rustls::ALL_VERSIONS);
    let server = Server::start_tls(server.config, ok).await;
    let own = |ca_of_client: &Ca| {
        let issued = ca_of_client.issue("watchbell");
        TlsConfig {
            cert: Some(PemSource::Inline(issued.cert)),
            key: Some(SecretSource::Inline(Secret::new(issued.key))),
            ..trusting(&ca)
        }
    };
    assert_eq!(ask(&with(own(&clients)), &server).await.unwrap().status(), 200);
    assert_tls(ask(&with(trusting(&ca)), &server).await, "CertificateRequired");
    assert_tls(ask(&with(own(&ca)), &server).await, "");
}

#[tokio::test]
async fn the_lowest_and_the_highest_version_hold() {
    let ca = Ca::new();
    let old = ca.issue_for("localhost", None, &[&rustls::version::TLS12]);
    let server = Server::start_tls(old.config, ok).await;
    assert_eq!(ask(&with(trusting(&ca)), &server).await.unwrap().status(), 200);
    let new_only = TlsConfig { min_version: Some(TlsVersion::V13), ..trusting(&ca) };
    assert_tls(ask(&with(new_only), &server).await, "");
    let new = ca.issue_for("localhost", None, &[&rustls::version::TLS13]);
    let server = Server::start_tls(new.config, ok).await;
    let old_only = TlsConfig { max_version: Some(TlsVersion::V12), ..trusting(&ca) };
    assert_tls(ask(&with(old_only), &server).await, "");
}

#[tokio::test]
async fn a_rotated_authority_is_used_and_a_broken_one_is_not() {
    let (folder, first, second) = (TempDir::new(), Ca::new(), Ca::new());
    let path = folder.file("ca.pem", &first.pem());
    let ca = Some(PemSource::File(path));
    let client = with(TlsConfig { ca, ..TlsConfig::default() });
    let one = Server::start_tls(first.issue("localhost").config, ok).await;
    let two = Server::start_tls(second.issue("localhost").config, ok).await;
    assert_eq!(ask(&client, &one).await.unwrap().status(), 200);
    assert_tls(ask(&client, &two).await, "");
    folder.file("ca.pem", "half a certificate");
    assert_eq!(ask(&client, &one).await.unwrap().status(), 200, "the old one stays in use");
    folder.file("ca.pem", &format!("{}{}", first.pem(), second.pem()));
    assert_eq!(ask(&client, &two).await.unwrap().status(), 200);
    assert_eq!(ask(&client, &one).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_redirect_out_of_tls_is_not_followed() {
    let (ca, plain) = (Ca::new(), Server::start(ok).await);
    let location = plain.url("/");
    let answer = move |_: &Seen| response(307, &[("location", location.as_str())], "");
    let server = Server::start_tls(ca.issue("localhost").config, answer).await;
    let error = ask(&with(trusting(&ca)), &server).await.unwrap_err();
    assert!(matches!(error, HttpError::Redirect { .. }), "{error:?}");
    assert!(error.to_string().ends_with("it leads from https to http"), "{error}");
    assert!(plain.seen().is_empty());
}

#[tokio::test]
async fn http2_is_offered_on_demand() {
    let ca = Ca::new();
    for (enable_http2, served, works) in
        [(true, "http/1.1", true), (false, "http/1.1", true), (false, "h2", false)]
    {
        let mut config = ca.issue("localhost").config;
        config.alpn_protocols = vec![served.as_bytes().to_vec()];
        let server = Server::start_tls(config, ok).await;
        let client =
            client(&HttpConfig { tls: trusting(&ca), enable_http2, ..HttpConfig::default() });
        let result = ask(&client, &server).await;
        assert_eq!(result.is_ok(), works, "{enable_http2} {served} {result:?}");
    }
}

#[test]
fn unusable_files_are_named() {
    let folder = TempDir::new();
    let empty = folder.file("empty.pem", "");
    let pair = |cert: &std::path::Path, key: &std::path::Path| TlsConfig {
        cert: Some(PemSource::File(cert.to_path_buf())),
        key: Some(SecretSource::File(key.to_path_buf())),
        ..TlsConfig::default()
    };
    let issued = Ca::new().issue("a");
    let (cert, key) = (folder.file("c.pem", &issued.cert), folder.file("k.pem", &issued.key));
    let other = folder.file("o.pem", &Ca::new().issue("a").key);
    let missing = folder.file("x", "").with_file_name("missing.pem");
    let ca = |path: &std::path::Path| TlsConfig {
        ca: Some(PemSource::File(path.to_path_buf())),
        ..TlsConfig::default()
    };
    for (tls, expected) in [
        (ca(&empty), "empty.pem: it holds no certificate"),
        (ca(&missing), "missing.pem"),
        (pair(&cert, &missing), "missing.pem"),
        (pair(&cert, &cert), "no private key"),
        (pair(&cert, &other), "cert and key"),
    ] {
        let config = HttpConfig { tls, ..HttpConfig::default() };
        let error = HttpClient::new(&config, super::server::TIMEOUTS).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let config = HttpConfig { tls: pair(&cert, &key), ..HttpConfig::default() };
    assert!(HttpClient::new(&config, super::server::TIMEOUTS).is_ok());
}
