//! Evaluates and checks.

use std::time::Duration;

use crate::model::Timestamp;
use crate::promql::eval::{self, AnnotationLevel, Annotations, Evaluation, Options, Value};
use crate::promql::eval::{EvalError, VectorSample};
use crate::promql::series::{SampleValue, SeriesStore};
use crate::promql::{Expr, ExprKind, parse};
use crate::ruletest::script::Verdict;
use crate::ruletest::script::command::{Eval, EvalTimes, Expected, ExpectedValue, Remarks, Words};
use crate::ruletest::script::{compare, variants};

/// What comes of an `eval`.
pub(super) fn verdict(eval: &Eval, store: &SeriesStore, options: &Options) -> Verdict {
    let expr = match parse(&eval.expression) {
        Ok(expr) => expr,
        Err(error) => {
            return match &eval.expected.fail {
                Some(words) if words.describe(&error.message) => Verdict::Passed,
                _ => Verdict::NotParsed(error.message),
            };
        }
    };
    match checked(eval, &expr, store, options) {
        Ok(()) => Verdict::Passed,
        Err(reason) => Verdict::Failed(reason),
    }
}

fn checked(eval: &Eval, expr: &Expr, store: &SeriesStore, options: &Options) -> Result<(), String> {
    match eval.times {
        EvalTimes::Range { start, end, step } => {
            let outcome = eval::range(expr, store, (start, end), step, options);
            outcome_is_expected(eval, outcome).map(drop)
        }
        EvalTimes::At(at) => {
            let at = evaluated_at(eval, at);
            instant(eval, expr, store, at, options)?;
            let Some(bound) = variants::bound_to(expr, at) else { return Ok(()) };
            for other in variants::other_times(at) {
                instant(eval, &bound, store, other, options).map_err(|reason| {
                    format!("bound to {} and evaluated at {other}: {reason}", at.as_secs_f64())
                })?;
            }
            Ok(())
        }
    }
}

/// An expected range vector says itself when it is evaluated: at its end.
fn evaluated_at(eval: &Eval, at: Timestamp) -> Timestamp {
    match &eval.expected.value {
        ExpectedValue::Series { range: Some((_, end, _)), .. } => *end,
        _ => at,
    }
}

fn instant(
    eval: &Eval,
    expr: &Expr,
    store: &SeriesStore,
    at: Timestamp,
    options: &Options,
) -> Result<(), String> {
    let Some(value) = outcome_is_expected(eval, eval::instant(expr, store, at, options))? else {
        return Ok(());
    };
    if !matches!(value, Value::Scalar(_) | Value::Vector(_)) || speaks_of_query(expr) {
        return Ok(());
    }
    // The same must come out in the middle of a range.
    let minute = Duration::from_secs(60);
    let times = (at - minute, at + minute);
    let range = eval::range(expr, store, times, minute, options);
    let range = range.map_err(|error| format!("in a range query: {error}"))?;
    if eval.expected.ordered {
        return Ok(());
    }
    let middle = match (range.value, value) {
        (Value::Matrix(series), Value::Scalar(_)) => {
            let points = series.into_iter().flat_map(|one| one.floats);
            let point = points.into_iter().find(|point| point.at == at.millis());
            Value::Scalar(point.map_or(f64::NAN, |point| point.value))
        }
        (Value::Matrix(series), _) => {
            let samples = series.into_iter().filter_map(|one| {
                let float = one.floats.iter().find(|p| p.at == at.millis());
                let float = float.map(|p| SampleValue::Float(p.value));
                let histogram = one.histograms.iter().find(|p| p.at == at.millis());
                let histogram = histogram.map(|p| SampleValue::Histogram(p.histogram.clone()));
                let value = float.or(histogram)?;
                Some(VectorSample { labels: one.labels, timestamp: at, value })
            });
            Value::Vector(samples.collect())
        }
        (other, _) => other,
    };
    compare::compare(eval, &middle).map_err(|reason| format!("in a range query: {reason}"))
}

/// Whether an expression asks for the times of the query, which a range query has others of.
fn speaks_of_query(expr: &Expr) -> bool {
    expr.walk().any(|part| match &part.kind {
        ExprKind::Call(call) => {
            matches!(call.function.name, "start" | "end" | "range" | "step")
        }
        ExprKind::VectorSelector(selector) => fixed_to_query(selector.at),
        ExprKind::MatrixSelector(matrix) => fixed_to_query(matrix.selector.at),
        ExprKind::Subquery(subquery) => fixed_to_query(subquery.at),
        _ => false,
    })
}

fn fixed_to_query(at: Option<crate::promql::At>) -> bool {
    matches!(at, Some(crate::promql::At::Start | crate::promql::At::End))
}

/// Checks an outcome; returns the value where one was expected.
fn outcome_is_expected(
    eval: &Eval,
    outcome: Result<Evaluation, EvalError>,
) -> Result<Option<Value>, String> {
    match (outcome, &eval.expected.fail) {
        (Ok(_), Some(_)) => Err("expected an error, got none".to_string()),
        (Err(error), Some(words)) if words.describe(&error.message) => Ok(None),
        (Err(error), Some(words)) => {
            Err(format!("expected the error {}, got {error}", describe(words)))
        }
        (Err(error), None) => Err(error.to_string()),
        (Ok(evaluation), None) => {
            remarks_are_expected(eval, &eval.expected, &evaluation.annotations)?;
            compare::compare(eval, &evaluation.value)?;
            Ok(Some(evaluation.value))
        }
    }
}

fn describe(words: &Words) -> String {
    match words {
        Words::Any => "of any words".to_string(),
        Words::Exactly(words) => words.clone(),
        Words::Matching(regex) => format!("matching {regex}"),
    }
}

fn remarks_are_expected(
    eval: &Eval,
    expected: &Expected,
    annotations: &Annotations,
) -> Result<(), String> {
    let levels = [
        (AnnotationLevel::Warning, "warning", &expected.warn),
        (AnnotationLevel::Info, "info", &expected.info),
    ];
    for (level, name, wanted) in levels {
        let found = annotations.of(level).map(|remark| remark.render(&eval.expression));
        let found: Vec<String> = found.collect();
        match wanted {
            Remarks::Whatever => {}
            Remarks::None => {
                if let Some(first) = found.first() {
                    return Err(format!("expected no {name}, got {first}"));
                }
            }
            Remarks::Some(wanted) => {
                let missing = wanted.iter().find(|w| !found.iter().any(|f| w.describe(f)));
                if let Some(missing) = missing {
                    let wanted = describe(missing);
                    return Err(format!("expected the {name} {wanted}, got {found:?}"));
                }
                let other = found.iter().find(|f| !wanted.iter().any(|w| w.describe(f)));
                if let Some(other) = other {
                    return Err(format!("an unexpected {name}: {other}"));
                }
            }
        }
    }
    Ok(())
}
