//! An operator between a vector and a number.

use crate::diag::Span;
use crate::promql::eval::EvalError;
use crate::promql::eval::binary::element;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::names::{merge_same_labels, without_name};
use crate::promql::eval::times::Times;
use crate::promql::eval::value::Series;
use crate::promql::series::SampleValue;
use crate::promql::{Binary, BinaryOp};

/// Each sample with the number of its time. `swapped`: the number stands on the left.
pub(super) fn apply(
    ev: &mut Evaluator<'_>,
    binary: &Binary,
    span: Span,
    times: Times,
    series: Vec<Series>,
    numbers: &[f64],
    swapped: bool,
) -> Result<Vec<Series>, EvalError> {
    let late = ev.options.delayed_name_removal;
    let renames = binary.return_bool || !binary.op.is_comparison();
    let mut results = Vec::with_capacity(series.len());
    for mut one in series {
        if renames {
            one.drop_name = true;
            if !late {
                one.labels = without_name(&one.labels);
            }
        }
        let mut result = Series::new(one.labels, one.drop_name);
        for point in &one.floats {
            let number = numbers.get(times.index(point.at)).copied().unwrap_or(f64::NAN);
            let value = SampleValue::Float(point.value);
            let value = with_number(ev, binary, span, value, number, swapped);
            value.into_iter().for_each(|value| result.push(point.at, value));
        }
        for point in one.histograms {
            let number = numbers.get(times.index(point.at)).copied().unwrap_or(f64::NAN);
            let value = SampleValue::Histogram(point.histogram);
            let value = with_number(ev, binary, span, value, number, swapped);
            value.into_iter().for_each(|value| result.push(point.at, value));
        }
        if !result.is_empty() {
            results.push(result);
        }
    }
    if late || !renames { Ok(results) } else { merge_same_labels(results, span) }
}

fn with_number(
    ev: &mut Evaluator<'_>,
    binary: &Binary,
    span: Span,
    value: SampleValue,
    number: f64,
    swapped: bool,
) -> Option<SampleValue> {
    let op: BinaryOp = binary.op;
    let number = SampleValue::Float(number);
    let (lhs, rhs) = if swapped { (&number, &value) } else { (&value, &number) };
    let outcome = element::apply(op, lhs, rhs, span, &mut ev.notes)?;
    if binary.return_bool {
        return Some(SampleValue::Float(f64::from(u8::from(outcome.keep))));
    }
    match (outcome.keep, op.is_comparison()) {
        (false, _) => None,
        // A comparison keeps the sample, on whichever side it stands.
        (true, true) => Some(value),
        (true, false) => Some(outcome.value),
    }
}
