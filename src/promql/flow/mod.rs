//! Label flow: which labels the result of an expression has, may have and cannot have.
//!
//! [`Labels`] is known of every vector without asking a server: a matcher says what its series
//! have, an aggregation says what it leaves. Where a label is gone for good, the place that removed
//! it is kept, so that a finding can point at cause and effect.

mod labels;
mod operators;

#[cfg(test)]
mod tests;

pub use labels::{Has, Labels, Removal};

use crate::diag::Span;
use crate::model::label::METRIC_NAME;
use crate::model::{MatchOp, Matcher};
use crate::promql::{Aggregate, AggregateOp, Call, Expr, ExprKind, Grouping, VectorSelector};

/// What is known of the series that a selector picks, apart from its matchers: those of a recording
/// rule, say. `None` where nothing is known. The place is that of the selector.
pub type Known<'a> = dyn Fn(&VectorSelector, Span) -> Option<Labels> + 'a;

/// The labels of an expression's result. A scalar has none.
///
/// Recursion is bounded by [`crate::promql::MAX_HEIGHT`]; a chain of operators is as deep as it is long.
pub fn flow(expr: &Expr, known: &Known<'_>) -> Labels {
    match &expr.kind {
        ExprKind::NumberLiteral(_) | ExprKind::StringLiteral(_) => {
            Labels::none(Removal::new(expr.span, "a number has no labels"))
        }
        ExprKind::VectorSelector(selector) => of_selector(selector, expr.span, known),
        ExprKind::MatrixSelector(matrix) => {
            of_selector(&matrix.selector, matrix.selector_span, known)
        }
        ExprKind::Subquery(subquery) => flow(&subquery.expr, known),
        ExprKind::Paren(inner) => flow(inner, known),
        ExprKind::Unary(inner) => flow(inner, known).without_name(expr.span),
        ExprKind::Binary(binary) => operators::binary(expr.span, binary, known),
        ExprKind::Aggregate(aggregate) => of_aggregate(expr.span, aggregate, known),
        ExprKind::Call(call) => of_call(expr.span, call, known),
    }
}

/// What is known of the series of a selector.
fn of_selector(selector: &VectorSelector, place: Span, known: &Known<'_>) -> Labels {
    let mut labels = known(selector, place).unwrap_or_else(|| {
        // The name of a recorded series has a colon by convention; what it has depends on its rule.
        match selector.metric_name() {
            Some(name) if !name.contains(':') && name != "ALERTS" => Labels::scraped(),
            _ => Labels::any(),
        }
    });
    if selector.metric_name().is_some() {
        labels.set(METRIC_NAME, Has::Always);
    }
    for matcher in &selector.matchers {
        let (name, span) = (matcher.matcher.name(), matcher.span);
        if !matcher.matcher.matches_value("") {
            labels.set(name, Has::Always);
        } else if wants_empty(&matcher.matcher) {
            labels.set(name, Has::Never(Removal::new(span, "series with this label are left out")));
        } else if labels.has(name) == Has::Maybe && name != METRIC_NAME {
            // Who tests a label knows of it; `!=` and `!~` let those pass that lack it.
            labels.set(name, Has::Expected);
        }
    }
    labels
}

/// Whether only a missing label passes.
fn wants_empty(matcher: &Matcher) -> bool {
    matches!(matcher.op(), MatchOp::Equal | MatchOp::Regex) && matcher.value().is_empty()
}

fn of_aggregate(span: Span, aggregate: &Aggregate, known: &Known<'_>) -> Labels {
    use AggregateOp::{Bottomk, CountValues, LimitRatio, Limitk, Topk};
    let mut labels = flow(&aggregate.expr, known);
    // These pick series and leave them as they are.
    if matches!(aggregate.op, Topk | Bottomk | Limitk | LimitRatio) {
        return labels;
    }
    let place = if aggregate.op_span.is_empty() { span } else { aggregate.op_span };
    labels = match &aggregate.grouping {
        Grouping::By(names) if names.is_empty() => labels.only(
            &[],
            Removal::new(place, "an aggregation leaves only the labels of `by`, and none is named"),
        ),
        Grouping::By(names) => {
            labels.only(names, Removal::new(place, "only the labels of `by` are left"))
        }
        Grouping::Without(names) => {
            let removal = Removal::new(place, "`without` removes it");
            for name in names.iter().map(String::as_str).chain([METRIC_NAME]) {
                labels.set(name, Has::Never(removal));
            }
            labels
        }
    };
    if let (CountValues, Some(ExprKind::StringLiteral(name))) =
        (aggregate.op, aggregate.param.as_ref().map(|param| &param.kind))
    {
        labels.set(name, Has::Always);
    }
    labels
}

