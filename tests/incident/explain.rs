//! An incident explained: by the daemon, from the store beside it, and after it was killed.

use std::process::Command;

use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::site::{Site, nodes};
use crate::support::wait_until;

/// While a node is down its slowness is held back; what is muted is never told. The slowness is
/// evaluated first: otherwise it would be told when the node is back, before it is found over.
const RULES: &str = "groups:
- name: incident
  interval: 1s
  rules:
  - {alert: NodeSlow, expr: EXPR, for: 2s, labels: {severity: warning}}
  - {alert: NodeDown, expr: EXPR, for: 1s, labels: {severity: critical}}
  - {alert: NodeQuiet, expr: EXPR, labels: {severity: none}}
";

const SECTIONS: &str = "
inhibit_rules: [{source_matchers: [severity = critical], target_matchers: [severity = warning], \
                equal: [node]}]
time_intervals: [{name: always, time_intervals: [{times: [{start_time: '00:00', end_time: \
                '24:00'}]}]}]
";

/// What the command says: its table, and its answer for programs.
fn command(site: &Site, arguments: &[&str]) -> (String, Value) {
    let run = |format: &str| {
        let done = Command::new(env!("CARGO_BIN_EXE_watchbell"))
            .args(arguments)
            .args(["--config", &site.dir.join("watchbell.yaml"), "--format", format])
            .output()
            .unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
        said
    };
    (run("table"), serde_json::from_str(&run("json")).unwrap())
}

fn explained(site: &Site, name: &str) -> (String, Value) {
    let (table, answer) = command(site, &["explain", name, "node=a"]);
    assert_eq!(answer["alerts"].as_array().unwrap().len(), 1, "{answer:#}");
    (table, answer["alerts"][0].clone())
}

fn by_api(daemon: &Daemon, name: &str) -> Value {
    let path = format!("/api/watchbell/explain?filter=alertname%3D{name}&filter=node%3Da");
    let answer = daemon.get(&path);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["data"]["alerts"][0].clone()
}

fn reasons(alert: &Value) -> Vec<&str> {
    let events = alert["events"].as_array().expect("events").iter();
    events.map(|event| event["reason"].as_str().unwrap()).collect()
}

/// The events but for the starts of the daemon.
fn story(alert: &Value) -> Vec<Value> {
    let events = alert["events"].as_array().expect("events").iter();
    events.filter(|event| event["kind"] != "start").cloned().collect()
}

#[test]
fn an_incident_is_explained_alike_by_daemon_store_and_after_a_kill() {
    let Some(site) = Site::new("explain") else { return };
    site.dir.write("rules/incident.yaml", &RULES.replace("EXPR", &site.expression()));
    let route = "{receiver: ops, group_by: [alertname], routes: [{matchers: [severity = none], \
                 mute_time_intervals: [always]}]}";
    site.write_routes(route, "{}", &format!("{}{SECTIONS}", site.ops()));
    site.receivers.fault(json!({"path": "/webhook/ops", "action": "status", "status": 503}));
    let daemon = site.start();
    site.fail(&["a"]);
    wait_until("an attempt has failed", || {
        (!site.receivers.received("/webhook/ops").is_empty()).then_some(())
    });
    let waiting = command(&site, &["notifications", "--pending"]);
    println!("{}", waiting.0);
    assert_eq!(waiting.1["pending"][0]["integration"], "webhook[0]");
    site.fail(&["b"]);
    wait_until("newer words are tried", || {
        let tried = site.receivers.received("/webhook/ops");
        tried.iter().any(|request| nodes(&request["json"], "firing") == ["a", "b"]).then_some(())
    });
    site.receivers.reset_faults();
    site.wait_for_taken("/webhook/ops", 1);
    daemon.wait_for_metric("watchbell_outbox_entries", &[], 0.0);
    let held = |name: &str, reason: &str| {
        wait_until("it is held back", || {
            reasons(&by_api(&daemon, name)).contains(&reason).then_some(())
        });
    };
    held("NodeSlow", "inhibited");
    held("NodeQuiet", "in_mute_interval");

    let mut before = Vec::new();
    for (name, told, words) in [
        ("NodeDown", "yes", "ops/webhook[0] was told at"),
        ("NodeSlow", "no", "it has been inhibited since"),
        ("NodeQuiet", "no", "it has been in a mute time interval since"),
    ] {
        let (table, alert) = explained(&site, name);
        println!("{table}");
        assert_eq!(alert["verdict"]["told"], told, "{table}");
        assert!(alert["verdict"]["sentence"].as_str().unwrap().contains(words), "{table}");
        assert!(table.contains("Was someone told?"), "{table}");
        assert_eq!(story(&by_api(&daemon, name)), story(&alert), "{name}: API and store");
        before.push((name, alert));
    }
    let url = daemon.url();
    let asked = command(&site, &["explain", "NodeDown", "node=a", "--url", url]).1;
    assert_eq!(story(&asked["alerts"][0]), story(&before[0].1));
    let told = reasons(&before[0].1);
    let ways = ["became_active", "held_for", "grouped", "first_notification", "retry"];
    assert_eq!(told[..5], ways, "{told:?}");
    for reason in ["new_alerts_in_group", "superseded", "delivered"] {
        assert_eq!(told.iter().filter(|r| **r == reason).count(), 1, "{reason}: {told:?}");
    }
    let nothing = daemon.get("/api/watchbell/explain?filter=alertname%3DNodeDwon").json();
    let hint = nothing["data"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("did you mean \"NodeDown\"?"), "{nothing}");
    assert_eq!(daemon.get("/api/watchbell/explain").status, 400, "everything is too much");
    let delivered = command(&site, &["notifications", "--outcome", "delivered"]).1;
    let path = "/api/watchbell/notifications?outcome=delivered&receiver=ops";
    assert_eq!(daemon.get(path).json()["data"]["attempts"], delivered["attempts"]);
    daemon.crash();

    for (name, alert) in &before {
        assert_eq!(story(&explained(&site, name).1), story(alert), "{name}: killed");
    }
    let daemon = site.start();
    daemon.wait_for_rounds(2);
    for (name, alert) in &before {
        let again = by_api(&daemon, name);
        assert_eq!(story(&again), story(alert), "{name}: started again");
        assert_eq!(reasons(&again).iter().filter(|r| **r == "restarted").count(), 1, "{again:#}");
    }
    site.mend(&["a", "b"]);
    site.wait_for_taken("/webhook/ops", 2);
    daemon.wait_for_metric("watchbell_outbox_entries", &[], 0.0);
    daemon.stop();
    let (table, alert) = explained(&site, "NodeDown");
    println!("{table}");
    assert_eq!(reasons(&alert).last(), Some(&"delivered"), "{table}");
    let sentence = alert["verdict"]["sentence"].as_str().unwrap();
    assert!(sentence.contains("that it fired and at") && sentence.ends_with("that it is over."));
    assert_eq!(explained(&site, "NodeSlow").1["verdict"]["told"], "no");
    site.assert_correct();
}
