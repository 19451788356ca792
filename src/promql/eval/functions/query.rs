//! Scalars and vectors made of one another, and what the query itself says.

use smallvec::smallvec;

use crate::model::LabelSet;
use crate::promql::eval::EvalError;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::functions::{Args, Site};
use crate::promql::eval::steps::Steps;
use crate::promql::eval::value::{Evaluated, Series};
use crate::promql::series::FloatPoint;

/// The number of a vector that has one; otherwise NaN.
pub(super) fn scalar(
    _: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
) -> Result<Evaluated, EvalError> {
    let series = args.vector(0)?;
    let mut steps = Steps::new(&series);
    let numbers = site.times.iter().map(|at| {
        let mut numbers = Vec::new();
        numbers.extend(steps.at(at).filter_map(|(_, _, value)| value.float()));
        if let [number] = numbers[..] { number } else { f64::NAN }
    });
    Ok(Evaluated::Scalar(numbers.collect()))
}

/// A series without labels.
pub(super) fn vector(
    _: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
) -> Result<Evaluated, EvalError> {
    let numbers = args.scalar(0)?;
    let mut series = Series::new(LabelSet::new(), false);
    let points = site.times.iter().zip(&numbers);
    series.floats = points.map(|(at, value)| FloatPoint { at, value: *value }).collect();
    Ok(Evaluated::Vector(vec![series]))
}

fn constant(site: &Site<'_>, millis: i64) -> Result<Evaluated, EvalError> {
    Ok(Evaluated::Scalar(smallvec![millis as f64 / 1000.0; site.times.count()]))
}

/// The start of the query in seconds.
pub(super) fn start(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    _: Args,
) -> Result<Evaluated, EvalError> {
    constant(site, ev.query.start)
}

/// The end of the query in seconds.
pub(super) fn end(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    _: Args,
) -> Result<Evaluated, EvalError> {
    constant(site, ev.query.end)
}

/// The step of the query in seconds; 0 for an instant query.
pub(super) fn step(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    _: Args,
) -> Result<Evaluated, EvalError> {
    constant(site, ev.query_step)
}

/// The time from start to end of the query in seconds.
pub(super) fn range(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    _: Args,
) -> Result<Evaluated, EvalError> {
    constant(site, ev.query.end.saturating_sub(ev.query.start))
}
