//! Mail against real servers: a small one that fails as it is told, and Postfix with Dovecot.

#![allow(clippy::unwrap_used, clippy::expect_used)] // it is a test

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use support::{Part, Peer, TempDir, certs, require, wait_until};
use watchbell::diag::SourceFile;
use watchbell::model::{IntegrationId, Timestamp};
use watchbell::notify::{Context, Delivery, Globals, Notifier, read_receivers, sample};
use watchbell::outbox::Outcome;
use watchbell::yaml::{self, Reader};

/// A server, its folder, and what reaches it.
struct Server {
    folder: TempDir,
    peer: Peer,
}

impl Server {
    fn start(part: Part, options: &[&str]) -> Self {
        let folder = TempDir::new("email");
        certs(&folder.path().join("certs"));
        let (cert, key) = (folder.join("certs/server.pem"), folder.join("certs/server.key"));
        let mails = folder.join("mails");
        let mut all = vec!["--dir", mails.as_str(), "--tls-cert", &cert, "--tls-key", &key];
        all.extend(options);
        Self { peer: part.start(&all), folder }
    }

    /// An integration that sends to `port`, with more lines of configuration.
    fn notifier(&self, port: u16, more: &str) -> Arc<dyn Notifier> {
        notifier(
            self.folder.path(),
            &format!(
                "from: Watchbell <bell@example.test>, smarthost: 'localhost:{port}', \
                 tls_config: {{ca_file: certs/ca.pem}}, {more}"
            ),
        )
    }

    fn default(&self) -> Arc<dyn Notifier> {
        self.notifier(self.peer.port(), &login("test-password"))
    }

    fn reply(&self, stage: &str, status: u16, text: &str, to: &str) {
        let (action, count) = ("reply", 1);
        self.peer.fault(json!({"action": action, "stage": stage, "status": status, "text": text,
            "to": to, "count": count}));
    }

    fn mails(&self) -> Vec<Value> {
        self.peer.received("*")
    }
}

fn login(password: &str) -> String {
    format!("to: a@example.test, auth_username: alerts, auth_password: {password}")
}

fn notifier(folder: &Path, item: &str) -> Arc<dyn Notifier> {
    let text = format!("[{{name: ops, email_configs: [{{{item}}}]}}]");
    let source = Arc::new(SourceFile::new("a.yml", text));
    let document = yaml::load(&source).unwrap();
    let mut reader = Reader::new(&document);
    let globals = Globals { directory: folder.to_path_buf(), ..Globals::default() };
    let receivers = read_receivers(&mut reader, &document.root, &globals);
    let findings = reader.into_diagnostics();
    assert!(findings.is_empty(), "{findings:?}");
    let context = Context::new(&[], TimeZone::UTC, String::new()).unwrap();
    let mut receiver = receivers[0].build(&context).map_err(|_| "no receiver").unwrap();
    receiver.integrations.remove(0).notifier
}

fn delivery(key: &str) -> Delivery {
    let id = IntegrationId { receiver: "ops".into(), kind: "email".into(), index: 0 };
    Delivery {
        notification: sample(&id, true, now()),
        idempotency_key: key.to_owned(),
        receiver_state: None,
        announced: false,
        attempt: 1,
    }
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_773_480_413)
}

fn deliver(notifier: &Arc<dyn Notifier>, delivery: &Delivery) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(notifier.deliver(delivery, now()))
}

fn state_of(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Delivered { receiver_state: Some(state), .. } => state.clone(),
        other => panic!("not delivered: {other:?}"),
    }
}

/// The kind of an outcome, its status and its text, none of which shows what is secret.
fn failure(outcome: &Outcome) -> (&'static str, Option<u16>, String) {
    let (kind, status, error) = match outcome {
        Outcome::Retry { error, status, .. } => ("retry", *status, error.clone()),
        Outcome::Permanent { error, status } => ("permanent", *status, error.clone()),
        Outcome::Delivered { .. } => panic!("delivered"),
    };
    for secret in ["test-password", "wr0ng", "a@example.test", "bell@example.test"] {
        assert!(!error.contains(secret), "{error}");
    }
    (kind, status, error)
}

