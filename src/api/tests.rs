//! What a query picks of the rules, and in which shape.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::alerting::{ActiveSample, RuleAlerts, RuleTiming};
use crate::api::answer::ApiError;
use crate::api::rules::select;
use crate::daemon::{GroupView, Health, RuleView};
use crate::diag::SourceFile;
use crate::model::{LabelSet, Timestamp};

const RULES: &str = r#"
groups:
- name: one
  interval: 1500ms
  limit: 7
  labels: {team: ml}
  rules:
  - alert: Down
    expr: up==0
    for: 1m
    keep_firing_for: 90s
    labels: {severity: critical, job: '{{ $labels.job }}'}
    annotations: {summary: '{{ $value }}'}
  - alert: Slow
    expr: up > 1
    labels: {severity: warning}
  - record: job:up
    expr: sum by (job) (up)
    labels: {severity: none}
- name: two
  rules:
  - record: other
    expr: up
- name: three
  rules:
  - alert: Down
    expr: up == 0
"#;

/// The groups of [`RULES`]; the first rule has a pending alert.
fn views() -> Vec<GroupView> {
    let source = Arc::new(SourceFile::new("rules/a.yaml", RULES));
    let (groups, findings) = crate::rule::check(&source);
    assert!(findings.is_empty(), "{findings:?}");
    let mut views: Vec<GroupView> = groups
        .into_iter()
        .map(|group| GroupView {
            interval: group.interval.unwrap_or(Duration::from_secs(60)),
            rules: group.rules.iter().map(|_| RuleView::default()).collect(),
            last_evaluation: None,
            evaluation_time: Duration::ZERO,
            group: Arc::new(group),
        })
        .collect();
    let mut alerts = RuleAlerts::default();
    let sample = ActiveSample {
        labels: LabelSet::from([("alertname", "Down"), ("job", "x")]),
        annotations: LabelSet::from([("summary", "0")]),
        value: 0.0,
    };
    let timing = RuleTiming { for_duration: Duration::from_secs(60), ..RuleTiming::default() };
    let _ = alerts.step(&timing, vec![sample], Timestamp::from_secs(1000));
    views[0].last_evaluation = Some(Timestamp::from_secs(1000));
    views[0].rules[0] = RuleView {
        alerts,
        health: Health::Err,
        last_error: "no answer".to_string(),
        last_evaluation: Some(Timestamp::from_secs(1000)),
        evaluation_time: Duration::from_millis(1500),
        warnings: Vec::new(),
        ..RuleView::default()
    };
    views.sort_by(|a, b| a.group.name.cmp(&b.group.name));
    views
}

fn answer(query: &str) -> Value {
    serde_json::to_value(select(&views(), Some(query)).unwrap()).unwrap()
}

/// The picked rules as `group/rule`.
fn picked(query: &str) -> Vec<String> {
    let answer = answer(query);
    let groups = answer["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|group| {
        let rules = group["rules"].as_array().unwrap().iter();
        let name = group["name"].as_str().unwrap();
        rules.map(move |rule| format!("{name}/{}", rule["name"].as_str().unwrap()))
    });
    rules.collect()
}

