//! `rate`, `increase` and `delta`: the difference between the last and the first sample of a range,
//! extended to its borders.

use std::sync::Arc;

use crate::model::histogram::{CounterResetHint, FloatHistogram, HistogramError};
use crate::promql::eval::functions::RangeCall;
use crate::promql::eval::functions::over_time::Outcome;
use crate::promql::eval::notes::{self, HistogramWork};
use crate::promql::eval::range::Window;
use crate::promql::series::{HistogramPoint, SampleValue};

pub(super) fn rate(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    Ok(extrapolated(window, call, true, true))
}

pub(super) fn increase(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    Ok(extrapolated(window, call, true, false))
}

pub(super) fn delta(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    Ok(extrapolated(window, call, false, false))
}

/// Whether a counter was reset between two samples by what is known of the start of its counting:
/// each is the start, 0 where unknown, and the time of the sample, in milliseconds.
///
/// A start at the sample before is what a delta has, which starts anew each time; but so has a
/// counter of unknown start from its second sample on. The first sample's start tells the two apart.
pub(super) fn starts_anew(before: (i64, i64), now: (i64, i64)) -> bool {
    let (start, at) = now;
    if start == 0 || start >= at || start < before.1 {
        return false;
    }
    start > before.1 || before.0 != 0
}

/// Whether the start of a sample's counting contradicts the sample before.
fn overlaps(before: (i64, i64), now: (i64, i64)) -> bool {
    now.0 != 0 && now.0 < before.1 && now.0 != before.0
}

fn extrapolated(
    window: &Window<'_>,
    call: &mut RangeCall<'_>,
    is_counter: bool,
    per_second: bool,
) -> Option<SampleValue> {
    if !window.floats.is_empty() && !window.histograms.is_empty() {
        call.remarks.warn(call.place, notes::mixed_floats_histograms(call.metric));
        return None;
    }
    if window.floats.len() > 1 {
        let difference = of_floats(window, call, is_counter);
        let (first, last) = (window.floats.first()?, window.floats.last()?);
        let mut ends =
            Ends { first: first.at, last: last.at, samples: window.floats.len(), zero: None };
        if is_counter && let Some(start) = start_inside(window.float_starts, first.at, window) {
            ends.begin_at_zero(start);
            let difference = difference + first.value;
            return Some(SampleValue::Float(difference * ends.factor(window, call, per_second)));
        }
        if is_counter && difference > 0.0 && first.value >= 0.0 {
            ends.zero = Some(first.value / difference);
        }
        return Some(SampleValue::Float(difference * ends.factor(window, call, per_second)));
    }
    if window.histograms.len() > 1 {
        let mut difference = of_histograms(window, call, is_counter)?;
        let (first, last) = (window.histograms.first()?, window.histograms.last()?);
        let samples = window.histograms.len();
        let mut ends = Ends { first: first.at, last: last.at, samples, zero: None };
        let start = start_inside(window.histogram_starts, first.at, window);
        if is_counter && let Some(start) = start {
            ends.begin_at_zero(start);
            // What does not go together has been remarked on before.
            let _ = difference.add(&first.histogram);
            difference.counter_reset_hint = CounterResetHint::Gauge;
        } else if is_counter && difference.count > 0.0 && first.histogram.count >= 0.0 {
            ends.zero = Some(first.histogram.count / difference.count);
        }
        difference.mul(ends.factor(window, call, per_second));
        return Some(SampleValue::Histogram(Arc::new(difference)));
    }
    None
}

/// The start of the first sample's counting, where that lies inside of the range: the counter was
/// zero there.
fn start_inside(starts: &[i64], first: i64, window: &Window<'_>) -> Option<i64> {
    let start = starts.first().copied().filter(|start| *start != 0)?;
    (start > window.start && start < first).then_some(start)
}

/// Between what a difference was taken.
struct Ends {
    first: i64,
    last: i64,
    samples: usize,
    /// The part of the sampled time that a counter would have taken from zero to its first sample.
    zero: Option<f64>,
}

impl Ends {
    /// Adds a first sample of zero.
    fn begin_at_zero(&mut self, at: i64) {
        self.first = at;
        self.samples += 1;
        self.zero = Some(0.0);
    }

