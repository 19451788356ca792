//! `changes` and `resets`.

use crate::promql::eval::functions::RangeCall;
use crate::promql::eval::functions::extrapolate::starts_anew;
use crate::promql::eval::functions::over_time::{Outcome, number};
use crate::promql::eval::range::Window;
use crate::promql::series::SampleValue;

/// A sample and the time at which its counting began, 0 where that is unknown.
struct Started {
    at: i64,
    start: i64,
    value: SampleValue,
}

/// The samples of both kinds in order of time.
fn in_order(window: &Window<'_>) -> Vec<Started> {
    let start = |starts: &[i64], index: usize| starts.get(index).copied().unwrap_or_default();
    let floats = window.floats.iter().enumerate().map(|(index, point)| Started {
        at: point.at,
        start: start(window.float_starts, index),
        value: SampleValue::Float(point.value),
    });
    let histograms = window.histograms.iter().enumerate().map(|(index, point)| Started {
        at: point.at,
        start: start(window.histogram_starts, index),
        value: SampleValue::Histogram(point.histogram.clone()),
    });
    let mut samples: Vec<Started> = floats.chain(histograms).collect();
    if !window.histograms.is_empty() {
        samples.sort_by_key(|sample| sample.at);
    }
    samples
}

/// How often a condition holds between two neighbours.
fn count(window: &Window<'_>, differ: fn(&Started, &Started) -> bool) -> Outcome {
    let samples = in_order(window);
    let pairs = samples.windows(2);
    let found = pairs.filter(|pair| matches!(pair, [a, b] if differ(a, b)));
    number(found.count() as f64)
}

pub(super) fn changes(window: &Window<'_>, _: &mut RangeCall<'_>) -> Outcome {
    count(window, |a, b| match (&a.value, &b.value) {
        (SampleValue::Float(a), SampleValue::Float(b)) => a != b && !(a.is_nan() && b.is_nan()),
        (SampleValue::Histogram(a), SampleValue::Histogram(b)) => a != b,
        _ => true,
    })
}

pub(super) fn resets(window: &Window<'_>, _: &mut RangeCall<'_>) -> Outcome {
    count(window, |a, b| {
        let anew = starts_anew((a.start, a.at), (b.start, b.at));
        match (&a.value, &b.value) {
            (SampleValue::Float(a), SampleValue::Float(b)) => anew || b < a,
            (SampleValue::Histogram(a), SampleValue::Histogram(b)) => anew || b.detect_reset(a),
            _ => true,
        }
    })
}
