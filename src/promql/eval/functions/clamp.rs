//! `clamp`, `clamp_min`, `clamp_max` and `round`.

use crate::promql::eval::EvalError;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::functions::{Args, Site, math};
use crate::promql::eval::value::Evaluated;

/// A value between two bounds; NaN where anything is. Nothing where the upper bound lies below.
fn clamped(value: f64, min: f64, max: f64) -> Option<f64> {
    if max < min {
        return None;
    }
    if value.is_nan() || min.is_nan() || max.is_nan() {
        return Some(f64::NAN);
    }
    Some(value.min(max).max(min))
}

fn at(numbers: &[f64], step: usize) -> f64 {
    numbers.get(step).copied().unwrap_or(f64::NAN)
}

pub(super) fn clamp(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
) -> Result<Evaluated, EvalError> {
    let (series, min, max) = (args.vector(0)?, args.scalar(1)?, args.scalar(2)?);
    math::map(ev, site, series, |step, value| clamped(value, at(&min, step), at(&max, step)))
}

pub(super) fn clamp_min(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
) -> Result<Evaluated, EvalError> {
    let (series, min) = (args.vector(0)?, args.scalar(1)?);
    math::map(ev, site, series, |step, value| clamped(value, at(&min, step), f64::INFINITY))
}

pub(super) fn clamp_max(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
) -> Result<Evaluated, EvalError> {
    let (series, max) = (args.vector(0)?, args.scalar(1)?);
    math::map(ev, site, series, |step, value| clamped(value, f64::NEG_INFINITY, at(&max, step)))
}

/// To the nearest multiple of a number, halves upwards. The inverse loses less than a division by
/// what is often a decimal fraction.
pub(super) fn round(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
) -> Result<Evaluated, EvalError> {
    let series = args.vector(0)?;
    let nearest = if args.len() > 1 { Some(args.scalar(1)?) } else { None };
    math::map(ev, site, series, |step, value| {
        let inverse = 1.0 / nearest.as_ref().map_or(1.0, |nearest| at(nearest, step));
        Some((value * inverse + 0.5).floor() / inverse)
    })
}
