//! Rules without data, and rules that fail.

use super::*;
use crate::model::RuleKey;

/// Rules of one group, all of them watched.
fn watched(facts: &mut Facts, rules: &str) -> Vec<RuleKey> {
    let text = format!("groups: [{{name: g, rules: [{rules}]}}]");
    let (groups, findings) = crate::rule::check(&Arc::new(SourceFile::new("r.yaml", text)));
    assert!(findings.is_empty(), "{findings:?}");
    let rules: Vec<&AlertingRule> =
        groups[0].rules.iter().filter_map(|rule| rule.as_alerting()).collect();
    facts.watch_rules(rules.iter().copied());
    rules.iter().map(|rule| rule.key.clone()).collect()
}

const RULE: &str = "{alert: A, expr: up, labels: {team: ml, severity: page, job: '{{ $value }}'}}";

#[test]
fn a_rule_without_data_is_told_of_after_five_minutes_with_its_own_labels() {
    let mut bench = Bench::new(BuiltinAlert::RuleNoData);
    // Two rules of one name and one set of labels are one alert.
    let keys = watched(&mut bench.facts, &format!("{RULE}, {RULE}"));
    assert_eq!(bench.look(), NONE);
    bench.facts.rule_evaluated(&keys[0], Ok(2));
    bench.facts.rule_evaluated(&keys[1], Ok(1));
    assert_eq!(bench.looks(300), PENDING);
    assert_eq!(bench.look(), FIRING);
    let (_, alert) = bench.alerts.active().next().unwrap();
    let expected = LabelSet::from([
        ("alertname", "WatchbellRuleNoData"),
        ("rule", "A"),
        ("rule_group", "r.yaml;g"),
        ("service", "watchbell"),
        ("severity", "warning"),
        ("team", "ml"),
    ]);
    assert_eq!((&alert.labels, alert.value), (&expected, 3.0));
    // A failure says nothing of data.
    bench.facts.rule_evaluated(&keys[0], Err(("wrong", false)));
    assert_eq!(bench.look(), FIRING);
    bench.facts.rule_evaluated(&keys[0], Ok(0));
    bench.facts.rule_evaluated(&keys[1], Ok(0));
    assert_eq!(bench.look(), NONE);
}

#[test]
fn a_rule_that_fails_is_told_of_unless_the_datasource_is_away_from_all() {
    let mut bench = Bench::new(BuiltinAlert::RuleEvaluationFailed);
    let keys = watched(&mut bench.facts, "{alert: A, expr: up, labels: {service: mlflow}}");
    let key = &keys[0];
    bench.facts.datasource_failed("away", bench.mono());
    bench.facts.rule_evaluated(key, Err(("away", true)));
    assert_eq!(bench.looks(900), NONE, "that is told once for all rules");
    // The others are answered, this one is not.
    for _ in 0..21 {
        bench.facts.datasource_answered(bench.mono() + Duration::from_secs(1));
        bench.facts.rule_evaluated(key, Err(("too slow", true)));
        bench.look();
    }
    assert_eq!(bench.look(), FIRING);
    let (_, alert) = bench.alerts.active().next().unwrap();
    assert_eq!(alert.labels.value("service"), "mlflow");
    assert!(bench.annotation("description").ends_with("too slow"));
    // While nothing is known it stays; where the rule is gone, it does not.
    bench.facts.datasource_failed("away", bench.mono());
    assert_eq!(bench.looks(600), FIRING);
    bench.facts = Facts::default();
    let again = watched(&mut bench.facts, "{alert: A, expr: up, labels: {service: mlflow}}");
    assert_eq!(bench.looks(600), FIRING, "not evaluated since the start");
    bench.facts.rule_evaluated(&again[0], Ok(0));
    assert_eq!(bench.look(), NONE);
    bench.facts.rule_evaluated(&again[0], Err(("wrong", false)));
    assert_eq!(bench.look(), PENDING);
    watched(&mut bench.facts, RULE);
    assert_eq!(bench.look(), PENDING, "the same name");
    watched(&mut bench.facts, "{alert: B, expr: up}");
    assert_eq!(bench.look(), NONE);
}
