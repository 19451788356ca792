//! The words of the remarks. Source: Prometheus 3, `util/annotations`.

use crate::model::float::general;
use crate::model::label::Quoted;

/// What was done with two histograms.
#[derive(Clone, Copy, Debug)]
pub(in crate::promql) enum HistogramWork {
    Addition,
    Subtraction,
    Aggregation,
}

impl HistogramWork {
    fn as_str(self) -> &'static str {
        match self {
            Self::Addition => "addition",
            Self::Subtraction => "subtraction",
            Self::Aggregation => "aggregation",
        }
    }
}

pub(in crate::promql) fn invalid_quantile(q: f64) -> String {
    format!("quantile value should be between 0 and 1, got {}", general(q))
}

pub(super) fn invalid_ratio(ratio: f64, to: f64) -> String {
    let (ratio, to) = (general(ratio), general(to));
    format!("ratio value should be between -1 and 1, got {ratio}, capping to {to}")
}

pub(in crate::promql) fn mixed_floats_histograms(metric: &str) -> String {
    format!("encountered a mix of histograms and floats for metric name {}", Quoted(metric))
}

pub(super) fn mixed_floats_histograms_aggregation() -> &'static str {
    "encountered a mix of histograms and floats for aggregation"
}

pub(super) fn not_counter(metric: &str) -> String {
    format!("this native histogram metric is not a counter: {}", Quoted(metric))
}

pub(super) fn not_gauge(metric: &str) -> String {
    format!("this native histogram metric is not a gauge: {}", Quoted(metric))
}

pub(super) fn mixed_exponential_custom(metric: &str) -> String {
    let metric = Quoted(metric);
    format!(
        "vector contains a mix of histograms with exponential and custom buckets schemas for metric name {metric}"
    )
}

pub(super) fn incompatible_buckets(operator: &str) -> String {
    format!("incompatible bucket layout encountered for binary operator {operator}")
}

pub(super) fn incompatible_types(left: &str, operator: &str, right: &str) -> String {
    format!(
        "incompatible sample types encountered for binary operator {}: {left} {operator} {right}",
        Quoted(operator)
    )
}

pub(super) fn possible_non_counter(metric: &str) -> String {
    let metric = Quoted(metric);
    format!(
        "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {metric}"
    )
}

pub(super) fn possible_non_counter_label(metric: &str, kind: &str) -> String {
    let (metric, kind) = (Quoted(metric), Quoted(kind));
    format!(
        "metric might not be a counter, __type__ label is not set to \"counter\" or \"histogram\", got {kind}: {metric}"
    )
}

pub(super) fn ignored_in_aggregation(aggregation: &str) -> String {
    format!("ignored histogram in {aggregation} aggregation")
}

pub(super) fn ignored_in_mixed_range(metric: &str) -> String {
    let metric = Quoted(metric);
    format!(
        "ignored histograms in a range containing both floats and histograms for metric name {metric}"
    )
}

pub(super) fn counter_reset_collision(work: HistogramWork) -> String {
    format!("conflicting counter resets during histogram {}", work.as_str())
}

pub(super) fn custom_buckets_reconciled(work: HistogramWork) -> String {
    format!("mismatched custom buckets were reconciled during {}", work.as_str())
}

pub(super) fn sort_in_range() -> &'static str {
    "sort is ineffective for range queries since results are always ordered by labels"
}

pub(super) fn overlapping_start(metric: &str) -> String {
    let metric = Quoted(metric);
    format!(
        "sample has start time that overlaps with previous sample timestamp for metric {metric}"
    )
}
