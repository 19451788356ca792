//! Operators.

mod element;
mod matching;
mod scalar;
mod set;
#[cfg(test)]
mod tests;
mod vector;

use std::sync::Arc;

use crate::diag::Span;
use crate::promql::Binary;
use crate::promql::eval::EvalError;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::names::{merge_same_labels, without_name};
use crate::promql::eval::times::Times;
use crate::promql::eval::value::Evaluated;

/// `-operand`
pub(super) fn negate(
    ev: &Evaluator<'_>,
    operand: Evaluated,
    span: Span,
) -> Result<Evaluated, EvalError> {
    let mut series = match operand {
        Evaluated::Scalar(mut numbers) => {
            numbers.iter_mut().for_each(|n| *n = -*n);
            return Ok(Evaluated::Scalar(numbers));
        }
        Evaluated::Vector(series) => series,
        Evaluated::String(_) => return Err(EvalError::unexpected(span)),
    };
    let late = ev.options.delayed_name_removal;
    for one in &mut series {
        one.drop_name = true;
        if !late {
            one.labels = without_name(&one.labels);
        }
        one.floats.iter_mut().for_each(|point| point.value = -point.value);
        for point in &mut one.histograms {
            Arc::make_mut(&mut point.histogram).mul(-1.0);
        }
    }
    let series = if late { series } else { merge_same_labels(series, span)? };
    Ok(Evaluated::Vector(series))
}

/// `lhs op rhs`
pub(super) fn apply(
    ev: &mut Evaluator<'_>,
    binary: &Binary,
    span: Span,
    times: Times,
    lhs: Evaluated,
    rhs: Evaluated,
) -> Result<Evaluated, EvalError> {
    match (lhs, rhs) {
        (Evaluated::Scalar(lhs), Evaluated::Scalar(rhs)) => {
            let results = lhs.iter().zip(&rhs);
            let results = results.map(|(l, r)| element::scalar(binary.op, *l, *r));
            Ok(Evaluated::Scalar(results.collect()))
        }
        (Evaluated::Vector(lhs), Evaluated::Scalar(rhs)) => {
            scalar::apply(ev, binary, span, times, lhs, &rhs, false).map(Evaluated::Vector)
        }
        (Evaluated::Scalar(lhs), Evaluated::Vector(rhs)) => {
            scalar::apply(ev, binary, span, times, rhs, &lhs, true).map(Evaluated::Vector)
        }
        (Evaluated::Vector(lhs), Evaluated::Vector(rhs)) if binary.op.is_set() => {
            set::apply(ev, binary, span, times, &lhs, &rhs).map(Evaluated::Vector)
        }
        (Evaluated::Vector(lhs), Evaluated::Vector(rhs)) => {
            vector::apply(ev, binary, span, times, &lhs, &rhs).map(Evaluated::Vector)
        }
        _ => Err(EvalError::unexpected(span)),
    }
}
