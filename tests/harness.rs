//! The test harness itself: parts start, answer, fail on demand and end with their guard.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test stops at the first surprise

mod support;

use std::io::{BufRead, BufReader};

use serde_json::json;
use support::process::Process;
use support::{Part, TempDir, http, require, wait_until};

#[test]
fn receivers_are_strict_fail_on_demand_and_end_with_their_guard() {
    let Some(receivers) = require(Part::Receivers) else { return };
    let peer = receivers.start(&[]);
    let url = peer.url("/services/T000/B000/secret");
    assert_eq!(http::post(&url, &json!({"text": "down"})).unwrap().status, 200);
    assert_eq!(http::post(&url, &json!({"words": "down"})).unwrap().body, "invalid_payload");

    peer.fault(json!({"path": "/services/*", "action": "status", "status": 429,
                      "retry_after": 3, "count": 1}));
    let limited = http::post(&url, &json!({"text": "down"})).unwrap();
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("3")));
    peer.fault(json!({"path": "*", "action": "process_drop"}));
    assert!(http::post(&url, &json!({"text": "down"})).is_err(), "no answer");
    peer.reset_faults();

    let accepted: Vec<bool> = peer
        .received("/services/*")
        .iter()
        .map(|request| request["accepted"].as_bool().unwrap())
        .collect();
    assert_eq!(accepted, [true, false, false, true]);
    assert_eq!(peer.state()["messages"].as_array().unwrap().len(), 2);

    peer.listen(false);
    assert!(http::get(&url).is_err(), "connections are refused");
    peer.listen(true);
    assert_eq!(http::get(&url).unwrap().status, 405);
    drop(peer);
    assert!(http::get(&url).is_err(), "the process has ended");
}

#[test]
fn prometheus_sees_what_the_exporter_is_told() {
    let (Some(prometheus), Some(exporter)) = (require(Part::Prometheus), require(Part::Exporter))
    else {
        return;
    };
    let dir = TempDir::new("harness");
    let exporter = exporter.start(&[]);
    let put = http::request("PUT", &exporter.url("/series"), &[], "mlflow_up 7\n").unwrap();
    assert_eq!(put.status, 204);
    let target = format!("127.0.0.1:{}", exporter.port());
    let prometheus = prometheus.start(&["--dir", &dir.join("prometheus"), "--target", &target]);
    let value = wait_until("the series is scraped", || {
        let answer = http::get(&prometheus.url("/api/v1/query?query=mlflow_up")).unwrap().json();
        answer.pointer("/data/result/0/value/1").cloned()
    });
    assert_eq!(value, "7");
}

/// The first line that a server says.
fn greeting(port: u16) -> String {
    let stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(support::PATIENCE)).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}

#[test]
fn the_fast_mail_server_greets_and_refuses_when_told() {
    let Some(smtp) = require(Part::Smtp) else { return };
    let dir = TempDir::new("smtp");
    support::certs(&dir.path().join("certs"));
    let smtp = smtp.start(&[
        "--dir",
        &dir.join("mails"),
        "--tls-cert",
        &dir.join("certs/server.pem"),
        "--tls-key",
        &dir.join("certs/server.key"),
    ]);
    assert!(greeting(smtp.port()).starts_with("220 mail.example.test"));
    smtp.listen(false);
    assert!(std::net::TcpStream::connect(("127.0.0.1", smtp.port())).is_err());
}

#[test]
fn postfix_greets_and_ends_with_its_guard() {
    let Some(postfix) = require(Part::Postfix) else { return };
    let dir = TempDir::new("postfix");
    let postfix = postfix.start(&["--dir", &dir.join("postfix")]);
    let port = postfix.port();
    assert!(greeting(port).starts_with("220 mail.example.test"));
    assert!(postfix.path("maildir").is_dir() && postfix.number("smtps_port") != port);
    drop(postfix);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn a_child_can_be_crashed_and_signalled() {
    let sleep = ["sleep".to_owned(), "600".to_owned()];
    let mut crashed = Process::start("sleep", &sleep, &[]);
    crashed.crash();
    assert!(!crashed.wait().success());
    let mut told = Process::start("sleep", &sleep, &[]);
    told.signal("TERM");
    assert_eq!(told.wait().code(), None, "ended by a signal");
    let mut said = Process::start(
        "sh",
        &["sh".into(), "-c".into(), "echo $WORD; exec sleep 600".into()],
        &[("WORD", "hi")],
    );
    assert_eq!(said.wait_for_line("hi"), "hi");
}

#[test]
fn a_part_that_is_there_is_given_and_no_skip_is_silent() {
    let told_to_skip = std::env::var_os("WATCHBELL_SKIP_RECEIVERS").is_some();
    let runs = std::process::Command::new("python3").arg("--version").output().is_ok();
    assert_eq!(require(Part::Receivers).is_some(), runs && !told_to_skip);
}

#[test]
#[should_panic(expected = "sh ended without")]
fn a_child_that_ends_early_is_noticed() {
    let command = ["sh".to_owned(), "-c".to_owned(), "echo no".to_owned()];
    Process::start("sh", &command, &[]).wait_for_line("ready");
}
