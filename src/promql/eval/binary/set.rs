//! `and`, `or` and `unless`.

use crate::diag::Span;
use crate::promql::eval::EvalError;
use crate::promql::eval::binary::matching::MatchGroups;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::steps::{Output, Steps};
use crate::promql::eval::times::Times;
use crate::promql::eval::value::{Series, StepSample};
use crate::promql::series::SampleValue;
use crate::promql::{Binary, BinaryOp};

pub(super) fn apply(
    ev: &Evaluator<'_>,
    binary: &Binary,
    span: Span,
    times: Times,
    lhs: &[Series],
    rhs: &[Series],
) -> Result<Vec<Series>, EvalError> {
    let groups = MatchGroups::new(lhs, rhs, &binary.matching);
    let (mut left, mut right) = (Steps::new(lhs), Steps::new(rhs));
    let mut output = Output::new(times.is_instant(), ev.options.delayed_name_removal, span);
    let mut present = vec![false; groups.count];
    for at in times.iter() {
        present.fill(false);
        let mark = |present: &mut [bool], group: Option<&usize>| {
            if let Some(seen) = group.and_then(|group| present.get_mut(*group)) {
                *seen = true;
            }
        };
        let has = |present: &[bool], group: Option<&usize>| {
            group.and_then(|group| present.get(*group)).copied().unwrap_or(false)
        };
        if binary.op == BinaryOp::Or {
            for (index, series, value) in left.at(at) {
                mark(&mut present, groups.lhs.get(index));
                output.push(at, sample(series, value))?;
            }
            for (index, series, value) in right.at(at) {
                if !has(&present, groups.rhs.get(index)) {
                    output.push(at, sample(series, value))?;
                }
            }
            continue;
        }
        for (index, ..) in right.at(at) {
            mark(&mut present, groups.rhs.get(index));
        }
        for (index, series, value) in left.at(at) {
            if has(&present, groups.lhs.get(index)) == (binary.op == BinaryOp::And) {
                output.push(at, sample(series, value))?;
            }
        }
    }
    output.finish()
}

fn sample(series: &Series, value: SampleValue) -> StepSample {
    StepSample { labels: series.labels.clone(), drop_name: series.drop_name, value }
}
