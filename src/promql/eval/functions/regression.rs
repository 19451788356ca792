//! `deriv`, `predict_linear` and `double_exponential_smoothing`.

use crate::model::kahan::KahanSum;
use crate::promql::eval::EvalError;
use crate::promql::eval::functions::RangeCall;
use crate::promql::eval::functions::over_time::{Outcome, number, remark_on_histograms};
use crate::promql::eval::range::Window;
use crate::promql::series::FloatPoint;

/// The straight line through the numbers by least squares: its slope per second and its value at a
/// time. A constant has no slope; infinite numbers have no line.
fn line(floats: &[FloatPoint], at: i64) -> (f64, f64) {
    let first = floats.first().map_or(f64::NAN, |point| point.value);
    if floats.iter().all(|point| point.value == first) {
        return if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) };
    }
    let (mut sum_x, mut sum_y) = (KahanSum::default(), KahanSum::default());
    let (mut sum_xy, mut sum_xx) = (KahanSum::default(), KahanSum::default());
    for point in floats {
        let x = point.at.saturating_sub(at) as f64 / 1000.0;
        sum_x.add(x);
        sum_y.add(point.value);
        sum_xy.add(x * point.value);
        sum_xx.add(x * x);
    }
    let count = floats.len() as f64;
    let (x, y) = (sum_x.total(), sum_y.total());
    let covariance = sum_xy.total() - x * y / count;
    let variance = sum_xx.total() - x * x / count;
    let slope = covariance / variance;
    (slope, y / count - slope * x / count)
}

/// Whether there are two numbers at least; histograms beside them are remarked on.
fn has_line(window: &Window<'_>, call: &mut RangeCall<'_>) -> bool {
    remark_on_histograms(window, call);
    window.floats.len() >= 2
}

pub(super) fn deriv(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    if !has_line(window, call) {
        return Ok(None);
    }
    // Times are counted from the first sample, so that they are small and exact.
    let start = window.floats.first().map_or(0, |point| point.at);
    number(line(window.floats, start).0)
}

pub(super) fn predict_linear(window: &Window<'_>, call: &mut RangeCall<'_>) -> Outcome {
    if !has_line(window, call) {
        return Ok(None);
    }
    let (slope, now) = line(window.floats, call.at);
    number(slope * call.args.first().copied().unwrap_or(f64::NAN) + now)
}

/// A factor of smoothing lies between 0 and 1.
fn check_factor(call: &RangeCall<'_>, what: &str, factor: f64) -> Result<(), EvalError> {
    if factor <= 0.0 || factor >= 1.0 {
        let bounds = format!("0 < {} < 1", if what == "trend" { "tf" } else { "sf" });
        let message = format!("invalid {what} factor. Expected: {bounds}, got: {factor:.6}");
        return Err(EvalError::new(call.place, message));
    }
    Ok(())
}

pub(super) fn double_exponential_smoothing(
    window: &Window<'_>,
    call: &mut RangeCall<'_>,
) -> Outcome {
    let smoothing = call.args.first().copied().unwrap_or(f64::NAN);
    let trending = call.args.get(1).copied().unwrap_or(f64::NAN);
    check_factor(call, "smoothing", smoothing)?;
    check_factor(call, "trend", trending)?;
    if !has_line(window, call) {
        return Ok(None);
    }
    let mut values = window.floats.iter().map(|point| point.value);
    let (Some(mut level), Some(second)) = (values.next(), values.next()) else { return Ok(None) };
    let mut before = 0.0;
    let mut trend = second - level;
    for (index, value) in std::iter::once(second).chain(values).enumerate() {
        if index > 0 {
            trend = trending * (level - before) + (1.0 - trending) * trend;
        }
        before = level;
        level = smoothing * value + (1.0 - smoothing) * (level + trend);
    }
    number(level)
}
