//! A comparison that cannot hold.

use crate::diag::Severity;
use crate::lint::shape::{Threshold, aggregate, by_labels, number_of, threshold};
use crate::lint::{About, Check, Context, Findings};
use crate::promql::bounds::{Bounds, Verdict, bounds};
use crate::promql::{AggregateOp, Binary, BinaryOp, Expr, ExprKind, ValueType};

static ABOUT: About = About {
    id: "promql/never-true",
    severity: Severity::Bug,
    title: "A comparison or a combination of conditions can never hold",
    text: "\
Some values are known without a server: `up` is 0 or 1, a rate is not negative, `absent` gives 1. A \
comparison with a number outside of these can never hold, so the alert can never fire. A ratio of errors to all requests is a \
fraction: `> 5` means 500 %.

The usual trap is `count(…) == 0`: where nothing matches, `count` returns nothing at all, and nothing \
is not 0. Write `absent(…)`, or `(count(…) or vector(0)) == 0`.",
    bad: "alert: NoReplicaLeft\nexpr: count(up{job=\"db\"} == 1) == 0\n",
    good: "alert: NoReplicaLeft\nexpr: (count(up{job=\"db\"} == 1) or vector(0)) == 0\n",
};

pub(in crate::lint) struct NeverTrue;

impl Check for NeverTrue {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for part in context.parts() {
            let ExprKind::Binary(binary) = &part.kind else { continue };
            match binary.op {
                BinaryOp::And => exclude_each_other(context, binary, findings),
                BinaryOp::Unless => takes_all(context, part, binary, findings),
                op if op.is_comparison() && !binary.return_bool => {
                    compare(context, part, binary, findings);
                }
                _ => {}
            }
        }
    }
}

fn compare(context: &Context<'_>, part: &Expr, binary: &Binary, findings: &mut Findings) {
    if part.value_type() != ValueType::Vector {
        return;
    }
    let (left, right) = (bounds(&binary.lhs), bounds(&binary.rhs));
    if left.is_empty() || right.is_empty() || left.compare(binary.op, right) != Verdict::Never {
        return;
    }
    let scalar = |side: &Expr| side.value_type() == ValueType::Scalar;
    let (known, limits) = if scalar(&binary.lhs) {
        (&binary.rhs, limits(right))
    } else {
        (&binary.lhs, limits(left))
    };
    let mut finding = context
        .finding(&ABOUT, part.span, "this comparison can never hold")
        .label(context.place(known.span), limits);
    if let (true, Some(percent)) = (is_fraction(known), percent(binary)) {
        finding = finding
            .note("a part of a whole is a fraction from 0 to 1, no percentage")
            .help(format!("compare with {percent}, or multiply by 100"));
    } else if counts(known) {
        finding = finding
            .note("where nothing is left to count, there is no result at all instead of 0")
            .help(match aggregate(known).and_then(by_labels).filter(|by| !by.is_empty()) {
                // `or vector(0)` has none of the labels, and would always be there.
                Some(by) => format!(
                    "give each group a number: `sum by ({by}) (…) == 0` of what is 0 or 1, as `up` \
                     and `x == bool 1` are"
                ),
                None => "use `absent(…)`, or put it in brackets with `or vector(0)`".to_string(),
            });
    } else if sums_one_value(known) {
        let by = aggregate(known).and_then(by_labels).filter(|by| !by.is_empty());
        let by = by.map(|by| format!(" by ({by}) ")).unwrap_or_default();
        finding = finding
            .note("a comparison without `bool` leaves the values as they are")
            .help(format!("count the series: `count{by}(…)`"));
    }
    findings.push(finding);
}

/// Whether an expression is a fraction.
fn is_fraction(expr: &Expr) -> bool {
    let divides = |part: &Expr| matches!(&part.kind, ExprKind::Binary(b) if b.op == BinaryOp::Div);
    bounds(expr) == Bounds::new(0.0, 1.0) && expr.walk().any(divides)
}

/// A threshold as a fraction, if it was meant as a percentage.
fn percent(binary: &Binary) -> Option<f64> {
    let number = number_of(&binary.rhs).or_else(|| number_of(&binary.lhs))?;
    (number > 1.0 && number <= 100.0).then_some(number / 100.0)
}

/// Whether an expression is a `count`.
fn counts(expr: &Expr) -> bool {
    match &expr.without_parens().kind {
        ExprKind::Aggregate(aggregate) => aggregate.op == AggregateOp::Count,
        ExprKind::Call(call) => call.function.name == "count_over_time",
        _ => false,
    }
}

/// Whether an expression sums up series that are left because they have one value.
fn sums_one_value(expr: &Expr) -> bool {
    aggregate(expr).is_some_and(|aggregate| {
        let compared = threshold(&aggregate.expr);
        aggregate.op == AggregateOp::Sum && compared.is_some_and(|c| c.op == BinaryOp::Equal)
    })
}

/// Bounds in words.
#[expect(clippy::float_cmp, reason = "a single number is one that equals itself")]
pub(in crate::lint) fn limits(bounds: Bounds) -> String {
    match (bounds.low, bounds.high) {
        (low, high) if low == high => format!("is always {low}"),
        (low, high) if low.is_finite() && high.is_finite() => {
            format!("lies between {low} and {high}")
        }
        (low, _) if low.is_finite() => format!("is never below {low}"),
        (_, high) => format!("is never above {high}"),
    }
}

