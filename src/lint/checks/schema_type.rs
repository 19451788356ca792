//! A function that does not suit the type of its metric.

use crate::diag::Severity;
use crate::lint::shape::{OF_COUNTERS, selector};
use crate::lint::{About, Check, Context, Findings, Needs};
use crate::promql::ExprKind;

static ABOUT: About = About {
    id: "schema/type",
    severity: Severity::Bug,
    title: "A function does not suit the type of its metric",
    text: "\
With `--prometheus URL` or `--schema FILE`, by the types that targets name. `rate`, `irate` and `increase` \
are for counters and histograms: of a gauge they make a number that means nothing. `delta` and `deriv` are \
for gauges: of a counter they see a fall at each restart, which is a warning.",
    bad: "alert: Queue\nexpr: rate(queue_length[5m]) > 1\n# schema\n# TYPE queue_length gauge\nqueue_length 1\n",
    good: "alert: Queue\nexpr: deriv(queue_length[5m]) > 1\n# schema\n# TYPE queue_length gauge\nqueue_length 1\n",
};

pub(in crate::lint) struct SchemaType;

impl Check for SchemaType {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::Schema
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        let Some(schema) = &context.project.schema else { return };
        for part in context.parts() {
            let ExprKind::Call(call) = &part.kind else { continue };
            let Some(arg) = call.args.first() else { continue };
            let metric =
                selector(arg).and_then(|selector| schema.metrics.get(selector.metric_name()?));
            let Some(kind) = metric.and_then(|metric| metric.kind.as_deref()) else { continue };
            let function = call.function.name;
            let (severity, instead) = match kind {
                "gauge" if OF_COUNTERS.contains(&function) => (Severity::Bug, "delta` or `deriv"),
                "counter" if matches!(function, "delta" | "idelta") => {
                    (Severity::Warning, "increase")
                }
                "counter" if function == "deriv" => (Severity::Warning, "rate"),
                _ => continue,
            };
            let mut finding = context
                .finding(&ABOUT, call.name_span, format!("`{function}` of a {kind}"))
                .label(context.place(arg.span), format!("its targets say that this is a {kind}"))
                .help(format!("use `{instead}`"));
            finding.severity = severity;
            findings.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::schema_cases;

    #[test]
    fn cases_hold() {
        let schema = "# TYPE g gauge\ng 1\n# TYPE c counter\nc 1\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nx 1\n";
        schema_cases(
            &SchemaType,
            schema,
            &[
                (&["expr: rate(g[5m]) > 1"], &["1:7 rate"]),
                (&["expr: sum(increase(g[5m])) > 1"], &["1:11 increase"]),
                (&["expr: delta(c[5m]) > 1"], &["1:7 delta"]),
                (&["expr: rate(c[5m]) > 1"], &[]),
                (&["expr: delta(g[5m]) > 1"], &[]),
                (&["expr: rate(h_bucket[5m]) > 1"], &[]),
                (&["expr: rate(x[5m]) > 1"], &[]),
            ],
        );
    }
}