    /// What the difference is multiplied with. Where the samples reach within 1.1 of their mean
    /// distance to a border, they are extended to it; otherwise by half of that distance, and
    /// never to where a counter would be below zero.
    fn factor(&self, window: &Window<'_>, call: &RangeCall<'_>, per_second: bool) -> f64 {
        let seconds = |from: i64, to: i64| to.saturating_sub(from) as f64 / 1000.0;
        let sampled = seconds(self.first, self.last);
        let distance = sampled / (self.samples - 1) as f64;
        let threshold = distance * 1.1;
        let reach = |to_end: f64| if to_end >= threshold { distance / 2.0 } else { to_end };
        let mut to_start = reach(seconds(window.start, self.first));
        if let Some(to_zero) = self.zero.map(|part| sampled * part)
            && to_zero < to_start
        {
            to_start = to_zero;
        }
        let to_end = reach(seconds(self.last, window.end));
        let factor = (sampled + to_start + to_end) / sampled;
        if per_second { factor / (call.range as f64 / 1000.0) } else { factor }
    }
}

/// The difference of the numbers; of a counter with what it had lost at resets.
fn of_floats(window: &Window<'_>, call: &mut RangeCall<'_>, is_counter: bool) -> f64 {
    let (Some(first), Some(last)) = (window.floats.first(), window.floats.last()) else {
        return f64::NAN;
    };
    let mut difference = last.value - first.value;
    if !is_counter {
        return difference;
    }
    for (index, pair) in window.floats.windows(2).enumerate() {
        let [before, now] = pair else { continue };
        let anew = starts(window.float_starts, index, before.at, now.at, call);
        if now.value < before.value || anew {
            difference += before.value;
        }
    }
    difference
}

/// Whether a counter starts anew between a sample and the next.
fn starts(starts: &[i64], index: usize, before: i64, now: i64, call: &mut RangeCall<'_>) -> bool {
    let (Some(start), Some(next)) = (starts.get(index), starts.get(index + 1)) else {
        return false;
    };
    if overlaps((*start, before), (*next, now)) {
        call.remarks.warn(call.place, notes::overlapping_start(call.metric));
    }
    starts_anew((*start, before), (*next, now))
}

/// The difference of the histograms; of a counter with what it had lost at resets.
fn of_histograms(
    window: &Window<'_>,
    call: &mut RangeCall<'_>,
    is_counter: bool,
) -> Option<FloatHistogram> {
    let points = window.histograms;
    let (first, last) = (points.first()?, points.last()?);
    let gauge =
        |point: &HistogramPoint| point.histogram.counter_reset_hint == CounterResetHint::Gauge;
    if is_counter {
        if points.iter().any(gauge) {
            call.remarks.warn(call.place, notes::not_counter(call.metric));
        }
    } else if !gauge(first) || !gauge(last) {
        call.remarks.warn(call.place, notes::not_gauge(call.metric));
    }
    let resets = if is_counter { resets(window, call) } else { Vec::new() };
    // A first sample that is lost at once has no say in the layout of the buckets.
    let first_is_lost = resets.first() == Some(&1);
    let layout = points.get(usize::from(first_is_lost))?.histogram.uses_custom_buckets();
    let mixed = points
        .iter()
        .skip(usize::from(first_is_lost))
        .filter(|point| is_counter || std::ptr::eq(*point, last))
        .any(|point| point.histogram.uses_custom_buckets() != layout);
    let mut difference = FloatHistogram::clone(&last.histogram);
    let mut combine = |other: &FloatHistogram, work: HistogramWork| {
        let done = match work {
            HistogramWork::Subtraction => difference.sub(other),
            _ => difference.add(other),
        };
        match done {
            Ok(done) if done.custom_bounds_reconciled => {
                call.remarks.info(call.place, notes::custom_buckets_reconciled(work));
                true
            }
            Err(HistogramError::IncompatibleSchemas) => false,
            _ => true,
        }
    };
    let mut fits = !mixed;
    fits = fits && (first_is_lost || combine(&first.histogram, HistogramWork::Subtraction));
    for index in resets.iter().skip(usize::from(first_is_lost)) {
        let lost = points.get(index.checked_sub(1)?)?;
        fits = fits && combine(&lost.histogram, HistogramWork::Addition);
    }
    if !fits {
        call.remarks.warn(call.place, notes::mixed_exponential_custom(call.metric));
        return None;
    }
    difference.counter_reset_hint = CounterResetHint::Gauge;
    difference.compact();
    Some(difference)
}

/// The numbers of the histograms before which the counter was reset.
fn resets(window: &Window<'_>, call: &mut RangeCall<'_>) -> Vec<usize> {
    let mut found = Vec::new();
    for (index, pair) in window.histograms.windows(2).enumerate() {
        let [before, now] = pair else { continue };
        let anew = starts(window.histogram_starts, index, before.at, now.at, call);
        if anew || now.histogram.detect_reset(&before.histogram) {
            found.push(index + 1);
        }
    }
    found
}