/// Whether the sides of a set operator are compared series by series of the same labels.
fn pairs_up(binary: &Binary) -> bool {
    binary.matching.labels.is_empty() && !binary.matching.on
}

/// `x > 5 and x < 3`
fn exclude_each_other(context: &Context<'_>, binary: &Binary, findings: &mut Findings) {
    let (Some(a), Some(b)) = (threshold(&binary.lhs), threshold(&binary.rhs)) else { return };
    if !pairs_up(binary) || !a.vector.same_as(b.vector) {
        return;
    }
    if passing(&a).compare(b.op, point(&b)) == Verdict::Never {
        let finding = context
            .finding(&ABOUT, binary.op_span, "these two conditions exclude each other")
            .label(context.place(binary.lhs.span), "one")
            .label(context.place(binary.rhs.span), "the other");
        findings.push(finding.help("`or` holds where either does"));
    }
}

/// `x > 5 unless x > 3`, and `x unless x`
fn takes_all(context: &Context<'_>, part: &Expr, binary: &Binary, findings: &mut Findings) {
    let covered = match (threshold(&binary.lhs), threshold(&binary.rhs)) {
        (Some(a), Some(b)) if a.vector.same_as(b.vector) => {
            passing(&a).compare(b.op, point(&b)) == Verdict::Always
        }
        _ => false,
    };
    if pairs_up(binary) && (covered || binary.lhs.same_as(&binary.rhs)) {
        let finding = context
            .finding(&ABOUT, part.span, "`unless` takes away everything that is left of it")
            .label(context.place(binary.rhs.span), "holds for every series on the left");
        findings.push(finding);
    }
}

fn passing(threshold: &Threshold<'_>) -> Bounds {
    bounds(threshold.vector).passing(threshold.op, point(threshold))
}

fn point(threshold: &Threshold<'_>) -> Bounds {
    Bounds::new(threshold.value, threshold.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{advised, cases};

    #[test]
    fn what_is_advised_helps() {
        advised(
            &NeverTrue,
            &[
                ("sum by (x) (a == 0) > 0", "count by (x) (…)", "count by (x) (a == 0) > 0"),
                ("sum(a == 0) > 0", "`count(…)`", "count(a == 0) > 0"),
                (
                    "count by (x) (up == 1) == 0",
                    "sum by (x) (…) == 0",
                    "sum by (x) (up == bool 1) == 0",
                ),
                ("count(up == 1) == 0", "or vector(0)", "(count(up == 1) or vector(0)) == 0"),
            ],
        );
    }

    #[test]
    fn cases_hold() {
        cases(
            &NeverTrue,
            &[
                (&["expr: count(up == 1) == 0"], &["1:7 count(up == 1) == 0"]),
                (&["expr: up > 1"], &["1:7 up > 1"]),
                (&["expr: 2 < up"], &["1:7 2 < up"]),
                (&["expr: rate(a[5m]) < 0"], &["1:7 rate(a[5m]) < 0"]),
                (&["expr: absent(up) == 0"], &["1:7 absent(up) == 0"]),
                (&["expr: hour() >= 24"], &["1:7 hour() >= 24"]),
                (&["expr: (a > 5) < 3"], &["1:7 (a > 5) < 3"]),
                (&["expr: a > 5 and a < 3"], &["1:13 and"]),
                (&["expr: a > 5 and 5 > a"], &["1:13 and"]),
                (&["expr: a > 5 unless a > 3"], &["1:7 a > 5 unless a > 3"]),
                (&["expr: a unless a"], &["1:7 a unless a"]),
                (
                    &["expr: sum(rate(a_total{code=\"500\"}[5m])) / sum(rate(a_total[5m])) > 5"],
                    &["1:7 sum(rate(a_total{code=\"500\"}[5m])) / sum(rate(a_total[5m])) > 5"],
                ),
                (&["record: x:y:z\nexpr: count(a) < 1"], &["2:7 count(a) < 1"]),
                (&["expr: up == 0"], &[]),
                (&["expr: (count(up == 1) or vector(0)) == 0"], &[]),
                (&["expr: count(up) > 5"], &[]),
                (&["expr: count(up) == 1"], &[]),
                (&["expr: sum(up) == 0"], &[]),
                (&["expr: sum(up == bool 2) > 0"], &[]),
                (&["expr: a > 5 and b < 3"], &[]),
                (&["expr: a > 5 and a < 7"], &[]),
                (&["expr: a > 5 and on (x) a < 3"], &[]),
                (&["expr: a > 3 unless a > 5"], &[]),
                (&["expr: delta(a[5m]) < 0"], &[]),
                (&["expr: a - b < 0"], &[]),
                (&["expr: hour() >= 9 < 17"], &[]),
                (
                    &[
                        "expr: sum(rate(a_total{code=\"500\"}[5m])) / sum(rate(a_total[5m])) * 100 > 5",
                    ],
                    &[],
                ),
            ],
        );
    }
}
