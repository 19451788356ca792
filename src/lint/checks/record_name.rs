//! The name of a recording rule.

use crate::diag::Severity;
use crate::lint::shape::OF_COUNTERS;
use crate::lint::{About, Check, Context, Findings};
use crate::model::{format_duration, parse_duration};
use crate::promql::ExprKind;

static ABOUT: About = About {
    id: "record/name",
    severity: Severity::Info,
    title: "A recording rule's name does not say what it is",
    text: "\
By convention a recorded series is called `level:metric:operations`: the labels that are left, the metric, \
and what was done, the newest first, such as `job:http_requests:rate5m`. The colon tells everybody that \
the series is not scraped, and the name of the range must be the range \
(<https://prometheus.io/docs/practices/rules/>).",
    bad: "record: job:http_requests:rate5m\nexpr: sum by (job) (rate(http_requests_total[1h]))\n",
    good: "record: job:http_requests:rate1h\nexpr: sum by (job) (rate(http_requests_total[1h]))\n",
};

pub(in crate::lint) struct RecordName;

impl Check for RecordName {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        if context.rule.as_recording().is_none() {
            return;
        }
        let (name, place) = (context.rule.name(), context.rule.places().name);
        let Some((_, operations)) = name.rsplit_once(':') else {
            let message = "the name has no colon, as if the series were scraped";
            let finding = context.finding_at(&ABOUT, place, message);
            return findings.push(finding.help("call it level:metric:operations"));
        };
        for function in OF_COUNTERS {
            let Some(said) = operations.strip_prefix(function) else { continue };
            let ranges = ranges(context, function);
            let said = parse_duration(said).ok().map(format_duration);
            if let (Some(said), [(span, range)]) = (said, ranges.as_slice())
                && said != *range
            {
                let message = format!("the name says {said}, the expression {range}");
                let finding = context.finding_at(&ABOUT, place, message);
                findings.push(finding.label(context.place(*span), "here"));
            }
        }
    }
}

/// The different ranges over which a function is taken.
fn ranges(context: &Context<'_>, function: &str) -> Vec<(crate::diag::Span, String)> {
    let mut ranges: Vec<(crate::diag::Span, String)> = Vec::new();
    for part in context.parts() {
        let ExprKind::Call(call) = &part.kind else { continue };
        let Some(arg) = call.args.first().filter(|_| call.function.name == function) else {
            continue;
        };
        if let ExprKind::MatrixSelector(matrix) = &arg.without_parens().kind {
            let range = format_duration(matrix.range);
            if ranges.iter().all(|(_, other)| *other != range) {
                ranges.push((arg.span, range));
            }
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        cases(
            &RecordName,
            &[
                (&["record: requests\nexpr: sum(a)"], &["1:9 requests"]),
                (&["record: job:a:rate5m\nexpr: rate(a[10m])"], &["1:9 job:a:rate5m"]),
                (&["record: job:a:rate5m\nexpr: rate(a[5m])"], &[]),
                (&["record: job:a:rate60m\nexpr: rate(a[1h])"], &[]),
                (&["record: job:a:ratio\nexpr: rate(a[5m]) / rate(b[1h])"], &[]),
                (&["record: job:a:rate5m\nexpr: rate(a[5m]) / rate(b[1h])"], &[]),
                (&["alert: requests\nexpr: a > 1"], &[]),
            ],
        );
    }
}
