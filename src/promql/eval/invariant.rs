//! Parts of an expression that are the same at all times.

use crate::promql::{Expr, ExprKind, Function};

/// Functions whose result depends on the time of the evaluation although their arguments do not
/// (`AtModifierUnsafeFunctions` in Prometheus).
const DEPEND_ON_TIME: &[&str] = &[
    "days_in_month",
    "day_of_month",
    "day_of_week",
    "day_of_year",
    "hour",
    "minute",
    "month",
    "year",
    "predict_linear",
    "time",
    "timestamp",
    "start_timestamp",
];

/// Whether a part looks at fixed times only, so that one evaluation does for all times. What has
/// no selector at all is left alone: it costs nothing.
pub(super) fn is_invariant(expr: &Expr) -> bool {
    let mut fixed = false;
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        match &expr.kind {
            ExprKind::VectorSelector(selector) if selector.at.is_none() => return false,
            ExprKind::MatrixSelector(matrix) if matrix.selector.at.is_none() => return false,
            // What is inside of a subquery sees its times only.
            ExprKind::Subquery(subquery) if subquery.at.is_none() => return false,
            ExprKind::VectorSelector(_) | ExprKind::MatrixSelector(_) | ExprKind::Subquery(_) => {
                fixed = true;
            }
            ExprKind::Call(call) if depends_on_time(call.function) => return false,
            _ => open.extend(expr.children()),
        }
    }
    fixed
}

/// Whether a function's result depends on the time of the evaluation although its arguments do not.
/// What depends on the times of the whole query, such as `start()`, does not count.
pub fn depends_on_time(function: &Function) -> bool {
    DEPEND_ON_TIME.contains(&function.name)
}

/// Whether any part is bound to a fixed time.
pub(super) fn has_fixed_time(expr: &Expr) -> bool {
    expr.walk().any(|expr| match &expr.kind {
        ExprKind::VectorSelector(selector) => selector.at.is_some(),
        ExprKind::MatrixSelector(matrix) => matrix.selector.at.is_some(),
        ExprKind::Subquery(subquery) => subquery.at.is_some(),
        _ => false,
    })
}
