//! `timestamp` and `start_timestamp`.

use crate::promql::ExprKind;
use crate::promql::eval::EvalError;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::functions::{Args, Site};
use crate::promql::eval::names::{merge_same_labels, without_name};
use crate::promql::eval::selector::Pick;
use crate::promql::eval::value::{Evaluated, Series};
use crate::promql::series::FloatPoint;

/// The time of each sample in seconds. What is computed has the time of the evaluation.
pub(super) fn timestamp(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    args: Args,
) -> Result<Evaluated, EvalError> {
    times(ev, site, args, Pick::Timestamp, |at| at as f64 / 1000.0)
}

/// The time at which the counting of each sample began, in seconds; 0 where that is unknown.
pub(super) fn start_timestamp(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    args: Args,
) -> Result<Evaluated, EvalError> {
    times(ev, site, args, Pick::Start, |_| 0.0)
}

fn times(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
    pick: Pick,
    computed: fn(i64) -> f64,
) -> Result<Evaluated, EvalError> {
    let arg = site.call.args.first().map(|arg| &arg.without_parens().kind);
    let picked = match arg {
        Some(ExprKind::VectorSelector(selector)) => {
            ev.pick(selector, site.times, pick, site.span)?
        }
        _ => args.vector(0)?.into_iter().map(|one| all_times(one, computed)).collect(),
    };
    let late = ev.options.delayed_name_removal;
    let renamed = picked.into_iter().map(|mut one| {
        one.drop_name = true;
        if !late {
            one.labels = without_name(&one.labels);
        }
        one
    });
    let results: Vec<Series> = renamed.collect();
    let results = if late { results } else { merge_same_labels(results, site.span)? };
    Ok(Evaluated::Vector(results))
}

/// The series with a number made of the time in place of each value.
fn all_times(one: Series, number: fn(i64) -> f64) -> Series {
    let mut result = Series::new(one.labels, one.drop_name);
    let histograms = one.histograms.iter().map(|point| point.at);
    let mut times: Vec<i64> = one.floats.iter().map(|p| p.at).chain(histograms).collect();
    times.sort_unstable();
    result.floats = times.into_iter().map(|at| FloatPoint { at, value: number(at) }).collect();
    result
}
