//! Who is told: times by route, groups, silences, inhibition, words.

use super::{Folder, failures};

const RULES: &str = "
groups:
  - name: g
    rules:
      - {alert: Down, expr: up == 0, labels: {severity: page}, annotations: {summary: '{{ $labels.job }} is down'}}
      - {alert: Slow, expr: slow > 0, labels: {severity: warn}}
";
const CONFIG: &str = "
global: {external_labels: {cluster: eu}}
route:
  receiver: team
  group_by: [alertname]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 1h
  routes:
    - {matchers: [severity=page], receiver: oncall, group_wait: 10s}
receivers:
  - {name: team, webhook_configs: [{url: 'http://127.0.0.1:9/team'}]}
  - name: oncall
    webhook_configs: [{url: 'http://127.0.0.1:9/oncall'}]
    slack_configs: [{api_url: 'http://127.0.0.1:9/slack', channel: '#c', send_resolved: true}]
inhibit_rules:
  - {source_matchers: [alertname=Down], target_matchers: [alertname=Slow], equal: [job]}
";

fn messages(case: &str) -> Vec<String> {
    let test = format!("rule_files: [r.yaml]\nconfig_file: c.yaml\ntests:\n- {case}");
    let folder = Folder::new(&[("r.yaml", RULES), ("c.yaml", CONFIG), ("a.yaml", &test)]);
    failures(&folder.run("a.yaml"))
}

const ONE_DOWN: &str = "input_series: [{series: 'up{job=\"a\"}', values: '1 0x9 1x80'}]\n  ";

#[test]
fn each_route_has_its_times() {
    // Fires at 1m; told after group_wait; repeated after an hour at a multiple of group_interval;
    // both integrations of the receiver are meant where none is named.
    let case = format!(
        "{ONE_DOWN}notification_test:
  - {{eval_time: 69s, exp_notifications: []}}
  - eval_time: 70s
    exp_notifications:
    - receiver: oncall
      status: firing
      group_labels: {{alertname: Down}}
      alerts: [{{labels: {{alertname: Down, job: a, severity: page, cluster: eu}}}}]
      contains: a is down
  # Up again at 11m.
  - {{eval_time: 11m9s, exp_notifications: []}}
  - eval_time: 11m10s
    exp_notifications:
    - {{receiver: oncall, integration: slack, status: resolved}}
    - {{receiver: oncall, integration: 'webhook[0]', status: resolved}}
  - {{eval_time: 80m, exp_notifications: []}}
"
    );
    assert_eq!(messages(&case), Vec::<String>::new());
}

#[test]
fn what_is_not_so_is_a_failure() {
    for wrong in [
        "eval_time: 69s, exp_notifications: [{receiver: oncall}]",
        "eval_time: 2m, exp_notifications: []",
        "eval_time: 2m, exp_notifications: [{receiver: team}]",
        "eval_time: 2m, exp_notifications: [{receiver: oncall, status: resolved}]",
        "eval_time: 2m, exp_notifications: [{receiver: oncall}, {receiver: oncall}]",
        "eval_time: 2m, exp_notifications: [{receiver: oncall, integration: slack}]",
        "eval_time: 2m, exp_notifications: [{receiver: oncall, integration: email}]",
        "eval_time: 2m, exp_notifications: [{receiver: oncall, group_labels: {}}]",
        "eval_time: 2m, exp_notifications: [{receiver: oncall, alerts: []}]",
        "eval_time: 2m, exp_notifications: [{receiver: oncall, contains: b is down}]",
        "eval_time: 2m, exp_notifications: [{receiver: oncall, subject: other}]",
        "eval_time: 2m, exp_held: [{labels: {alertname: Down}, receiver: oncall, reason: silenced}]",
    ] {
        let failures = messages(&format!("{ONE_DOWN}notification_test: [{{{wrong}}}]\n"));
        assert_eq!(failures.len(), 1, "{wrong}: {failures:?}");
    }
}

#[test]
fn what_is_held_back_is_named_with_its_reason() {
    let case = "input_series:
  - {series: 'up{job=\"a\"}', values: '0x30'}
  - {series: 'slow{job=\"a\"}', values: '1x30'}
  - {series: 'slow{job=\"b\"}', values: '1x30'}
  silences: [{matchers: ['job=b'], start: 0s, end: 10m}]
  notification_test:
  - eval_time: 5m
    exp_notifications: [{receiver: oncall, status: firing}]
    exp_held:
    - {labels: {alertname: Slow, job: a, severity: warn, cluster: eu}, receiver: team, reason: inhibited}
    - {labels: {alertname: Slow, job: b, severity: warn, cluster: eu}, receiver: team, reason: silenced}
  - eval_time: 15m
    exp_notifications:
    - {receiver: team, alerts: [{labels: {alertname: Slow, job: b, severity: warn, cluster: eu}}]}
    exp_held:
    - {labels: {alertname: Slow, job: a, severity: warn, cluster: eu}, receiver: team, reason: inhibited}
";
    assert_eq!(messages(case), Vec::<String>::new());
}

#[test]
fn a_silence_that_cannot_be_set_fails_the_test() {
    let case = "silences: [{matchers: ['job=~\".*\"'], end: 1h}]
  notification_test: [{exp_notifications: []}]
";
    let failures = messages(case);
    assert_eq!(failures.len(), 1, "{failures:?}");
}
