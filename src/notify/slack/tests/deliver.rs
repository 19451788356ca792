//! Deliveries to a server in this process.

use std::time::Duration;

use serde_json::{Value, json};

use crate::http::tests::server::{Seen, Server, response};
use crate::model::Notification;
use crate::notify::Notifier;
use crate::notify::cases::{NOW, cases, delivery, notifier};
use crate::outbox::Outcome;

const SECRET: &str = "xoxb-1234567890-abcdefghijkl";

fn one() -> Notification {
    cases().remove(0).1
}

fn app(server: &Server, more: &str) -> std::sync::Arc<dyn Notifier> {
    let url = server.url("/api/chat.postMessage");
    notifier(
        "slack_configs",
        &format!("app_token: {SECRET}\napp_url: {url}\nchannel: '#alerts'{more}"),
    )
}

fn posted(_: &Seen) -> axum::response::Response {
    response(200, &[], r#"{"ok":true,"channel":"C0ALERTS","ts":"1700000000.000100"}"#)
}

#[tokio::test]
async fn the_first_message_opens_a_thread() {
    let server = Server::start(posted).await;
    let outcome = app(&server, "").deliver(&delivery(one(), false), NOW).await;
    let state = json!({"channel": "C0ALERTS", "ts": "1700000000.000100", "asked_for": "#alerts"});
    assert_eq!(outcome, Outcome::Delivered { receiver_state: Some(state), status: Some(200) });
    let seen = server.last();
    assert_eq!(seen.header("authorization"), Some(&*format!("Bearer {SECRET}")));
    assert_eq!(seen.header("content-type"), Some("application/json; charset=utf-8"));
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body["channel"], "#alerts");
    assert!(body.get("thread_ts").is_none() && body.get("reply_broadcast").is_none());
}

#[tokio::test]
async fn later_messages_are_replies_and_new_alerts_are_broadcast() {
    let server = Server::start(posted).await;
    let thread = json!({"channel": "C0ALERTS", "ts": "1.2", "asked_for": "#alerts"});
    for (name, broadcast) in [
        ("one", true),
        ("several", true),
        ("reminder", true),
        ("firing_and_resolved", false),
        ("resolved", false),
    ] {
        let (_, told, _) = cases().into_iter().find(|(n, ..)| *n == name).unwrap();
        let mut delivery = delivery(told, true);
        delivery.receiver_state = Some(thread.clone());
        let outcome = app(&server, "").deliver(&delivery, NOW).await;
        assert_eq!(outcome, Outcome::delivered(Some(200)), "the thread stays remembered");
        let body: Value = serde_json::from_str(&server.last().body).unwrap();
        assert_eq!((&body["channel"], &body["thread_ts"]), (&json!("C0ALERTS"), &json!("1.2")));
        assert_eq!(body.get("reply_broadcast").is_some(), broadcast, "{name}");
    }
}

