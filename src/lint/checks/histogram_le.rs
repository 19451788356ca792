//! A quantile of a histogram whose buckets have been summed away.

use crate::diag::Severity;
use crate::lint::shape::{by_labels, call};
use crate::lint::{About, Check, Context, Findings};
use crate::promql::ExprKind;

static ABOUT: About = About {
    id: "promql/histogram-le",
    severity: Severity::Bug,
    title: "histogram_quantile is asked of series that have lost the label `le`",
    text: "\
`histogram_quantile` reads the buckets of a classic histogram, and `le` is what tells them apart. An \
aggregation without `le` makes one number of all buckets: the result is empty, and the alert can never \
fire.

Write `by (le, …)` with whatever else tells the series apart that you want to look at one by one.",
    bad: "alert: Slow\nexpr: histogram_quantile(0.95, sum by (model) (rate(latency_seconds_bucket[5m]))) > 2\n",
    good: "alert: Slow\nexpr: histogram_quantile(0.95, sum by (le, model) (rate(latency_seconds_bucket[5m]))) > 2\n",
};

pub(in crate::lint) struct HistogramLe;

impl Check for HistogramLe {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for part in context.parts() {
            let Some(quantile) = call(part).filter(|c| c.function.name == "histogram_quantile")
            else {
                continue;
            };
            let (false, Some(arg)) =
                (matches!(part.kind, ExprKind::Paren(_)), quantile.args.get(1))
            else {
                continue;
            };
            // A native histogram is one series and has no `le`.
            let classic = |name: &str| name.ends_with("_bucket");
            let is_classic = arg.selectors().any(|s| s.metric_name().is_some_and(classic));
            let Some(removal) = context.flow(arg).has("le").removal().filter(|_| is_classic) else {
                continue;
            };
            let message = "histogram_quantile needs the label `le`, which is gone";
            let mut finding = context
                .finding(&ABOUT, quantile.name_span, message)
                .caret("gives nothing")
                .label(context.place(removal.span), removal.why);
            if let Some(labels) = grouping_at(arg, removal.span) {
                let rest = if labels.is_empty() { String::new() } else { format!(", {labels}") };
                finding = finding.help(format!("keep the buckets apart: `by (le{rest})`"));
            }
            findings.push(finding.note("`le` tells the buckets of a histogram apart"));
        }
    }
}

/// The labels of `by` of the aggregation whose operator stands at a place.
fn grouping_at(expr: &crate::promql::Expr, span: crate::diag::Span) -> Option<String> {
    expr.walk().find_map(|part| match &part.kind {
        ExprKind::Aggregate(aggregate) if aggregate.op_span == span => by_labels(aggregate),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        let of = |inner: &str| format!("expr: histogram_quantile(0.9, {inner}) > 1");
        let bad = "1:7 histogram_quantile";
        for (inner, expected) in [
            ("sum(rate(a_bucket[5m]))", Some(bad)),
            ("sum by (model) (rate(a_bucket[5m]))", Some(bad)),
            ("sum without (le) (rate(a_bucket[5m]))", Some(bad)),
            ("sum by (le) (rate(a_bucket[5m]))", None),
            ("sum without (model) (rate(a_bucket[5m]))", None),
            ("rate(a_bucket[5m])", None),
            // Native histograms.
            ("sum(rate(a_seconds[5m]))", None),
            ("job:a:rate5m", None),
        ] {
            cases(&HistogramLe, &[(&[&of(inner)], expected.as_slice())]);
        }
    }
}
