use std::sync::Arc;

use super::*;
use crate::alerting::{ActiveSample, RuleTiming};
use crate::diag::SourceFile;
use crate::model::Sample;
use crate::rule::check;
use crate::yaml::load;

/// A section, with its findings as `line:column message`.
fn read(text: &str) -> (RulePolicies, Vec<String>) {
    let document = load(&Arc::new(SourceFile::new("w.yaml", text))).unwrap();
    let mut reader = Reader::new(&document);
    let policies = RulePolicies::read(&mut reader, &document.root);
    let show = |f: &Diagnostic| {
        let (line, column) = f.line_column();
        let help = f.help.as_ref().map_or(String::new(), |help| format!(" -> {help}"));
        format!("{line}:{column} {}{help}", f.message)
    };
    (policies, reader.into_diagnostics().iter().map(show).collect())
}

fn rule(name: &str, labels: &str) -> AlertingRule {
    let text = format!(
        "groups: [{{name: g, labels: {{team: ml}}, rules: [{{alert: {name}, expr: up == 0, labels: {labels}}}]}}]"
    );
    let (groups, findings) = check(&Arc::new(SourceFile::new("r.yaml", text)));
    assert!(findings.is_empty(), "{findings:?}");
    groups[0].rules[0].as_alerting().unwrap().clone()
}

#[test]
fn the_first_policy_that_matches_the_written_labels_holds() {
    let (policies, findings) = read(
        "\
- {matchers: ['severity = critical', 'team =~ \"ml|web\"'], no_data: keep, on_error: alert}
- {matchers: [alertname=B], no_data: alert}
- {matchers: ['job =~ \".*labels.*\"'], on_error: alert}
- {matchers: [severity!=''], no_data: resolve}
",
    );
    assert_eq!(findings, Vec::<String>::new());
    for (name, labels, index, no_data, on_error) in [
        ("A", "{severity: critical}", Some(0), NoData::Keep, OnError::Alert),
        ("B", "{severity: critical, team: x}", Some(1), NoData::Alert, OnError::Keep),
        ("A", "{job: '{{ $labels.job }}'}", Some(2), NoData::Resolve, OnError::Alert),
        ("A", "{severity: page}", Some(3), NoData::Resolve, OnError::Keep),
        ("A", "{}", None, NoData::Resolve, OnError::Keep),
    ] {
        let rule = rule(name, labels);
        assert_eq!(policies.index_of(&rule), index, "{name} {labels}");
        assert_eq!(policies.of(&rule), Policy { no_data, on_error }, "{name} {labels}");
    }
    let (all, _) = read("[{no_data: keep}]");
    assert_eq!(all.index_of(&rule("A", "{}")), Some(0), "without matchers: every rule");
}

#[test]
fn mistakes_have_their_place() {
    let (policies, findings) = read(
        "\
- matchers: [a=]
  no_data: kepe
  on_error: resolve
- matcher: [a=b]
- 7
",
    );
    assert_eq!(
        findings,
        [
            "2:12 `no_data`: \"kepe\" is none of resolve, keep, alert -> did you mean `keep`?",
            "3:13 `on_error`: \"resolve\" is none of keep, alert",
            "4:3 unknown key `matcher` in a rule policy -> did you mean `matchers`?",
            "5:3 a rule policy must be a mapping, found a number",
        ]
    );
    assert_eq!(policies.0.len(), 2);
    let (_, findings) = read("- {matchers: [a, '{b=~\"(\"}']}");
    assert_eq!(findings.len(), 2, "{findings:?}");
    assert_eq!(read("{}").1, ["1:1 `rule_policies` must be a list, found a mapping"]);
}

#[test]
fn data_is_found_whatever_a_rule_makes_of_the_value() {
    let rule = rule("A", "{severity: '{{ if gt $value 5.0 }}critical{{ end }}', pod: ''}");
    let alert = LabelSet::from([
        ("alertname", "A"),
        ("job", "x"),
        ("severity", "critical"),
        ("team", "ml"),
    ]);
    let sample = |labels: &[(&str, &str)]| Sample {
        labels: labels.iter().copied().collect(),
        timestamp: Timestamp::default(),
        value: 0.0,
    };
    for (labels, expected) in [
        (&[("__name__", "up"), ("job", "x"), ("pod", "p")][..], true),
        (&[("job", "x"), ("severity", "none")], true),
        (&[("job", "y")], false),
        (&[("job", "x"), ("instance", "i")], false),
        (&[], false),
    ] {
        assert_eq!(has_data(&rule, &alert, &vec![sample(labels)]), expected, "{labels:?}");
    }
}

#[test]
fn the_beginning_and_the_end_of_keeping_are_told_of_active_alerts() {
    let mut alerts = RuleAlerts::default();
    let sample = |pod: &str| ActiveSample {
        labels: LabelSet::from([("pod", pod)]),
        annotations: LabelSet::new(),
        value: 1.0,
    };
    let at = Timestamp::from_secs(5);
    let vector = vec![sample("a"), sample("b")];
    let _ = alerts.step(&RuleTiming::default(), vector, at);
    let fp = |pod: &str| LabelSet::from([("pod", pod)]).fingerprint();
    let reasons = |before: &[&str], kept: &[&str]| -> Vec<(Fingerprint, &'static str)> {
        let set = |pods: &[&str]| pods.iter().map(|pod| fp(pod)).collect();
        let transitions = kept_transitions(&alerts, &set(before), &set(kept), at);
        assert!(transitions.iter().all(|t| !t.fires() && !t.resolves() && t.from == t.to));
        transitions.iter().map(|t| (t.fingerprint, t.reason.as_str())).collect()
    };
    assert_eq!(reasons(&[], &["a"]), [(fp("a"), "kept_no_data")]);
    assert_eq!(reasons(&["a"], &["a"]), []);
    assert_eq!(reasons(&["a", "gone"], &[]), [(fp("a"), "data_returned")]);
}
