//! Servers without TLS, or with a trick: a scripted one on loopback.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{cases, delivery, notifier};
use crate::outbox::Outcome;

const LOGIN: &str = "auth_username: bell\nauth_password: hunter2\n";

/// Serves connections one after another with fixed answers, each after one line (the message up
/// to its dot counts as one). Returns the port; what was said comes when the task ends.
async fn serve(
    connections: usize,
    ehlo: &'static str,
    starttls: &'static str,
) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let mut said = String::new();
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"220 test\r\n").await.unwrap();
            let (mut line, mut data) = (String::new(), false);
            while let Ok(byte) = stream.read_u8().await {
                line.push(char::from(byte));
                if !line.ends_with(if data { "\r\n.\r\n" } else { "\r\n" }) {
                    continue;
                }
                said += &line;
                let answer = match line.get(..4).unwrap_or_default() {
                    _ if data => "250 kept\r\n",
                    "EHLO" => ehlo,
                    "STAR" => starttls,
                    "DATA" => "354 go\r\n",
                    "QUIT" => "221 bye\r\n",
                    _ => "250 ok\r\n",
                };
                data = line.starts_with("DATA");
                line.clear();
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
        said
    });
    (port, task)
}

async fn send(port: u16, more: &str) -> Outcome {
    let item = format!(
        "to: ops@example.test\nfrom: bell@example.test\nsmarthost: 127.0.0.1:{port}\n{more}\n"
    );
    let notifier = notifier(&item, &[]).unwrap();
    notifier.deliver(&delivery(&cases::all()[0].1), cases::NOW).await
}

fn permanent(outcome: Outcome) -> String {
    match outcome {
        Outcome::Permanent { error, status: None } => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn no_mail_without_tls_where_it_is_required() {
    let (port, said) = serve(1, "250-test\r\n250 AUTH PLAIN LOGIN\r\n", "").await;
    let error = permanent(send(port, LOGIN).await);
    assert!(error.contains("offers no starttls"), "{error}");
    assert_eq!(said.await.unwrap(), "EHLO localhost\r\n");
}

#[tokio::test]
async fn no_password_without_tls() {
    let (port, said) = serve(2, "250-test\r\n250 AUTH PLAIN LOGIN\r\n", "").await;
    let error = permanent(send(port, &format!("{LOGIN}require_tls: false")).await);
    assert!(error.contains("the password was not sent") && !error.contains("hunter2"), "{error}");
    let said = said.await.unwrap();
    assert_eq!(said, "EHLO localhost\r\n".repeat(2), "nothing but greetings");
}

#[tokio::test]
async fn a_relay_without_tls_and_login_takes_mail() {
    for more in ["", LOGIN] {
        let (port, said) = serve(2, "250-test\r\n250 8BITMIME\r\n", "").await;
        let outcome = send(port, &format!("{more}require_tls: false")).await;
        assert!(matches!(outcome, Outcome::Delivered { status: Some(250), .. }), "{outcome:?}");
        let said = said.await.unwrap();
        assert!(said.contains("RCPT TO:<ops@example.test>") && !said.contains("AUTH"), "{said}");
        assert!(said.ends_with("\r\n.\r\nQUIT\r\n"), "{said}");
    }
}

#[tokio::test]
async fn a_relay_whose_tls_fails_takes_mail_in_clear_only_without_a_password() {
    let (ehlo, refused) = ("250-test\r\n250 STARTTLS\r\n", "220 go\r\nno tls\r\n");
    let (port, said) = serve(2, ehlo, refused).await;
    let outcome = send(port, "require_tls: false").await;
    assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    assert!(said.await.unwrap().contains("RCPT TO"));

    let (port, said) = serve(1, ehlo, refused).await;
    let outcome = send(port, &format!("{LOGIN}require_tls: false")).await;
    let Outcome::Retry { error, .. } = outcome else { panic!("{outcome:?}") };
    assert!(error.contains("ahead of tls"), "{error}");
    assert_eq!(said.await.unwrap(), "EHLO localhost\r\nSTARTTLS\r\n");
}

#[tokio::test]
async fn nonsense_is_tried_again() {
    for greeting in ["250 x\r\n", "hello\r\n", "25", "250-x\r\n250-y\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(greeting.as_bytes()).await.unwrap();
        });
        let outcome = send(port, "").await;
        assert!(matches!(outcome, Outcome::Retry { status: None, .. }), "{greeting}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_template_that_fails_later_gives_the_plain_form() {
    let (port, said) = serve(2, "250-test\r\n250 8BITMIME\r\n", "").await;
    let item = format!(
        "to: ops@example.test\nfrom: bell@example.test\nsmarthost: 127.0.0.1:{port}\n\
         require_tls: false\n"
    );
    // The sample has no such label, and nothing is no mistake.
    let files = [("email/body.txt.hbs", "{{duration commonLabels.job}}")];
    let notifier = notifier(&item, &files).unwrap();
    let delivery = delivery(&cases::all()[0].1);
    assert!(notifier.preview(&delivery, cases::NOW).is_err());
    let outcome = notifier.deliver(&delivery, cases::NOW).await;
    assert!(matches!(outcome, Outcome::Delivered { .. }), "{outcome:?}");
    let said = said.await.unwrap();
    for part in [
        "Subject: [FIRING:1] MLflowServerDown",
        "firing: MLflow server mlflow-server is down",
        "alertname=3D\"MLflowServerDown\"",
        "A template of this mail failed",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("text/html"));
}
