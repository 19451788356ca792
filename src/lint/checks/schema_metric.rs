//! A metric that nobody exports.

use crate::diag::{Severity, Span, nearest};
use crate::lint::shape::named;
use crate::lint::{About, Check, Context, Findings, Needs};
use crate::promql::{BinaryOp, Expr, ExprKind};

static ABOUT: About = About {
    id: "schema/metric",
    severity: Severity::Bug,
    title: "A metric does not exist",
    text: "\
With `--prometheus URL` or `--schema FILE`. An expression over a metric that nobody exports is empty, and an \
alert on it can never fire. Names that recording rules of the checked files give are known. On one side of \
`or` a metric of another version may stand, and below `absent` one that is awaited: there it is a remark.",
    bad: "alert: Errors\nexpr: rate(http_request_total[5m]) > 1\n# schema\nhttp_requests_total{code=\"500\"} 1\n",
    good: "alert: Errors\nexpr: rate(http_requests_total[5m]) > 1\n# schema\nhttp_requests_total{code=\"500\"} 1\n",
};

/// What Prometheus makes itself.
const MADE: [&str; 2] = ["ALERTS", "ALERTS_FOR_STATE"];

pub(in crate::lint) struct SchemaMetric;

impl Check for SchemaMetric {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::Schema
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        let Some(schema) = &context.project.schema else { return };
        let mild = mild_places(context.expr());
        for (span, selector) in named(context.parts()) {
            let Some(name) = selector.metric_name() else { continue };
            let known = MADE.contains(&name) || context.project.recording(name).next().is_some();
            if known || schema.has(name) {
                continue;
            }
            let place = Span::new(span.start, span.start + name.len());
            let place = if context.text(place) == name { place } else { span };
            let message = format!("there is no metric `{name}`");
            let mut finding = context.finding(&ABOUT, place, message);
            let inside = |part: &Span| part.start <= span.start && span.end <= part.end;
            if mild.iter().any(inside) {
                finding.severity = Severity::Info;
            } else {
                finding = finding.note("what is computed of it is empty");
            }
            let names = || schema.metrics.keys().map(String::as_str);
            let related = || {
                names().find(|other| other.strip_prefix(name).is_some_and(|end| end == "_total"))
            };
            findings.push(match nearest(name, names()).or_else(related) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding,
            });
        }
    }
}

/// The parts in which a metric may be missing: the sides of `or`, what `absent` waits for, and what
/// `unless` takes away.
fn mild_places(expr: &Expr) -> Vec<Span> {
    let mut places = Vec::new();
    for part in expr.walk() {
        match &part.kind {
            ExprKind::Binary(binary) if binary.op == BinaryOp::Or => {
                places.extend([binary.lhs.span, binary.rhs.span]);
            }
            ExprKind::Binary(binary) if binary.op == BinaryOp::Unless => {
                places.push(binary.rhs.span)
            }
            ExprKind::Call(call) if call.function.name.starts_with("absent") => {
                places.push(part.span)
            }
            _ => {}
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::schema_cases;

    #[test]
    fn cases_hold() {
        let schema = "errors_total 1\nup 1\n";
        schema_cases(
            &SchemaMetric,
            schema,
            &[
                (&["expr: rate(error_total[5m]) > 1"], &["1:12 error_total"]),
                (&["expr: errors > 1"], &["1:7 errors"]),
                (&["expr: sum(nothing{a=\"b\"}) > 1"], &["1:11 nothing"]),
                (&["expr: nothing > 1 or up == 0"], &["1:7 nothing"]),
                (&["expr: rate(errors_total[5m]) > 1"], &[]),
                (&["expr: ALERTS > 0"], &[]),
                (&["record: a:b\nexpr: sum(up)", "expr: a:b > 1"], &[]),
                (&["expr: '{__name__=~\"x.*\"} > 1'"], &[]),
            ],
        );
    }
}
