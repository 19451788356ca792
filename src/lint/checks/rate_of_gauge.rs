//! The rate of what is no counter.

use crate::diag::Severity;
use crate::lint::shape::{OF_COUNTERS, counter_calls, selector};
use crate::lint::{About, Check, Context, Findings};
use crate::promql::{Expr, ExprKind};

static ABOUT: About = About {
    id: "promql/rate-of-gauge",
    severity: Severity::Warning,
    title: "`rate` is taken of something that is no counter",
    text: "\
`rate`, `irate` and `increase` take every fall for a restart of the counter and add what comes after it. \
Of a gauge they make a number that means nothing. The rate of a recorded rate is one of these.

For the change of a gauge there are `delta` and `deriv`; for its mean `avg_over_time`.",
    bad: "alert: DiskFills\nexpr: rate(node_filesystem_avail_bytes[1h]) > 1e6\n",
    good: "alert: DiskFills\nexpr: deriv(node_filesystem_avail_bytes[1h]) < -1e6\n",
};

/// The ends of names that no counter has.
const GAUGES: [&str; 15] = [
    "_avail_bytes",
    "_available_bytes",
    "_celsius",
    "_free_bytes",
    "_info",
    "_limit_bytes",
    "_load1",
    "_load15",
    "_load5",
    "_percent",
    "_ratio",
    "_size_bytes",
    "_temperature",
    "_timestamp_seconds",
    "_usage_bytes",
];

pub(in crate::lint) struct RateOfGauge;

impl Check for RateOfGauge {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for (call, arg) in counter_calls(context.parts()) {
            let Some((what, severity)) = gauge(arg) else { continue };
            let name = call.function.name;
            let mut finding = context
                .finding(&ABOUT, call.name_span, format!("`{name}` of {what}"))
                .label(context.place(arg.span), "this falls without having been reset")
                .help("use `delta` or `deriv` for a change, `avg_over_time` for a mean");
            finding.severity = severity;
            findings.push(finding);
        }
    }
}

/// What an argument is, if it is no counter.
fn gauge(arg: &Expr) -> Option<(&'static str, Severity)> {
    if let ExprKind::Subquery(subquery) = &arg.without_parens().kind {
        let inner = subquery.expr.without_parens();
        let rated =
            matches!(&inner.kind, ExprKind::Call(c) if OF_COUNTERS.contains(&c.function.name));
        return rated.then_some(("what is a rate already", Severity::Bug));
    }
    let name = selector(arg)?.metric_name()?;
    // level:metric:operations
    if let Some((_, operations)) = name.rsplit_once(':') {
        let rated = ["rate", "irate", "increase"].iter().any(|op| operations.starts_with(op));
        return rated.then_some(("a recorded rate", Severity::Bug));
    }
    let is_gauge = name == "up" || GAUGES.iter().any(|end| name.ends_with(end));
    is_gauge.then_some(("a gauge", Severity::Warning))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        cases(
            &RateOfGauge,
            &[
                (&["expr: rate(disk_avail_bytes[5m]) > 1"], &["1:7 rate"]),
                (&["expr: sum(increase(up{job=\"a\"}[5m])) > 1"], &["1:11 increase"]),
                (&["expr: rate(job:a:rate5m[5m]) > 1"], &["1:7 rate"]),
                (&["expr: rate(rate(a_total[5m])[1h:]) > 1"], &["1:7 rate"]),
                (&["expr: rate(a_total[5m]) > 1"], &[]),
                (&["expr: rate(anything[5m]) > 1"], &[]),
                (&["expr: rate(job:a:sum[5m]) > 1"], &[]),
                (&["expr: deriv(disk_avail_bytes[5m]) > 1"], &[]),
                (&["expr: max_over_time(rate(a_total[5m])[1h:]) > 1"], &[]),
            ],
        );
    }
}
