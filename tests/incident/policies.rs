//! Rule policies with a real Prometheus: series that vanish, and rules that cannot be evaluated.

use serde_json::Value;

use crate::daemon::Daemon;
use crate::site::{Site, group, nodes, rule};
use crate::support::wait_until;

fn names(daemon: &Daemon) -> Vec<String> {
    let firing = daemon.alerts("firing");
    let name = |alert: &Value| alert["labels"]["alertname"].as_str().unwrap().to_owned();
    let mut names: Vec<String> = firing.iter().map(name).collect();
    names.sort();
    names
}

#[test]
fn an_alert_whose_series_vanish_is_kept_and_told_of() {
    const NAME: &str = "WatchbellRuleNoData";
    let Some(site) = Site::new("vanished") else { return };
    site.write_config(&site.ops());
    site.append(&format!(
        "rule_policies: [{{matchers: [severity=critical], no_data: alert}}]\n\
         builtin_alerts: {{alerts: {{{NAME}: {{for: 2s}}}}}}"
    ));
    let daemon = site.start();
    site.fail(&["a", "b"]);
    let told = site.wait_for_taken("/webhook/ops", 1);
    assert_eq!(nodes(&told[0], "firing"), ["a", "b"]);
    // One is healthy, and the other is gone.
    site.mend(&["a"]);
    let told = site.wait_for_taken("/webhook/ops", 2);
    assert_eq!(nodes(&told[1], "resolved"), ["a"]);
    site.vanish();
    let told = site.wait_for_taken("/webhook/ops", 3);
    let alert = &told[2]["alerts"][0]["labels"];
    assert_eq!((&alert["alertname"], &alert["rule"]), (&NAME.into(), &"NodeDown".into()));
    assert_eq!(names(&daemon), ["NodeDown", NAME]);
    // What was learned of the delivery is stored by then.
    daemon.wait_for_rounds(4);
    daemon.crash();

    let daemon = site.start();
    daemon.wait_for_rounds(4);
    assert_eq!(names(&daemon), ["NodeDown", NAME], "after a crash too");
    site.mend(&["a", "b"]);
    wait_until("all is over", || names(&daemon).is_empty().then_some(()));
    let told = site.wait_for_taken("/webhook/ops", 5);
    let mut ends: Vec<&Value> = told[3..].iter().map(|body| &body["status"]).collect();
    ends.dedup();
    assert_eq!(ends, ["resolved"]);
    let log = daemon.stop();
    assert!(log.contains("reason=\"absent\""), "{log}");
    site.assert_correct();
}

#[test]
fn without_a_policy_vanished_series_resolve_as_in_prometheus() {
    let Some(site) = Site::new("resolved") else { return };
    site.write_config(&site.ops());
    let daemon = site.start();
    site.fail(&["a"]);
    site.wait_for_taken("/webhook/ops", 1);
    site.vanish();
    let told = site.wait_for_taken("/webhook/ops", 2);
    assert_eq!(nodes(&told[1], "resolved"), ["a"]);
    daemon.stop();
}

#[test]
fn a_rule_that_prometheus_refuses_is_told_of() {
    const NAME: &str = "WatchbellRuleEvaluationFailed";
    let Some(site) = Site::new("refusedrule") else { return };
    let broken =
        "vector(1) + on () group_left () (label_replace(vector(1), 'a', 'b', '', '') or vector(2))";
    let broken = rule("Broken", &format!("\"{broken}\""), "0s");
    let good = rule("NodeDown", &site.expression(), "0s");
    site.dir.write("rules/incident.yaml", &group("incident", "1s", &format!("{good}{broken}")));
    site.write_config(&site.ops());
    site.append(&format!(
        "rule_policies: [{{on_error: alert}}]\nbuiltin_alerts: {{alerts: {{{NAME}: {{for: 2s}}}}}}"
    ));
    let daemon = site.start();
    let told = site.wait_for_taken("/webhook/ops", 1);
    let alert = &told[0]["alerts"][0];
    assert_eq!(
        (&alert["labels"]["alertname"], &alert["labels"]["rule"]),
        (&NAME.into(), &"Broken".into())
    );
    let description = alert["annotations"]["description"].as_str().unwrap();
    assert!(description.contains("execution: "), "{description}");
    assert_eq!(names(&daemon), [NAME], "the other rule is well");
    site.write_rule("1s", "0s");
    assert_eq!(daemon.reload().status, 200);
    let told = site.wait_for_taken("/webhook/ops", 2);
    assert_eq!(told[1]["status"], "resolved");
    daemon.stop();
    site.assert_correct();
}
