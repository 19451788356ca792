//! The words of remarks about histograms, and numbers in labels. Source: Prometheus 3,
//! `util/annotations`.

use crate::model::float::general;
use crate::model::label::Quoted;

fn with_metric(message: &str, metric: &str) -> String {
    match metric {
        "" => message.to_string(),
        _ => format!("{message} for metric name {}", Quoted(metric)),
    }
}

pub(super) fn bad_bucket_label(metric: &str, bound: &str) -> String {
    let bound = Quoted(bound);
    let message = format!("bucket label \"le\" is missing or has a malformed value of {bound}");
    with_metric(&message, metric)
}

pub(super) fn mixed_classic_native(metric: &str) -> String {
    with_metric("vector contains a mix of classic and native histograms", metric)
}

pub(super) fn nan_quantile(metric: &str) -> String {
    with_metric("input to histogram_quantile has NaN observations, result is NaN", metric)
}

pub(super) fn skewed_quantile(metric: &str) -> String {
    with_metric("input to histogram_quantile has NaN observations, result is skewed higher", metric)
}

pub(super) fn nan_fraction(metric: &str) -> String {
    let message =
        "input to histogram_fraction has NaN observations, which are excluded from all fractions";
    with_metric(message, metric)
}

/// A number as OpenMetrics has it in labels: never without a point or an exponent.
pub(super) fn open_metrics(value: f64) -> String {
    let text = general(value);
    let plain = value.is_finite() && !text.contains(['e', '.']);
    if plain { text + ".0" } else { text }
}
