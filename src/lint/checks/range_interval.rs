//! A range that is shorter than the interval at which it is looked at.

use crate::diag::Severity;
use crate::lint::{About, Check, Context, Findings};
use crate::model::format_duration;
use crate::promql::ExprKind;

static ABOUT: About = About {
    id: "promql/range-interval",
    severity: Severity::Warning,
    title: "A range is shorter than the interval at which it is looked at",
    text: "\
A rule that looks back one minute every five minutes sees one minute in five: whatever happens in the \
others never fires. A range of less than two intervals is told as a remark, since one evaluation that \
fails leaves a gap.

Make the range at least twice the interval. The interval is that of the group, or \
`--evaluation-interval`.",
    bad: "alert: Errors\nexpr: increase(http_errors_total[30s]) > 0\n",
    good: "alert: Errors\nexpr: increase(http_errors_total[5m]) > 0\n",
};

pub(in crate::lint) struct RangeInterval;

impl Check for RangeInterval {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        let Some(interval) = context.interval() else { return };
        for part in context.parts() {
            let ExprKind::MatrixSelector(matrix) = &part.kind else { continue };
            if matrix.range >= interval * 2 || matrix.selector.at.is_some() {
                continue;
            }
            let gap = matrix.range < interval;
            let message = if gap {
                "what happens between two evaluations is never looked at"
            } else {
                "one evaluation that fails leaves a gap"
            };
            let range = format_duration(matrix.range);
            let every = format_duration(interval);
            let mut finding = context
                .finding(&ABOUT, part.span, message)
                .caret(format!("{range} of every {every}"))
                .help(format!("make it {} or more", format_duration(interval * 2)));
            if !gap {
                finding.severity = Severity::Info;
                finding.caret = format!("evaluated every {every}");
            }
            findings.push(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::lint::Settings;
    use crate::lint::testing::{cases, cases_with};

    #[test]
    fn cases_hold() {
        let evaluation_interval = Some(Duration::from_secs(60));
        let settings = Settings { evaluation_interval, ..Settings::default() };
        let short: &[&str] = &["expr: increase(a_total[30s]) > 0"];
        cases_with(
            &RangeInterval,
            &settings,
            &[
                (short, &["1:16 a_total[30s]"]),
                (&["expr: rate(a_total[1m]) > 0"], &["1:12 a_total[1m]"]),
                (&["expr: rate(a_total[2m]) > 0"], &[]),
            ],
        );
        cases(&RangeInterval, &[(short, &[])]);
    }
}
