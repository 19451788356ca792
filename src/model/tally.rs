//! What tells most of many alerts: how many of them have which value of which label.

use std::collections::{HashMap, HashSet};

use crate::model::LabelSet;
use crate::model::label::ALERT_NAME;

/// The label that says how grave an alert is, by custom.
const SEVERITY: &str = "severity";
/// How many labels are counted, and how many values of each. A label with more values tells
/// nothing, and what is counted has to fit into memory.
const MAX_NAMES: usize = 200;
const MAX_VALUES: usize = 1000;
/// How many labels are compared with those that are told already.
const MAX_CANDIDATES: usize = 8;

/// How many of some alerts have which value of one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally<'a> {
    /// The label.
    pub name: &'a str,
    /// Values with how many alerts have them, most first, then by value; "" counts the alerts
    /// without the label.
    pub values: Vec<(&'a str, usize)>,
    /// How many alerts have a value that is not listed, because there are too many values.
    pub others: usize,
}

impl<'a> Tally<'a> {
    /// The counts by which people see at a glance what many alerts are about: by `alertname`, by
    /// `severity`, and by the label with the fewest values that splits them further. A label that
    /// all have with one value is not among them, nor one that says what another of them says.
    /// The work is proportional to the labels.
    pub fn telling(alerts: &[&'a LabelSet]) -> Vec<Self> {
        let counts = Counts::of(alerts);
        let main = |wanted| counts.labels.iter().find(|label| label.name == wanted);
        let mut told: Vec<Self> = [ALERT_NAME, SEVERITY]
            .into_iter()
            .filter_map(|name| Some(main(name)?.tally(alerts.len())))
            .filter(|tally| tally.values.len() > 1)
            .collect();
        let mut others: Vec<(usize, Self)> = counts
            .labels
            .iter()
            .filter(|label| !matches!(label.name, ALERT_NAME | SEVERITY) && label.others == 0)
            .filter(|label| label.present * 2 >= alerts.len())
            .map(|label| (alerts.len() - label.present, label.tally(alerts.len())))
            .filter(|(_, t)| t.values.len() > 1 && t.values.len() * 2 <= alerts.len())
            .collect();
        others.sort_by_key(|(without, tally)| (tally.values.len(), *without, tally.name));
        let others = others.into_iter().take(MAX_CANDIDATES).map(|(_, tally)| tally);
        let best = others.into_iter().find(|tally| !told.iter().any(|t| t.says(tally, alerts)));
        told.extend(best);
        told
    }

    /// Whether two labels split the alerts in the same way.
    fn says(&self, other: &Self, alerts: &[&LabelSet]) -> bool {
        if self.values.len() != other.values.len() || self.others > 0 {
            return false;
        }
        let pairs = alerts.iter().map(|labels| (labels.value(self.name), labels.value(other.name)));
        pairs.collect::<HashSet<_>>().len() == self.values.len()
    }
}

/// The values of every label.
struct Counts<'a> {
    labels: Vec<Label<'a>>,
}

struct Label<'a> {
    name: &'a str,
    values: HashMap<&'a str, usize>,
    /// How many alerts have the label.
    present: usize,
    /// How many have a value beyond [`MAX_VALUES`].
    others: usize,
}

impl<'a> Counts<'a> {
    fn of(alerts: &[&'a LabelSet]) -> Self {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut counts = Self { labels: Vec::new() };
        for labels in alerts {
            for (name, value) in labels.iter() {
                let next = places.len();
                if next >= MAX_NAMES && !places.contains_key(name) {
                    continue;
                }
                let place = *places.entry(name).or_insert(next);
                if place == counts.labels.len() {
                    let values = HashMap::new();
                    counts.labels.push(Label { name, values, present: 0, others: 0 });
                }
                counts.labels.get_mut(place).into_iter().for_each(|label| label.count(value));
            }
        }
        counts
    }
}

impl<'a> Label<'a> {
    fn count(&mut self, value: &'a str) {
        self.present += 1;
        if self.values.len() < MAX_VALUES || self.values.contains_key(value) {
            *self.values.entry(value).or_default() += 1;
        } else {
            self.others += 1;
        }
    }

    fn tally(&self, alerts: usize) -> Tally<'a> {
        let mut values: Vec<(&str, usize)> = self.values.iter().map(|(v, n)| (*v, *n)).collect();
        values.extend(Some(("", alerts - self.present)).filter(|(_, without)| *without > 0));
        values.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        Tally { name: self.name, values, others: self.others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Alerts of two rules in three namespaces, each in a pod of its own.
    fn alerts() -> Vec<LabelSet> {
        (0..12)
            .map(|i| {
                let severity = if i == 7 { "critical" } else { "warning" };
                let name = if i < 8 { "PodCrashLooping" } else { "DiskFull" };
                LabelSet::from([
                    ("alertname", name),
                    ("cluster", "prod"),
                    ("component", if i < 8 { "pods" } else { "disks" }),
                    ("namespace", ["a", "b", "b"][i % 3]),
                    ("pod", format!("pod-{i}").as_str()),
                    ("severity", severity),
                    ("shard", ["1", "2", "3", "4"][i % 4]),
                    (if i == 3 { "rare" } else { "" }, "x"),
                ])
            })
            .collect()
    }

    fn told(alerts: &[LabelSet]) -> Vec<String> {
        let alerts: Vec<&LabelSet> = alerts.iter().collect();
        let told = Tally::telling(&alerts);
        told.iter().map(|t| format!("{} {:?} {}", t.name, t.values, t.others)).collect()
    }

    #[test]
    fn the_fewest_values_that_split_are_told() {
        // `component` says what `alertname` says; each alert has its own `pod`; only one has
        // `rare`; `shard` has more values than `namespace`.
        let expected = [
            r#"alertname [("PodCrashLooping", 8), ("DiskFull", 4)] 0"#,
            r#"severity [("warning", 11), ("critical", 1)] 0"#,
            r#"namespace [("b", 8), ("a", 4)] 0"#,
        ];
        assert_eq!(told(&alerts()), expected);
        let mut turned = alerts();
        turned.reverse();
        assert_eq!(told(&turned), expected, "the order of the alerts does not matter");
    }

    #[test]
    fn alerts_without_a_label_are_counted() {
        let mut alerts = alerts();
        alerts.iter_mut().take(5).for_each(|labels| *labels = labels.without("severity"));
        let severity = r#"severity [("warning", 6), ("", 5), ("critical", 1)] 0"#;
        assert_eq!(told(&alerts)[1], severity);
    }

    #[test]
    fn one_alert_and_none_tell_nothing() {
        assert!(told(&[]).is_empty());
        assert!(told(alerts().get(..1).unwrap()).is_empty());
    }

    /// Anything quadratic in it would take minutes.
    #[test]
    fn a_hundred_thousand_alerts_are_counted() {
        let alerts: Vec<LabelSet> = (0..100_000)
            .map(|i| {
                LabelSet::from([
                    ("alertname", format!("Rule{i}").as_str()),
                    ("instance", format!("node-{i}").as_str()),
                    ("zone", ["a", "b"][i % 2]),
                    (format!("label{i}").as_str(), "x"),
                ])
            })
            .collect();
        let told = told(&alerts);
        assert!(told[0].starts_with("alertname [") && told[0].ends_with("] 99000"));
        assert_eq!(told[1..], [r#"zone [("a", 50000), ("b", 50000)] 0"#]);
    }
}
