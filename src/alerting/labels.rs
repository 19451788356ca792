//! The labels that make an alert's identity.

use crate::model::LabelSet;
use crate::model::label::{ALERT_NAME, METRIC_NAME};

/// The labels of the alert that a sample gives: the sample's without `__name__`, overridden by
/// the rule's, with `alertname` last. A rule's label that expanded to "" removes the sample's.
///
/// `expanded` holds the expanded group labels and rule labels; of two with one name the later
/// wins, so the group's come first.
pub fn final_labels(sample: &LabelSet, expanded: &[(String, String)], alertname: &str) -> LabelSet {
    let mut labels = sample.to_builder();
    labels.remove(METRIC_NAME);
    for (name, value) in expanded {
        labels.set(name.as_str(), value.as_str());
    }
    labels.set(ALERT_NAME, alertname);
    labels.build()
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
