//! PagerDuty: the events, the configuration, and what its answers mean.

use std::time::Duration;

use serde_json::{Value, json};

use crate::http::tests::server::{Seen, Server, response};
use crate::model::{NotifyReason, SecretSource};
use crate::notify::Globals;
use crate::notify::cases::{NOW, alert, cases, delivery, golden, notification, notifier, receiver};
use crate::outbox::Outcome;

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn events(item: &str, case: &str) -> Vec<Value> {
    let (_, told, announced) = cases().into_iter().find(|(n, ..)| *n == case).unwrap();
    let item = format!("routing_key: {KEY}\n{item}");
    let preview = notifier("pagerduty_configs", &item).preview(&delivery(told, announced), NOW);
    let bodies = preview.unwrap().parts.into_iter().filter(|(name, _)| *name == "body");
    bodies.map(|(_, body)| serde_json::from_str(&body).unwrap()).collect()
}

#[test]
fn the_shipped_events() {
    for (name, ..) in cases() {
        for mut event in events("", name) {
            // A preview has no key; a whole event can be held against PagerDuty's schema.
            event["routing_key"] = Value::from(KEY);
            let action = event["event_action"].as_str().unwrap();
            let pretty = serde_json::to_string_pretty(&event).unwrap();
            golden("pagerduty", &format!("{name}_{action}"), &pretty);
        }
    }
}

#[test]
fn the_dedup_key_is_alertmanagers() {
    // printf '{}:{alertname="HighCPUUsage"}' | sha256sum
    let key = "34b90477d9505e19bf9105893c58bfc13e9a2fdb76e1713d26874fe384fd80b6";
    assert_eq!(events("", "one")[0]["dedup_key"], key);
}

#[test]
fn what_was_over_before_it_was_told_is_triggered_first() {
    for (case, actions) in [
        ("one", vec!["trigger"]),
        ("resolved", vec!["resolve"]),
        ("missed", vec!["trigger", "resolve"]),
    ] {
        let events = events("", case);
        let told: Vec<&str> = events.iter().filter_map(|e| e["event_action"].as_str()).collect();
        assert_eq!(told, actions, "{case}");
    }
}

#[test]
fn severities_are_pagerdutys_four() {
    for (word, expected) in [
        ("critical", "critical"),
        ("Page", "critical"),
        ("warning", "warning"),
        ("info", "info"),
        ("major", "error"),
        ("nonsense", "error"),
        ("''", "error"),
    ] {
        let event = events(&format!("severity: {word}"), "one").remove(0);
        assert_eq!(event["payload"]["severity"], expected, "{word}");
    }
    assert_eq!(events("", "one")[0]["payload"]["severity"], "warning");
    assert_eq!(events("", "two_rules")[0]["payload"]["severity"], "critical", "the highest");
}

