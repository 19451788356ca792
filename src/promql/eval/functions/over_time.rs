//! Aggregations over the range of one series.

use crate::model::kahan::KahanSum;
use crate::promql::eval::functions::{RangeCall, over_time_histograms};
use crate::promql::eval::kahan::{Mean, Variance};
use crate::promql::eval::quantile::quantile;
use crate::promql::eval::range::Window;
use crate::promql::eval::{EvalError, notes};
use crate::promql::series::{FloatPoint, SampleValue};

pub(super) type Outcome = Result<Option<SampleValue>, EvalError>;

pub(super) fn number(value: f64) -> Outcome {
    Ok(Some(SampleValue::Float(value)))
}

/// Remarks on histograms that stand between numbers and are left out.
pub(super) fn remark_on_histograms(window: &Window<'_>, call: &mut RangeCall<'_>) {
    if !window.histograms.is_empty() && !window.floats.is_empty() {
        call.remarks.info(call.place, notes::ignored_in_mixed_range(call.metric));
    }
}

/// Remarks on a range that holds both kinds, and says whether it does.
fn is_mixed(window: &Window<'_>, call: &mut RangeCall<'_>) -> bool {
    let mixed = !window.histograms.is_empty() && !window.floats.is_empty();
    if mixed {
        call.remarks.warn(call.place, notes::mixed_floats_histograms(call.metric));
    }
    mixed
}

/// A function of the numbers alone; nothing where there are none.
fn of_floats(
    window: &Window<'_>,
    call: &mut RangeCall<'_>,
    work: impl FnOnce(&[FloatPoint]) -> f64,
) -> Outcome {
    if window.floats.is_empty() {
        return Ok(None);
    }
    remark_on_histograms(window, call);
    number(work(window.floats))
}

pub(super) fn sum(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    if is_mixed(window, call) {
        return Ok(None);
    }
    if window.floats.is_empty() {
        return Ok(over_time_histograms::fold(window, call, false));
    }
    let mut sum = KahanSum::default();
    window.floats.iter().for_each(|point| sum.add(point.value));
    number(sum.total())
}

pub(super) fn avg(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    if is_mixed(window, call) {
        return Ok(None);
    }
    let Some((first, rest)) = window.floats.split_first() else {
        return Ok(over_time_histograms::fold(window, call, true));
    };
    let mut mean = Mean::of(first.value);
    rest.iter().for_each(|point| mean.add(point.value));
    number(mean.value())
}

pub(super) fn count(window: &Window<'_>, _: &mut RangeCall<'_>) -> Outcome {
    number((window.floats.len() + window.histograms.len()) as f64)
}

pub(super) fn present(_: &Window<'_>, _: &mut RangeCall<'_>) -> Outcome {
    number(1.0)
}

/// The first number for which `better` holds against all before it; NaN gives way to anything.
fn extreme(floats: &[FloatPoint], better: fn(f64, f64) -> bool) -> FloatPoint {
    let none = FloatPoint { at: 0, value: f64::NAN };
    let first = floats.first().copied().unwrap_or(none);
    floats.iter().fold(first, |best, point| {
        if better(point.value, best.value) || best.value.is_nan() { *point } else { best }
    })
}

pub(super) fn min(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    of_floats(window, call, |floats| extreme(floats, |a, b| a < b).value)
}

pub(super) fn max(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    of_floats(window, call, |floats| extreme(floats, |a, b| a > b).value)
}

fn seconds(at: i64) -> f64 {
    at as f64 / 1000.0
}

/// The time of the last of the smallest numbers.
pub(super) fn ts_of_min(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    of_floats(window, call, |floats| seconds(extreme(floats, |a, b| a <= b).at))
}

/// The time of the last of the largest numbers.
pub(super) fn ts_of_max(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    of_floats(window, call, |floats| seconds(extreme(floats, |a, b| a >= b).at))
}

pub(super) fn ts_of_first(window: &Window<'_>, _: &mut RangeCall<'_>) -> Outcome {
    let float = window.floats.first().map(|point| point.at);
    let histogram = window.histograms.first().map(|point| point.at);
    let first = float.into_iter().chain(histogram).min();
    Ok(first.map(|at| SampleValue::Float(seconds(at))))
}

pub(super) fn ts_of_last(window: &Window<'_>, _: &mut RangeCall<'_>) -> Outcome {
    let float = window.floats.last().map(|point| point.at);
    let last = float.max(window.histograms.last().map(|point| point.at));
    Ok(last.map(|at| SampleValue::Float(seconds(at))))
}

pub(super) fn first(window: &Window<'_>, _: &mut RangeCall<'_>) -> Outcome {
    Ok(match (window.floats.first(), window.histograms.first()) {
        (Some(float), Some(histogram)) if histogram.at <= float.at => {
            Some(SampleValue::Histogram(histogram.histogram.clone()))
        }
        (Some(float), _) => Some(SampleValue::Float(float.value)),
        (None, histogram) => histogram.map(|h| SampleValue::Histogram(h.histogram.clone())),
    })
}

pub(super) fn last(window: &Window<'_>, _: &mut RangeCall<'_>) -> Outcome {
    Ok(match (window.floats.last(), window.histograms.last()) {
        (Some(float), Some(histogram)) if histogram.at >= float.at => {
            Some(SampleValue::Histogram(histogram.histogram.clone()))
        }
        (Some(float), _) => Some(SampleValue::Float(float.value)),
        (None, histogram) => histogram.map(|h| SampleValue::Histogram(h.histogram.clone())),
    })
}

fn variance(floats: &[FloatPoint]) -> f64 {
    let mut variance = Variance::default();
    floats.iter().for_each(|point| variance.add(point.value));
    variance.value()
}

pub(super) fn stdvar(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    of_floats(window, call, variance)
}

pub(super) fn stddev(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    of_floats(window, call, |floats| variance(floats).sqrt())
}

fn values(floats: &[FloatPoint]) -> Vec<f64> {
    floats.iter().map(|point| point.value).collect()
}

pub(super) fn quantile_over_time(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    let q = call.args.first().copied().unwrap_or(f64::NAN);
    if !window.floats.is_empty() && !(0.0..=1.0).contains(&q) {
        call.remarks.warn(call.place, notes::invalid_quantile(q));
    }
    of_floats(window, call, |floats| quantile(q, &mut values(floats)))
}

/// The median of the distances from the median; NaN where any number is.
pub(super) fn mad(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    of_floats(window, call, |floats| {
        let mut values = values(floats);
        if values.iter().any(|value| value.is_nan()) {
            return f64::NAN;
        }
        let median = quantile(0.5, &mut values);
        values.iter_mut().for_each(|value| *value = (*value - median).abs());
        quantile(0.5, &mut values)
    })
}
