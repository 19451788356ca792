//! The alerts about the program itself: each real trouble reaches a person, and so does its end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::site::{Site, group, nodes, rule};
use crate::slow::SlowWay;
use crate::support::{free_port, wait_until};

/// The names and the states of the alerts in a webhook's body.
fn alerts(body: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let alerts = body["alerts"].as_array().expect("alerts").iter();
    alerts.map(|alert| (text(&alert["labels"]["alertname"]), text(&alert["status"]))).collect()
}

fn one(name: &str, status: &str) -> Vec<(String, String)> {
    vec![(name.to_owned(), status.to_owned())]
}

/// Routes one alert to a receiver of its own, all others to `ops`.
fn tell_admin_of(site: &Site, name: &str) {
    let receivers =
        format!("{}\n- {{name: admin, webhook_configs: [{}]}}", site.ops(), site.webhook("admin"));
    let route = format!(
        "{{receiver: ops, group_by: [alertname], routes: \
         [{{matchers: ['alertname={name}'], receiver: admin}}]}}"
    );
    site.write_routes(&route, "{}", &receivers);
}

#[test]
fn an_unreachable_datasource_is_told_once_and_so_is_its_return() {
    const NAME: &str = "WatchbellDatasourceUnreachable";
    let Some(site) = Site::new("unreachable") else { return };
    let port = free_port();
    let prometheus = site.own_prometheus(port);
    let route = "{receiver: ops, group_by: [alertname]}";
    site.write_all(&prometheus.url(""), route, "{}", &site.ops());
    site.append(&format!("builtin_alerts: {{alerts: {{{NAME}: {{for: 2s}}}}}}"));
    for n in 0..5 {
        let rules = rule("Never", "vector(0) > 1", "0s");
        site.dir.write(&format!("rules/other{n}.yaml"), &group("other", "1s", &rules));
    }
    let daemon = site.start();
    daemon.wait_for_rounds(6);
    drop(prometheus);
    let told = site.wait_for_taken("/webhook/ops", 1);
    assert_eq!(alerts(&told[0]), one(NAME, "firing"), "one for all rules");
    let alert = &told[0]["alerts"][0];
    assert_eq!(alert["labels"]["severity"], "critical");
    let description = alert["annotations"]["description"].as_str().unwrap();
    assert!(description.contains("cannot connect to http://127.0.0.1"), "{description}");
    assert_eq!(daemon.alerts("firing").len(), 1);
    // What was learned of the delivery is stored by then.
    daemon.wait_for_rounds(12);
    daemon.crash();

    let daemon = site.start();
    daemon.wait_for_rounds(12);
    assert_eq!(site.taken("*").len(), 1, "not told again after a crash");
    assert_eq!(daemon.alerts("firing").len(), 1);
    let prometheus = site.own_prometheus(port);
    let told = site.wait_for_taken("/webhook/ops", 2);
    assert_eq!(alerts(&told[1]), one(NAME, "resolved"));
    daemon.stop();
    assert_eq!(site.taken("*").len(), 2);
    site.assert_correct();
    drop(prometheus);
}

#[test]
fn a_refusal_for_good_is_told_to_another_receiver() {
    const NAME: &str = "WatchbellNotificationFailed";
    let Some(site) = Site::new("notold") else { return };
    tell_admin_of(&site, NAME);
    let refuse = |path: &str| {
        site.receivers.fault(json!({"path": path, "action": "status", "status": 400}));
    };
    refuse("/webhook/ops");
    let daemon = site.start();
    site.fail(&["a"]);
    let told = site.wait_for_taken("/webhook/admin", 1);
    assert_eq!(alerts(&told[0]), one(NAME, "firing"));
    let labels = &told[0]["alerts"][0]["labels"];
    assert_eq!(
        (&labels["receiver"], &labels["integration"]),
        (&json!("ops"), &json!("webhook[0]"))
    );
    let description = told[0]["alerts"][0]["annotations"]["description"].as_str().unwrap();
    assert!(description.contains("400"), "{description}");

    // Where that receiver refuses too there is one more alert, and then no more.
    refuse("/webhook/admin");
    site.fail(&["a", "b"]);
    site.receivers.fault(json!({"path": "/webhook/admin", "action": "status", "status": 400}));
    let refused = |receiver: &str| {
        let receiver = format!("receiver=\"{receiver}\"");
        daemon.metric("watchbell_notifications_failed_total", &[&receiver, "reason=\"refused\""])
    };
    let before = refused("ops");
    wait_until("more refusals", || (refused("ops") >= before + 3.0).then_some(()));
    let failed = |daemon: &crate::daemon::Daemon| {
        let firing = daemon.alerts("firing");
        firing.iter().filter(|alert| alert["labels"]["alertname"] == NAME).count()
    };
    assert!(failed(&daemon) <= 2, "at most one for each integration");

    site.receivers.reset_faults();
    wait_until("all is well", || (failed(&daemon) == 0).then_some(()));
    let told = wait_until("admin hears of the end", || {
        let told = site.taken("/webhook/admin");
        let last = alerts(told.last()?);
        (!last.is_empty() && last.iter().all(|(_, status)| status == "resolved")).then_some(told)
    });
    assert!(told.len() <= 5, "{} messages", told.len());
    let told = site.taken("/webhook/ops");
    assert_eq!(nodes(&told[0], "firing"), ["a", "b"]);
    daemon.stop();
    site.assert_correct();
}

