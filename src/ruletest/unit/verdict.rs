//! What was there compared with what was expected.

use std::fmt::Write;

use crate::model::histogram::TestExpression;
use crate::model::label::METRIC_NAME;
use crate::model::{LabelSet, Timestamp, format_duration};
use crate::promql::eval::{Value, instant};
use crate::promql::series::SampleValue;
use crate::query::MemoryQuerier;
use crate::ruletest::report::Failure;
use crate::ruletest::unit::bench::Bench;
use crate::ruletest::unit::{AlertTest, ExpectedAlert, ExprTest};

/// Compares the alerts that fire with those of an entry of `alert_rule_test`.
pub(super) fn alerts(bench: &Bench<'_>, test: &AlertTest) -> Option<Failure> {
    let firing = bench.firing(&test.alertname).map(|alert| ExpectedAlert {
        labels: alert.labels.clone(),
        annotations: alert.annotations.clone(),
    });
    let mut got: Vec<ExpectedAlert> = firing.collect();
    let mut expected = test.expected.clone();
    got.sort();
    expected.sort();
    if got == expected {
        return None;
    }
    let at = format_duration(test.eval_time);
    let wanted = count(expected.len(), "firing alert");
    let message = if expected.len() == got.len() {
        format!(
            "{} at {at}: {wanted} as expected, with other labels or annotations",
            test.alertname
        )
    } else {
        format!("{} at {at}: expected {wanted}, got {}", test.alertname, got.len())
    };
    Some(Failure::differs(test.span, message, listed(&expected), listed(&got)))
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Alerts in YAML, one field a line.
fn listed(alerts: &[ExpectedAlert]) -> String {
    let mut text = String::new();
    for alert in alerts {
        let parts = [("- labels:", &alert.labels), ("  annotations:", &alert.annotations)];
        for (head, pairs) in parts {
            let _ = writeln!(text, "{head}");
            for (name, value) in pairs.iter() {
                let _ = writeln!(text, "    {name}: {}", quoted(value));
            }
        }
    }
    text
}

/// A text as it is where that is plain, otherwise with its escapes shown.
pub(super) fn quoted(text: &str) -> String {
    let plain = !text.is_empty() && text.trim() == text && !text.contains(char::is_control);
    if plain { text.to_string() } else { format!("{text:?}") }
}

/// Compares what an expression gives with an entry of `promql_expr_test`.
pub(super) fn expression(
    querier: &MemoryQuerier,
    test: &ExprTest,
    start: Timestamp,
    fuzzy: bool,
) -> Option<Failure> {
    let at = start + test.eval_time;
    let when = format_duration(test.eval_time);
    let done = instant(&test.expr, &querier.series(), at, querier.options());
    let value = match done {
        Ok(done) => done.value,
        Err(error) => {
            let message = format!("`{}` at {when} fails: {}", test.query, error.message);
            return Some(Failure::new(test.span, message));
        }
    };
    let mut got: Vec<(LabelSet, SampleValue)> = match value {
        Value::Scalar(number) => vec![(LabelSet::new(), SampleValue::Float(number))],
        Value::Vector(samples) => samples.into_iter().map(|s| (s.labels, s.value)).collect(),
        Value::String(_) | Value::Matrix(_) => {
            let message = format!("`{}` gives no instant vector and no number", test.query);
            return Some(Failure::new(test.span, message));
        }
    };
    let wanted = test.expected.iter().map(|s| (s.labels.clone(), s.value.value.clone()));
    let mut expected: Vec<(LabelSet, SampleValue)> = wanted.collect();
    got.sort_by(|a, b| a.0.cmp(&b.0));
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    let same = got.len() == expected.len()
        && got.iter().zip(&expected).all(|(g, e)| g.0 == e.0 && same_value(&g.1, &e.1, fuzzy));
    if same {
        return None;
    }
    let message = format!("`{}` at {when} gives something else", test.query.trim());
    Some(Failure::differs(test.span, message, samples(&expected), samples(&got)))
}

fn samples(samples: &[(LabelSet, SampleValue)]) -> String {
    let mut text = String::new();
    for (labels, value) in samples {
        let _ = writeln!(text, "{} {}", series(labels), written(value));
    }
    text
}

/// Labels as a series is written: `up{job="a"}`.
fn series(labels: &LabelSet) -> String {
    let name = labels.value(METRIC_NAME);
    let others = labels.without(METRIC_NAME);
    if name.is_empty() || others.is_empty() {
        return if name.is_empty() { others.to_string() } else { name.to_string() };
    }
    format!("{name}{others}")
}

/// A value as a test file has it.
fn written(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(number) if number.is_infinite() => {
            if *number > 0.0 { "+Inf" } else { "-Inf" }.to_string()
        }
        SampleValue::Float(number) => number.to_string(),
        SampleValue::Histogram(histogram) => TestExpression(histogram).to_string(),
    }
}

/// Histograms are the same where they are written alike, as in promtool.
fn same_value(a: &SampleValue, b: &SampleValue, fuzzy: bool) -> bool {
    match (a, b) {
        (SampleValue::Float(a), SampleValue::Float(b)) => {
            a == b
                || (a.is_nan() && b.is_nan())
                || (fuzzy && (a.next_up() == *b || a.next_down() == *b))
        }
        (SampleValue::Histogram(a), SampleValue::Histogram(b)) => {
            TestExpression(a).to_string() == TestExpression(b).to_string()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fuzzy_numbers_differ_by_one_unit_in_the_last_place() {
        let float = SampleValue::Float;
        let near = f64::from_bits(1.0f64.to_bits() + 1);
        let far = f64::from_bits(1.0f64.to_bits() + 2);
        for (a, b, exact, fuzzy) in [
            (1.0, 1.0, true, true),
            (1.0, near, false, true),
            (near, 1.0, false, true),
            (1.0, far, false, false),
            (f64::NAN, f64::NAN, true, true),
            (f64::INFINITY, f64::INFINITY, true, true),
            (0.0, -0.0, true, true),
        ] {
            assert_eq!(same_value(&float(a), &float(b), false), exact, "{a} {b}");
            assert_eq!(same_value(&float(a), &float(b), true), fuzzy, "{a} {b}");
        }
    }
}
