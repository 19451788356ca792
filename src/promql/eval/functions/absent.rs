//! `absent` and `absent_over_time`: 1 where there is nothing.

use std::collections::BTreeMap;

use crate::model::label::METRIC_NAME;
use crate::model::{LabelSet, MatchOp};
use crate::promql::eval::EvalError;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::functions::{Args, Site};
use crate::promql::eval::range::Cutter;
use crate::promql::eval::value::{Evaluated, Series};
use crate::promql::series::FloatPoint;
use crate::promql::{Expr, ExprKind};

/// The labels that a missing series would have had: those that one matcher fixes, where no other
/// speaks of the same label.
fn missing_labels(arg: Option<&Expr>) -> LabelSet {
    let selector = match arg.map(|arg| &arg.without_parens().kind) {
        Some(ExprKind::VectorSelector(selector)) => selector,
        Some(ExprKind::MatrixSelector(matrix)) => &matrix.selector,
        _ => return LabelSet::new(),
    };
    let mut labels: BTreeMap<&str, &str> = BTreeMap::new();
    for matcher in selector.matchers.iter().map(|m| &m.matcher) {
        match labels.get_mut(matcher.name()) {
            Some(value) => *value = "",
            None if matcher.op() == MatchOp::Equal => {
                labels.insert(matcher.name(), matcher.value());
            }
            None => {}
        }
    }
    labels.remove(METRIC_NAME);
    labels.into_iter().collect()
}

/// 1 at the times at which nothing is present.
fn where_absent(site: &Site<'_>, present: &[bool]) -> Evaluated {
    let mut series = Series::new(missing_labels(site.call.args.first()), false);
    let absent = site.times.iter().zip(present).filter(|(_, present)| !**present);
    series.floats = absent.map(|(at, _)| FloatPoint { at, value: 1.0 }).collect();
    Evaluated::Vector(if series.is_empty() { Vec::new() } else { vec![series] })
}

pub(super) fn absent(
    _: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
) -> Result<Evaluated, EvalError> {
    let mut present = vec![false; site.times.count()];
    for series in args.vector(0)? {
        let floats = series.floats.iter().map(|point| point.at);
        for at in floats.chain(series.histograms.iter().map(|point| point.at)) {
            if let Some(present) = present.get_mut(site.times.index(at)) {
                *present = true;
            }
        }
    }
    Ok(where_absent(site, &present))
}

pub(super) fn absent_over_time(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    _: Args,
) -> Result<Evaluated, EvalError> {
    let range = site.call.args.first().ok_or_else(|| EvalError::unexpected(site.span))?;
    let ranges = ev.ranges(range, site.times)?;
    let mut present = vec![false; site.times.count()];
    for series in &ranges.series {
        let mut cutter = Cutter::new(series);
        for (at, present) in site.times.iter().zip(&mut present) {
            let window = cutter.cut(ranges.bounds(at));
            *present |= !window.floats.is_empty() || !window.histograms.is_empty();
        }
    }
    Ok(where_absent(site, &present))
}
