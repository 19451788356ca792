//! What a reload does to the alerts of the rules.

use std::collections::{BTreeMap, VecDeque};

use crate::alerting::{RuleAlerts, Step, TransitionReason};
use crate::model::{LabelSet, RuleKey, Timestamp};

/// What a rule is recognised by over a reload: file, group and name of its key, and its labels.
/// A changed expression or `for` keeps the state; a changed label makes other alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleIdentity {
    /// The rule's place.
    pub key: RuleKey,
    /// The labels of group and rule as written, templates unexpanded.
    pub labels: LabelSet,
}

/// A rule that is no longer there.
#[derive(Clone, Debug, PartialEq)]
pub struct RemovedRule {
    /// The rule's former place.
    pub key: RuleKey,
    /// The end of its alerts.
    pub step: Step,
}

/// The alerts after a reload.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct CarriedOver {
    /// The alerts of each new rule, in the order in which the rules were given.
    pub alerts: Vec<RuleAlerts>,
    /// The rules that kept their state under another key, from old to new: what is stored under
    /// the old key moves along. All of them move at once, since two rules may swap keys.
    pub moved: Vec<(RuleKey, RuleKey)>,
    /// The rules that are gone, with the end of their alerts (reason `rule_removed`).
    pub removed: Vec<RemovedRule>,
}

type Identity<'a> = (&'a str, &'a str, &'a str, &'a LabelSet);

fn identity(rule: &RuleIdentity) -> Identity<'_> {
    (&rule.key.file, &rule.key.group, &rule.key.rule, &rule.labels)
}

/// Hands the alerts of the old rules to the new ones, as Prometheus does (`Group.CopyState`):
/// within a group of one file and name, by the rule's name and labels, the n-th such rule to the
/// n-th. Both lists hold the rules of all groups in order.
pub fn carry_over(
    old: Vec<(RuleIdentity, RuleAlerts)>,
    new: &[RuleIdentity],
    ts: Timestamp,
) -> CarriedOver {
    let (identities, states): (Vec<_>, Vec<_>) = old.into_iter().unzip();
    let mut waiting: BTreeMap<Identity, VecDeque<(&RuleKey, RuleAlerts)>> = BTreeMap::new();
    for (rule, alerts) in identities.iter().zip(states) {
        waiting.entry(identity(rule)).or_default().push_back((&rule.key, alerts));
    }
    let mut carried = CarriedOver::default();
    for rule in new {
        let former = waiting.get_mut(&identity(rule)).and_then(VecDeque::pop_front);
        carried.alerts.push(match former {
            Some((key, alerts)) => {
                if *key != rule.key {
                    carried.moved.push((key.clone(), rule.key.clone()));
                }
                alerts
            }
            None => RuleAlerts::default(),
        });
    }
    for (key, mut alerts) in waiting.into_values().flatten() {
        let step = alerts.remove_all(ts, TransitionReason::RuleRemoved);
        carried.removed.push(RemovedRule { key: key.clone(), step });
    }
    carried
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerting::{ActiveSample, AlertState, RuleTiming};

    fn rule(group: &str, name: &str, nth: u32, severity: &str) -> RuleIdentity {
        let labels = LabelSet::from([("severity", severity)]);
        RuleIdentity { key: RuleKey::new("a.yaml", group, name, nth), labels }
    }

    /// Alerts told apart by their value.
    fn firing(value: f64) -> RuleAlerts {
        let mut alerts = RuleAlerts::default();
        let labels = LabelSet::from([("pod", "p")]);
        let sample = ActiveSample { labels, annotations: LabelSet::new(), value };
        let step = alerts.step(&RuleTiming::default(), vec![sample], Timestamp::from_secs(1));
        assert_eq!(step.transitions.len(), 1);
        alerts
    }

    fn values(carried: &CarriedOver) -> Vec<Option<f64>> {
        carried.alerts.iter().map(|a| a.iter().next().map(|(_, a)| a.value)).collect()
    }

    #[test]
    fn nth_goes_to_nth_of_the_same_name_and_labels() {
        let old = vec![
            (rule("g", "A", 0, "page"), firing(1.0)),
            (rule("g", "A", 1, "warn"), firing(2.0)),
            (rule("g", "A", 2, "warn"), firing(3.0)),
            (rule("h", "A", 0, "page"), firing(4.0)),
        ];
        let new = [
            rule("h", "A", 0, "page"),
            rule("g", "New", 0, "page"),
            rule("g", "A", 0, "warn"),
            rule("g", "A", 1, "warn"),
            rule("g", "A", 2, "page"),
        ];
        let carried = carry_over(old, &new, Timestamp::from_secs(9));
        assert_eq!(values(&carried), [Some(4.0), None, Some(2.0), Some(3.0), Some(1.0)]);
        let moved: Vec<(u32, u32)> = carried.moved.iter().map(|(a, b)| (a.nth, b.nth)).collect();
        assert_eq!(moved, [(1, 0), (2, 1), (0, 2)]);
        assert!(carried.removed.is_empty());
    }

    #[test]
    fn a_group_of_another_file_is_another_group() {
        let mut elsewhere = rule("g", "A", 0, "page");
        elsewhere.key = RuleKey::new("b.yaml", "g", "A", 0);
        let old = vec![(rule("g", "A", 0, "page"), firing(1.0))];
        let carried = carry_over(old, &[elsewhere], Timestamp::from_secs(9));
        assert_eq!((values(&carried), carried.removed.len()), (vec![None], 1));
    }

    #[test]
    fn what_is_gone_is_resolved() {
        let old = vec![
            (rule("g", "A", 0, "page"), firing(1.0)),
            (rule("g", "A", 1, "page"), firing(2.0)),
            (rule("g", "B", 0, "warn"), firing(3.0)),
        ];
        let new = [rule("g", "A", 0, "page"), rule("g", "B", 0, "page")];
        let at = Timestamp::from_secs(9);
        let carried = carry_over(old, &new, at);
        assert_eq!(values(&carried), [Some(1.0), None]);
        let keys: Vec<String> = carried.removed.iter().map(|r| r.key.to_string()).collect();
        assert_eq!(keys, ["a.yaml;g;A;1", "a.yaml;g;B"]);
        for removed in &carried.removed {
            let [end] = removed.step.transitions.as_slice() else { panic!("{removed:?}") };
            assert_eq!((end.to, end.reason), (AlertState::Inactive, TransitionReason::RuleRemoved));
            assert_eq!(end.instance.resolved_at, Some(at));
            assert_eq!(removed.step.forgotten, [end.fingerprint]);
        }
    }
}
