//! A quantile of every single series.

use crate::diag::Severity;
use crate::lint::shape::{call, selector};
use crate::lint::{About, Check, Context, Findings};
use crate::model::label::METRIC_NAME;
use crate::promql::{Call, Expr, ExprKind};

static ABOUT: About = About {
    id: "promql/histogram-mixed",
    severity: Severity::Warning,
    title: "histogram_quantile is asked of series that nobody has summed",
    text: "\
Without `sum by (le, …)` there is one quantile for every combination of the other labels: each instance, \
method, path and model by itself. Most of them are of a few requests, where a quantile is noise or NaN, \
and a model whose slow requests are spread over many instances never shows. Where the selector picks \
several metrics, their buckets are mixed.

Say by which labels you want to look: `sum by (le, model) (rate(…))`.",
    bad: "alert: Slow\nexpr: histogram_quantile(0.95, rate(latency_seconds_bucket[5m])) > 2\n",
    good: "alert: Slow\nexpr: histogram_quantile(0.95, sum by (le, model) (rate(latency_seconds_bucket[5m]))) > 2\n",
};

pub(in crate::lint) struct HistogramMixed;

impl Check for HistogramMixed {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for part in context.parts() {
            let ExprKind::Call(quantile) = &part.kind else { continue };
            if quantile.function.name != "histogram_quantile" {
                continue;
            }
            let Some(arg) = quantile.args.get(1).filter(|arg| is_raw(arg)) else { continue };
            let several = arg.selectors().find(|s| s.metric_name().is_none());
            let message = match several {
                Some(_) => "the buckets of several metrics are mixed",
                None => "there is a quantile for every combination of labels",
            };
            let finding = context
                .finding(&ABOUT, arg.span, message)
                .caret("nobody has summed these by `le`")
                .label(context.place(quantile.name_span), "of each series by itself");
            let asked = used_labels(context);
            findings.push(
                finding.help(format!("say by which labels to look: `sum by (le{asked}) (…)`")),
            );
        }
    }
}

/// Whether these are the buckets themselves, or their rate.
fn is_raw(arg: &Expr) -> bool {
    let of_range = |call: &Call| call.args.first().is_some_and(|a| selector(a).is_some());
    let raw = selector(arg).is_some() || call(arg).is_some_and(of_range);
    // One series by itself is picked by name, or it is a native histogram.
    let classic = arg.selectors().any(|s| match s.metric_name() {
        Some(name) => name.ends_with("_bucket"),
        None => s.matchers_of(METRIC_NAME).any(|m| m.value().contains("_bucket")),
    });
    raw && classic
}

/// The labels that the texts of the alert name, as further labels of `by`.
fn used_labels(context: &Context<'_>) -> String {
    let Some(alert) = context.alert() else { return String::new() };
    let templates = alert.annotations.iter().chain(&alert.labels);
    let uses = templates.flat_map(|(_, template)| template.label_uses());
    let mut names: Vec<&str> = uses.map(|(name, _)| name.as_str()).collect();
    names.sort();
    names.dedup();
    names.iter().map(|name| format!(", {name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        cases(
            &HistogramMixed,
            &[
                (
                    &["expr: histogram_quantile(0.9, rate(a_bucket[5m])) > 1"],
                    &["1:31 rate(a_bucket[5m])"],
                ),
                (&["expr: histogram_quantile(0.9, (a_bucket)) > 1"], &["1:31 (a_bucket)"]),
                (
                    &["expr: histogram_quantile(0.9, rate({__name__=~\".*_bucket\"}[5m])) > 1"],
                    &["1:31 rate({__name__=~\".*_bucket\"}[5m])"],
                ),
                (&["expr: histogram_quantile(0.9, sum by (le) (rate(a_bucket[5m]))) > 1"], &[]),
                (&["expr: histogram_quantile(0.9, rate(a_seconds[5m])) > 1"], &[]),
                (&["expr: rate(a_bucket[5m]) > 1"], &[]),
            ],
        );
    }
}
