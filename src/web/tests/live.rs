//! The file and those that it names are exchanged while the program runs.

use std::time::Duration;

use rcgen::SanType;

use super::{HUNTER2, metrics};
use crate::http::tests::ca::Ca;
use crate::http::tests::server::TempDir;
use crate::web::{Web, WebError};

fn name(text: &str) -> Vec<SanType> {
    vec![SanType::DnsName(text.try_into().unwrap())]
}

const TLS: &str = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n";

/// A folder with a certificate and a file that names it.
fn folder(ca: &Ca) -> TempDir {
    let folder = TempDir::new();
    let (cert, key) = ca.sign(name("localhost"));
    folder.file("server.crt", &cert);
    folder.file("server.key", &key);
    folder.file("web.yaml", TLS);
    folder
}

#[tokio::test]
async fn a_broken_file_keeps_the_former_one() {
    let folder = folder(&Ca::new());
    let path = folder.file("web.yaml", TLS);
    let metrics = metrics();
    let web = Web::open(Some(&path), metrics.clone()).unwrap();
    assert!(web.ready().tls.is_some() && web.ready().config.users.is_empty());
    let end = metrics.http.certificate_end.get();
    assert!(end > 1.8e9, "{end}");
    folder.file("web.yaml", &format!("{TLS}basic_auth_users: {{ann: hunter2}}\n"));
    let error = web.reload().await.unwrap_err();
    assert!(matches!(error, WebError::Invalid(_)), "{error:?}");
    assert!(error.to_string().contains("is no bcrypt hash"), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert_eq!(metrics.http.web_config_successful.get(), 0);
    assert!(web.ready().config.users.is_empty() && web.ready().tls.is_some());
    folder.file("web.yaml", &format!("{TLS}basic_auth_users: {{ann: {HUNTER2}}}\n"));
    web.reload().await.unwrap();
    assert_eq!(metrics.http.web_config_successful.get(), 1);
    assert_eq!(web.ready().config.users.len(), 1);
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(web.reload().await, Err(WebError::File(_))));
    assert_eq!(web.ready().config.users.len(), 1);
}

#[tokio::test]
async fn changed_files_are_noticed() {
    let ca = Ca::new();
    let folder = folder(&ca);
    let metrics = metrics();
    let path = folder
        .file("web.yaml", &format!("{TLS}bearer_auth: [{{name: a, token_file: t, role: read}}]\n"));
    folder.file("t", "the-first-token-of-all");
    let web = Web::open(Some(&path), metrics.clone()).unwrap();
    let changed = async |what: &str, seen: &dyn Fn() -> bool| {
        for _ in 0..200 {
            if seen() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not noticed: {what}");
    };
    let test = async {
        let first = web.ready();
        folder.file("t", "the-second-token-of-all");
        changed("a token", &|| !std::sync::Arc::ptr_eq(&first, &web.ready())).await;
        let second = web.ready();
        // Half of a new pair does not fit; both do.
        let (cert, key) = ca.sign(name("localhost"));
        folder.file("server.crt", &cert);
        changed("half a pair", &|| metrics.http.web_config_successful.get() == 0).await;
        assert!(std::sync::Arc::ptr_eq(&second, &web.ready()));
        folder.file("server.key", &key);
        changed("the pair", &|| metrics.http.web_config_successful.get() == 1).await;
        assert!(!std::sync::Arc::ptr_eq(&second, &web.ready()));
    };
    tokio::select! {
        () = web.watch() => {}
        () = test => {}
    }
}

#[test]
fn what_a_file_names_must_be_there_and_fit() {
    let ca = Ca::new();
    let folder = folder(&ca);
    folder.file("other.key", &ca.sign(name("localhost")).1);
    folder.file("empty", "");
    for (text, reason) in [
        ("tls_server_config: {cert_file: no.crt, key_file: server.key}\n", "no.crt"),
        ("tls_server_config: {cert_file: server.crt, key_file: no.key}\n", "no.key"),
        ("tls_server_config: {cert_file: server.crt, key_file: other.key}\n", "cert and key"),
        ("tls_server_config: {cert_file: server.key, key_file: server.key}\n", "no certificate"),
        (
            "tls_server_config: {cert_file: server.crt, key_file: server.key, \
              client_auth_type: RequireAndVerifyClientCert, client_ca_file: empty}\n",
            "no certificate",
        ),
        ("bearer_auth: [{name: a, token_file: empty, role: read}]\n", "it is empty"),
        ("bearer_auth: [{name: a, token_file: none, role: read}]\n", "none"),
    ] {
        let path = folder.file("web.yaml", text);
        let Err(WebError::Invalid(findings)) = Web::open(Some(&path), metrics()).map(|_| ()) else {
            panic!("{text} is taken")
        };
        let drawn = crate::diag::render_text(&findings, crate::diag::Style::Plain);
        assert!(drawn.contains(reason), "{drawn}");
    }
}
