//! A quantile outside of 0 to 1.

use crate::diag::{Severity, Span};
use crate::lint::shape::number_of;
use crate::lint::{About, Check, Context, Findings};
use crate::promql::{AggregateOp, Expr, ExprKind};

static ABOUT: About = About {
    id: "promql/quantile-range",
    severity: Severity::Bug,
    title: "A quantile lies outside of 0 to 1",
    text: "\
Quantiles are fractions: the 95th percentile is 0.95. Above 1 the result is infinite and passes every \
threshold, so that the alert fires at all times; below 0 it is never passed.",
    bad: "alert: Slow\nexpr: histogram_quantile(95, sum by (le) (rate(latency_seconds_bucket[5m]))) > 2\n",
    good: "alert: Slow\nexpr: histogram_quantile(0.95, sum by (le) (rate(latency_seconds_bucket[5m]))) > 2\n",
};

pub(in crate::lint) struct QuantileRange;

impl Check for QuantileRange {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for part in context.parts() {
            let Some((number, place)) = quantile(part) else { continue };
            let Some(value) = number_of(number).filter(|value| !(0.0..=1.0).contains(value)) else {
                continue;
            };
            let result = if value > 1.0 { "+Inf" } else { "-Inf" };
            let finding = context
                .finding(&ABOUT, number.span, format!("a quantile of {value} is always {result}"))
                .label(context.place(place), "takes a number from 0 to 1");
            findings.push(match value {
                percent if (1.0..=100.0).contains(&percent) => {
                    finding.help(format!("the {percent}th percentile is {}", percent / 100.0))
                }
                _ => finding,
            });
        }
    }
}

/// The quantile that is asked for, and the place of the function.
fn quantile(part: &Expr) -> Option<(&Expr, Span)> {
    match &part.kind {
        ExprKind::Call(call)
            if matches!(call.function.name, "histogram_quantile" | "quantile_over_time") =>
        {
            Some((call.args.first()?, call.name_span))
        }
        ExprKind::Aggregate(aggregate) if aggregate.op == AggregateOp::Quantile => {
            Some((aggregate.param.as_ref()?, aggregate.op_span))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        cases(
            &QuantileRange,
            &[
                (&["expr: histogram_quantile(99, sum by (le) (a_bucket)) > 1"], &["1:26 99"]),
                (&["expr: quantile(1.5, a) > 1"], &["1:16 1.5"]),
                (&["expr: quantile_over_time(-0.5, a[5m]) > 1"], &["1:26 -0.5"]),
                (&["expr: histogram_quantile(0.99, sum by (le) (a_bucket)) > 1"], &[]),
                (&["expr: quantile(1, a) > 1"], &[]),
                (&["expr: quantile(scalar(b), a) > 1"], &[]),
                (&["expr: topk(5, a) > 1"], &[]),
            ],
        );
    }
}
