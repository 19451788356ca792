//! Rules whose policy asks to be told of missing data or of a failed evaluation.

use std::collections::BTreeMap;

use crate::alerting::builtin::facts::shortened;
use crate::model::{LabelSet, RuleKey};
use crate::rule::AlertingRule;

/// Which rule it is: labels of the alerts about rules.
const RULE: &str = "rule";
const RULE_GROUP: &str = "rule_group";

/// What the last evaluation of a rule showed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// How many active alerts have no data.
    pub(super) without_data: usize,
    /// Why it failed.
    pub(super) error: Option<String>,
    /// Whether it failed because the datasource did not answer.
    pub(super) absence: bool,
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Watched {
    /// The labels that alerts about it have.
    pub(super) labels: LabelSet,
    /// `None` before its first evaluation.
    pub(super) seen: Option<Seen>,
}

/// All such rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct WatchedRules(BTreeMap<RuleKey, Watched>);

impl WatchedRules {
    /// Puts these rules in place of the former ones; what is known of equal ones stays.
    pub(super) fn replace<'a>(&mut self, rules: impl Iterator<Item = &'a AlertingRule>) {
        let mut former = std::mem::take(&mut self.0);
        for rule in rules {
            let seen = former.remove(&rule.key).and_then(|watched| watched.seen);
            self.0.insert(rule.key.clone(), Watched { labels: labels(rule), seen });
        }
    }

    /// A rule was evaluated. A failed evaluation says nothing of data.
    pub(super) fn evaluated(&mut self, rule: &RuleKey, seen: Result<usize, (&str, bool)>) {
        let Some(watched) = self.0.get_mut(rule) else { return };
        let before = watched.seen.take().unwrap_or_default();
        watched.seen = Some(match seen {
            Ok(without_data) => Seen { without_data, error: None, absence: false },
            Err((error, absence)) => Seen { error: Some(shortened(error)), absence, ..before },
        });
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Watched> {
        self.0.values()
    }

    /// The rules that an alert with these labels is about.
    pub(super) fn of<'a>(&'a self, alert: &'a LabelSet) -> impl Iterator<Item = &'a Watched> {
        let is_same = |watched: &&Watched| {
            [RULE, RULE_GROUP].iter().all(|name| watched.labels.get(name) == alert.get(name))
        };
        self.0.values().filter(is_same)
    }
}

/// The rule's own labels, where they are no templates, so that whoever is told of the rule is told
/// of this too; and which rule it is.
fn labels(rule: &AlertingRule) -> LabelSet {
    let plain = rule.labels.iter().filter(|(_, text)| text.is_plain());
    let plain = plain.map(|(name, text)| (name.as_str(), text.text()));
    let group = format!("{};{}", rule.key.file, rule.key.group);
    plain.chain([(RULE, rule.name.as_str()), (RULE_GROUP, group.as_str())]).collect()
}
