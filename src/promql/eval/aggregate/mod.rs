//! Aggregations.

mod count_values;
mod fold;
mod pick;
mod ratio;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::diag::Span;
use crate::model::LabelSet;
use crate::model::label::METRIC_NAME;
use crate::promql::eval::EvalError;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::times::Times;
use crate::promql::eval::value::{Evaluated, Series};
use crate::promql::{Aggregate, AggregateOp, Grouping};

/// What an aggregation is called with.
pub(super) struct Site<'s> {
    pub aggregate: &'s Aggregate,
    /// The place of the whole.
    pub span: Span,
    pub times: Times,
}

impl Site<'_> {
    /// The place of what is aggregated, where remarks stand.
    pub fn operand(&self) -> Span {
        self.aggregate.expr.without_parens().span
    }

    /// The place of the parameter.
    pub fn param(&self) -> Span {
        self.aggregate.param.as_ref().map_or(self.span, |param| param.without_parens().span)
    }

    pub fn name(&self) -> &'static str {
        self.aggregate.op.as_str()
    }
}

/// The groups of series.
pub(super) struct Groups {
    /// The group of each series.
    pub of: Vec<usize>,
    /// The labels of each group.
    pub labels: Vec<LabelSet>,
}

/// The labels that a group has in common.
pub(super) fn group_labels(labels: &LabelSet, grouping: &Grouping) -> LabelSet {
    let named = |names: &[String], label: &str| names.iter().any(|name| name == label);
    match grouping {
        Grouping::By(names) if names.is_empty() => LabelSet::new(),
        Grouping::By(names) => labels.filtered(|label| named(names, label)),
        Grouping::Without(names) => {
            labels.filtered(|label| label != METRIC_NAME && !named(names, label))
        }
    }
}

impl Groups {
    fn new(series: &[Series], grouping: &Grouping) -> Self {
        let mut places: HashMap<LabelSet, usize> = HashMap::new();
        let mut labels = Vec::new();
        let of = series.iter().map(|one| {
            let key = group_labels(&one.labels, grouping);
            *places.entry(key).or_insert_with_key(|key| {
                labels.push(key.clone());
                labels.len() - 1
            })
        });
        Self { of: of.collect(), labels }
    }
}

/// Aggregates the operand at all of the times.
pub(super) fn apply(
    ev: &mut Evaluator<'_>,
    aggregate: &Aggregate,
    span: Span,
    times: Times,
    param: Option<Evaluated>,
    operand: Evaluated,
) -> Result<Evaluated, EvalError> {
    let Evaluated::Vector(series) = operand else { return Err(EvalError::unexpected(span)) };
    let site = Site { aggregate, span, times };
    let result = match (aggregate.op, param) {
        (AggregateOp::CountValues, Some(Evaluated::String(label))) => {
            count_values::apply(ev, &site, &label, &series)
        }
        (
            AggregateOp::Topk
            | AggregateOp::Bottomk
            | AggregateOp::Limitk
            | AggregateOp::LimitRatio,
            Some(Evaluated::Scalar(params)),
        ) => pick::apply(ev, &site, &params, &series),
        (AggregateOp::Quantile, Some(Evaluated::Scalar(params))) => {
            fold::apply(ev, &site, &params, &series)
        }
        (_, None) => fold::apply(ev, &site, &[], &series),
        _ => Err(EvalError::unexpected(span)),
    };
    result.map(Evaluated::Vector)
}
