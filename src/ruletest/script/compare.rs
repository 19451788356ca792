//! What came out beside what was expected.

use crate::model::Timestamp;
use crate::model::histogram::{BucketCount, FloatHistogram};
use crate::model::label::Quoted;
use crate::promql::eval::{MatrixSeries, Value, VectorSample};
use crate::promql::series::notation::SequenceValue;
use crate::promql::series::{SampleValue, is_stale};
use crate::ruletest::script::command::{Eval, EvalTimes, ExpectedSeries, ExpectedValue};

/// How far two numbers may differ, in relation to their sum.
const TOLERANCE: f64 = 0.000_001;

/// Whether two numbers are equal but for rounding; NaN equals NaN.
pub(super) fn almost_equal(a: f64, b: f64) -> bool {
    if is_stale(a) || is_stale(b) {
        return is_stale(a) && is_stale(b);
    }
    if a == b || (a.is_nan() && b.is_nan()) {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

fn almost_same_buckets(a: &[BucketCount], b: &[BucketCount]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| a.index == b.index && almost_equal(a.count, b.count))
}

/// Whether a histogram is the expected one but for rounding. Its hint counts only where the script
/// gives one.
fn almost_same(expected: &FloatHistogram, got: &FloatHistogram, hint_given: bool) -> bool {
    let (mut expected, mut got) = (expected.clone(), got.clone());
    expected.compact();
    got.compact();
    expected.schema == got.schema
        && almost_equal(expected.count, got.count)
        && almost_equal(expected.sum, got.sum)
        && expected.custom_values == got.custom_values
        && expected.zero_threshold == got.zero_threshold
        && almost_equal(expected.zero_count, got.zero_count)
        && almost_same_buckets(&expected.negative, &got.negative)
        && almost_same_buckets(&expected.positive, &got.positive)
        && (!hint_given || expected.counter_reset_hint == got.counter_reset_hint)
}

fn is_expected(expected: &SequenceValue, got: &SampleValue) -> bool {
    match (&expected.value, got) {
        (SampleValue::Float(expected), SampleValue::Float(got)) => almost_equal(*expected, *got),
        (SampleValue::Histogram(expected_histogram), SampleValue::Histogram(got)) => {
            almost_same(expected_histogram, got, expected.hint_given)
        }
        _ => false,
    }
}

fn text(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(value) => value.to_string(),
        SampleValue::Histogram(histogram) => {
            format!("{histogram} (hint {:?})", histogram.counter_reset_hint)
        }
    }
}

/// Compares a value with what an `eval` expects.
///
/// # Errors
/// Where they differ first.
pub(super) fn compare(eval: &Eval, value: &Value) -> Result<(), String> {
    match (&eval.expected.value, value) {
        (ExpectedValue::Scalar(expected), Value::Scalar(got)) => {
            if almost_equal(*expected, *got) {
                return Ok(());
            }
            Err(format!("expected {expected}, got {got}"))
        }
        (ExpectedValue::String(expected), Value::String(got)) => {
            if expected == got {
                return Ok(());
            }
            Err(format!("expected {}, got {}", Quoted(expected), Quoted(got)))
        }
        (ExpectedValue::Series { series, .. }, Value::Vector(got)) => {
            vector(series, got, eval.expected.ordered)
        }
        (ExpectedValue::Series { .. }, Value::Matrix(_)) if eval.expected.ordered => {
            Err("an order is expected, but series of a matrix are in order of labels".to_string())
        }
        (ExpectedValue::Series { series, range }, Value::Matrix(got)) => {
            let (start, step) = match (range, eval.times) {
                (Some((start, _, step)), _) => (*start, *step),
                (None, EvalTimes::Range { start, step, .. }) => (start, step),
                (None, EvalTimes::At(_)) => {
                    return Err("got a range vector; write `expect range vector`".to_string());
                }
            };
            matrix(series, got, |index| start + step.saturating_mul(index))
        }
        (expected, got) => Err(format!("expected {}, got {}", kind(expected), kind_of(got))),
    }
}

