//! Receivers that are down, slow, rude or confused.

use std::time::Instant;

use serde_json::{Value, json};

use crate::mail::MailServer;
use crate::site::{Site, key, nodes};
use crate::support::{Part, require, wait_until};

/// One incident, and one receiver for every way to fail. Killed while all of them wait.
#[test]
fn receivers_that_fail_lose_nothing_and_delay_nobody() {
    let Some(site) = Site::new("outage") else { return };
    let Some(refusing) = require(Part::Receivers).map(|part| part.start(&[])) else { return };
    let ways = ["unavailable", "limited", "hangs", "closes", "resets"];
    let mut hooks: Vec<String> = ways.map(|way| site.webhook(way)).into();
    hooks.push(format!("{{url: '{}'}}", refusing.url("/webhook/refuses")));
    hooks.push(site.webhook("unknown"));
    hooks.push(site.webhook("well"));
    site.write_config(&format!("- {{name: ops, webhook_configs: [{}]}}", hooks.join(", ")));
    let fault = |way: &str, fault: Value| {
        let mut fault = fault;
        fault["path"] = format!("/webhook/{way}").into();
        site.receivers.fault(fault);
    };
    fault("unavailable", json!({"action": "status", "status": 503}));
    fault("limited", json!({"action": "status", "status": 429, "retry_after": 5, "count": 1}));
    fault("hangs", json!({"action": "hang"}));
    fault("closes", json!({"action": "drop_after"}));
    fault("resets", json!({"action": "drop_before"}));
    fault("unknown", json!({"action": "process_drop", "count": 1}));
    refusing.listen(false);

    let daemon = site.start();
    site.fail(&["a"]);
    daemon.wait_for_alerts("firing", 1);
    let fired = Instant::now();
    site.wait_for_taken("/webhook/well", 1);
    assert!(fired.elapsed().as_secs() < 3, "a hanging neighbour delays it: {:?}", fired.elapsed());
    for way in ["unavailable", "limited", "hangs", "closes", "resets", "unknown"] {
        let path = format!("/webhook/{way}");
        wait_until(way, || (!site.receivers.received(&path).is_empty()).then_some(()));
    }
    daemon.wait_for_metric("watchbell_outbox_entries", &[], 6.0);
    let failed = |reason: &str| {
        let reason = format!("reason=\"{reason}\"");
        daemon.metric("watchbell_notifications_failed_total", &[&reason])
    };
    assert!(failed("server_error") >= 1.0, "503");
    assert_eq!(failed("rate_limited"), 1.0, "429");
    assert!(failed("no_answer") >= 3.0, "closed, reset, refused");
    daemon.crash();

    let daemon = site.start();
    assert!(daemon.metric("watchbell_outbox_entries", &[]) >= 4.0, "they still wait");
    site.receivers.reset_faults();
    refusing.listen(true);
    for way in ways {
        let told = site.wait_for_taken(&format!("/webhook/{way}"), 1);
        assert_eq!(nodes(&told[0], "firing"), ["a"], "{way}");
    }
    wait_until("the refusing one has it", || (refusing.received("*").len() == 1).then_some(()));
    daemon.wait_for_metric("watchbell_outbox_entries", &[], 0.0);

    let limited = site.receivers.received("/webhook/limited");
    let time = |request: &Value| request["time"].as_f64().unwrap();
    assert!(time(&limited[1]) - time(&limited[0]) >= 5.0, "Retry-After counts, crash or not");
    let unknown = site.receivers.received("/webhook/unknown");
    assert_eq!(unknown.len(), 2, "an attempt whose outcome was never learned is repeated");
    assert_eq!(key(&unknown[0]), key(&unknown[1]), "with the same key");
    assert_eq!(site.taken("/webhook/well").len(), 1, "what went well is not repeated");

    site.mend(&["a"]);
    for way in ["well", "unknown", "unavailable"] {
        let count = if way == "unknown" { 3 } else { 2 };
        let told = site.wait_for_taken(&format!("/webhook/{way}"), count);
        assert_eq!(nodes(&told[count - 1], "resolved"), ["a"], "{way}");
    }
    daemon.stop();
    site.assert_correct();
}

