//! Functions of single numbers.

use crate::promql::eval::EvalError;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::functions::{Args, Site};
use crate::promql::eval::names::{merge_same_labels, without_name};
use crate::promql::eval::value::{Evaluated, Series};

/// Applies a function to every number of a vector. Histograms are left out, the name goes.
pub(super) fn each(
    ev: &Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
    work: impl Fn(f64) -> f64,
) -> Result<Evaluated, EvalError> {
    let series = args.vector(0)?;
    map(ev, site, series, |_, value| Some(work(value)))
}

/// Applies a function of the step's number and the value to every number of a vector.
pub(super) fn map(
    ev: &Evaluator<'_>,
    site: &Site<'_>,
    series: Vec<Series>,
    work: impl Fn(usize, f64) -> Option<f64>,
) -> Result<Evaluated, EvalError> {
    let late = ev.options.delayed_name_removal;
    let mut results = Vec::with_capacity(series.len());
    for mut one in series {
        one.histograms.clear();
        one.floats.retain(|point| match work(site.times.index(point.at), point.value) {
            Some(value) => {
                point.value = value;
                true
            }
            None => false,
        });
        if one.floats.is_empty() {
            continue;
        }
        one.drop_name = true;
        if !late {
            one.labels = without_name(&one.labels);
        }
        results.push(one);
    }
    let results = if late { results } else { merge_same_labels(results, site.span)? };
    Ok(Evaluated::Vector(results))
}

/// -1, 0 or 1; NaN stays, and so does the sign of 0.
pub(super) fn sgn(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

pub(super) fn rad(degrees: f64) -> f64 {
    degrees * std::f64::consts::PI / 180.0
}

pub(super) fn deg(radians: f64) -> f64 {
    radians * 180.0 / std::f64::consts::PI
}

/// `min_of(a, b)`; NaN where either is.
pub(super) fn min_of(
    _: &mut Evaluator<'_>,
    _: &Site<'_>,
    args: Args,
) -> Result<Evaluated, EvalError> {
    of_two(args, f64::min)
}

/// `max_of(a, b)`; NaN where either is.
pub(super) fn max_of(
    _: &mut Evaluator<'_>,
    _: &Site<'_>,
    args: Args,
) -> Result<Evaluated, EvalError> {
    of_two(args, f64::max)
}

fn of_two(mut args: Args, work: fn(f64, f64) -> f64) -> Result<Evaluated, EvalError> {
    let (a, b) = (args.scalar(0)?, args.scalar(1)?);
    let each = a.iter().zip(&b).map(|(a, b)| match a.is_nan() || b.is_nan() {
        true => f64::NAN,
        false => work(*a, *b),
    });
    Ok(Evaluated::Scalar(each.collect()))
}
