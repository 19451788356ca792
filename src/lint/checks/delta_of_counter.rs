//! The change of a counter by a function that knows no resets.

use crate::diag::Severity;
use crate::lint::shape::selector;
use crate::lint::{About, Check, Context, Findings};
use crate::promql::ExprKind;
use crate::promql::bounds::is_counter;

static ABOUT: About = About {
    id: "promql/delta-of-counter",
    severity: Severity::Warning,
    title: "`delta` or `deriv` is taken of a counter",
    text: "\
`delta`, `idelta`, `deriv` and `predict_linear` are for gauges. When a process restarts its counters begin \
at 0, and these functions see a steep fall: a burst of errors that ends in a crash looks like an \
improvement.

Use `increase` or `rate`, which make up for the reset.",
    bad: "alert: Errors\nexpr: delta(http_errors_total[5m]) > 10\n",
    good: "alert: Errors\nexpr: increase(http_errors_total[5m]) > 10\n",
};

pub(in crate::lint) struct DeltaOfCounter;

impl Check for DeltaOfCounter {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for part in context.parts() {
            let ExprKind::Call(call) = &part.kind else { continue };
            let instead = match call.function.name {
                "delta" | "idelta" => "increase",
                "deriv" => "rate",
                _ => continue,
            };
            let Some(arg) = call.args.first() else { continue };
            if !selector(arg).and_then(|s| s.metric_name()).is_some_and(is_counter) {
                continue;
            }
            let message = format!("`{}` of a counter", call.function.name);
            let finding = context
                .finding(&ABOUT, call.name_span, message)
                .label(context.place(arg.span), "begins at 0 when its process restarts");
            findings.push(finding.help(format!("use `{instead}`, which makes up for resets")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        cases(
            &DeltaOfCounter,
            &[
                (&["expr: delta(a_total[5m]) > 1"], &["1:7 delta"]),
                (&["expr: max(deriv(a_bucket[5m])) > 1"], &["1:11 deriv"]),
                (&["expr: delta(a_bytes[5m]) > 1"], &[]),
                (&["expr: increase(a_total[5m]) > 1"], &[]),
                (&["expr: delta(job:a_total[5m]) > 1"], &[]),
            ],
        );
    }
}
