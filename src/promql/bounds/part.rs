//! Parts of a whole: a ratio of both lies between 0 and 1.

use super::bounds;
use crate::promql::{AggregateOp, Expr, ExprKind, VectorSelector};

/// Metrics of the node exporter of which the first is a part of the second.
const PARTS: [(&str, &str); 5] = [
    ("node_filesystem_avail_bytes", "node_filesystem_size_bytes"),
    ("node_filesystem_files_free", "node_filesystem_files"),
    ("node_filesystem_free_bytes", "node_filesystem_size_bytes"),
    ("node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes"),
    ("node_memory_MemFree_bytes", "node_memory_MemTotal_bytes"),
];

/// Whether the samples of the first are a part of those of the second, so that none is larger than
/// its counterpart: the same but for more matchers, or a known part of a known whole.
pub(super) fn is_part(part: &Expr, whole: &Expr) -> bool {
    let (part, whole) = (part.without_parens(), whole.without_parens());
    match (&part.kind, &whole.kind) {
        (ExprKind::VectorSelector(a), ExprKind::VectorSelector(b)) => {
            known(a, b) || (bounds(part).low >= 0.0 && narrower(a, b))
        }
        (ExprKind::MatrixSelector(a), ExprKind::MatrixSelector(b)) => {
            a.range == b.range && narrower(&a.selector, &b.selector)
        }
        (ExprKind::Aggregate(a), ExprKind::Aggregate(b)) => {
            // A sum of fewer numbers is no larger as long as none is negative.
            let sums = matches!(a.op, AggregateOp::Sum | AggregateOp::Count) && a.op == b.op;
            let positive = a.op == AggregateOp::Count || bounds(&a.expr).low >= 0.0;
            sums && positive && a.grouping == b.grouping && is_part(&a.expr, &b.expr)
        }
        (ExprKind::Call(a), ExprKind::Call(b)) => {
            let rates = matches!(a.function.name, "rate" | "irate" | "increase");
            rates
                && a.function.name == b.function.name
                && a.args.first().zip(b.args.first()).is_some_and(|(a, b)| is_part(a, b))
        }
        _ => false,
    }
}

/// Whether a selector has the name and all matchers of another, and is looked at at the same time.
fn narrower(part: &VectorSelector, whole: &VectorSelector) -> bool {
    part.metric_name().is_some()
        && part.metric_name() == whole.metric_name()
        && same_place(part, whole)
}

/// Whether one is known to be a part of the other, of the same series.
fn known(part: &VectorSelector, whole: &VectorSelector) -> bool {
    let names = part.metric_name().zip(whole.metric_name());
    names.is_some_and(|names| PARTS.contains(&names)) && same_place(part, whole)
}

fn same_place(part: &VectorSelector, whole: &VectorSelector) -> bool {
    let has = |wanted: &crate::model::Matcher| part.matchers.iter().any(|m| m.matcher == *wanted);
    whole.matchers.iter().all(|m| has(&m.matcher))
        && (part.offset_ms, part.at) == (whole.offset_ms, whole.at)
}
