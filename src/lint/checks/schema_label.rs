//! A label or value that no series has.

use crate::diag::{Severity, nearest};
use crate::lint::schema::Metric;
use crate::lint::shape::named;
use crate::lint::{About, Check, Context, Findings, Needs};
use crate::model::label::METRIC_NAME;
use crate::model::{MatchOp, Matcher};
use crate::promql::{ExprKind, Grouping};

static ABOUT: About = About {
    id: "schema/label",
    severity: Severity::Bug,
    title: "A label or a value does not exist",
    text: "\
With `--prometheus URL` or `--schema FILE`. A matcher on a label or a value that no series of the metric has \
picks nothing, and an alert on it can never fire; one that is grouped by makes no groups. A value may be \
missing only because it has not come up yet, such as an error code: where the label has other values, that \
is a warning.",
    bad: "alert: Errors\nexpr: rate(http_requests_total{status=\"500\"}[5m]) > 1\n# schema\nhttp_requests_total{code=\"500\"} 1\n",
    good: "alert: Errors\nexpr: rate(http_requests_total{code=\"500\"}[5m]) > 1\n# schema\nhttp_requests_total{code=\"500\"} 1\n",
};

pub(in crate::lint) struct SchemaLabel;

impl Check for SchemaLabel {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::Schema
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        let Some(schema) = &context.project.schema else { return };
        for (_, selector) in named(context.parts()) {
            let Some(metric) = schema.of(selector) else { continue };
            for found in &selector.matchers {
                let matcher = &found.matcher;
                // Whoever accepts a missing label may have it missing.
                if matcher.name() == METRIC_NAME || matcher.matches_value("") {
                    continue;
                }
                let Some(Lack { message, near, severity }) = lack(metric, matcher) else {
                    continue;
                };
                let mut finding = context.finding(&ABOUT, found.span, message);
                finding.severity = severity;
                findings.push(match near {
                    Some(near) => finding.help(format!("did you mean {near}?")),
                    None => finding,
                });
            }
        }
        groupings(context, findings);
    }
}

/// Why a matcher picks nothing.
struct Lack {
    message: String,
    near: Option<String>,
    severity: Severity,
}

fn lack(metric: &Metric, matcher: &Matcher) -> Option<Lack> {
    let name = matcher.name();
    let Some(label) = metric.labels.get(name) else {
        let near = nearest(name, metric.labels.keys().map(String::as_str));
        let near = near.map(|near| format!("`{near}`"));
        let message = format!("no series of this metric has the label `{name}`");
        return Some(Lack { message, near, severity: Severity::Bug });
    };
    if label.more || label.values.iter().any(|value| matcher.matches_value(value)) {
        return None;
    }
    let values: Vec<&str> = label.values.iter().map(String::as_str).collect();
    let near =
        (matcher.op() == MatchOp::Equal).then(|| nearest(matcher.value(), values.iter().copied()));
    let near = near.flatten().map(|near| format!("{near:?}"));
    let shown = values.iter().take(5).map(|v| format!("{v:?}")).collect::<Vec<_>>().join(", ");
    let more = if values.len() > 5 { ", …" } else { "" };
    let message =
        format!("no series of this metric passes `{matcher}`; its values are {shown}{more}");
    // A slip of the keys never comes up; another value may.
    let severity = if near.is_some() { Severity::Bug } else { Severity::Warning };
    Some(Lack { message, near, severity })
}

/// Labels of `by` that nothing below has because the metric lacks them.
fn groupings(context: &Context<'_>, findings: &mut Findings) {
    for part in context.parts() {
        let ExprKind::Aggregate(aggregate) = &part.kind else { continue };
        let Grouping::By(names) = &aggregate.grouping else { continue };
        let labels = context.flow(&aggregate.expr);
        for name in names {
            // What was lost on the way is another matter.
            let lost = labels.has(name).removal();
            let of_metric = |span| named(context.parts()).any(|(place, _)| place == span);
            let Some(removal) = lost.filter(|removal| of_metric(removal.span)) else { continue };
            let message = format!("there is no label `{name}` to group by");
            let mut finding = context
                .finding(&ABOUT, aggregate.op_span, message)
                .label(context.place(removal.span), removal.why);
            finding.severity = Severity::Warning;
            findings.push(match nearest(name, labels.names()) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::schema_cases;

    #[test]
    fn cases_hold() {
        let schema =
            "requests_total{code=\"200\",verb=\"GET\"} 1\nrequests_total{code=\"500\"} 1\n";
        schema_cases(
            &SchemaLabel,
            schema,
            &[
                (&["expr: requests_total{status=\"500\"} > 1"], &["1:22 status=\"500\""]),
                (&["expr: requests_total{code=\"50\"} > 1"], &["1:22 code=\"50\""]),
                (&["expr: requests_total{code=~\"4..\"} > 1"], &["1:22 code=~\"4..\""]),
                (&["expr: sum by (vrb) (requests_total) > 1"], &["1:7 sum"]),
                (&["expr: requests_total{code=~\"5..\"} > 1"], &[]),
                (&["expr: requests_total{verb!=\"PUT\", other=\"\"} > 1"], &[]),
                (&["expr: requests_total{job=\"any\", instance=\"any\"} > 1"], &[]),
                (&["expr: sum by (verb, job) (requests_total) > 1"], &[]),
                (&["expr: unknown{status=\"500\"} > 1"], &[]),
            ],
        );
    }
}
