//! The labels that make an alert's identity.

use crate::model::LabelSet;
use crate::model::label::{ALERT_NAME, METRIC_NAME};

/// The labels of the alert that a sample gives: the sample's without `__name__`, overridden by
/// the rule's, with `alertname` last. A rule's label that expanded to "" removes the sample's.
///
/// `expanded` holds the expanded group labels and rule labels; of two with one name the later
/// wins, so the group's come first.
pub fn final_labels<N: AsRef<str>, V: AsRef<str>>(
    sample: &LabelSet,
    expanded: &[(N, V)],
    alertname: &str,
) -> LabelSet {
    let own = sample.iter().filter(|(name, _)| *name != METRIC_NAME);
    let of_rule = expanded.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    own.chain(of_rule).chain([(ALERT_NAME, alertname)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_labels_override_and_alertname_wins() {
        let sample = LabelSet::from([
            ("__name__", "up"),
            ("job", "node"),
            ("pod", "a"),
            ("severity", "from the sample"),
            ("alertname", "from the sample"),
        ]);
        let expanded = [
            ("severity", "warning"),
            ("severity", "critical"),
            ("pod", ""),
            ("alertname", "from the rule"),
            ("team", "ml"),
        ]
        .map(|(n, v)| (n.to_string(), v.to_string()));
        let expected = LabelSet::from([
            ("alertname", "Down"),
            ("job", "node"),
            ("severity", "critical"),
            ("team", "ml"),
        ]);
        assert_eq!(final_labels(&sample, &expanded, "Down"), expected);
    }
}
