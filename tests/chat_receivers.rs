//! Slack, PagerDuty and webhooks against receivers that are as strict as the real services.

#![allow(clippy::unwrap_used, clippy::expect_used)] // it is a test

mod support;

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Value, json};
use support::{Part, Peer, require};
use watchbell::diag::SourceFile;
use watchbell::model::{
    Alert, GroupKey, IntegrationId, LabelSet, Notification, NotifiedAlert, NotifyReason, Timestamp,
};
use watchbell::notify::{Context, Delivery, Globals, Notifier, read_receivers};
use watchbell::outbox::Outcome;
use watchbell::yaml::{self, Reader};

const NOW: Timestamp = Timestamp::from_secs(1_772_444_400);
const KEY: &str = "0123456789abcdef0123456789abcdef";

/// The integration that an item of a list configures; `PEER` stands for the receivers' address.
fn notifier(peer: &Peer, list: &str, item: &str) -> Arc<dyn Notifier> {
    let item = item.replace("PEER", &peer.url(""));
    let text = format!("[{{name: oncall, {list}: [{{{item}}}]}}]");
    let document = yaml::load(&Arc::new(SourceFile::new("w.yml", text))).unwrap();
    let mut reader = Reader::new(&document);
    let receivers = read_receivers(&mut reader, &document.root, &Globals::default());
    let findings = reader.into_diagnostics();
    assert!(findings.is_empty(), "{findings:?}");
    let external_url = "https://watchbell.example.com".to_owned();
    let context = Context::new(&[], TimeZone::UTC, external_url).unwrap();
    let mut receiver = receivers[0].build(&context).map_err(|e| format!("{e:?}")).unwrap();
    receiver.integrations.remove(0).notifier
}

fn webhook(peer: &Peer) -> Arc<dyn Notifier> {
    notifier(peer, "slack_configs", "api_url: 'PEER/services/T000/B000/secret'")
}

fn app(peer: &Peer) -> Arc<dyn Notifier> {
    let url = "app_url: 'PEER/api/chat.postMessage'";
    notifier(
        peer,
        "slack_configs",
        &format!("{url}, app_token: xoxb-test-token, channel: '#alerts'"),
    )
}

fn pagerduty(peer: &Peer) -> Arc<dyn Notifier> {
    notifier(peer, "pagerduty_configs", &format!("url: 'PEER/v2/enqueue', routing_key: {KEY}"))
}

fn alert(instance: &str, over: bool) -> NotifiedAlert {
    let labels = LabelSet::from([
        ("alertname", "<!channel> \"quoted\""),
        ("instance", instance),
        ("severity", "critical"),
    ]);
    let annotations = LabelSet::from([
        ("summary", "<!here> down & out\nnext line 🔥"),
        ("runbook", "docs/runbooks.md#down"),
    ]);
    let alert = Alert {
        labels,
        annotations,
        starts_at: NOW - Duration::from_secs(600),
        ends_at: over.then_some(NOW),
        generator_url: "https://prometheus.example.com/graph?g0.expr=up+%3D%3D+0&g0.tab=1".into(),
        value: Some(0.0),
    };
    NotifiedAlert { alert: alert.into(), missed: false }
}

fn told(alerts: Vec<NotifiedAlert>, reason: NotifyReason) -> Delivery {
    let integration = IntegrationId { receiver: "oncall".into(), kind: "slack".into(), index: 0 };
    Delivery {
        notification: Notification {
            group_key: GroupKey("{}:{alertname=\"x\"}".into()),
            integration,
            group_labels: LabelSet::from([("severity", "critical")]),
            alerts,
            reason,
            created_at: NOW,
        },
        idempotency_key: KEY.into(),
        receiver_state: None,
        announced: reason != NotifyReason::FirstNotification,
        attempt: 1,
    }
}

/// A group's life: firing, one more, one resolved, a reminder, all resolved.
fn life() -> [Delivery; 5] {
    use NotifyReason::{
        AllAlertsResolved, FirstNotification, NewAlertsInGroup, NewResolvedAlerts,
        RepeatIntervalElapsed,
    };
    let two = |first, second| vec![alert("a", first), alert("b", second)];
    [
        told(vec![alert("a", false)], FirstNotification),
        told(two(false, false), NewAlertsInGroup),
        told(vec![alert("a", false), alert("b", true)], NewResolvedAlerts),
        told(vec![alert("a", false)], RepeatIntervalElapsed),
        told(vec![alert("a", true)], AllAlertsResolved),
    ]
}

/// More alerts than any message lists, and a value of 10 kB.
fn storm() -> Delivery {
    let mut alerts: Vec<_> = (0..300).map(|n| alert(&format!("node-{n}"), false)).collect();
    alerts.push(alert(&"ü".repeat(5000), false));
    told(alerts, NotifyReason::FirstNotification)
}

async fn deliver(to: &Arc<dyn Notifier>, delivery: &Delivery) -> Outcome {
    to.deliver(delivery, NOW).await
}

fn state(outcome: Outcome) -> Option<Value> {
    match outcome {
        Outcome::Delivered { receiver_state, .. } => receiver_state,
        failed => panic!("{failed:?}"),
    }
}

