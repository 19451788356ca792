//! Aggregations that pick series of each group: `topk`, `bottomk`, `limitk`, `limit_ratio`.

use std::cmp::Ordering;

use crate::model::float::general;
use crate::promql::AggregateOp;
use crate::promql::eval::aggregate::{Groups, Site, ratio};
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::steps::{Output, Steps};
use crate::promql::eval::value::{Series, StepSample};
use crate::promql::eval::{EvalError, notes};
use crate::promql::series::SampleValue;

pub(super) fn apply(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    params: &[f64],
    series: &[Series],
) -> Result<Vec<Series>, EvalError> {
    check(ev, site, params)?;
    let groups = Groups::new(series, &site.aggregate.grouping);
    let mut steps = Steps::new(series);
    let late = ev.options.delayed_name_removal;
    let mut output = Output::new(site.times.is_instant(), late, site.span);
    let mut picks: Vec<Vec<(usize, SampleValue)>> = vec![Vec::new(); groups.labels.len()];
    for (at, param) in site.times.iter().zip(params) {
        picks.iter_mut().for_each(Vec::clear);
        for (index, _, value) in steps.at(at) {
            let group = groups.of.get(index).and_then(|group| picks.get_mut(*group));
            group.into_iter().for_each(|group| group.push((index, value.clone())));
        }
        for group in &mut picks {
            choose(ev, site, *param, series, group);
            for (index, value) in group.drain(..) {
                let Some(one) = series.get(index) else { continue };
                let (labels, drop_name) = (one.labels.clone(), one.drop_name);
                output.push(at, StepSample { labels, drop_name, value })?;
            }
        }
    }
    output.finish()
}

/// Refuses parameters that mean nothing and remarks on those out of range.
fn check(ev: &mut Evaluator<'_>, site: &Site<'_>, params: &[f64]) -> Result<(), EvalError> {
    let max = params.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let min = params.iter().copied().fold(f64::INFINITY, f64::min);
    let is_ratio = site.aggregate.op == AggregateOp::LimitRatio;
    let refused = |message: String| Err(EvalError::new(site.param(), message));
    if params.iter().any(|param| param.is_nan()) {
        let what = if is_ratio { "Ratio" } else { "Parameter" };
        return refused(format!("{what} value is NaN"));
    }
    if is_ratio {
        if max > 1.0 {
            ev.notes.warn(site.param(), notes::invalid_ratio(max, 1.0));
        }
        if min < -1.0 {
            ev.notes.warn(site.param(), notes::invalid_ratio(min, -1.0));
        }
    } else if max >= 1.0 {
        // 2^63 is a float, the greatest i64 is none.
        let limit = 2f64.powi(63);
        if min <= -limit {
            return refused(format!("Scalar value {} underflows int64", general(min)));
        }
        if max >= limit {
            return refused(format!("Scalar value {} overflows int64", general(max)));
        }
    }
    Ok(())
}

/// Leaves in a group those that the operator picks, in its order.
fn choose(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    param: f64,
    series: &[Series],
    group: &mut Vec<(usize, SampleValue)>,
) {
    // A conversion of floats cuts off and stays in range.
    let count = param as usize;
    match site.aggregate.op {
        AggregateOp::Limitk => group.truncate(count),
        AggregateOp::LimitRatio => {
            let ratio = param.clamp(-1.0, 1.0);
            let labels = |index: usize| series.get(index).map(|one| &one.labels);
            group.retain(|(index, _)| labels(*index).is_some_and(|l| ratio::picks(ratio, l)));
        }
        op => {
            if count == 0 {
                return group.clear();
            }
            let before = group.len();
            group.retain(|(_, value)| value.float().is_some());
            if group.len() < before {
                ev.notes.info(site.operand(), notes::ignored_in_aggregation(site.name()));
            }
            let order = |a: &SampleValue, b: &SampleValue| {
                let (a, b) = (a.float().unwrap_or(f64::NAN), b.float().unwrap_or(f64::NAN));
                if op == AggregateOp::Topk {
                    numbers_first(b, a, a, b)
                } else {
                    numbers_first(a, b, a, b)
                }
            };
            group.sort_by(|(_, a), (_, b)| order(a, b));
            group.truncate(count);
        }
    }
}

/// The order of `x` and `y`; of `a` and `b`, NaN comes last.
fn numbers_first(x: f64, y: f64, a: f64, b: f64) -> Ordering {
    a.is_nan().cmp(&b.is_nan()).then(x.partial_cmp(&y).unwrap_or(Ordering::Equal))
}