#[test]
fn a_refused_reload_is_told_and_resolved_by_the_next_good_one() {
    const NAME: &str = "WatchbellReloadFailed";
    let Some(site) = Site::new("refusedreload") else { return };
    site.write_config(&site.ops());
    site.append(&format!("builtin_alerts: {{alerts: {{{NAME}: {{for: 1s}}}}}}"));
    let right = site.config();
    let daemon = site.start();
    site.dir.write("watchbell.yaml", &right.replace("receiver: ops", "receiver: nobody"));
    assert_eq!(daemon.reload().status, 500);
    let told = site.wait_for_taken("/webhook/ops", 1);
    assert_eq!(alerts(&told[0]), one(NAME, "firing"));
    let description = told[0]["alerts"][0]["annotations"]["description"].as_str().unwrap();
    assert!(description.contains("\"nobody\" is not defined"), "{description}");
    site.dir.write("watchbell.yaml", &right);
    assert_eq!(daemon.reload().status, 200);
    let told = site.wait_for_taken("/webhook/ops", 2);
    assert_eq!(alerts(&told[1]), one(NAME, "resolved"));
    daemon.stop();
    site.assert_correct();
}

#[test]
fn the_heartbeat_is_told_at_every_repeat_interval_of_its_route() {
    let Some(site) = Site::new("heartbeat") else { return };
    let receivers = format!(
        "{}\n- {{name: deadman, webhook_configs: [{}]}}",
        site.ops(),
        site.webhook("deadman")
    );
    let route = "{receiver: ops, group_by: [alertname], routes: [{matchers: [alertname=Watchdog], \
                 receiver: deadman, group_wait: 0s, group_interval: 1s, repeat_interval: 1s}]}";
    site.write_routes(route, "{}", &receivers);
    let off = site.config();
    site.append("builtin_alerts: {heartbeat: true}");
    let daemon = site.start();
    site.wait_for_taken("/webhook/deadman", 3);
    daemon.crash();
    let before = site.taken("/webhook/deadman").len();
    let daemon = site.start();
    let told = site.wait_for_taken("/webhook/deadman", before + 3);
    assert!(told.iter().all(|body| alerts(body) == one("Watchdog", "firing")));
    assert_eq!(told[0]["alerts"][0]["startsAt"], told[before + 2]["alerts"][0]["startsAt"]);
    site.dir.write("watchbell.yaml", &off);
    assert_eq!(daemon.reload().status, 200);
    wait_until("it is over", || {
        let last = alerts(site.taken("/webhook/deadman").last()?);
        (last == one("Watchdog", "resolved")).then_some(())
    });
    daemon.stop();
    assert_eq!(site.taken("/webhook/ops").len(), 0);
    site.assert_correct();
}

#[test]
fn a_receiver_that_takes_nothing_is_told_to_another_until_it_does() {
    const NAME: &str = "WatchbellNotificationDelayed";
    let Some(site) = Site::new("delayed") else { return };
    tell_admin_of(&site, NAME);
    site.append(&format!("builtin_alerts: {{alerts: {{{NAME}: {{for: 2s}}}}}}"));
    site.receivers.fault(json!({"path": "/webhook/ops", "action": "status", "status": 503}));
    let daemon = site.start();
    site.fail(&["a"]);
    let told = site.wait_for_taken("/webhook/admin", 1);
    assert_eq!(alerts(&told[0]), one(NAME, "firing"));
    let alert = &told[0]["alerts"][0];
    assert_eq!(alert["labels"]["receiver"], "ops");
    assert_eq!(alert["labels"]["integration"], "webhook[0]");
    let description = alert["annotations"]["description"].as_str().unwrap();
    assert!(description.contains("503") && description.contains("wait: 1"), "{description}");
    assert!(site.taken("/webhook/ops").is_empty());

    site.receivers.reset_faults();
    let told = site.wait_for_taken("/webhook/admin", 2);
    assert_eq!(alerts(&told[1]), one(NAME, "resolved"));
    assert_eq!(nodes(&site.wait_for_taken("/webhook/ops", 1)[0], "firing"), ["a"]);
    daemon.stop();
    site.assert_correct();
}

#[test]
fn rounds_that_a_slow_datasource_makes_late_are_told() {
    const NAME: &str = "WatchbellEvaluationsMissed";
    let Some(site) = Site::new("missed") else { return };
    let slow = SlowWay::to(&site.prometheus(), Duration::from_millis(2_500));
    site.write_all(&slow.url, "{receiver: ops, group_by: [alertname]}", "{}", &site.ops());
    let daemon = site.start();
    let told = site.wait_for_taken("/webhook/ops", 1);
    assert_eq!(alerts(&told[0]), one(NAME, "firing"), "one for the group that is late");
    let alert = &told[0]["alerts"][0];
    assert_eq!(alert["labels"]["severity"], "warning");
    let group = alert["labels"]["rule_group"].as_str().unwrap();
    assert!(group.contains("rules/"), "{group}");
    let missed = daemon.metric("watchbell_rule_group_iterations_missed_total", &[]);
    assert!(missed >= 2.0, "{missed}");
    daemon.stop();
    site.assert_correct();
}
