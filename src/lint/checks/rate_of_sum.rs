//! The rate of a sum of counters.

use crate::diag::Severity;
use crate::lint::shape::{OF_COUNTERS, calls_any, counter_calls, selector};
use crate::lint::{About, Check, Context, Findings};
use crate::promql::{AggregateOp, Expr, ExprKind};

static ABOUT: About = About {
    id: "promql/rate-of-sum",
    severity: Severity::Bug,
    title: "A rate is taken of counters that have been summed",
    text: "\
A counter begins at 0 again when its process does, and `rate` makes up for that. In a sum of counters \
one restart looks like a fall of the whole, and `rate` takes everything that is left for new: a spike \
that never was. Series that come and go have the same effect.

Take the rate first and sum then: `sum(rate(…))`.",
    bad: "alert: ManyErrors\nexpr: rate(sum(http_errors_total)[5m:30s]) > 10\n",
    good: "alert: ManyErrors\nexpr: sum(rate(http_errors_total[5m])) > 10\n",
};

pub(in crate::lint) struct RateOfSum;

impl Check for RateOfSum {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for (call, arg) in counter_calls(context.parts()) {
            let name = call.function.name;
            let finding = |message| {
                let finding = context.finding(&ABOUT, call.name_span, message);
                finding.note("a restart of one process looks like a fall of the whole sum")
            };
            let help = format!("take the `{name}` first, then sum");
            if let ExprKind::Subquery(subquery) = &arg.without_parens().kind {
                if let Some(sum) = sum_of_counters(&subquery.expr) {
                    let finding = finding(format!("`{name}` of a sum of counters"));
                    findings.push(finding.label(context.place(sum.span), "summed here").help(help));
                }
                continue;
            }
            let Some(metric) = selector(arg).and_then(|s| s.metric_name()) else { continue };
            for rule in context.project.recording(metric) {
                if let Some(sum) = sum_of_counters(rule.expr()) {
                    let place = rule.expr_span(sum.span);
                    let finding = finding(format!("`{name}` of the recorded sum `{metric}`"));
                    let finding = finding.label_in(rule.source(), place, "summed here");
                    findings.push(finding.help(help.clone()));
                    break;
                }
            }
        }
    }
}

/// The aggregation that an expression is, if counters go into it as they are.
fn sum_of_counters(expr: &Expr) -> Option<&Expr> {
    let expr = expr.without_parens();
    let ExprKind::Aggregate(aggregate) = &expr.kind else { return None };
    let sums = matches!(aggregate.op, AggregateOp::Sum | AggregateOp::Avg);
    // What is built on rates, or filtered, is no counter any more.
    let raw = selector(&aggregate.expr).is_some() || aggregate_of_selector(&aggregate.expr);
    (sums && raw && !calls_any(&aggregate.expr, &OF_COUNTERS)).then_some(expr)
}

fn aggregate_of_selector(expr: &Expr) -> bool {
    crate::lint::shape::aggregate(expr).is_some_and(|inner| selector(&inner.expr).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        cases(
            &RateOfSum,
            &[
                (&["expr: rate(sum(a_total)[5m:]) > 1"], &["1:7 rate"]),
                (&["expr: sum(increase((sum by (x) (a_total))[5m:1m])) > 1"], &["1:11 increase"]),
                (
                    &["expr: rate(x:a:sum[5m]) > 1", "record: x:a:sum\nexpr: sum(a_total)"],
                    &["1:7 rate"],
                ),
                (&["expr: sum(rate(a_total[5m])) > 1"], &[]),
                (&["expr: rate(x:a:sum[5m]) > 1"], &[]),
                (&["expr: max_over_time(sum(a_total)[5m:]) > 1"], &[]),
                (&["expr: rate(max(a_total)[5m:]) > 1"], &[]),
                (&["expr: rate(x:a[5m]) > 1", "record: x:a\nexpr: max(a_total)"], &[]),
            ],
        );
    }
}