#[test]
fn starttls_with_login_and_one_thread() {
    let Some(part) = require(Part::Smtp) else { return };
    let server = Server::start(part, &[]);
    let notifier = server.default();
    let first = deliver(&notifier, &delivery("k1"));
    let state = state_of(&first);
    assert_eq!(state["messageId"], "<k1@example.test>");
    let second = Delivery { receiver_state: Some(state.clone()), ..delivery("k2") };
    assert_eq!(state_of(&deliver(&notifier, &second))["messageId"], "<k1@example.test>");

    let mails = server.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0]["mail_from"], "bell@example.test");
    assert_eq!(mails[0]["rcpt_tos"], json!(["a@example.test"]));
    assert_eq!((&mails[0]["user"], &mails[0]["helo"]), (&json!("alerts"), &json!("localhost")));
    let text = |i: usize| std::fs::read_to_string(mails[i]["file"].as_str().unwrap()).unwrap();
    assert!(text(0).contains("Message-ID: <k1@example.test>"));
    assert!(text(1).contains("In-Reply-To: <k1@example.test>"));
    assert!(text(1).contains("References: <k1@example.test>"));
    assert!(text(0).contains("Subject: [FIRING:1] WatchbellTest"));
}

#[test]
fn tls_from_the_first_byte() {
    let Some(part) = require(Part::Smtp) else { return };
    let server = Server::start(part, &["--smtps"]);
    let more = login("test-password") + ", force_implicit_tls: true, auth_identity: alerts";
    // The peer's AUTH PLAIN takes any identity.
    state_of(&deliver(&server.notifier(server.peer.port(), &more), &delivery("k")));
    assert_eq!(server.mails().len(), 1);
}

#[test]
fn what_the_server_says_decides() {
    let Some(part) = require(Part::Smtp) else { return };
    let server = Server::start(part, &[]);
    let wrong = server.notifier(server.peer.port(), &login("wr0ng"));
    let (kind, status, error) = failure(&deliver(&wrong, &delivery("k")));
    assert_eq!((kind, status), ("permanent", Some(535)), "{error}");

    let good = server.default();
    for (stage, code, kind) in [
        ("mail", 451, "retry"),
        ("mail", 553, "permanent"),
        ("rcpt", 450, "retry"),
        ("rcpt", 550, "permanent"),
        ("data", 452, "retry"),
        ("data", 552, "permanent"),
    ] {
        server.reply(stage, code, "<a@example.test> from <bell@example.test>: no", "*");
        let found = failure(&deliver(&good, &delivery("k")));
        assert_eq!((found.0, found.1), (kind, Some(code)), "{stage}: {}", found.2);
        assert!(found.2.contains("localhost:") && found.2.contains(": no"), "{}", found.2);
    }
    assert!(server.mails().is_empty());
}

#[test]
fn one_bad_recipient_does_not_hold_back_the_others() {
    let Some(part) = require(Part::Smtp) else { return };
    let server = Server::start(part, &[]);
    let three = login("test-password")
        .replace("a@example.test", "'a@example.test, b@example.test, c@example.test'");
    let notifier = server.notifier(server.peer.port(), &three);
    server.reply("rcpt", 550, "no such user", "b@*");
    state_of(&deliver(&notifier, &delivery("k1")));
    assert_eq!(server.mails()[0]["rcpt_tos"], json!(["a@example.test", "c@example.test"]));

    // One is postponed: the others get the mail now, and not again.
    server.reply("rcpt", 450, "mailbox busy", "c@*");
    let (kind, status, _) = failure(&deliver(&notifier, &delivery("k2")));
    assert_eq!((kind, status), ("retry", Some(450)));
    let again = Delivery { attempt: 2, ..delivery("k2") };
    state_of(&deliver(&notifier, &again));
    let mails = server.mails();
    assert_eq!(mails[1]["rcpt_tos"], json!(["a@example.test", "b@example.test"]));
    assert_eq!(mails[2]["rcpt_tos"], json!(["c@example.test"]));
    assert_eq!(mails.len(), 3);

    // The last attempt gives up on whoever is postponed still, and then it is delivered.
    server.reply("rcpt", 452, "mailbox full", "c@*");
    state_of(&deliver(&notifier, &Delivery { attempt: 12, ..delivery("k3") }));
    assert_eq!(server.mails().len(), 4);
}

#[test]
fn a_connection_that_fails_is_tried_again_with_the_same_id() {
    let Some(part) = require(Part::Smtp) else { return };
    let server = Server::start(part, &[]);
    let notifier = server.default();
    for stage in ["mail", "rcpt", "data"] {
        server.peer.fault(json!({"action": "drop", "stage": stage, "count": 1}));
        let (kind, ..) = failure(&deliver(&notifier, &delivery("k")));
        assert_eq!(kind, "retry", "{stage}");
    }
    server.peer.fault(json!({"action": "process_drop", "count": 1}));
    assert_eq!(failure(&deliver(&notifier, &delivery("k"))).0, "retry");
    state_of(&deliver(&notifier, &delivery("k")));
    let mails = server.mails();
    assert_eq!(mails.len(), 2, "the outcome of the first was never learned");
    let read = |i: usize| std::fs::read_to_string(mails[i]["file"].as_str().unwrap()).unwrap();
    assert_eq!(read(0), read(1), "the same mail, so that a mailbox can tell");

    server.peer.listen(false);
    let (kind, _, error) = failure(&deliver(&notifier, &delivery("k")));
    assert_eq!(kind, "retry");
    assert!(error.contains("cannot connect to localhost:"), "{error}");
}