fn of_call(span: Span, call: &Call, known: &Known<'_>) -> Labels {
    let vector = || {
        let args = call.args.iter().map(|arg| (arg, arg.value_type()));
        let mut vectors = args.filter(|(_, kind)| kind.is_series());
        vectors.next().map(|(arg, _)| flow(arg, known))
    };
    let none = |why| Labels::none(Removal::new(call.name_span, why));
    match call.function.name {
        "absent" | "absent_over_time" => {
            let removal = Removal::new(
                call.name_span,
                "`absent` has only the labels of the `=` matchers of a plain selector",
            );
            call.args.first().map_or(Labels::none(removal), |arg| of_absent(arg, removal))
        }
        "vector" | "scalar" | "time" => none("the result has no labels"),
        "label_replace" => label_replace(call, vector().unwrap_or_else(Labels::any)),
        "label_join" => {
            let mut labels = vector().unwrap_or_else(Labels::any);
            if let Some(name) = call.args.get(1).and_then(string) {
                labels.set(name, Has::Expected);
            }
            labels
        }
        "histogram_quantile" | "histogram_fraction" => {
            let mut labels = vector().unwrap_or_else(Labels::any).without_name(span);
            let removal = Removal::new(call.name_span, "it takes the buckets together");
            labels.set("le", Has::Never(removal));
            labels
        }
        // Which labels they add depends on data.
        "info" | "histogram_quantiles" => Labels::any(),
        "last_over_time" | "first_over_time" | "sort" | "sort_desc" | "sort_by_label"
        | "sort_by_label_desc" => vector().unwrap_or_else(Labels::any),
        _ => match vector() {
            Some(labels) => labels.without_name(call.name_span),
            None => none("the result has no labels"),
        },
    }
}

/// `absent` of a selector has the labels of its `=` matchers, those named twice left out; `absent`
/// of anything else has none (`createLabelsForAbsentFunction` of Prometheus).
fn of_absent(arg: &Expr, removal: Removal) -> Labels {
    let selector = match &arg.without_parens().kind {
        ExprKind::VectorSelector(selector) => selector.as_ref(),
        ExprKind::MatrixSelector(matrix) => &matrix.selector,
        _ => return Labels::none(removal),
    };
    let mut labels = Labels::none(removal);
    for matcher in selector.matchers.iter().map(|m| &m.matcher) {
        let name = matcher.name();
        let only = selector.matchers_of(name).count() == 1;
        let set = matcher.op() == MatchOp::Equal && !matcher.value().is_empty();
        if only && set && name != METRIC_NAME {
            labels.set(name, Has::Always);
        }
    }
    labels
}

/// `label_replace(v, dst, replacement, src, regex)`.
fn label_replace(call: &Call, mut labels: Labels) -> Labels {
    let text = |index: usize| call.args.get(index).and_then(string);
    let (Some(target), Some(replacement), Some(regex)) = (text(1), text(2), text(4)) else {
        return labels;
    };
    let always = matches!(regex, ".*" | "(.*)" | "(?s:.*)" | "(?s)(.*)" | "(?s).*");
    if replacement.is_empty() {
        let removal = Removal::new(call.name_span, "it is replaced by nothing");
        labels.set(target, if always { Has::Never(removal) } else { Has::Maybe });
    } else if always && !replacement.contains('$') {
        labels.set(target, Has::Always);
    } else if labels.has(target) != Has::Always {
        labels.set(target, Has::Expected);
    }
    labels
}

fn string(expr: &Expr) -> Option<&str> {
    match &expr.without_parens().kind {
        ExprKind::StringLiteral(text) => Some(text),
        _ => None,
    }
}
