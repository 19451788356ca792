//! A routed alert, as Alertmanager knows it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Fingerprint, LabelSet, Timestamp};

/// Which rule an alert comes from. Stable over restarts: a rule keeps its key while its file,
/// group, name and place among the rules of that name stay. Cloning copies a pointer: every alert
/// and every change of one carries its rule's key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleKey(Arc<RulePlace>);

/// What a [`RuleKey`] consists of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RulePlace {
    /// The rule file as the configuration names it.
    pub file: String,
    /// The group's name.
    pub group: String,
    /// The rule's name (`alert:` or `record:`).
    pub rule: String,
    /// Which of the group's rules with this name, from 0.
    pub nth: u32,
}

impl RuleKey {
    /// The key of the `nth` rule named `rule`, counted from 0, in a group of a file.
    pub fn new(
        file: impl Into<String>,
        group: impl Into<String>,
        rule: impl Into<String>,
        nth: u32,
    ) -> Self {
        Self(Arc::new(RulePlace { file: file.into(), group: group.into(), rule: rule.into(), nth }))
    }
}

impl Deref for RuleKey {
    type Target = RulePlace;

    fn deref(&self) -> &RulePlace {
        &self.0
    }
}

impl fmt::Display for RuleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{};{}", self.file, self.group, self.rule)?;
        if self.nth > 0 {
            write!(f, ";{}", self.nth)?;
        }
        Ok(())
    }
}

/// Whether a routed alert reaches its receivers at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertStatus {
    /// Notifications go out.
    Active,
    /// Held back by a silence, an inhibiting alert or a time interval.
    Suppressed,
}

/// An alert on its way through routing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The alert's identity, `alertname` and external labels among them.
    pub labels: LabelSet,
    /// What people read.
    pub annotations: LabelSet,
    /// When it fired.
    pub starts_at: Timestamp,
    /// When it was resolved; `None` while it fires.
    pub ends_at: Option<Timestamp>,
    /// Link to the graph of the rule's expression.
    pub generator_url: Arc<str>,
    /// The expression's last value; an alert from outside has none.
    #[serde(with = "crate::model::float::optional")]
    pub value: Option<f64>,
}

impl Alert {
    /// The identity of the alert's labels.
    pub fn fingerprint(&self) -> Fingerprint {
        self.labels.fingerprint()
    }

    /// Whether the alert is over.
    pub fn is_resolved(&self) -> bool {
        self.ends_at.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives_json() {
        for value in [None, Some(0.25), Some(f64::NAN), Some(f64::INFINITY), Some(f64::MIN)] {
            let alert = Alert {
                labels: LabelSet::from([("alertname", "A")]),
                annotations: LabelSet::new(),
                starts_at: Timestamp::from_secs(1),
                ends_at: None,
                generator_url: Arc::default(),
                value,
            };
            let json = serde_json::to_string(&alert).unwrap();
            let back: Alert = serde_json::from_str(&json).unwrap();
            assert_eq!(back.value.map(f64::to_bits), value.map(f64::to_bits), "{json}");
        }
    }
}
