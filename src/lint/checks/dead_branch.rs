//! A side of `or` or `and` that changes nothing.

use crate::diag::Severity;
use crate::lint::shape::{Threshold, call, threshold};
use crate::lint::{About, Check, Context, Findings};
use crate::promql::bounds::{Bounds, Verdict, bounds};
use crate::promql::{Binary, BinaryOp, Expr, ExprKind};

static ABOUT: About = About {
    id: "promql/dead-branch",
    severity: Severity::Warning,
    title: "A side of `or` or `and` changes nothing",
    text: "\
`a or b` takes of `b` only what `a` does not have already. `x > 5 or x > 10` is `x > 5`, and behind \
`vector(0)`, which is always there, a sum never shows: it must be written in front.

A side that changes nothing is mostly a slip: another metric, another direction, another order was meant.",
    bad: "alert: DiskFull\nexpr: disk_used_ratio > 0.8 or disk_used_ratio > 0.95\n",
    good: "alert: DiskFull\nexpr: disk_used_ratio > 0.8\n",
};

pub(in crate::lint) struct DeadBranch;

impl Check for DeadBranch {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for part in context.parts() {
            let ExprKind::Binary(binary) = &part.kind else { continue };
            let dead = match binary.op {
                BinaryOp::Or => dead_of_or(context, binary),
                BinaryOp::And => dead_of_and(binary),
                _ => None,
            };
            let Some(Dead { side, other, why }) = dead else { continue };
            let mut finding = context
                .finding(&ABOUT, side.span, format!("this side of `{}` changes nothing", binary.op))
                .label(context.place(other.span), why);
            if call(other).is_some_and(|call| call.function.name == "vector") {
                finding.severity = Severity::Bug;
                finding = finding.help("write it in front of `or`");
            }
            findings.push(finding);
        }
    }
}

/// A side that changes nothing, and because of what.
struct Dead<'e> {
    side: &'e Expr,
    other: &'e Expr,
    why: &'static str,
}

fn dead_of_or<'e>(context: &Context<'_>, binary: &'e Binary) -> Option<Dead<'e>> {
    let (side, other) = (&binary.rhs, &binary.lhs);
    let dead = |why| Some(Dead { side, other, why });
    let always = call(other).is_some_and(|call| call.function.name == "vector");
    // Without `on` a series is hidden by one with the same labels, and this one has none.
    let labels = context.flow(side);
    let bare = labels.likely().next().is_none() && !labels.is_open();
    if always && (bare || (binary.matching.on && binary.matching.labels.is_empty())) {
        return dead("is always there, and what is there already hides the other side");
    }
    if !pairs_up(binary) {
        return None;
    }
    if side.same_as(other) {
        return dead("the same");
    }
    let (a, b) = (threshold(other)?, threshold(side)?);
    covers(&a, &b).then(|| dead("holds whenever the other side does"))?
}

fn dead_of_and(binary: &Binary) -> Option<Dead<'_>> {
    if !pairs_up(binary) {
        return None;
    }
    let (lhs, rhs) = (&binary.lhs, &binary.rhs);
    if lhs.same_as(rhs) {
        return Some(Dead { side: rhs, other: lhs, why: "the same" });
    }
    let (a, b) = (threshold(lhs)?, threshold(rhs)?);
    let why = "holds only where the other side does, too";
    if covers(&b, &a) {
        return Some(Dead { side: rhs, other: lhs, why });
    }
    covers(&a, &b).then_some(Dead { side: lhs, other: rhs, why })
}

fn pairs_up(binary: &Binary) -> bool {
    binary.matching.labels.is_empty() && !binary.matching.on
}

/// Whether the first condition holds wherever the second does.
fn covers(wide: &Threshold<'_>, narrow: &Threshold<'_>) -> bool {
    let point = |value| Bounds::new(value, value);
    let passing = bounds(narrow.vector).passing(narrow.op, point(narrow.value));
    wide.vector.same_as(narrow.vector)
        && passing.compare(wide.op, point(wide.value)) == Verdict::Always
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        cases(
            &DeadBranch,
            &[
                (&["expr: a > 5 or a > 10"], &["1:16 a > 10"]),
                (&["expr: a > 5 or a > 5"], &["1:16 a > 5"]),
                (&["expr: a > 10 and a > 5"], &["1:18 a > 5"]),
                (&["expr: a > 5 and a > 10"], &["1:7 a > 5"]),
                (&["expr: (vector(0) or sum(a)) == 0"], &["1:21 sum(a)"]),
                (&["expr: (vector(0) or on () a) == 0"], &["1:27 a"]),
                (&["expr: a > 10 or a > 5"], &[]),
                (&["expr: a > 5 or b > 10"], &[]),
                (&["expr: a > 5 or on (x) a > 10"], &[]),
                (&["expr: (sum(a) or vector(0)) == 0"], &[]),
                (&["expr: (vector(0) or a) == 0"], &[]),
                (&["expr: a > 5 and a < 10"], &[]),
            ],
        );
    }
}