fn list<'a>(state: &'a Value, name: &str) -> &'a [Value] {
    state[name].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slack_webhook_takes_every_message() {
    let Some(part) = require(Part::Receivers) else { return };
    let peer = part.start(&[]);
    for delivery in life().iter().chain([&storm()]) {
        assert_eq!(state(deliver(&webhook(&peer), delivery).await), None, "there is no thread");
    }
    let seen = peer.state();
    assert_eq!(list(&seen, "messages").len(), 6);
    assert!(list(&seen, "messages").iter().all(|m| m["mentions"] == json!([])), "{seen}");
    let title = &seen["messages"][5]["message"]["attachments"][0]["title"];
    assert_eq!(title, "[FIRING:301] &lt;!channel&gt; \"quoted\" · critical");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_has_one_thread_and_new_alerts_alert() {
    let Some(part) = require(Part::Receivers) else { return };
    let peer = part.start(&[]);
    let slack = app(&peer);
    let mut thread = None;
    for mut delivery in life() {
        delivery.receiver_state.clone_from(&thread);
        thread = state(deliver(&slack, &delivery).await).or(thread);
    }
    let seen = peer.state();
    let messages = list(&seen, "messages");
    let shown: Vec<(bool, bool)> = messages
        .iter()
        .map(|m| (m["thread_ts"] == messages[0]["ts"], m["message"]["reply_broadcast"] == true))
        .collect();
    let (reply, broadcast) = ((true, false), (true, true));
    assert_eq!(shown, [(false, false), broadcast, reply, broadcast, reply]);
    assert!(messages.iter().all(|m| m["edits"] == 0 && m["mentions"] == json!([])));
    assert_eq!(seen["anomalies"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_opened_once_and_resolved() {
    let Some(part) = require(Part::Receivers) else { return };
    let peer = part.start(&[]);
    for delivery in life() {
        assert_eq!(state(deliver(&pagerduty(&peer), &delivery).await), None);
    }
    let seen = peer.state();
    let incident = &seen["incidents"][0];
    assert_eq!((&incident["opened"], &incident["status"]), (&json!(1), &json!("resolved")));
    let events = json!(["trigger", "trigger", "trigger", "trigger", "resolve"]);
    assert_eq!(incident["events"], events);
    assert_eq!(seen["anomalies"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_pagerduty_never_heard_of_is_triggered_and_resolved() {
    let Some(part) = require(Part::Receivers) else { return };
    let peer = part.start(&[]);
    let mut missed = told(vec![alert("a", true)], NotifyReason::AllAlertsResolved);
    missed.notification.alerts[0].missed = true;
    missed.announced = false;
    state(deliver(&pagerduty(&peer), &missed).await);
    state(deliver(&pagerduty(&peer), &missed).await);
    let seen = peer.state();
    assert_eq!(seen["incidents"][0]["events"], json!(["trigger", "resolve", "trigger", "resolve"]));
    assert_eq!(seen["incidents"][0]["status"], "resolved");
    assert_eq!(seen["anomalies"], json!([]));
    state(deliver(&pagerduty(&peer), &storm()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_has_alertmanagers_shape() {
    let Some(part) = require(Part::Receivers) else { return };
    let peer = part.start(&[]);
    for more in ["", ", max_alerts: 1"] {
        let hook = notifier(&peer, "webhook_configs", &format!("url: 'PEER/webhook/x'{more}"));
        for delivery in life().iter().chain([&storm()]) {
            assert_eq!(state(deliver(&hook, delivery).await), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_in_trouble_is_asked_again_later() {
    let Some(part) = require(Part::Receivers) else { return };
    let peer = part.start(&[]);
    let hook = notifier(&peer, "webhook_configs", "url: 'PEER/webhook/x'");
    let first = life()[0].clone();
    for to in [webhook(&peer), app(&peer), pagerduty(&peer), hook] {
        peer.fault(
            json!({"path": "*", "action": "status", "status": 429, "retry_after": 17, "count": 1}),
        );
        let limited = deliver(&to, &first).await;
        let wait = Some(Duration::from_secs(17));
        assert!(
            matches!(&limited, Outcome::Retry { after, status: Some(429), .. } if *after == wait),
            "{limited:?}"
        );
        for action in ["drop_before", "drop_after"] {
            peer.fault(json!({"path": "*", "action": action, "count": 1}));
            let broken = deliver(&to, &first).await;
            assert!(matches!(broken, Outcome::Retry { status: None, .. }), "{broken:?}");
        }
        peer.fault(json!({"path": "*", "action": "status", "status": 503, "count": 1}));
        let broken = deliver(&to, &first).await;
        assert!(matches!(broken, Outcome::Retry { status: Some(503), .. }), "{broken:?}");
        state(deliver(&to, &first).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_configured_wrong_is_told_for_good() {
    let Some(part) = require(Part::Receivers) else { return };
    let peer = part.start(&[]);
    let url = "app_url: 'PEER/api/chat.postMessage'";
    let first = life()[0].clone();
    for (list, item, part) in [
        ("slack_configs", "api_url: 'PEER/services/nonsense'".to_owned(), "no_service"),
        (
            "slack_configs",
            format!("{url}, app_token: xoxb-wrong, channel: alerts"),
            "token is wrong",
        ),
        (
            "slack_configs",
            format!("{url}, app_token: xoxb-test-token, channel: x"),
            "no such channel",
        ),
        (
            "pagerduty_configs",
            "url: 'PEER/v2/enqueue', routing_key: short".to_owned(),
            "routing_key",
        ),
        ("webhook_configs", "url: 'PEER/nothing'".to_owned(), "404"),
    ] {
        let outcome = deliver(&notifier(&peer, list, &item), &first).await;
        let Outcome::Permanent { error, .. } = outcome else { panic!("{item}: {outcome:?}") };
        assert!(error.contains(part) && !error.contains("xoxb"), "{item}: {error}");
    }
}
