//! Real handshakes: certificates of clients, versions, and certificates that are exchanged.

use std::net::Ipv4Addr;
use std::sync::Arc;

use rcgen::SanType;
use tokio::net::TcpListener;

use super::{HUNTER2, Site};
use crate::api::server;
use crate::http::tests::ca::Ca;
use crate::http::tests::server::{TempDir, client};
use crate::http::{
    Auth, HttpConfig, HttpError, HttpRequest, HttpResponse, PemSource, TlsConfig, TlsVersion,
};
use crate::model::{Secret, SecretSource};

fn dns(text: &str) -> Vec<SanType> {
    vec![SanType::DnsName(text.try_into().unwrap())]
}

/// A server with a certificate for localhost; `{dir}` needs no place, since paths are relative.
struct Server {
    site: Site,
    ca: Ca,
    clients: Ca,
    url: String,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// `tls` is added to the section for TLS, `rest` to the file.
    async fn start(tls: &str, rest: &str) -> Self {
        let (folder, ca, clients) = (TempDir::new(), Ca::new(), Ca::new());
        let (cert, key) = ca.sign(dns("localhost"));
        folder.file("server.crt", &cert);
        folder.file("server.key", &key);
        folder.file("clients.crt", &clients.pem());
        let section = format!("cert_file: server.crt, key_file: server.key{tls}");
        let site = Site::in_folder(folder, &format!("tls_server_config: {{{section}}}\n{rest}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let (app, web) = (site.app.clone(), Arc::clone(&site.web));
        let task = tokio::spawn(server::serve(listener, app, web, std::future::pending()));
        Self { site, ca, clients, url, task }
    }

    fn trusting(&self) -> TlsConfig {
        TlsConfig { ca: Some(PemSource::Inline(self.ca.pem())), ..TlsConfig::default() }
    }

    /// A client that shows a certificate.
    fn showing(&self, ca: &Ca, names: Vec<SanType>) -> TlsConfig {
        let (cert, key) = ca.sign(names);
        TlsConfig {
            cert: Some(PemSource::Inline(cert)),
            key: Some(SecretSource::Inline(Secret::new(key))),
            ..self.trusting()
        }
    }

    async fn ask(&self, tls: TlsConfig, auth: Auth) -> Result<HttpResponse, HttpError> {
        let client = client(&HttpConfig { tls, auth, ..HttpConfig::default() });
        client.send(HttpRequest::get(&format!("{}/api/rules", self.url)).unwrap()).await
    }

    /// The status of an answer; 0 where there is no connection.
    async fn status(&self, tls: TlsConfig) -> u16 {
        self.ask(tls, Auth::None).await.map_or(0, |answer| answer.status())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn each_policy_for_certificates_of_clients_holds() {
    // Without a certificate, with one of a stranger, with one that the client CA has signed.
    for (policy, expected) in [
        ("NoClientCert", [200, 200, 200]),
        ("RequestClientCert", [200, 200, 200]),
        ("RequireClientCert", [0, 200, 200]),
        ("RequireAnyClientCert", [0, 200, 200]),
        ("VerifyClientCertIfGiven", [403, 0, 200]),
        ("RequireAndVerifyClientCert", [0, 0, 200]),
    ] {
        let ca = if policy.contains("Verify") { ", client_ca_file: clients.crt" } else { "" };
        let server = Server::start(&format!(", client_auth_type: {policy}{ca}"), "").await;
        let stranger = server.showing(&Ca::new(), dns("ops.example.com"));
        let known = server.showing(&server.clients, dns("ops.example.com"));
        let statuses = [
            server.status(server.trusting()).await,
            server.status(stranger).await,
            server.status(known).await,
        ];
        assert_eq!(statuses, expected, "{policy}");
    }
}

#[tokio::test]
async fn only_allowed_names_come_in_and_roles_go_by_them() {
    let allowed = "[ops.example.com, ops@example.com, 192.0.2.7, 'spiffe://example.com/ops']";
    let policy = "client_auth_type: RequireAndVerifyClientCert, client_ca_file: clients.crt";
    let tls = format!(", {policy}, client_allowed_sans: {allowed}");
    let server = Server::start(&tls, "client_certificate_roles: {ops.example.com: read}\n").await;
    let shown = |names| server.showing(&server.clients, names);
    for (names, expected) in [
        (dns("ops.example.com"), 200),
        // Known, and without a role.
        (vec![SanType::Rfc822Name("ops@example.com".try_into().unwrap())], 403),
        (vec![SanType::IpAddress("192.0.2.7".parse().unwrap())], 403),
        (vec![SanType::URI("spiffe://example.com/ops".try_into().unwrap())], 403),
        ([dns("x.example.com"), dns("ops.example.com")].concat(), 200),
        (dns("x.example.com"), 0),
        (dns("ops.example.com.evil.example"), 0),
        (vec![SanType::IpAddress("192.0.2.8".parse().unwrap())], 0),
        (Vec::new(), 0),
    ] {
        assert_eq!(server.status(shown(names.clone())).await, expected, "{names:?}");
    }
    let failed = server.site.metric("watchbell_http_requests_refused_total{reason=\"tls\"}");
    assert_eq!(failed.as_deref(), Some("4"));
}

#[tokio::test]
async fn a_certificate_beside_users_is_asked_for_in_addition() {
    let policy = ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: clients.crt";
    let users = format!("basic_auth_users: {{ann: {HUNTER2}}}\n");
    let server = Server::start(policy, &users).await;
    let shown = || server.showing(&server.clients, dns("ops.example.com"));
    let inline = |text: &str| Some(SecretSource::Inline(Secret::new(text)));
    let ann = || Auth::Basic { username: inline("ann"), password: inline("hunter2") };
    assert_eq!(server.status(shown()).await, 401);
    assert_eq!(server.ask(shown(), ann()).await.unwrap().status(), 200);
    assert!(server.ask(server.trusting(), ann()).await.is_err());
}

#[tokio::test]
async fn versions_and_suites_hold() {
    let server = Server::start(", min_version: TLS13", "").await;
    let old = TlsConfig { max_version: Some(TlsVersion::V12), ..server.trusting() };
    assert_eq!(server.status(old.clone()).await, 0);
    assert_eq!(server.status(server.trusting()).await, 200);
    // The certificate has an elliptic key: no suite for RSA keys can be agreed on.
    for (suite, expected) in [
        ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 200),
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0),
    ] {
        let tls = format!(", cipher_suites: [{suite}], curve_preferences: [CurveP384]");
        let server = Server::start(&tls, "").await;
        let old = TlsConfig { max_version: Some(TlsVersion::V12), ..server.trusting() };
        assert_eq!(server.status(old).await, expected, "{suite}");
        assert_eq!(server.status(server.trusting()).await, 200, "TLS 1.3 has its own suites");
    }
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_the_next_connection() {
    let server = Server::start("", "").await;
    assert_eq!(server.status(server.trusting()).await, 200);
    let other = Ca::new();
    let trusting_other =
        || TlsConfig { ca: Some(PemSource::Inline(other.pem())), ..server.trusting() };
    assert_eq!(server.status(trusting_other()).await, 0);
    let (cert, key) = other.sign(dns("localhost"));
    server.site.folder.file("server.crt", &cert);
    server.site.folder.file("server.key", &key);
    server.site.web.reload().await.unwrap();
    assert_eq!(server.status(trusting_other()).await, 200);
    assert_eq!(server.status(server.trusting()).await, 0);
}

#[tokio::test]
async fn a_client_without_tls_gets_no_answer() {
    let server = Server::start("", "").await;
    let url = server.url.replace("https://", "http://");
    let sent = client(&HttpConfig::default()).send(HttpRequest::get(&url).unwrap()).await;
    assert!(sent.is_err(), "{sent:?}");
    assert_eq!(server.status(server.trusting()).await, 200, "and harms nobody");
}
