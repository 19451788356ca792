//! How the series of two vectors find each other.

use std::collections::HashMap;

use crate::model::LabelSet;
use crate::model::label::METRIC_NAME;
use crate::promql::VectorMatching;
use crate::promql::eval::value::Series;

/// The labels that count for the matching.
pub(super) fn matched_labels(labels: &LabelSet, matching: &VectorMatching) -> LabelSet {
    let named = |label: &str| matching.labels.iter().any(|name| name == label);
    if matching.on {
        labels.filtered(named)
    } else {
        labels.filtered(|label| label != METRIC_NAME && !named(label))
    }
}

/// The groups of series that match one another, by number.
pub(super) struct MatchGroups {
    /// The group of each series on the left.
    pub lhs: Vec<usize>,
    /// The group of each series on the right.
    pub rhs: Vec<usize>,
    /// How many groups there are.
    pub count: usize,
}

impl MatchGroups {
    pub fn new(lhs: &[Series], rhs: &[Series], matching: &VectorMatching) -> Self {
        let mut groups: HashMap<LabelSet, usize> = HashMap::with_capacity(lhs.len());
        let mut group = |one: &Series| {
            let next = groups.len();
            *groups.entry(matched_labels(&one.labels, matching)).or_insert(next)
        };
        let lhs = lhs.iter().map(&mut group).collect();
        let rhs = rhs.iter().map(&mut group).collect();
        Self { lhs, rhs, count: groups.len() }
    }
}
