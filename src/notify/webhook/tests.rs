//! The webhook: its body, its configuration, and what answers mean.

use std::time::Duration;

use serde_json::{Value, json};

use crate::http::tests::server::{Seen, Server, ok, response};
use crate::notify::Globals;
use crate::notify::cases::{NOW, cases, delivery, golden, notifier, receiver};
use crate::outbox::Outcome;

const TOKEN: &str = "a-token-that-nobody-may-see";

fn body(item: &str, case: &str) -> Value {
    let (_, told, announced) = cases().into_iter().find(|(n, ..)| *n == case).unwrap();
    let preview = notifier("webhook_configs", item).preview(&delivery(told, announced), NOW);
    serde_json::from_str(&preview.unwrap().parts[0].1).unwrap()
}

#[test]
fn the_bodies() {
    for name in ["one", "firing_and_resolved", "resolved", "hostile"] {
        let pretty = serde_json::to_string_pretty(&body("url: https://h/x", name)).unwrap();
        golden("webhook", name, &pretty);
    }
}

/// The names of Alertmanager's `webhook.Message` and `template.Alert`.
#[test]
fn the_body_has_alertmanagers_fields() {
    let message = body("url: https://h/x", "firing_and_resolved");
    let names =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let mut fields = vec![
        "alerts",
        "commonAnnotations",
        "commonLabels",
        "externalURL",
        "groupKey",
        "groupLabels",
        "notification_reason",
        "receiver",
        "status",
        "truncatedAlerts",
        "version",
    ];
    fields.sort_unstable();
    assert_eq!(names(&message), fields);
    let fields =
        ["annotations", "endsAt", "fingerprint", "generatorURL", "labels", "startsAt", "status"];
    assert_eq!(names(&message["alerts"][0]), fields);
    assert_eq!(message["version"], "4");
    assert_eq!(message["status"], "firing");
    assert_eq!(message["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z", "it has no end");
    assert_eq!(message["alerts"][1]["status"], "resolved");
    assert_eq!(message["commonLabels"].get("instance"), None);
}

#[test]
fn max_alerts_is_counted() {
    let message = body("url: https://h/x\nmax_alerts: 2", "storm");
    assert_eq!(message["alerts"].as_array().unwrap().len(), 2);
    assert_eq!(message["truncatedAlerts"], 298);
    assert_eq!(body("url: https://h/x", "storm")["alerts"].as_array().unwrap().len(), 300);
}

#[test]
fn the_configuration() {
    let whole = "send_resolved: false\nurl_file: /etc/url\nmax_alerts: 3\ntimeout: 5s\n\
                 http_config: {basic_auth: {username: a, password: b}}";
    let built = receiver("webhook_configs", whole, &Globals::default()).unwrap();
    assert!(!built.integrations[0].send_resolved);
    let built = receiver("webhook_configs", "url: https://h/x", &Globals::default()).unwrap();
    assert!(built.integrations[0].send_resolved);
    for (item, message) in [
        ("max_alerts: 1", "a webhook needs `url` or `url_file`"),
        ("url: h", "`url`: is no http or https address"),
        ("url: 'https://h/{{ .Receiver }}'", "`url`: a template in it is not supported yet"),
        ("url: https://h\nmax_alerts: -1", "`max_alerts`: must not be negative"),
        ("url: https://h\npayload: {a: b}", "`payload` in the webhook is not supported yet"),
        ("url: https://h\nurls: x", "unknown key `urls` in the webhook"),
    ] {
        let told = receiver("webhook_configs", item, &Globals::default()).err().unwrap();
        assert!(told.len() == 1 && told[0].starts_with(message), "{item}: {told:?}");
    }
}

async fn deliver(server: &Server) -> Outcome {
    let item =
        format!("url: {}\ntimeout: 100ms", server.url(&format!("/hook/{TOKEN}?key={TOKEN}")));
    notifier("webhook_configs", &item).deliver(&delivery(cases().remove(0).1, false), NOW).await
}

#[tokio::test]
async fn a_delivery_can_be_told_from_a_new_message() {
    let server = Server::start(ok).await;
    assert_eq!(deliver(&server).await, Outcome::delivered(Some(200)));
    let seen = server.last();
    assert_eq!(seen.header("idempotency-key"), Some("0123456789abcdef0123456789abcdef"));
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let sent: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(sent["groupLabels"], json!({"alertname": "HighCPUUsage"}));
}

#[tokio::test]
async fn answers_are_understood() {
    for (status, headers, retry, after) in [
        (429, &[("retry-after", "30")][..], true, Some(30)),
        (408, &[], true, None),
        (503, &[("retry-after", "Mon, 02 Mar 2026 09:41:00 GMT")], true, Some(60)),
        (500, &[], true, None),
        (400, &[], false, None),
        (404, &[], false, None),
        (302, &[], false, None),
    ] {
        let answer = move |seen: &Seen| response(status, headers, format!("no {}", seen.uri));
        let (error, waited, told) = match deliver(&Server::start(answer).await).await {
            Outcome::Retry { error, after, status } if retry => (error, after, status),
            Outcome::Permanent { error, status } if !retry => (error, None, status),
            other => panic!("{status}: {other:?}"),
        };
        assert_eq!((waited, told), (after.map(Duration::from_secs), Some(status)));
        assert!(!error.contains(TOKEN), "{error}");
    }
}

#[tokio::test]
async fn no_answer_is_tried_again() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let item = format!("url: http://{}/{TOKEN}\ntimeout: 100ms", silent.local_addr().unwrap());
    let hook = notifier("webhook_configs", &item);
    for _ in 0..2 {
        let outcome = hook.deliver(&delivery(cases().remove(0).1, false), NOW).await;
        assert!(
            matches!(&outcome, Outcome::Retry { error, .. } if !error.contains(TOKEN)),
            "{outcome:?}"
        );
    }
    let lost = notifier("webhook_configs", "url_file: /nonexistent/url");
    let outcome = lost.deliver(&delivery(cases().remove(0).1, false), NOW).await;
    assert!(matches!(outcome, Outcome::Retry { .. }));
}
