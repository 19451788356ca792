//! What is known of the labels of alerts, and where they may go.

use std::sync::Arc;

use super::{Answer, Routes, Value};
use crate::config::Config;
use crate::diag::SourceFile;
use crate::lint::testing::file;
use crate::lint::{Project, Settings};
use crate::model::{MatchOp, Matcher};

const CONFIG: &str = "\
global: {external_labels: {cluster: prod}}
route:
  receiver: team
  routes:
  - matchers: [severity=critical]
    receiver: oncall
    continue: true
  - matchers: [team=ml]
    receiver: ml
    routes:
    - matchers: [alertname=A]
      receiver: a
  - matchers: ['severity=~\".+\"']
    receiver: rest
receivers: [{name: team}, {name: oncall}, {name: ml}, {name: a}, {name: rest}]
";

fn with<T>(rule: &str, ask: impl FnOnce(&super::Routed<'_>, &Routes) -> T) -> T {
    let config = Config::parse(&Arc::new(SourceFile::new("w.yaml", CONFIG))).unwrap();
    let routes = Routes::new(config);
    let project = Project::new(vec![file(&[rule])], Settings::default());
    let all = routes.routed(&project);
    ask(&all[0], &routes)
}

#[test]
fn labels_of_alerts_are_known_as_far_as_they_can_be() {
    let value = |rule: &str, label: &str| with(rule, |alert, _| alert.labels.value(label));
    let exactly = |text: &str| Value::Exactly(text.to_string());
    let any = |may_lack| Value::Any { may_lack };
    for (rule, label, expected) in [
        ("expr: up == 0\nlabels: {severity: x}", "severity", exactly("x")),
        ("expr: up == 0\nlabels: {severity: '{{ $value }}'}", "severity", any(true)),
        ("expr: up == 0", "severity", any(true)),
        ("expr: up{job=\"a\"} == 0", "job", exactly("a")),
        ("expr: up{job=\"a\"} == 0 or up{job=\"b\"} == 0", "job", any(false)),
        ("expr: up{job=~\"a|b\"} == 0", "job", any(false)),
        ("expr: sum(up) == 0", "job", exactly("")),
        ("expr: sum(up) == 0", "cluster", exactly("prod")),
        ("expr: up == 0", "cluster", any(false)),
        ("expr: up == 0", "alertname", exactly("A")),
        (
            "expr: label_replace(up{job=\"a\"}, \"job\", \"b\", \"x\", \"y\") == 0",
            "job",
            any(false),
        ),
    ] {
        assert_eq!(value(rule, label), expected, "{label} of {rule}");
    }
}

#[test]
fn matchers_are_answered_with_what_is_known() {
    let ask = |rule: &str, name: &str, op, value: &str| {
        let matcher = Matcher::new(name, op, value).unwrap();
        with(rule, |alert, _| alert.labels.matches(&matcher))
    };
    use MatchOp::{Equal, NotEqual, Regex};
    let (open, critical) = ("expr: up == 0", "expr: up == 0\nlabels: {severity: critical}");
    assert_eq!(ask(critical, "severity", Equal, "critical"), Answer::Yes);
    assert_eq!(ask(critical, "severity", Regex, "warn.*"), Answer::No);
    assert_eq!(ask(open, "severity", Equal, "critical"), Answer::Maybe);
    assert_eq!(ask(open, "team", Regex, ".*"), Answer::Yes);
    assert_eq!(ask("expr: up{job=~\"a|b\"} == 0", "job", NotEqual, ""), Answer::Yes);
    assert_eq!(ask("expr: up{job=~\"a|b\"} == 0", "job", Equal, ""), Answer::No);
    assert_eq!(ask("expr: sum(up) == 0", "job", NotEqual, ""), Answer::No);
}

#[test]
fn alerts_end_where_they_may_end() {
    let ends = |rule: &str| {
        with(rule, |alert, routes| {
            let tree = &routes.config.tree;
            let names = alert.ends.iter().filter_map(|id| tree.get(*id));
            names.map(|route| route.receiver.clone()).collect::<Vec<_>>()
        })
    };
    let labels = |severity: &str, team: &str| {
        format!("expr: sum(up) == 0\nlabels: {{severity: '{severity}', team: '{team}'}}")
    };
    assert_eq!(ends(&labels("critical", "x")), ["oncall", "rest"]);
    assert_eq!(ends(&labels("critical", "ml")), ["oncall", "a"]);
    assert_eq!(ends(&labels("", "")), ["team"]);
    assert_eq!(
        ends("expr: sum(up) == 0\nlabels: {severity: '{{ $value }}', team: ''}"),
        ["oncall", "rest", "team"]
    );
    let other = labels("warning", "ml").replace("expr", "alert: B\nexpr");
    assert_eq!(ends(&other), ["ml"]);
}