#[tokio::test]
async fn another_channel_or_a_lost_thread_starts_anew() {
    let server = Server::start(|seen: &Seen| {
        if seen.body.contains("thread_ts") {
            return response(200, &[], r#"{"ok":false,"error":"thread_not_found"}"#);
        }
        posted(seen)
    })
    .await;
    for (asked_for, requests) in [("#old", 1), ("#alerts", 2)] {
        let before = server.seen().len();
        let mut delivery = delivery(one(), true);
        delivery.receiver_state =
            Some(json!({"channel": "C", "ts": "1.2", "asked_for": asked_for}));
        let outcome = app(&server, "").deliver(&delivery, NOW).await;
        assert!(
            matches!(&outcome, Outcome::Delivered { receiver_state: Some(state), .. } if state["ts"] == "1700000000.000100"),
            "{outcome:?}"
        );
        assert_eq!(server.seen().len() - before, requests);
    }
}

#[tokio::test]
async fn threads_can_be_declined() {
    let server = Server::start(posted).await;
    let mut delivery = delivery(one(), true);
    delivery.receiver_state = Some(json!({"channel": "C", "ts": "1.2", "asked_for": "#alerts"}));
    let slack = app(&server, "\npost_updates_to_thread: false");
    assert_eq!(slack.deliver(&delivery, NOW).await, Outcome::delivered(Some(200)));
    assert!(!server.last().body.contains("thread_ts"));
}

enum Want {
    Delivered,
    Retry(Option<u64>),
    Permanent,
}

#[tokio::test]
async fn answers_are_understood() {
    use Want::{Delivered, Permanent, Retry};
    type Case = (u16, &'static [(&'static str, &'static str)], &'static str, Want, &'static str);
    let cases: [Case; 18] = [
        (200, &[], "ok", Delivered, ""),
        (200, &[], r#"{"ok":true}"#, Delivered, ""),
        (204, &[], "", Delivered, ""),
        (
            200,
            &[("retry-after", "7")],
            r#"{"ok":false,"error":"ratelimited"}"#,
            Retry(Some(7)),
            "ratelimited: too many",
        ),
        (429, &[("retry-after", "30")], "rate_limited", Retry(Some(30)), "rate_limited"),
        (500, &[], "rollup_error", Retry(None), "rollup_error"),
        (503, &[], "<html>busy</html>", Retry(None), "503"),
        (200, &[], r#"{"ok":false,"error":"fatal_error"}"#, Retry(None), "fatal_error"),
        (200, &[], r#"{"ok":false,"error":"invalid_auth"}"#, Permanent, "the token is wrong"),
        (200, &[], r#"{"ok":false,"error":"channel_not_found"}"#, Permanent, "no such channel"),
        (200, &[], r#"{"ok":false,"error":"not_in_channel"}"#, Permanent, "invite the app"),
        (
            200,
            &[],
            r#"{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] at /blocks/0"]}}"#,
            Permanent,
            "[ERROR] at /blocks/0",
        ),
        (400, &[], "invalid_payload", Permanent, "slack answered invalid_payload"),
        (404, &[], "no_service", Permanent, "its address is wrong"),
        (404, &[], "channel_not_found", Permanent, "no such channel"),
        (410, &[], "channel_is_archived", Permanent, "archived"),
        (200, &[], "<html>Welcome to the hotel's network</html>", Permanent, "hotel"),
        (302, &[], "", Permanent, "302"),
    ];
    for (status, headers, body, want, part) in cases {
        let server = Server::start(move |_: &Seen| response(status, headers, body)).await;
        let url = server.url(&format!("/services/T0/B0/{SECRET}"));
        let webhook = notifier("slack_configs", &format!("api_url: {url}"));
        for slack in [webhook, app(&server, "")] {
            let outcome = slack.deliver(&delivery(one(), false), NOW).await;
            let (error, right) = match (&outcome, &want) {
                (Outcome::Delivered { .. }, Delivered) => ("", true),
                (Outcome::Retry { after, error, .. }, Retry(wait)) => {
                    (error.as_str(), *after == wait.map(Duration::from_secs))
                }
                (Outcome::Permanent { error, .. }, Permanent) => (error.as_str(), true),
                _ => ("", false),
            };
            assert!(right && error.contains(part), "{status} {body}: {outcome:?}");
            assert!(!error.contains(SECRET));
        }
    }
}

#[tokio::test]
async fn a_secret_that_is_quoted_back_is_not_told() {
    let server = Server::start(|seen: &Seen| {
        let token = seen.header("authorization").unwrap_or_default().to_string();
        response(400, &[], format!("bad request to {} by {token}", seen.uri))
    })
    .await;
    let url = server.url(&format!("/services/T0/B0/{SECRET}"));
    let webhook = notifier("slack_configs", &format!("api_url: {url}"));
    for slack in [webhook, app(&server, "")] {
        let outcome = slack.deliver(&delivery(one(), false), NOW).await;
        let Outcome::Permanent { error, .. } = outcome else { panic!("{outcome:?}") };
        assert!(!error.contains(SECRET) && error.contains("bad request"), "{error}");
    }
}

#[tokio::test]
async fn no_answer_is_tried_again() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/services/T0/B0/{SECRET}", silent.local_addr().unwrap());
    let slack = notifier("slack_configs", &format!("api_url: {url}\ntimeout: 100ms"));
    let outcome = slack.deliver(&delivery(one(), false), NOW).await;
    assert!(
        matches!(&outcome, Outcome::Retry { error, .. } if !error.contains(SECRET)),
        "{outcome:?}"
    );
    drop(silent);
    let outcome = slack.deliver(&delivery(one(), false), NOW).await;
    assert!(
        matches!(&outcome, Outcome::Retry { error, .. } if !error.contains(SECRET)),
        "{outcome:?}"
    );
    let missing = notifier("slack_configs", "api_url_file: /nonexistent/url");
    let outcome = missing.deliver(&delivery(one(), false), NOW).await;
    assert!(matches!(&outcome, Outcome::Retry { error, .. } if error.contains("/nonexistent/url")));
}
