//! What a query returns.

use crate::model::{LabelSet, Timestamp};

/// One value of one series at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The series' labels, `__name__` among them where the query kept it.
    pub labels: LabelSet,
    /// When the value holds.
    pub timestamp: Timestamp,
    /// The value. A native histogram counts as 0, as it does in Prometheus' alerting rules.
    pub value: f64,
}

/// The result of an instant query: at most one sample for each label set.
pub type InstantVector = Vec<Sample>;