#[test]
fn every_key_of_alertmanager_is_read() {
    let item = "send_resolved: false
http_config: {proxy_url: 'http://p:1'}
url: https://events.eu.pagerduty.com/v2/enqueue
client: c
client_url: https://c
description: d
severity: critical
class: k
component: o
group: g
source: s
details: {firing: '{{ .Alerts.Firing | len }}', nested: {a: [x, '{{ .Status }}']}, labels: '{{ .GroupLabels | toJson }}'}
images: [{src: 'https://i/a.png', href: https://h, alt: a}, {src: nothing}]
links: [{href: 'https://l/{{ .Status }}', text: t}]
timeout: 5s";
    let event = events(item, "one").remove(0);
    let expected = json!({
        "event_action": "trigger",
        "dedup_key": event["dedup_key"],
        "client": "c",
        "client_url": "https://c/",
        "links": [{"href": "https://l/firing", "text": "t"}],
        "images": [{"src": "https://i/a.png", "href": "https://h/", "alt": "a"}],
        "payload": {
            "summary": "d", "severity": "critical", "class": "k", "component": "o", "group": "g",
            "source": "s", "timestamp": "2026-03-02T09:28:00.000Z",
            "custom_details": {
                "firing": 1, "resolved": "", "num_firing": 1, "num_resolved": 0,
                "nested": {"a": ["x", "firing"]}, "labels": {"alertname": "HighCPUUsage"},
            },
        },
    });
    assert_eq!(event, expected);
    let built =
        receiver("pagerduty_configs", &format!("routing_key: k\n{item}"), &Globals::default());
    assert!(!built.unwrap().integrations[0].send_resolved);
    let built = receiver("pagerduty_configs", "routing_key: k", &Globals::default()).unwrap();
    assert!(built.integrations[0].send_resolved);
}

#[test]
fn mistakes_are_told() {
    for (item, message) in [
        ("client: c", "PagerDuty needs `routing_key` or `routing_key_file`"),
        ("service_key: k", "`service_key` in the PagerDuty integration is not supported yet"),
        ("routing_key: k\nurl: nonsense", "`url`: is no http or https address"),
        ("routing_key: k\ndetails: [a]", "`details` must be a mapping"),
        ("routing_key: k\ndescripton: a", "unknown key `descripton`"),
        ("routing_key: k\nlinks: [{url: a}]", "unknown key `url` in an item of `links`"),
        (
            "routing_key: k\ndetails: {a: '{{ .Nope }}'}",
            "cannot render `pagerduty_configs.details`",
        ),
    ] {
        let told = receiver("pagerduty_configs", item, &Globals::default()).err().unwrap();
        assert!(told.len() == 1 && told[0].starts_with(message), "{item}: {told:?}");
    }
}

#[test]
fn an_event_that_is_too_large_is_cut_in_its_details() {
    // The label has 10 500 characters.
    let long = "{{ .CommonLabels.long }}";
    let texts = |count| format!("'{long}',").repeat(count);
    let event =
        events(&format!("description: '{long}'\ndetails: {{c: [{}]}}", texts(60)), "hostile");
    let details = &event[0]["payload"]["custom_details"];
    assert_eq!(details["c"][0].as_str().unwrap().chars().count(), 4000);
    assert!(details["c"][59].as_str().unwrap().ends_with('…'));
    assert_eq!(details["num_firing"], 1);
    let size = event[0].to_string().len();
    assert!(size < 511_488 && size > 100_000, "{size}");
    let summary = event[0]["payload"]["summary"].as_str().unwrap();
    assert!(summary.chars().count() == 1024 && summary.ends_with('…'));
    let event = events(&format!("details: {{c: [{}]}}", texts(1000)), "hostile");
    let details = &event[0]["payload"]["custom_details"];
    assert!(details["cut"].as_str().unwrap().starts_with('…'));
    assert_eq!(details["num_firing"], 1);
}

#[test]
fn the_incident_has_a_summary_and_a_source_whatever_the_templates_say() {
    let event = events("description: ''\nsource: ' '", "one").remove(0);
    assert_eq!(event["payload"]["summary"], "[FIRING:1] HighCPUUsage");
    assert_eq!(event["payload"]["source"], "watchbell");
}

async fn deliver(server: &Server, case: &str, announced: bool) -> Outcome {
    let (_, told, _) = cases().into_iter().find(|(n, ..)| *n == case).unwrap();
    let item = format!("routing_key: {KEY}\nurl: {}\ntimeout: 200ms", server.url("/v2/enqueue"));
    notifier("pagerduty_configs", &item).deliver(&delivery(told, announced), NOW).await
}

fn accepted(_: &Seen) -> axum::response::Response {
    response(202, &[], r#"{"status":"success","message":"Event processed","dedup_key":"k"}"#)
}

#[tokio::test]
async fn trigger_and_resolve_are_sent_with_the_key() {
    for (case, announced, actions) in [
        ("one", false, vec!["trigger"]),
        ("resolved", true, vec!["resolve"]),
        ("missed", false, vec!["trigger", "resolve"]),
    ] {
        let server = Server::start(accepted).await;
        assert_eq!(deliver(&server, case, announced).await, Outcome::delivered(Some(202)));
        let sent: Vec<Value> =
            server.seen().iter().map(|seen| serde_json::from_str(&seen.body).unwrap()).collect();
        let told: Vec<&str> = sent.iter().filter_map(|e| e["event_action"].as_str()).collect();
        assert_eq!(told, actions);
        assert!(sent.iter().all(|event| event["routing_key"] == KEY));
    }
}

#[tokio::test]
async fn a_failed_trigger_is_not_followed_by_a_resolve() {
    let server = Server::start(|_: &Seen| response(500, &[], "")).await;
    assert!(matches!(deliver(&server, "missed", false).await, Outcome::Retry { .. }));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn answers_are_understood() {
    let refused = format!(
        r#"{{"status":"invalid event","message":"Event object is invalid","errors":["no service for {KEY}"]}}"#
    );
    for (status, headers, body, retry, part) in [
        (429, vec![("retry-after", "17")], "", true, "429"),
        (500, vec![], "", true, "500"),
        (503, vec![], KEY, true, "503"),
        (403, vec![], KEY, false, "403"),
        (400, vec![], &refused, false, "Event object is invalid; no service for <secret>"),
        (400, vec![], "not even json", false, "not even json"),
    ] {
        let body = body.to_string();
        let answer = {
            let headers = headers.clone();
            move |_: &Seen| response(status, &headers, body.clone())
        };
        let outcome = deliver(&Server::start(answer).await, "one", false).await;
        let error = match &outcome {
            Outcome::Retry { error, after, .. } if retry => {
                assert_eq!(*after, (!headers.is_empty()).then_some(Duration::from_secs(17)));
                error
            }
            Outcome::Permanent { error, .. } if !retry => error,
            other => panic!("{status}: {other:?}"),
        };
        assert!(error.contains(part) && !error.contains(KEY), "{error}");
    }
}

#[tokio::test]
async fn no_answer_and_no_key_are_tried_again() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2/enqueue", silent.local_addr().unwrap());
    let one = notification(vec![alert(&[("alertname", "A")], "")], NotifyReason::FirstNotification);
    let item = format!("routing_key: {KEY}\nurl: {url}\ntimeout: 100ms");
    let outcome =
        notifier("pagerduty_configs", &item).deliver(&delivery(one.clone(), false), NOW).await;
    assert!(matches!(outcome, Outcome::Retry { .. }));
    let file = SecretSource::File("/nonexistent/key".into());
    assert!(file.read().is_err());
    let lost = notifier("pagerduty_configs", "routing_key_file: /nonexistent/key");
    let outcome = lost.deliver(&delivery(one, false), NOW).await;
    assert!(matches!(outcome, Outcome::Retry { .. }));
}