fn kind(expected: &ExpectedValue) -> &'static str {
    match expected {
        ExpectedValue::Scalar(_) => "a scalar",
        ExpectedValue::String(_) => "a string",
        ExpectedValue::Series { .. } => "series",
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Scalar(_) => "a scalar",
        Value::String(_) => "a string",
        Value::Vector(_) => "an instant vector",
        Value::Matrix(_) => "a range vector",
    }
}

fn vector(expected: &[ExpectedSeries], got: &[VectorSample], ordered: bool) -> Result<(), String> {
    for (position, sample) in got.iter().enumerate() {
        let found = expected.iter().position(|e| e.labels == sample.labels);
        let (labels, value) = (&sample.labels, text(&sample.value));
        let Some(place) = found else { return Err(format!("not expected: {labels} {value}")) };
        if ordered && place != position {
            let (wanted, got) = (place + 1, position + 1);
            return Err(format!("{labels} is expected at position {wanted}, but is at {got}"));
        }
        let first = expected.get(place).and_then(|e| e.values.first()).and_then(Option::as_ref);
        match first {
            Some(wanted) if is_expected(wanted, &sample.value) => {}
            Some(wanted) => {
                return Err(format!("{labels}: expected {}, got {value}", text(&wanted.value)));
            }
            None => return Err(format!("{labels}: expected nothing, got {value}")),
        }
    }
    match expected.iter().find(|e| !got.iter().any(|sample| sample.labels == e.labels)) {
        Some(missing) => Err(format!("missing: {}", missing.labels)),
        None => Ok(()),
    }
}

fn matrix(
    expected: &[ExpectedSeries],
    got: &[MatrixSeries],
    time: impl Fn(u32) -> Timestamp,
) -> Result<(), String> {
    if !got.is_sorted_by(|a, b| a.labels <= b.labels) {
        return Err("the series are not in order of labels".to_string());
    }
    for series in got {
        let labels = &series.labels;
        let Some(wanted) = expected.iter().find(|e| e.labels == *labels) else {
            return Err(format!("not expected: {labels} {}", points(series)));
        };
        let wanted =
            wanted.values.iter().zip(0..).filter_map(|(value, index)| {
                value.as_ref().map(|value| (time(index).millis(), value))
            });
        let (floats, histograms): (Vec<_>, Vec<_>) =
            wanted.partition(|(_, value)| value.value.float().is_some());
        let same_floats = floats.len() == series.floats.len()
            && floats.iter().zip(&series.floats).all(|((at, wanted), point)| {
                *at == point.at && is_expected(wanted, &SampleValue::Float(point.value))
            });
        let same_histograms = histograms.len() == series.histograms.len()
            && histograms.iter().zip(&series.histograms).all(|((at, wanted), point)| {
                let got = SampleValue::Histogram(point.histogram.clone());
                *at == point.at && is_expected(wanted, &got)
            });
        if !same_floats || !same_histograms {
            let mut wanted = floats;
            wanted.extend(histograms);
            let wanted: Vec<String> =
                wanted.iter().map(|(at, value)| format!("{}@{at}", text(&value.value))).collect();
            let (wanted, got) = (wanted.join(" "), points(series));
            return Err(format!("{labels}: expected {wanted}\n  got {got}"));
        }
    }
    match expected.iter().find(|e| !got.iter().any(|series| series.labels == e.labels)) {
        Some(missing) => Err(format!("missing: {}", missing.labels)),
        None => Ok(()),
    }
}

fn points(series: &MatrixSeries) -> String {
    let floats = series.floats.iter().map(|p| format!("{}@{}", p.value, p.at));
    let histograms = series.histograms.iter();
    let histograms = histograms
        .map(|p| format!("{}@{}", text(&SampleValue::Histogram(p.histogram.clone())), p.at));
    floats.chain(histograms).collect::<Vec<_>>().join(" ")
}
