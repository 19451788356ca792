//! An incident from its first sign to its end.

use serde_json::{Value, json};

use crate::mail::MailServer;
use crate::site::{Site, nodes};

const ROUTING_KEY: &str = "R0000000000000000000000000000001";

/// Every integration gets the incident. `for` is long enough to be killed within, and the interval
/// makes a restart within four seconds one that changes nothing.
#[test]
fn an_incident_goes_through_two_crashes_and_is_told_once_everywhere() {
    let Some(site) = Site::new("lifecycle") else { return };
    let Some(mail) = MailServer::smtp(&site, "test-password") else { return };
    site.write_rule("2s", "6s");
    let receivers = format!(
        "- name: ops\n  webhook_configs: [{}]\n  email_configs: [{}]\n  pagerduty_configs: [{}]\n  \
         slack_configs: [{}, {}]",
        site.webhook("ops"),
        mail.item(mail.peer.port(), "auth_password: test-password"),
        site.pagerduty(ROUTING_KEY),
        site.slack_webhook("/services/T000/B000/secret"),
        site.slack_app("xoxb-test-token"),
    );
    site.write_config(&receivers);
    let daemon = site.start();

    site.fail(&["a", "b"]);
    let pending = daemon.wait_for_alerts("pending", 2);
    daemon.wait_for_metric("watchbell_alerts", &["state=\"pending\""], 2.0);
    assert_eq!(site.taken("*").len(), 0, "nobody is told of a pending alert");
    daemon.crash();

    let daemon = site.start();
    let firing = daemon.wait_for_alerts("firing", 2);
    assert_eq!(
        active_since(&pending),
        active_since(&firing),
        "the clock of `for` has not restarted"
    );
    let told = site.wait_for_taken("/webhook/ops", 1);
    assert_eq!(nodes(&told[0], "firing"), ["a", "b"], "one message for the group");
    daemon.wait_for_metric("watchbell_alerts", &["state=\"firing\""], 2.0);
    daemon.wait_for_metric("watchbell_outbox_entries", &[], 0.0);
    for (kind, count) in [("webhook", 1.0), ("email", 1.0), ("pagerduty", 1.0), ("slack", 2.0)] {
        let kind = format!("integration=\"{kind}\"");
        assert_eq!(daemon.metric("watchbell_notifications_total", &[&kind]), count, "{kind}");
    }
    assert_eq!(daemon.metric("watchbell_notifications_failed_total", &[]), 0.0);
    daemon.crash();

    let daemon = site.start();
    assert_eq!(daemon.alerts("firing").len(), 2, "it fires from the first moment");
    daemon.wait_for_rounds(2);
    assert_eq!(site.taken("*").len(), 4, "no second announcement");

    site.mend(&["a", "b"]);
    daemon.wait_for_alerts("firing", 0);
    let told = site.wait_for_taken("/webhook/ops", 2);
    assert_eq!(nodes(&told[1], "resolved"), ["a", "b"]);
    daemon.wait_for_metric("watchbell_outbox_entries", &[], 0.0);
    daemon.stop();
    assert_eq!(site.taken("*").len(), 8, "told once");
    assert_paged_once(&site);
    assert_posted_once(&site);
    assert_mailed_once(&mail);
    site.assert_correct();
}

/// When each node's alert became active.
fn active_since(alerts: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let since = |a: &Value| (text(&a["labels"]["node"]), text(&a["activeAt"]));
    let mut since: Vec<_> = alerts.iter().map(since).collect();
    since.sort();
    since
}

fn assert_paged_once(site: &Site) {
    let events = site.taken("/v2/enqueue");
    let actions: Vec<&Value> = events.iter().map(|event| &event["event_action"]).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    assert_eq!(events[0]["dedup_key"], events[1]["dedup_key"]);
    let incidents = site.receivers.state()["incidents"].clone();
    assert_eq!(incidents.as_array().unwrap().len(), 1);
    assert_eq!((&incidents[0]["opened"], &incidents[0]["status"]), (&json!(1), &json!("resolved")));
}

fn assert_posted_once(site: &Site) {
    let messages = site.receivers.state()["messages"].as_array().expect("messages").clone();
    let in_app: Vec<&Value> = messages.iter().filter(|m| !m["channel"].is_null()).collect();
    assert_eq!((messages.len(), in_app.len()), (4, 2), "a webhook and an app");
    assert_eq!(in_app[0]["thread_ts"], Value::Null);
    assert_eq!(
        in_app[1]["thread_ts"], in_app[0]["ts"],
        "the end is in the thread of the beginning"
    );
    for message in &messages {
        assert_eq!(message["edits"], 0);
        assert!(message["message"].to_string().contains("NodeDown"), "{message}");
    }
}

fn assert_mailed_once(mail: &MailServer) {
    let mails = mail.mails();
    assert_eq!(mails.len(), 2);
    let (first, last) = (&mails[0], &mails[1]);
    assert!(first.header("Subject").contains("NodeDown"), "{first:?}");
    let root = first.header("References").split_whitespace().next();
    let root = root.unwrap_or(first.header("Message-ID"));
    assert!(root.starts_with('<') && first.header("Message-ID") != last.header("Message-ID"));
    assert!(last.header("References").contains(root), "{first:?} {last:?}");
}

/// Postfix takes mail by STARTTLS and by TLS from the first byte, both with a login.
#[test]
fn postfix_takes_the_mails_of_an_incident() {
    let Some(site) = Site::new("postfix") else { return };
    let Some(mail) = MailServer::postfix(&site) else { return };
    let implicit = "auth_password: test-password, force_implicit_tls: true";
    let receivers = format!(
        "- name: ops\n  email_configs: [{}, {}]",
        mail.item(mail.peer.port(), "auth_password: test-password"),
        mail.item(mail.peer.number("smtps_port"), implicit),
    );
    site.write_config(&receivers);
    let daemon = site.start();
    site.fail(&["a"]);
    mail.wait_for_mails(2);
    site.mend(&["a"]);
    let mails = mail.wait_for_mails(4);
    daemon.wait_for_metric("watchbell_outbox_entries", &[], 0.0);
    daemon.stop();
    assert_eq!(mail.mails().len(), 4);
    for mail in &mails {
        assert!(mail.header("Received").contains("with ESMTPSA"), "TLS and AUTH: {mail:?}");
        assert!(mail.header("Subject").contains("NodeDown"), "{mail:?}");
        assert!(mail.header("Content-Type").starts_with("multipart/alternative"), "{mail:?}");
        assert!(mail.body.contains("text/plain") && mail.body.contains("text/html"), "{mail:?}");
    }
}
