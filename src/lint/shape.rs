//! What several checks ask about the shape of an expression.

use crate::diag::Span;
use crate::model::{MatchOp, Matcher};
use crate::promql::bounds::{Bounds, bounds, mirrored};
use crate::promql::{
    Aggregate, AggregateOp, Binary, BinaryOp, Call, Expr, ExprKind, Grouping, ValueType,
    VectorSelector,
};

/// The functions that want a counter.
pub(super) const OF_COUNTERS: [&str; 3] = ["rate", "irate", "increase"];
/// The functions that need two samples in their range.
pub(super) const OF_TWO_SAMPLES: [&str; 7] =
    ["rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear"];

/// A comparison of a vector with a number, the vector on the left.
#[derive(Clone, Copy)]
pub(super) struct Threshold<'e> {
    /// The vector.
    pub(super) vector: &'e Expr,
    /// The operator, as if the vector stood on the left.
    pub(super) op: BinaryOp,
    /// The number.
    pub(super) value: f64,
}

/// The comparison of a vector with a number that an expression is, if it is one that filters.
pub(super) fn threshold(expr: &Expr) -> Option<Threshold<'_>> {
    let ExprKind::Binary(binary) = &expr.without_parens().kind else { return None };
    if !binary.op.is_comparison() || binary.return_bool {
        return None;
    }
    let side = |vector, number, op| {
        let value = number_of(number)?;
        Some(Threshold { vector, op, value })
    };
    match (binary.lhs.value_type(), binary.rhs.value_type()) {
        (ValueType::Vector, ValueType::Scalar) => side(&binary.lhs, &binary.rhs, binary.op),
        (ValueType::Scalar, ValueType::Vector) => {
            side(&binary.rhs, &binary.lhs, mirrored(binary.op))
        }
        _ => None,
    }
}

/// Those parts of an expression that compare a vector with a number, each once.
pub(super) fn thresholds<'e>(
    parts: impl Iterator<Item = &'e Expr>,
) -> impl Iterator<Item = (&'e Expr, Threshold<'e>)> {
    let parts = parts.filter(|part| !matches!(part.kind, ExprKind::Paren(_)));
    parts.filter_map(|part| Some((part, threshold(part)?)))
}

/// The calls among parts of an expression of functions that want a counter, with what they are given.
pub(super) fn counter_calls<'e>(
    parts: impl Iterator<Item = &'e Expr>,
) -> impl Iterator<Item = (&'e Call, &'e Expr)> {
    parts.filter_map(|part| match &part.kind {
        ExprKind::Call(call) if OF_COUNTERS.contains(&call.function.name) => {
            Some((call, call.args.first()?))
        }
        _ => None,
    })
}

/// What is aggregated by the aggregations that an expression begins with, as far as they are
/// `passed`.
pub(super) fn aggregated(expr: &Expr, passed: impl Fn(AggregateOp) -> bool) -> &Expr {
    let mut part = expr;
    while let Some(aggregate) = aggregate(part).filter(|aggregate| passed(aggregate.op)) {
        part = &aggregate.expr;
    }
    part
}

/// The number that an expression is, if it is the same at all times.
#[expect(clippy::float_cmp, reason = "a single number is one that equals itself")]
pub(super) fn number_of(expr: &Expr) -> Option<f64> {
    let constant = expr.walk().all(|part| match &part.kind {
        ExprKind::NumberLiteral(_) | ExprKind::Paren(_) | ExprKind::Unary(_) => true,
        ExprKind::Binary(binary) => !binary.op.is_comparison(),
        _ => false,
    });
    let Bounds { low, high } = bounds(expr);
    (constant && low == high).then_some(low)
}

/// The call that an expression is, if it is one.
pub(super) fn call(expr: &Expr) -> Option<&Call> {
    match &expr.without_parens().kind {
        ExprKind::Call(call) => Some(call),
        _ => None,
    }
}

/// The aggregation that an expression is, if it is one.
pub(super) fn aggregate(expr: &Expr) -> Option<&Aggregate> {
    match &expr.without_parens().kind {
        ExprKind::Aggregate(aggregate) => Some(aggregate),
        _ => None,
    }
}

/// The labels of an aggregation's `by`, as they are written there.
pub(super) fn by_labels(aggregate: &Aggregate) -> Option<String> {
    match &aggregate.grouping {
        Grouping::By(labels) => Some(labels.join(", ")),
        Grouping::Without(_) => None,
    }
}

/// The selector of a vector or range that an expression is, if it is one.
pub(super) fn selector(expr: &Expr) -> Option<&VectorSelector> {
    match &expr.without_parens().kind {
        ExprKind::VectorSelector(selector) => Some(selector),
        ExprKind::MatrixSelector(matrix) => Some(&matrix.selector),
        _ => None,
    }
}

