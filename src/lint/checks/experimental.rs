//! What Prometheus takes only where it is told to.

use crate::diag::{Severity, Span};
use crate::lint::{About, Check, Context, Feature, Findings};
use crate::promql::{AggregateOp, Expr, ExprKind};

static ABOUT: About = About {
    id: "promql/experimental",
    severity: Severity::Error,
    title: "A function or modifier is experimental and not enabled",
    text: "\
Prometheus refuses a rule file with a function that it does not know, and it knows this one only with \
`--enable-feature=promql-experimental-functions`; `fill` and its kin only with \
`--enable-feature=promql-binop-fill-modifiers`. Give `watchbell check` the same flag if your \
Prometheus has it.",
    bad: "alert: Unsteady\nexpr: mad_over_time(latency_seconds[1h]) > 1\n",
    good: "alert: Unsteady\nexpr: stddev_over_time(latency_seconds[1h]) > 1\n",
};

pub(in crate::lint) struct Experimental;

impl Check for Experimental {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for part in context.parts() {
            let Some((feature, span, what)) = experimental(part) else { continue };
            if context.project.settings.features.contains(&feature) {
                continue;
            }
            let message = format!("`{}` is {what}", context.text(span));
            let help = format!("if your Prometheus has it: --enable-feature {}", feature.name());
            findings.push(context.finding(&ABOUT, span, message).help(help));
        }
    }
}

/// What a part needs, where that stands, and what it is.
fn experimental(part: &Expr) -> Option<(Feature, Span, &'static str)> {
    match &part.kind {
        ExprKind::Call(call) if call.function.experimental => {
            Some((Feature::Functions, call.name_span, "an experimental function"))
        }
        ExprKind::Aggregate(aggregate)
            if matches!(aggregate.op, AggregateOp::Limitk | AggregateOp::LimitRatio) =>
        {
            Some((Feature::Functions, aggregate.op_span, "an experimental aggregation"))
        }
        ExprKind::Binary(binary) => {
            let matching = &binary.matching;
            let fills = matching.fill_left.is_some() || matching.fill_right.is_some();
            let what = "filled with an experimental modifier";
            fills.then_some((Feature::Fill, binary.op_span, what))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Settings;
    use crate::lint::testing::{cases, cases_with};

    #[test]
    fn cases_hold() {
        let unsteady: &[&str] = &["expr: max(mad_over_time(a[5m])) > 1"];
        let limited: &[&str] = &["expr: sum(limitk(3, a)) > 1"];
        let filled: &[&str] = &["expr: a + on (b) fill (0) c > 1"];
        cases(
            &Experimental,
            &[
                (unsteady, &["1:11 mad_over_time"]),
                (limited, &["1:11 limitk"]),
                (&["expr: limit_ratio(0.1, a) > 1"], &["1:7 limit_ratio"]),
                (&["expr: first_over_time(a[5m]) > 1"], &["1:7 first_over_time"]),
                (filled, &["1:9 +"]),
                (&["expr: a + fill_left (0) c > 1"], &["1:9 +"]),
                (&["expr: stddev_over_time(a[5m]) + on (b) topk(3, c) > 1"], &[]),
            ],
        );
        let settings = Settings { features: vec![Feature::Functions], ..Settings::default() };
        cases_with(
            &Experimental,
            &settings,
            &[(unsteady, &[]), (limited, &[]), (filled, &["1:9 +"])],
        );
        let settings = Settings { features: vec![Feature::Fill], ..Settings::default() };
        cases_with(&Experimental, &settings, &[(filled, &[]), (unsteady, &["1:11 mad_over_time"])]);
    }
}
