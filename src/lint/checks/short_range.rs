//! A range that holds too few samples.

use std::time::Duration;

use crate::diag::Severity;
use crate::lint::shape::OF_TWO_SAMPLES;
use crate::lint::{About, Check, Context, Findings};
use crate::model::format_duration;
use crate::promql::ExprKind;

static ABOUT: About = About {
    id: "promql/short-range",
    severity: Severity::Warning,
    title: "The range of a rate holds less than four scrapes",
    text: "\
`rate` and its like need two samples in their range and are steady from four on: one failed scrape, or \
one that comes late, must not make the result vanish, because an alert that was pending then starts anew. \
A range that is shorter than two scrapes gives nothing at all.

Make the range at least four times the scrape interval. The interval is that of the schema, \
or `--scrape-interval`; without either, 15s are assumed.",
    bad: "alert: ManyErrors\nexpr: rate(http_errors_total[30s]) > 1\n",
    good: "alert: ManyErrors\nexpr: rate(http_errors_total[2m]) > 1\n",
};

/// What is assumed where nobody says how often targets are scraped; few scrape more often.
const ASSUMED: Duration = Duration::from_secs(15);

pub(in crate::lint) struct ShortRange;

impl Check for ShortRange {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for part in context.parts() {
            let ExprKind::Call(call) = &part.kind else { continue };
            let Some(arg) = call.args.first() else { continue };
            let ExprKind::MatrixSelector(matrix) = &arg.without_parens().kind else { continue };
            let schema = context.project.schema.as_ref();
            let known = schema
                .and_then(|schema| schema.scrape_interval(&matrix.selector))
                .or(context.project.settings.scrape_interval);
            let interval = known.unwrap_or(ASSUMED);
            if !OF_TWO_SAMPLES.contains(&call.function.name) || matrix.range >= interval * 4 {
                continue;
            }
            let (name, every) = (call.function.name, format_duration(interval));
            let never = known.is_some() && matrix.range < interval;
            let message = if never {
                format!("`{name}` needs two samples, and this range never holds them")
            } else {
                format!("`{name}` over a range of less than four scrapes")
            };
            let assumed =
                if known.is_some() { "a scrape every" } else { "assumed: a scrape every" };
            let mut finding = context
                .finding(&ABOUT, arg.span, message)
                .caret(format!("{assumed} {every}"))
                .note("one scrape that fails makes the result vanish, and a pending alert begins anew")
                .help(format!("make it {} or more", format_duration(interval * 4)));
            if never {
                finding.severity = Severity::Bug;
            }
            findings.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Settings;
    use crate::lint::testing::{cases, cases_with, schema_cases};

    #[test]
    fn cases_hold() {
        cases(
            &ShortRange,
            &[
                (&["expr: rate(a_total[30s]) > 1"], &["1:12 a_total[30s]"]),
                (&["expr: rate(a_total[1m]) > 1"], &[]),
                (&["expr: max_over_time(a[30s]) > 1"], &[]),
            ],
        );
        let scrape_interval = Some(Duration::from_secs(60));
        let settings = Settings { scrape_interval, ..Settings::default() };
        cases_with(
            &ShortRange,
            &settings,
            &[
                (&["expr: rate(a_total[2m]) > 1"], &["1:12 a_total[2m]"]),
                (&["expr: delta(a[30s]) > 1"], &["1:13 a[30s]"]),
                (&["expr: rate(a_total[4m]) > 1"], &[]),
            ],
        );
    }

    #[test]
    fn a_schema_knows_how_often_a_job_is_scraped() {
        let schema = r#"{"format": "watchbell-schema/1", "scrape_intervals": {"slow": 60000, "fast": 5000},
            "metrics": {"a_total": {"series": 1, "labels": {"job": {"series": 1, "values": ["slow"]}}}}}"#;
        schema_cases(
            &ShortRange,
            schema,
            &[
                (&["expr: rate(a_total[2m]) > 1"], &["1:12 a_total[2m]"]),
                (
                    &["expr: rate(b_total{job=\"slow\"}[2m]) > 1"],
                    &["1:12 b_total{job=\"slow\"}[2m]"],
                ),
                (&["expr: rate(b_total{job=\"fast\"}[20s]) > 1"], &[]),
            ],
        );
    }
}
