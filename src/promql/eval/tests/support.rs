//! Series and expressions in a few words.

use std::time::Duration;

use crate::model::{LabelSet, Timestamp};
use crate::promql::eval::{AnnotationLevel, Evaluation, Options, Value, instant, range};
use crate::promql::parse;
use crate::promql::series::{SampleValue, SeriesStore, stale_marker};

/// A store from lines such as `up{job="a"} 1 2 _ stale NaN`: one sample every 10 s from 0 on.
pub(in crate::promql::eval) fn store(lines: &str) -> SeriesStore {
    let mut store = SeriesStore::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let end = line.find('}').map_or_else(|| line.find(' ').unwrap(), |end| end + 1);
        let (series, values) = line.split_at(end);
        let labels = labels(series);
        for (index, value) in values.split_whitespace().enumerate() {
            let value = match value {
                "_" => continue,
                "stale" => stale_marker(),
                number => number.parse().unwrap(),
            };
            let at = Timestamp::from_secs(10 * i64::try_from(index).unwrap());
            store.append(&labels, at, SampleValue::Float(value)).unwrap();
        }
    }
    store
}

fn labels(series: &str) -> LabelSet {
    if series == "{}" {
        return LabelSet::new();
    }
    let expr = parse(series).unwrap();
    let selector = expr.selectors().next().unwrap();
    let name = selector.name.iter().map(|name| ("__name__", name.as_str()));
    let others = selector.matchers.iter().map(|m| (m.matcher.name(), m.matcher.value()));
    name.chain(others).collect()
}

fn number(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(value) => value.to_string(),
        SampleValue::Histogram(histogram) => histogram.to_string(),
    }
}

/// The outcome in a few words: `{a="1"} 2; {a="2"} 3`, `2` for a scalar, `error: …`; a matrix has
/// the values with their seconds: `{} 1@0 2@10`. Vectors are sorted.
pub(in crate::promql::eval) fn told(
    outcome: Result<Evaluation, super::super::EvalError>,
) -> String {
    let value = match outcome {
        Ok(evaluation) => evaluation.value,
        Err(error) => return format!("error: {error}"),
    };
    let mut parts: Vec<String> = match value {
        Value::Scalar(value) => return value.to_string(),
        Value::String(text) => return format!("{text:?}"),
        Value::Vector(samples) => {
            samples.iter().map(|s| format!("{} {}", s.labels, number(&s.value))).collect()
        }
        Value::Matrix(series) => {
            let points = series.iter().map(|one| {
                let points = one.floats.iter();
                let points = points.map(|p| format!(" {}@{}", p.value, p.at as f64 / 1000.0));
                format!("{}{}", one.labels, points.collect::<String>())
            });
            points.collect()
        }
    };
    parts.sort();
    parts.join("; ")
}

/// An instant query at so many seconds.
pub(in crate::promql::eval) fn at(store: &SeriesStore, seconds: i64, expr: &str) -> String {
    let expr = parse(expr).unwrap_or_else(|e| panic!("{expr}: {e}"));
    told(instant(&expr, store, Timestamp::from_secs(seconds), &Options::default()))
}

/// A range query, in seconds.
pub(in crate::promql::eval) fn over(
    store: &SeriesStore,
    (start, end, step): (i64, i64, u64),
    expr: &str,
) -> String {
    let expr = parse(expr).unwrap_or_else(|e| panic!("{expr}: {e}"));
    let times = (Timestamp::from_secs(start), Timestamp::from_secs(end));
    told(range(&expr, store, times, Duration::from_secs(step), &Options::default()))
}

/// The remarks of an instant query at 10 s, in Prometheus' words.
pub(in crate::promql::eval) fn remarks(store: &SeriesStore, text: &str) -> Vec<String> {
    let expr = parse(text).unwrap();
    let outcome = instant(&expr, store, Timestamp::from_secs(10), &Options::default()).unwrap();
    let levels = [AnnotationLevel::Warning, AnnotationLevel::Info];
    let remarks = levels.into_iter().flat_map(|level| outcome.annotations.of(level));
    remarks.map(|remark| remark.render(text)).collect()
}

/// Checks a table of expressions and outcomes at one time.
pub(in crate::promql::eval) fn check(store: &SeriesStore, seconds: i64, cases: &[(&str, &str)]) {
    for (expr, expected) in cases {
        assert_eq!(at(store, seconds, expr), *expected, "{expr}");
    }
}
