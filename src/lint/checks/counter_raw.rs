//! A counter that is compared as it is.

use crate::diag::Severity;
use crate::lint::shape::{Threshold, aggregated, selector};
use crate::lint::{About, Check, Context, Findings};
use crate::promql::bounds::is_counter;
use crate::promql::{AggregateOp, BinaryOp, Expr};

static ABOUT: About = About {
    id: "promql/counter-raw",
    severity: Severity::Warning,
    title: "A counter is compared with a number as it is",
    text: "\
A counter only grows. Once it has passed the threshold the alert fires until the process restarts, \
whether anything still happens or not, and a restart ends the alert without anything being better.

Look at how much it grew: `increase(…[5m]) > …` or `rate(…[5m]) > …`.",
    bad: "alert: Errors\nexpr: http_errors_total > 10\n",
    good: "alert: Errors\nexpr: increase(http_errors_total[5m]) > 10\n",
};

pub(in crate::lint) struct CounterRaw;

impl Check for CounterRaw {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for &(part, ref threshold) in context.thresholds() {
            // `… / x_total < 0.1 and x_total > 0` keeps a division from going wrong.
            if threshold.value <= 0.0 && part.span != context.expr().without_parens().span {
                continue;
            }
            let Some(counter) = raw_counter(threshold) else { continue };
            let finding = context
                .finding(&ABOUT, part.span, "a counter is compared as it is")
                .label(context.place(counter.span), "only grows, until its process restarts")
                .help("compare `increase(…[5m])` or `rate(…[5m])`");
            findings.push(finding);
        }
    }
}

/// The counter whose value, or a sum of such, is compared to be large.
fn raw_counter<'e>(threshold: &Threshold<'e>) -> Option<&'e Expr> {
    if !matches!(threshold.op, BinaryOp::Greater | BinaryOp::GreaterOrEqual) {
        return None;
    }
    use AggregateOp::{Avg, Max, Min, Sum};
    let part = aggregated(threshold.vector, |op| matches!(op, Avg | Max | Min | Sum));
    let name = selector(part)?.metric_name()?;
    is_counter(name).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        cases(
            &CounterRaw,
            &[
                (&["expr: errors_total > 5"], &["1:7 errors_total > 5"]),
                (
                    &["expr: sum by (x) (errors_total{x=\"y\"}) >= 5"],
                    &["1:7 sum by (x) (errors_total{x=\"y\"}) >= 5"],
                ),
                (&["expr: (errors_total > 5) and b > 1"], &["1:8 errors_total > 5"]),
                (&["expr: increase(errors_total[5m]) > 5"], &[]),
                (&["expr: errors_total - errors_total offset 5m > 5"], &[]),
                (&["expr: errors_total == 0"], &[]),
                (&["expr: a / b_total < 0.1 and b_total > 0"], &[]),
                (&["expr: count(errors_total) > 5"], &[]),
                (&["expr: a > 5"], &[]),
                (&["expr: job:errors_total > 5"], &[]),
            ],
        );
    }
}
