//! An alert without a condition.

use crate::diag::Severity;
use crate::lint::shape::{Unconditional, unconditional};
use crate::lint::{About, Check, Context, Findings};
use crate::promql::bounds::{Verdict, bounds};
use crate::promql::{Expr, ExprKind, ValueType};

static ABOUT: About = About {
    id: "alert/always-fires",
    severity: Severity::Bug,
    title: "The expression of an alert has no condition",
    text: "\
An alert fires for every series that its expression returns, whatever the value is. An expression \
without a comparison that filters returns a series for everything that exists, so the alert fires at \
all times and soon nobody reads it. `bool` has the same effect: it returns 0 instead of nothing.

Compare with a threshold, and leave `bool` out. Where the mere existence of a series is the condition, \
say it with a matcher and `count(…) > 0`. A constant such as `vector(1)` is taken for deliberate.",
    bad: "alert: HighErrorRate\nexpr: sum by (job) (rate(http_errors_total[5m]))\n",
    good: "alert: HighErrorRate\nexpr: sum by (job) (rate(http_errors_total[5m])) > 5\n",
};

pub(in crate::lint) struct AlwaysFires;

impl Check for AlwaysFires {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        if context.alert().is_none() {
            return;
        }
        let expr = context.expr();
        if let Some((part, holds)) = always_true(expr) {
            let finding = context
                .finding(&ABOUT, part.span, "this comparison holds for every value")
                .label(context.place(holds.span), super::never_true::limits(bounds(holds)))
                .note("an alert fires for every series that its expression returns");
            return findings.push(finding);
        }
        let Some(sure) = unconditional(expr) else { return };
        let mut finding = match &expr.without_parens().kind {
            ExprKind::Binary(binary) if binary.op.is_comparison() => context
                .finding(&ABOUT, binary.op_span, "with `bool` the alert fires at all times")
                .caret("gives 0 where it does not hold, and 0 is a result")
                .help("leave out `bool`"),
            _ => context
                .finding(&ABOUT, expr.span, "the alert fires at all times")
                .caret("nothing here filters")
                .help("compare with a threshold"),
        };
        if sure == Unconditional::Series {
            finding.severity = Severity::Warning;
            finding.message = "the alert fires whenever these series exist".to_string();
        }
        findings.push(finding.note("an alert fires for every series that its expression returns"));
    }
}

/// The comparison at the top of an expression, and its left side, if it holds for all values that
/// the left side can have. The existence of something counted is a condition.
fn always_true(expr: &Expr) -> Option<(&Expr, &Expr)> {
    let top = expr.without_parens();
    let ExprKind::Binary(binary) = &top.kind else { return None };
    let filters = binary.op.is_comparison() && !binary.return_bool;
    let of_number = binary.rhs.value_type() == ValueType::Scalar;
    if !filters || !of_number || unconditional(&binary.lhs) != Some(Unconditional::Value) {
        let up = matches!(&binary.lhs.without_parens().kind, ExprKind::VectorSelector(_));
        if !(filters && of_number && up) {
            return None;
        }
    }
    let verdict = bounds(&binary.lhs).compare(binary.op, bounds(&binary.rhs));
    (verdict == Verdict::Always).then_some((top, &binary.lhs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn what_filters_is_a_condition() {
        cases(
            &AlwaysFires,
            &[
                (&["expr: sum(rate(a_total[5m]))"], &["1:7 sum(rate(a_total[5m]))"]),
                (&["expr: rate(a_total[5m]) * 100"], &["1:7 rate(a_total[5m]) * 100"]),
                (&["expr: a / b"], &["1:7 a / b"]),
                (&["expr: up == bool 0"], &["1:10 =="]),
                (&["expr: (a > bool 5)"], &["1:10 >"]),
                (&["expr: a or b > 5"], &["1:7 a or b > 5"]),
                (&["expr: sum(a) or b > 5"], &["1:7 sum(a) or b > 5"]),
                (&["expr: up"], &["1:7 up"]),
                (&["expr: rate(a_total[5m]) >= 0"], &["1:7 rate(a_total[5m]) >= 0"]),
                (&["expr: up <= 1"], &["1:7 up <= 1"]),
                (&["expr: up == 0"], &[]),
                (&["expr: sum(rate(a_total[5m])) > 5"], &[]),
                (&["expr: absent(up)"], &[]),
                (&["expr: vector(1)"], &[]),
                (&["expr: up unless on (job) b"], &[]),
                (&["expr: up and on (job) b"], &[]),
                (&["expr: count(up == 0)"], &[]),
                (&["expr: sum(up == bool 0) > 1"], &[]),
                (&["expr: (a > bool 5) * (b > 1)"], &[]),
                (&["expr: job:errors:rate5m"], &[]),
                (&["expr: ALERTS{alertstate=\"firing\"}"], &[]),
                (&["expr: count(kube_pod_failed) > 0"], &[]),
                (&["record: a:b:sum\nexpr: sum(a)"], &[]),
            ],
        );
    }
}
