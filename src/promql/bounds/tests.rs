//! Bounds of expressions, and what they decide.

use super::{Bounds, Verdict, bounds};
use crate::promql::{ExprKind, parse};

const INF: f64 = f64::INFINITY;

#[test]
fn bounds_follow_from_the_expression() {
    for (text, low, high) in [
        ("5", 5.0, 5.0),
        ("-5", -5.0, -5.0),
        ("up", 0.0, 1.0),
        ("up * 100", 0.0, 100.0),
        ("-up", -1.0, 0.0),
        ("a_total", 0.0, INF),
        ("job:a_total", -INF, INF),
        ("a", -INF, INF),
        ("count(a)", 1.0, INF),
        ("count(a) - 1", 0.0, INF),
        ("sum(up)", 0.0, INF),
        ("sum(-up)", -INF, 0.0),
        ("avg(up)", 0.0, 1.0),
        ("1 - avg(up)", 0.0, 1.0),
        ("sum(up) / count(up)", 0.0, INF),
        ("rate(a[5m])", 0.0, INF),
        ("rate(a[5m]) / rate(b[5m])", 0.0, INF),
        ("1 - rate(a[5m]) / rate(b[5m])", -INF, 1.0),
        ("delta(a[5m])", -INF, INF),
        ("abs(delta(a[5m]))", 0.0, INF),
        ("avg_over_time(up[5m])", 0.0, 1.0),
        ("sum_over_time(up[5m])", 0.0, INF),
        ("absent(a)", 1.0, 1.0),
        ("hour()", 0.0, 23.0),
        ("clamp_min(a, 3)", 3.0, INF),
        ("clamp_max(up, 0.5)", 0.0, 0.5),
        ("clamp(a, 1, 2)", 1.0, 2.0),
        ("a > 5", 5.0, INF),
        ("5 < a", 5.0, INF),
        ("a > bool 5", 0.0, 1.0),
        ("up == 0", 0.0, 0.0),
        ("up or vector(7)", 0.0, 7.0),
        ("a / 0", -INF, INF),
        ("a + NaN", -INF, INF),
        ("up + fill(9) up", -INF, INF),
        ("time() - a_total", -INF, INF),
    ] {
        assert_eq!(bounds(&parse(text).unwrap()), Bounds::new(low, high), "{text}");
    }
}

#[test]
fn comparisons_that_cannot_come_out_otherwise() {
    use Verdict::{Always, Never, Open};
    for (text, verdict) in [
        ("up > 1", Never),
        ("up >= 1", Open),
        ("up < 0", Never),
        ("up <= 1", Always),
        ("up == 2", Never),
        ("up != 2", Always),
        ("up == 0", Open),
        ("count(a) == 0", Never),
        ("count(a) < 1", Never),
        ("count(a) > 0", Always),
        ("count(a) <= 1", Open),
        ("absent(a) == 1", Always),
        ("absent(a) != 1", Never),
        ("rate(a[5m]) < 0", Never),
        ("rate(a[5m]) >= 0", Always),
        ("rate(a[5m]) > 0", Open),
        ("vector(1) > 2", Never),
        ("(a > 5) < 3", Never),
        ("1 - rate(a[5m]) / rate(b[5m]) > 1", Never),
    ] {
        let expr = parse(text).unwrap();
        let ExprKind::Binary(binary) = &expr.kind else { panic!("{text}") };
        let (a, b) = (bounds(&binary.lhs), bounds(&binary.rhs));
        assert_eq!(a.compare(binary.op, b), verdict, "{text}");
    }
}
