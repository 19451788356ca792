//! `irate` and `idelta`: the difference between the last two samples of a range.

use std::sync::Arc;

use crate::model::histogram::{CounterResetHint, FloatHistogram, HistogramError};
use crate::promql::eval::functions::RangeCall;
use crate::promql::eval::functions::extrapolate::starts_anew;
use crate::promql::eval::functions::over_time::Outcome;
use crate::promql::eval::notes::{self, HistogramWork};
use crate::promql::eval::range::Window;
use crate::promql::series::SampleValue;

/// A sample, its time and the start of its counting, 0 where that is unknown.
struct Last {
    at: i64,
    start: i64,
    value: SampleValue,
}

pub(super) fn irate(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    Ok(difference(window, call, true))
}

pub(super) fn idelta(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    Ok(difference(window, call, false))
}

/// The last two samples of both kinds.
fn last_two(window: &Window<'_>) -> Option<(Last, Last)> {
    let start = |starts: &[i64], index: usize| starts.get(index).copied().unwrap_or_default();
    let floats = window.floats.iter().enumerate().rev().take(2).map(|(index, point)| Last {
        at: point.at,
        start: start(window.float_starts, index),
        value: SampleValue::Float(point.value),
    });
    let histograms = window.histograms.iter().enumerate().rev().take(2);
    let histograms = histograms.map(|(index, point)| Last {
        at: point.at,
        start: start(window.histogram_starts, index),
        value: SampleValue::Histogram(point.histogram.clone()),
    });
    let mut latest: Vec<Last> = floats.chain(histograms).collect();
    latest.sort_by_key(|sample| std::cmp::Reverse(sample.at));
    let mut latest = latest.into_iter();
    let last = latest.next()?;
    latest.next().map(|before| (before, last))
}

fn difference(
    window: &Window<'_>,
    call: &mut RangeCall<'_>,
    per_second: bool,
) -> Option<SampleValue> {
    let (before, last) = last_two(window)?;
    let seconds = last.at.saturating_sub(before.at) as f64 / 1000.0;
    if seconds == 0.0 {
        return None;
    }
    let anew = per_second && starts_anew((before.start, before.at), (last.start, last.at));
    match (&before.value, &last.value) {
        (SampleValue::Float(before), SampleValue::Float(last)) => {
            let is_reset = per_second && (last < before || anew);
            let difference = if is_reset { *last } else { last - before };
            let value = if per_second { difference / seconds } else { difference };
            Some(SampleValue::Float(value))
        }
        (SampleValue::Histogram(before), SampleValue::Histogram(last)) => {
            let mut difference = of_histograms(before, last, anew, call, per_second)?;
            if per_second {
                difference.div(seconds);
            }
            Some(SampleValue::Histogram(Arc::new(difference)))
        }
        _ => {
            call.remarks.warn(call.place, notes::mixed_floats_histograms(call.metric));
            None
        }
    }
}

fn of_histograms(
    before: &FloatHistogram,
    last: &FloatHistogram,
    anew: bool,
    call: &mut RangeCall<'_>,
    is_counter: bool,
) -> Option<FloatHistogram> {
    let gauges = [before, last].map(|h| h.counter_reset_hint == CounterResetHint::Gauge);
    if is_counter && gauges.contains(&true) {
        call.remarks.warn(call.place, notes::not_counter(call.metric));
    }
    if !is_counter && gauges.contains(&false) {
        call.remarks.warn(call.place, notes::not_gauge(call.metric));
    }
    let mut difference = last.clone();
    if !is_counter || !(anew || last.detect_reset(before)) {
        match difference.sub(before) {
            Ok(done) if done.custom_bounds_reconciled => {
                let message = notes::custom_buckets_reconciled(HistogramWork::Subtraction);
                call.remarks.info(call.place, message);
            }
            Err(HistogramError::IncompatibleSchemas) => {
                call.remarks.warn(call.place, notes::mixed_exponential_custom(call.metric));
                return None;
            }
            _ => {}
        }
    }
    difference.counter_reset_hint = CounterResetHint::Gauge;
    difference.compact();
    Some(difference)
}