/// The selectors among parts of an expression, with the places of name and matchers.
pub(super) fn named<'e>(
    parts: impl Iterator<Item = &'e Expr>,
) -> impl Iterator<Item = (Span, &'e VectorSelector)> {
    parts.filter_map(|part| match &part.kind {
        ExprKind::VectorSelector(selector) => Some((part.span, selector.as_ref())),
        ExprKind::MatrixSelector(matrix) => Some((matrix.selector_span, &matrix.selector)),
        _ => None,
    })
}

/// The value of a label that all selectors of an expression want, where nothing sets it anew.
pub(super) fn selected<'e>(expr: &'e Expr, label: &str) -> Option<&'e str> {
    let replaces = |part: &Expr| match &part.kind {
        ExprKind::Call(call) => matches!(call.function.name, "label_replace" | "label_join"),
        ExprKind::Aggregate(aggregate) => aggregate.op == AggregateOp::CountValues,
        _ => false,
    };
    if expr.walk().any(replaces) {
        return None;
    }
    let mut values = expr.selectors().map(|selector| {
        let own = selector.matchers.iter().map(|m| &m.matcher);
        let mut equal = own.filter(|m| m.name() == label && m.op() == MatchOp::Equal);
        equal.next().map(Matcher::value)
    });
    let first = values.next()??;
    values.all(|value| value == Some(first)).then_some(first)
}

/// Whether a part of an expression, or it itself, is a call of one of these functions.
pub(super) fn calls_any(expr: &Expr, names: &[&str]) -> bool {
    expr.walk()
        .any(|part| matches!(&part.kind, ExprKind::Call(c) if names.contains(&c.function.name)))
}

/// Whether an aggregation gives values of its series (and not sums of them).
pub(super) fn picks(op: AggregateOp) -> bool {
    use AggregateOp::{Avg, Bottomk, LimitRatio, Limitk, Max, Min, Quantile, Topk};
    matches!(op, Avg | Max | Min | Topk | Bottomk | Quantile | Limitk | LimitRatio)
}

/// How sure it is that an expression gives something at every evaluation for which there is data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unconditional {
    /// Series are picked, and whether they are there may be the condition.
    Series,
    /// Something is computed whose value nobody compares.
    Value,
}

/// Whether no part of an expression decides by value or by absence whether there is a result.
pub(super) fn unconditional(expr: &Expr) -> Option<Unconditional> {
    match &expr.kind {
        ExprKind::NumberLiteral(_) | ExprKind::StringLiteral(_) => None,
        ExprKind::VectorSelector(selector) => of_selector(selector),
        ExprKind::MatrixSelector(matrix) => of_selector(&matrix.selector),
        ExprKind::Subquery(subquery) => unconditional(&subquery.expr),
        ExprKind::Paren(inner) => unconditional(inner),
        ExprKind::Unary(inner) => unconditional(inner).map(|_| Unconditional::Value),
        ExprKind::Binary(binary) => of_binary(binary),
        ExprKind::Aggregate(aggregate) => {
            use AggregateOp::{Avg, Quantile, Stddev, Stdvar, Sum};
            let inner = unconditional(&aggregate.expr)?;
            let computed = matches!(aggregate.op, Sum | Avg | Stddev | Stdvar | Quantile);
            Some(if computed { Unconditional::Value } else { inner })
        }
        ExprKind::Call(call) => of_call(call),
    }
}

/// A series that others made under a condition has a name that says so, or cannot be known.
fn of_selector(selector: &VectorSelector) -> Option<Unconditional> {
    let name = selector.metric_name()?;
    (!name.contains(':') && !name.starts_with("ALERTS")).then_some(Unconditional::Series)
}

fn of_binary(binary: &Binary) -> Option<Unconditional> {
    let sides = (unconditional(&binary.lhs), unconditional(&binary.rhs));
    let is_scalar = |side: &Expr| side.value_type() == ValueType::Scalar;
    match binary.op {
        BinaryOp::And | BinaryOp::Unless => None,
        BinaryOp::Or => sides.0.or(sides.1),
        op if op.is_comparison() && !binary.return_bool => None,
        _ if is_scalar(&binary.lhs) && is_scalar(&binary.rhs) => None,
        _ if is_scalar(&binary.rhs) => sides.0.map(|_| Unconditional::Value),
        _ if is_scalar(&binary.lhs) => sides.1.map(|_| Unconditional::Value),
        _ => sides.0.and(sides.1).map(|_| Unconditional::Value),
    }
}

fn of_call(call: &Call) -> Option<Unconditional> {
    let vector = call.args.iter().find(|arg| arg.value_type().is_series());
    let inner = vector.and_then(unconditional)?;
    match call.function.name {
        "absent" | "absent_over_time" | "vector" | "scalar" => None,
        "last_over_time" | "present_over_time" | "label_replace" | "label_join" | "sort"
        | "sort_desc" => Some(inner),
        _ => Some(Unconditional::Value),
    }
}