/// What fires and ends while nobody can be told is told once the receivers are back: in one
/// message that says so, and to PagerDuty as the trigger and the resolve that it owes.
#[test]
fn an_incident_that_nobody_could_be_told_of_is_told_as_missed() {
    let Some(site) = Site::new("missed") else { return };
    let Some(mail) = MailServer::smtp(&site, "test-password") else { return };
    site.write_config(&format!(
        "- name: ops\n  webhook_configs: [{}]\n  email_configs: [{}]\n  \
         pagerduty_configs: [{}]\n  slack_configs: [{}]",
        site.webhook("ops"),
        mail.item(mail.peer.port(), "auth_password: test-password"),
        site.pagerduty("R0000000000000000000000000000002"),
        site.slack_app("xoxb-test-token"),
    ));
    site.receivers.fault(json!({"path": "*", "action": "status", "status": 503}));
    mail.peer.listen(false);
    let daemon = site.start();
    site.fail(&["a"]);
    daemon.wait_for_metric("watchbell_outbox_entries", &[], 4.0);
    site.mend(&["a"]);
    daemon.wait_for_alerts("firing", 0);
    daemon.wait_for_rounds(3);
    daemon.crash();
    let daemon = site.start();
    site.receivers.reset_faults();
    mail.peer.listen(true);
    let told = site.wait_for_taken("/webhook/ops", 1);
    assert_eq!(nodes(&told[0], "resolved"), ["a"]);
    daemon.wait_for_metric("watchbell_outbox_entries", &[], 0.0);
    daemon.stop();
    assert_eq!(site.taken("/webhook/ops").len(), 1, "one message says all of it");
    let events = site.taken("/v2/enqueue");
    let actions: Vec<&Value> = events.iter().map(|event| &event["event_action"]).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
    let posts = site.taken("/api/chat.postMessage");
    assert_eq!(posts.len(), 1);
    let mails = mail.mails();
    assert_eq!(mails.len(), 1);
    for text in [posts[0].to_string(), mails[0].body.clone()] {
        assert!(text.to_lowercase().contains("missed"), "{text}");
    }
    site.assert_correct();
}

/// A refusal for good is seen, and the next flush tries again.
#[test]
fn a_permanent_refusal_is_visible_and_tried_again_at_the_next_flush() {
    let Some(site) = Site::new("refused") else { return };
    site.write_config(&site.ops());
    site.receivers.fault(json!({"path": "*", "action": "status", "status": 400, "count": 1}));
    let mut daemon = site.start();
    site.fail(&["a"]);
    let line = daemon.wait_for_log("notification failed");
    assert!(line.contains("status=400") && line.contains("ops/webhook[0]"), "{line}");
    let labels = ["receiver=\"ops\"", "reason=\"refused\""];
    daemon.wait_for_metric("watchbell_notifications_failed_total", &labels, 1.0);
    let told = site.wait_for_taken("/webhook/ops", 1);
    assert_eq!(nodes(&told[0], "firing"), ["a"]);
    daemon.wait_for_rounds(2);
    let of_node = |request: &&Value| request["json"]["commonLabels"]["node"] == "a";
    let received = site.receivers.received("*");
    assert_eq!(received.iter().filter(of_node).count(), 2, "one refused, one taken");
    daemon.stop();
}

/// A mail server that is rude in every stage gets the mail in the end, and only one where it kept
/// it without an answer once.
#[test]
fn a_mail_server_that_fails_gets_the_mail_later() {
    let Some(site) = Site::new("rudemail") else { return };
    let Some(mail) = MailServer::smtp(&site, "test-password") else { return };
    let item = mail.item(mail.peer.port(), "auth_password: test-password");
    site.write_config(&format!("- {{name: ops, email_configs: [{item}]}}"));
    for fault in [
        json!({"action": "reply", "stage": "rcpt", "status": 451, "count": 1}),
        json!({"action": "drop", "stage": "data", "count": 1}),
        json!({"action": "process_drop", "count": 1}),
    ] {
        mail.peer.fault(fault);
    }
    let daemon = site.start();
    site.fail(&["a"]);
    let mails = mail.wait_for_mails(2);
    daemon.wait_for_metric("watchbell_outbox_entries", &[], 0.0);
    assert_eq!(mails.len(), 2, "the answer to the first was lost");
    let ids = [mails[0].header("Message-ID"), mails[1].header("Message-ID")];
    assert_eq!(ids[0], ids[1], "a mail program shows one of them");
    assert_eq!(daemon.metric("watchbell_notifications_failed_total", &[]), 3.0);
    daemon.stop();
}