#[test]
fn a_server_that_hangs_is_left() {
    let Some(part) = require(Part::Smtp) else { return };
    let server = Server::start(part, &[]);
    let notifier = server.default();
    server.peer.fault(json!({"action": "hang", "stage": "data", "count": 1}));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(async {
        let sending = tokio::spawn(async move { notifier.deliver(&delivery("k"), now()).await });
        // The clock of the runtime is moved on once the server has stopped talking.
        let left = || server.peer.control("GET", "faults", &Value::Null)[0]["left"].clone();
        while left() != json!(0) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(31)).await;
        sending.await.unwrap()
    });
    let (kind, status, error) = failure(&outcome);
    assert_eq!((kind, status), ("retry", None));
    assert!(
        error.contains("no answer from localhost:") && error.contains("to the mail within 20s"),
        "{error}"
    );
    server.peer.reset_faults();
}

#[test]
fn tls_is_not_optional_where_it_matters() {
    let Some(part) = require(Part::Smtp) else { return };
    let server = Server::start(part, &[]);
    let port = server.peer.port();
    // The authority of the server is not known.
    let config = format!("from: bell@example.test, smarthost: 'localhost:{port}', ");
    let stranger = notifier(server.folder.path(), &(config.clone() + &login("test-password")));
    let (kind, _, error) = failure(&deliver(&stranger, &delivery("k")));
    assert_eq!(kind, "retry", "a certificate may be renewed");
    assert!(error.contains("cannot agree on tls") && error.contains("UnknownIssuer"), "{error}");
    // Also without require_tls: a password goes only to a server that is known.
    let more = login("test-password") + ", require_tls: false";
    let stranger = notifier(server.folder.path(), &(config.clone() + &more));
    assert_eq!(failure(&deliver(&stranger, &delivery("k"))).0, "retry");
    let more = login("test-password") + ", tls_config: {insecure_skip_verify: true}";
    state_of(&deliver(&notifier(server.folder.path(), &(config + &more)), &delivery("k")));

    // A name that the certificate lacks, and the name that it has.
    let by_address = server.notifier(port, &login("test-password"));
    state_of(&deliver(&by_address, &delivery("k2")));
    let named = |name: &str| {
        let item = format!(
            "from: bell@example.test, smarthost: 'localhost:{port}', tls_config: \
             {{ca_file: certs/ca.pem, server_name: {name}}}, {}",
            login("test-password")
        );
        deliver(&notifier(server.folder.path(), &item), &delivery("k3"))
    };
    state_of(&named("mail.example.test"));
    assert!(failure(&named("other.example.test")).2.contains("not valid for name"));
}

#[test]
fn postfix_takes_it_and_a_mailbox_holds_it() {
    let Some(part) = require(Part::Postfix) else { return };
    let folder = TempDir::new("email");
    let dir = folder.join("postfix");
    let peer = part.start(&["--dir", &dir]);
    let ca = peer.path("ca");
    let send = |port: u16, key: &str| {
        let item = format!(
            "from: Wächter <bell@example.test>, smarthost: 'localhost:{port}', tls_config: \
             {{ca_file: {}}}, force_implicit_tls: {}, {}",
            ca.display(),
            port == peer.number("smtps_port"),
            login("test-password")
        );
        state_of(&deliver(&notifier(folder.path(), &item), &delivery(key)));
    };
    send(peer.port(), "starttls");
    send(peer.number("smtps_port"), "smtps");
    let new = peer.path("maildir").join("new");
    let files = wait_until("two mails in the box", || {
        let files: Vec<_> = std::fs::read_dir(&new).ok()?.map(|f| f.unwrap().path()).collect();
        (files.len() == 2).then_some(files)
    });
    for file in files {
        let mail = std::fs::read_to_string(file).unwrap();
        assert!(mail.contains("ESMTPSA"), "with TLS and login: {mail}");
        assert!(mail.contains("Content-Type: multipart/alternative"));
        assert!(mail.contains("Auto-Submitted: auto-generated"));
    }
}
