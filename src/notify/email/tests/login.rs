//! AUTH over TLS with a server that offers what a test says.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{cases, delivery, notifier};
use crate::http::ensure_provider;
use crate::outbox::Outcome;

fn acceptor() -> TlsAcceptor {
    ensure_provider();
    let made = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let chain = vec![CertificateDer::from(made.cert.der().to_vec())];
    let config = ServerConfig::builder().with_no_client_auth();
    TlsAcceptor::from(Arc::new(config.with_single_cert(chain, key).unwrap()))
}

/// Sends a mail to a server that offers `mechanisms`; gives the outcome and the lines that the
/// server read between EHLO and MAIL.
async fn log_in(mechanisms: &str, identity: &str) -> (Outcome, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let ehlo = format!("250-test\r\n250 AUTH {mechanisms}\r\n");
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(acceptor().accept(stream).await.unwrap());
        stream.write_all(b"220 test\r\n").await.unwrap();
        let mut said = Vec::new();
        let mut line = String::new();
        while matches!(stream.read_line(&mut line).await, Ok(read) if read > 0) {
            let answer = match line.trim() {
                "AUTH LOGIN" => "334 VXNlcm5hbWU6\r\n",
                "YmVsbA==" => "334 UGFzc3dvcmQ6\r\n",
                "aHVudGVyMg==" => "235 welcome\r\n",
                word if word.starts_with("AUTH PLAIN") => "235 welcome\r\n",
                word if word.starts_with("EHLO") => ehlo.as_str(),
                // What matters is over.
                _ => "554 enough\r\n",
            };
            said.push(std::mem::take(&mut line).trim().to_string());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        said.into_iter().skip(1).take_while(|line| !line.starts_with("MAIL")).collect()
    });
    let item = format!(
        "to: ops@example.test\nfrom: bell@example.test\nsmarthost: 127.0.0.1:{port}\n\
         auth_username: bell\nauth_password: hunter2\nauth_identity: '{identity}'\n\
         force_implicit_tls: true\ntls_config: {{insecure_skip_verify: true}}\n"
    );
    let notifier = notifier(&item, &[]).unwrap();
    let outcome = notifier.deliver(&delivery(&cases::all()[0].1), cases::NOW).await;
    (outcome, server.await.unwrap())
}

#[tokio::test]
async fn plain_carries_the_identity() {
    let (_, said) = log_in("LOGIN PLAIN", "").await;
    assert_eq!(said, ["AUTH PLAIN AGJlbGwAaHVudGVyMg=="], "\\0bell\\0hunter2");
    let (_, said) = log_in("PLAIN", "boss").await;
    assert_eq!(said, ["AUTH PLAIN Ym9zcwBiZWxsAGh1bnRlcjI="], "boss\\0bell\\0hunter2");
}

#[tokio::test]
async fn login_where_there_is_no_plain() {
    let (outcome, said) = log_in("LOGIN", "").await;
    assert_eq!(said, ["AUTH LOGIN", "YmVsbA==", "aHVudGVyMg=="]);
    assert!(matches!(outcome, Outcome::Permanent { status: Some(554), .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_mechanism_that_we_lack_is_named() {
    let (outcome, said) = log_in("XOAUTH2", "").await;
    let Outcome::Permanent { error, .. } = outcome else { panic!("{outcome:?}") };
    assert!(error.contains("neither AUTH PLAIN nor AUTH LOGIN"), "{error}");
    assert!(said.is_empty() || said == ["QUIT"], "{said:?}");
}
