//! An expression with every selector bound to one time.

use crate::model::Timestamp;
use crate::promql::eval::depends_on_time;
use crate::promql::{At, Expr, ExprKind};

/// Functions whose result depends on the times of the query.
const DEPEND_ON_QUERY: &[&str] = &["start", "end", "step", "range"];

/// The expression bound to a time: `@` stands behind every selector and subquery that has none and
/// is not inside of a subquery, where other times are seen. `None` where the result would still
/// depend on the time of the evaluation.
pub(super) fn bound_to(expr: &Expr, at: Timestamp) -> Option<Expr> {
    let depends = expr.walk().any(|part| match &part.kind {
        ExprKind::Call(call) => {
            depends_on_time(call.function) || DEPEND_ON_QUERY.contains(&call.function.name)
        }
        _ => false,
    });
    if depends {
        return None;
    }
    let mut bound = expr.clone();
    let mut open = vec![&mut bound];
    while let Some(part) = open.pop() {
        match &mut part.kind {
            ExprKind::VectorSelector(selector) => bind(&mut selector.at, at),
            ExprKind::MatrixSelector(matrix) => bind(&mut matrix.selector.at, at),
            ExprKind::Subquery(subquery) => bind(&mut subquery.at, at),
            ExprKind::Unary(inner) | ExprKind::Paren(inner) => open.push(inner),
            ExprKind::Binary(binary) => open.extend([&mut binary.lhs, &mut binary.rhs]),
            ExprKind::Aggregate(aggregate) => {
                open.push(&mut aggregate.expr);
                open.extend(&mut aggregate.param);
            }
            ExprKind::Call(call) => open.extend(&mut call.args),
            ExprKind::NumberLiteral(_) | ExprKind::StringLiteral(_) => {}
        }
    }
    Some(bound)
}

fn bind(place: &mut Option<At>, at: Timestamp) {
    place.get_or_insert(At::Time(at));
}

/// Other times at which a bound expression must give the same.
pub(super) fn other_times(at: Timestamp) -> Vec<Timestamp> {
    let millis = at.millis();
    let times: &[i64] = match millis {
        0 => &[-1000, 0, 1000],
        _ => &[-10 * millis, 0, millis / 5, millis, 10 * millis],
    };
    times.iter().map(|millis| Timestamp::from_millis(*millis)).collect()
}
