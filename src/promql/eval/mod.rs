//! Expressions evaluated in memory, as Prometheus 3 evaluates them.
//!
//! [`instant`] and [`range`] take an [`Expr`] and a [`SeriesStore`] and return the value with the
//! remarks that Prometheus would make. Every part of an expression is evaluated for all times at
//! once (`evaluator`), series by series where it can be, so that the samples of a series are
//! walked through once.
//!
//! Facts of behaviour are from Prometheus 3 (`promql/engine.go`, `promql/functions.go`) and from its
//! test scripts, which run here (`ruletest::script`).

mod aggregate;
mod annotations;
mod binary;
mod error;
mod evaluator;
mod functions;
mod histograms;
mod invariant;
mod kahan;
mod limits;
mod monotonicity;
mod names;
mod notes;
mod options;
mod quantile;
mod range;
mod selector;
mod statistics;
mod steps;
#[cfg(test)]
mod tests;
mod times;
mod value;

pub use annotations::{Annotation, AnnotationLevel, Annotations};
pub use error::EvalError;
pub use invariant::depends_on_time;
pub use options::Options;
pub use value::{MatrixSeries, Value, VectorSample};

use std::time::Duration;

use crate::model::Timestamp;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::names::{merge_same_labels, without_name};
use crate::promql::eval::times::Times;
use crate::promql::eval::value::{Evaluated, Series};
use crate::promql::series::{SampleValue, SeriesStore};
use crate::promql::{Expr, ValueType};

/// A value and the remarks that were made on the way.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The value.
    pub value: Value,
    /// Warnings and infos.
    pub annotations: Annotations,
}

/// Evaluates an expression at one time.
///
/// # Errors
/// What makes Prometheus refuse the query, with the place in the expression: series that do not
/// match, labels that are not unique, limits.
pub fn instant(
    expr: &Expr,
    store: &SeriesStore,
    at: Timestamp,
    options: &Options,
) -> Result<Evaluation, EvalError> {
    let times = Times::instant(at.millis());
    let mut ev = Evaluator::new(expr, store, times, 0, options);
    if expr.value_type() == ValueType::Matrix {
        let value = Value::Matrix(ev.matrix(expr, at.millis())?);
        return Ok(Evaluation { value, annotations: ev.notes });
    }
    let value = match ev.eval(expr, times)? {
        Evaluated::Scalar(numbers) => Value::Scalar(numbers.first().copied().unwrap_or(f64::NAN)),
        Evaluated::String(text) => Value::String(text),
        Evaluated::Vector(series) => {
            let series = finished(series, options, expr)?;
            Value::Vector(series.into_iter().filter_map(|one| sample(one, at)).collect())
        }
    };
    Ok(Evaluation { value, annotations: ev.notes })
}

/// Evaluates an expression from `start` to `end` at every `step`. The value is a matrix in order of
/// labels; a scalar becomes a series without labels.
///
/// # Errors
/// As [`instant`], and where the expression is neither a scalar nor an instant vector.
pub fn range(
    expr: &Expr,
    store: &SeriesStore,
    (start, end): (Timestamp, Timestamp),
    step: Duration,
    options: &Options,
) -> Result<Evaluation, EvalError> {
    let kind = expr.value_type();
    if !matches!(kind, ValueType::Scalar | ValueType::Vector) {
        let kind = if kind == ValueType::Matrix { "range vector" } else { "string" };
        let message = format!(
            "invalid expression type \"{kind}\" for range query, must be Scalar or instant Vector"
        );
        return Err(EvalError::new(expr.span, message));
    }
    let step = options::millis(step).max(1);
    let times = Times { start: start.millis(), end: end.millis(), step };
    let mut ev = Evaluator::new(expr, store, times, step, options);
    let mut series = match ev.eval(expr, times)? {
        Evaluated::Scalar(numbers) => {
            let mut one = Series::new(crate::model::LabelSet::new(), false);
            for (at, value) in times.iter().zip(numbers) {
                one.push(at, SampleValue::Float(value));
            }
            vec![one]
        }
        Evaluated::Vector(series) => finished(series, options, expr)?,
        Evaluated::String(_) => return Err(EvalError::unexpected(expr.span)),
    };
    series.retain(|one| !one.is_empty());
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    let series = series.into_iter().map(|one| MatrixSeries {
        labels: one.labels,
        floats: one.floats.into_vec(),
        histograms: one.histograms,
    });
    Ok(Evaluation { value: Value::Matrix(series.collect()), annotations: ev.notes })
}

/// Drops the names that were left to the end.
fn finished(
    mut series: Vec<Series>,
    options: &Options,
    expr: &Expr,
) -> Result<Vec<Series>, EvalError> {
    if !options.delayed_name_removal {
        return Ok(series);
    }
    for one in series.iter_mut().filter(|one| one.drop_name) {
        one.labels = without_name(&one.labels);
    }
    merge_same_labels(series, expr.span)
}

fn sample(series: Series, timestamp: Timestamp) -> Option<VectorSample> {
    let value = match series.floats.first() {
        Some(point) => SampleValue::Float(point.value),
        None => SampleValue::Histogram(series.histograms.into_iter().next()?.histogram),
    };
    Some(VectorSample { labels: series.labels, timestamp, value })
}