#[test]
fn a_group_has_prometheus_shape() {
    let group = &answer("rule_group[]=one")["groups"][0];
    assert_eq!(
        group["rules"][0],
        json!({
            "state": "pending", "name": "Down", "query": "up == 0", "duration": 60,
            "keepFiringFor": 90, "health": "err", "lastError": "no answer", "type": "alerting",
            "labels": {"team": "ml", "severity": "critical", "job": "{{ $labels.job }}"},
            "annotations": {"summary": "{{ $value }}"},
            "alerts": [{
                "labels": {"alertname": "Down", "job": "x"}, "annotations": {"summary": "0"},
                "state": "pending", "activeAt": "1970-01-01T00:16:40.000Z", "value": "0e+00",
            }],
            "evaluationTime": 1.5, "lastEvaluation": "1970-01-01T00:16:40.000Z",
        })
    );
    let never = "0001-01-01T00:00:00Z";
    assert_eq!(group["rules"][1]["state"], "unknown", "it has not been evaluated");
    assert_eq!(group["rules"][1]["lastEvaluation"], never);
    assert_eq!(
        group["rules"][2],
        json!({
            "name": "job:up", "query": "sum by (job) (up)", "health": "unknown",
            "labels": {"team": "ml", "severity": "none"}, "evaluationTime": 0,
            "lastEvaluation": never, "type": "recording",
        })
    );
    let of_group = |key: &str| group[key].clone();
    assert_eq!(of_group("interval"), json!(1.5));
    assert_eq!((of_group("limit"), of_group("file")), (json!(7), json!("rules/a.yaml")));
}

#[test]
fn parameters_pick_rules() {
    for (query, expected) in [
        ("", &["one/Down", "one/Slow", "one/job:up", "three/Down", "two/other"][..]),
        ("type=alert", &["one/Down", "one/Slow", "three/Down"]),
        ("type=record", &["one/job:up", "two/other"]),
        ("rule_name[]=Down&rule_name[]=other", &["one/Down", "three/Down", "two/other"]),
        ("rule_name%5B%5D=Down&rule_group%5B%5D=three", &["three/Down"]),
        ("file[]=rules/a.yaml&type=record", &["one/job:up", "two/other"]),
        ("file[]=rules/b.yaml", &[]),
        ("match[]={severity=\"critical\"}", &["one/Down"]),
        ("match[]={severity=\"critical\",team=\"x\"}", &[]),
        (
            "match[]={severity=\"critical\"}&match[]={severity=\"none\"}",
            &["one/Down", "one/job:up"],
        ),
        ("match[]={job=~\".*labels.*\"}", &["one/Down"]),
    ] {
        assert_eq!(picked(query), expected, "{query}");
    }
}

#[test]
fn alerts_can_be_left_out() {
    for (value, alerts) in [("true", 0), ("1", 0), ("false", 1), ("", 1)] {
        let answer = answer(&format!("rule_group[]=one&exclude_alerts={value}"));
        let rule = &answer["groups"][0]["rules"][0];
        assert_eq!(rule["alerts"].as_array().unwrap().len(), alerts, "{value}");
        assert_eq!(rule["state"], "pending");
    }
}

#[test]
fn pages_follow_one_another() {
    let mut seen = Vec::new();
    let mut query = "group_limit=1&type=alert".to_string();
    loop {
        let page = answer(&query);
        seen.extend(page["groups"].as_array().unwrap().iter().map(|g| g["name"].clone()));
        let Some(token) = page["groupNextToken"].as_str() else { break };
        query = format!("group_limit=1&type=alert&group_next_token={token}");
    }
    assert_eq!(seen, ["one", "three"]);
    assert!(answer("").get("groupNextToken").is_none());
    assert!(answer("group_limit=3").get("groupNextToken").is_none());
}

#[test]
fn what_cannot_be_understood_is_refused_by_name() {
    for (query, name) in [
        ("type=alerts", "type"),
        ("exclude_alerts=maybe", "exclude_alerts"),
        ("match[]=sum(up)", "match[]"),
        ("match[]={", "match[]"),
        ("group_limit=0", "group_limit"),
        ("group_limit=-1", "group_limit"),
        ("group_next_token=x", "group_next_token"),
        ("group_limit=1&group_next_token=x", "group_next_token"),
    ] {
        let Err(ApiError::BadData(message)) = select(&views(), Some(query)) else {
            panic!("{query} is taken")
        };
        assert!(message.starts_with(&format!("invalid parameter \"{name}\": ")), "{message}");
    }
    let many = "file[]=x&".repeat(2000);
    assert!(select(&views(), Some(&many)).is_err());
}
