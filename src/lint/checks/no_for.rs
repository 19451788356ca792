//! An alert that flaps for want of `for`.

use crate::diag::Severity;
use crate::lint::shape::{aggregated, call, selector, threshold};
use crate::lint::{About, Check, Context, Findings};
use crate::promql::{BinaryOp, Expr};

static ABOUT: About = About {
    id: "alert/no-for",
    severity: Severity::Warning,
    title: "An alert on one failed scrape or probe has no `for`",
    text: "\
A single scrape or probe fails now and then: a restart, a lost packet, a slow answer. Without `for` each \
of them pages, and is over a moment later. `absent` holds for a moment whenever a target is replaced.

Wait for two or three scrapes with `for`. Who wants to be told at once writes `for: 0s`.",
    bad: "alert: Down\nexpr: up{job=\"api\"} == 0\n",
    good: "alert: Down\nexpr: up{job=\"api\"} == 0\nfor: 2m\n",
};

pub(in crate::lint) struct NoFor;

impl Check for NoFor {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        let Some(alert) = context.alert() else { return };
        let waits = alert.places.for_duration.is_some() || !alert.keep_firing_for.is_zero();
        if waits || !flaps(context.expr()) {
            return;
        }
        let finding = context
            .finding(&ABOUT, context.expr().span, "one failed scrape or probe is enough to page")
            .note("an alert without `for` fires at the first evaluation at which its expression holds");
        findings
            .push(finding.help("wait for two or three scrapes: `for: 2m`; at once is `for: 0s`"));
    }
}

fn flaps(expr: &Expr) -> bool {
    if call(expr).is_some_and(|call| call.function.name == "absent") {
        return true;
    }
    let Some(threshold) = threshold(expr) else { return false };
    let fails = matches!(
        (threshold.op, threshold.value),
        (BinaryOp::Equal, 0.0) | (BinaryOp::Less, 1.0) | (BinaryOp::NotEqual, 1.0)
    );
    let name = selector(aggregated(threshold.vector, |_| true)).and_then(|s| s.metric_name());
    fails && matches!(name, Some("up" | "probe_success"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        cases(
            &NoFor,
            &[
                (&["expr: up == 0"], &["1:7 up == 0"]),
                (
                    &["expr: min by (job) (up{x=\"y\"}) < 1"],
                    &["1:7 min by (job) (up{x=\"y\"}) < 1"],
                ),
                (&["expr: (probe_success != 1)"], &["1:7 (probe_success != 1)"]),
                (&["expr: absent(up{job=\"a\"})"], &["1:7 absent(up{job=\"a\"})"]),
                (&["expr: up == 0\nfor: 1m"], &[]),
                (&["expr: up == 0\nfor: 0s"], &[]),
                (&["expr: up == 0\nkeep_firing_for: 5m"], &[]),
                (&["expr: max_over_time(up[5m]) == 0"], &[]),
                (&["expr: absent_over_time(up[5m])"], &[]),
                (&["expr: up == 1"], &[]),
                (&["expr: other == 0"], &[]),
                (&["record: a:b\nexpr: up == 0"], &[]),
            ],
        );
    }
}
