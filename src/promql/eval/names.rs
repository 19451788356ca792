//! Names that are dropped, and series that have the same labels then.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::diag::Span;
use crate::model::LabelSet;
use crate::model::label::METRIC_NAME;
use crate::promql::eval::EvalError;
use crate::promql::eval::value::Series;

/// The label that holds a metric's type, where type and unit are labels.
pub(super) const TYPE_LABEL: &str = "__type__";
/// The label that holds a metric's unit.
const UNIT_LABEL: &str = "__unit__";

/// Whether a label describes the metric as such and goes with its name.
pub(super) fn describes_metric(label: &str) -> bool {
    matches!(label, METRIC_NAME | TYPE_LABEL | UNIT_LABEL)
}

/// The labels without those that describe the metric.
pub(in crate::promql) fn without_name(labels: &LabelSet) -> LabelSet {
    labels.filtered(|label| !describes_metric(label))
}

/// Joins series with the same labels that have no point in time in common.
///
/// # Errors
/// When two have a point in common.
pub(super) fn merge_same_labels(series: Vec<Series>, span: Span) -> Result<Vec<Series>, EvalError> {
    if !has_same_labels(&series) {
        return Ok(series);
    }
    let mut merged: Vec<Series> = Vec::with_capacity(series.len());
    let mut places: HashMap<LabelSet, usize> = HashMap::with_capacity(series.len());
    for one in series {
        match places.entry(one.labels.clone()) {
            Entry::Vacant(place) => {
                place.insert(merged.len());
                merged.push(one);
            }
            Entry::Occupied(place) => {
                if let Some(into) = merged.get_mut(*place.get()) {
                    merge_points(into, one, span)?;
                }
            }
        }
    }
    Ok(merged)
}

fn merge_points(into: &mut Series, from: Series, span: Span) -> Result<(), EvalError> {
    into.floats.extend(from.floats);
    into.histograms.extend(from.histograms);
    into.floats.sort_by_key(|point| point.at);
    into.histograms.sort_by_key(|point| point.at);
    let twice = into.floats.windows(2).any(|pair| matches!(pair, [a, b] if a.at == b.at))
        || into.histograms.windows(2).any(|pair| matches!(pair, [a, b] if a.at == b.at))
        || into
            .histograms
            .iter()
            .any(|h| into.floats.binary_search_by_key(&h.at, |f| f.at).is_ok());
    if twice { Err(EvalError::same_labels(span)) } else { Ok(()) }
}

pub(super) fn has_same_labels(series: &[Series]) -> bool {
    match series {
        [] | [_] => false,
        [a, b] => a.labels == b.labels,
        many => {
            let mut seen = std::collections::HashSet::with_capacity(many.len());
            !many.iter().all(|one| seen.insert(&one.labels))
        }
    }
}
