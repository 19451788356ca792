use proptest::prelude::*;

use super::*;
use crate::model::{MatchOp, Matcher, Matchers};

fn inhibitor(text: &str) -> Inhibitor {
    Inhibitor::new(good(&format!("route: {{receiver: a}}\n{text}")).1)
}

fn firing<const N: usize>(labels: [(&str, &str); N]) -> Alert {
    alert(LabelSet::from(labels), 0, None)
}

const CRITICAL_BEFORE_WARNING: &str = "
inhibit_rules:
- name: severity
  source_matchers: [severity=critical]
  target_matchers: [severity=~\"warning|info\"]
  equal: [alertname, cluster]
";

#[test]
fn equal_labels_decide_and_a_missing_one_is_empty() {
    let mut inhibitor = inhibitor(CRITICAL_BEFORE_WARNING);
    let source = firing([("alertname", "X"), ("severity", "critical")]);
    inhibitor.set(&source);
    let by = |labels: &[(&str, &str)]| {
        inhibitor.inhibited_by(&labels.iter().copied().collect::<LabelSet>())
    };
    let found = by(&[("alertname", "X"), ("severity", "warning"), ("pod", "p")]).unwrap();
    let expected = Inhibition { rule: 0, name: "severity".into(), source: source.fingerprint() };
    assert_eq!(found, expected);
    assert!(by(&[("alertname", "X"), ("cluster", ""), ("severity", "info")]).is_some());
    assert_eq!(by(&[("alertname", "X"), ("cluster", "c"), ("severity", "info")]), None);
    assert_eq!(by(&[("alertname", "Y"), ("severity", "info")]), None);
    assert_eq!(by(&[("alertname", "X"), ("severity", "page")]), None);
}

#[test]
fn a_resolved_or_removed_source_holds_nothing_back() {
    let mut inhibitor = inhibitor(CRITICAL_BEFORE_WARNING);
    let source = firing([("alertname", "X"), ("severity", "critical"), ("pod", "1")]);
    let second = firing([("alertname", "X"), ("severity", "critical"), ("pod", "2")]);
    let target = LabelSet::from([("alertname", "X"), ("severity", "warning")]);
    inhibitor.set(&source);
    inhibitor.set(&second);
    inhibitor.set(&Alert { ends_at: Some(Timestamp::from_secs(9)), ..source.clone() });
    assert_eq!(inhibitor.inhibited_by(&target).unwrap().source, second.fingerprint());
    inhibitor.remove(second.fingerprint());
    inhibitor.remove(second.fingerprint());
    assert_eq!(inhibitor.inhibited_by(&target), None);
    inhibitor.set(&source);
    assert_eq!(inhibitor.inhibited_by(&target).unwrap().source, source.fingerprint());
}

#[test]
fn what_matches_both_sides_does_not_hold_back_its_like() {
    let mut inhibitor = inhibitor(
        "
inhibit_rules:
- source_match: {kind: node}
  target_match_re: {kind: node|pod}
  equal: [zone]
",
    );
    let one = firing([("kind", "node"), ("zone", "z"), ("n", "1")]);
    let two = firing([("kind", "node"), ("zone", "z"), ("n", "2")]);
    let pod = LabelSet::from([("kind", "pod"), ("zone", "z")]);
    inhibitor.set(&one);
    inhibitor.set(&two);
    assert_eq!(inhibitor.inhibited_by(&one.labels), None, "not itself");
    assert_eq!(inhibitor.inhibited_by(&two.labels), None, "nor another that matches both sides");
    assert!(inhibitor.inhibited_by(&pod).is_some(), "but one that only is a target");
}

/// The rule as Alertmanager states it, asked of every firing alert.
fn plainly(rules: &[InhibitRule], alerts: &[LabelSet], labels: &LabelSet) -> bool {
    rules.iter().any(|rule| {
        let two_sided = rule.source.matches(labels);
        rule.target.matches(labels)
            && alerts.iter().any(|source| {
                rule.source.matches(source)
                    && rule.equal.iter().all(|name| source.value(name) == labels.value(name))
                    && !(two_sided && rule.target.matches(source))
            })
    })
}

fn matchers() -> impl Strategy<Value = Matchers> {
    let one = ("[xyz]", prop::bool::ANY, "[01]?").prop_map(|(name, equal, value)| {
        Matcher::new(name, if equal { MatchOp::Equal } else { MatchOp::NotEqual }, value).unwrap()
    });
    prop::collection::vec(one, 0..3).prop_map(Matchers)
}

fn label_set() -> impl Strategy<Value = LabelSet> {
    prop::collection::vec(("[xyz]", "[01]"), 0..4).prop_map(LabelSet::from_iter)
}

proptest! {
    #[test]
    fn the_index_answers_as_the_rule_says(
        rules in prop::collection::vec((matchers(), matchers(), prop::collection::vec("[xyz]", 0..2)), 0..4),
        alerts in prop::collection::vec((label_set(), prop::bool::ANY), 0..12),
        asked in prop::collection::vec(label_set(), 1..6),
    ) {
        let rules: Vec<InhibitRule> = rules.into_iter()
            .map(|(source, target, equal)| InhibitRule { name: String::new(), source, target, equal })
            .collect();
        let mut inhibitor = Inhibitor::new(rules.clone());
        let mut state: std::collections::BTreeMap<LabelSet, bool> = std::collections::BTreeMap::new();
        for (labels, fires) in alerts {
            inhibitor.set(&alert(labels.clone(), 0, (!fires).then_some(1)));
            state.insert(labels, fires);
        }
        let firing: Vec<LabelSet> = state.into_iter().filter(|(_, f)| *f).map(|(l, _)| l).collect();
        for labels in &asked {
            prop_assert_eq!(inhibitor.inhibited_by(labels).is_some(), plainly(&rules, &firing, labels));
        }
    }
}
