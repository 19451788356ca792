//! One alert of one rule: what is known of it between two evaluations.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{Fingerprint, LabelSet, Timestamp};

/// Where an alert of a rule stands.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// The expression does not return it.
    #[default]
    Inactive,
    /// The expression returns it, but not yet for as long as the rule's `for`.
    Pending,
    /// The expression has returned it for at least `for`.
    Firing,
}

impl AlertState {
    /// The name that Prometheus' API and the label `alertstate` use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

impl fmt::Display for AlertState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One alert of one rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertInstance {
    /// The identity: the labels that [`final_labels`](crate::alerting::final_labels) gives.
    pub labels: LabelSet,
    /// What people read, as of the last evaluation that returned the alert.
    pub annotations: LabelSet,
    /// Where it stands.
    pub state: AlertState,
    /// The expression's value at the last evaluation that returned the alert.
    #[serde(with = "any_float")]
    pub value: f64,
    /// Since when the expression returns it; `for` counts from here.
    pub active_at: Timestamp,
    /// When it began to fire; `None` where it has not.
    pub fired_at: Option<Timestamp>,
    /// Since when it fires only because of `keep_firing_for`; `None` while the expression
    /// returns it.
    pub keep_firing_since: Option<Timestamp>,
    /// When it was resolved; `None` while it is pending or fires, and for one that never fired.
    pub resolved_at: Option<Timestamp>,
}

impl AlertInstance {
    /// The identity of the alert's labels.
    pub fn fingerprint(&self) -> Fingerprint {
        self.labels.fingerprint()
    }

    /// When it last changed, as far as it shows.
    pub fn changed_at(&self) -> Timestamp {
        let times = [Some(self.active_at), self.fired_at, self.resolved_at];
        times.into_iter().flatten().max().unwrap_or(self.active_at)
    }

    /// Whether it is pending or fires.
    pub fn is_active(&self) -> bool {
        self.state != AlertState::Inactive
    }
}

/// A float of which JSON has no number (`NaN`, `+Inf`, `-Inf`) is written as Prometheus' text:
/// a ratio over nothing is a common value of an alert and must survive the store.
mod any_float {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum NumberOrText {
        Number(f64),
        Text(String),
    }

    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            serializer.serialize_f64(*value)
        } else if value.is_nan() {
            serializer.serialize_str("NaN")
        } else {
            serializer.serialize_str(if *value > 0.0 { "+Inf" } else { "-Inf" })
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match NumberOrText::deserialize(deserializer)? {
            NumberOrText::Number(value) => Ok(value),
            NumberOrText::Text(text) => match text.as_str() {
                "NaN" => Ok(f64::NAN),
                "+Inf" => Ok(f64::INFINITY),
                "-Inf" => Ok(f64::NEG_INFINITY),
                _ => Err(D::Error::custom(format_args!("not a value of a sample: {text:?}"))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives_json() {
        for value in [0.0, -0.25, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let alert = AlertInstance {
                labels: LabelSet::from([("alertname", "A")]),
                annotations: LabelSet::new(),
                state: AlertState::Firing,
                value,
                active_at: Timestamp::from_secs(1),
                fired_at: Some(Timestamp::from_secs(2)),
                keep_firing_since: None,
                resolved_at: None,
            };
            let json = serde_json::to_string(&alert).unwrap();
            assert!(json.contains(r#""state":"firing""#), "{json}");
            let back: AlertInstance = serde_json::from_str(&json).unwrap();
            assert_eq!(back.value.to_string(), value.to_string(), "{json}");
            assert_eq!(back.fired_at, alert.fired_at);
        }
        let bad = r#"{"labels":{},"annotations":{},"state":"pending","value":"x","active_at":0,
            "fired_at":null,"keep_firing_since":null,"resolved_at":null}"#;
        assert!(serde_json::from_str::<AlertInstance>(bad).is_err());
    }
}
