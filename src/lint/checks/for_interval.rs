//! A `for` that says nothing at this interval.

use crate::diag::Severity;
use crate::lint::{About, Check, Context, Findings};
use crate::model::format_duration;

static ABOUT: About = About {
    id: "alert/for-interval",
    severity: Severity::Warning,
    title: "`for` is shorter than the interval at which the alert is looked at",
    text: "\
`for` counts from the evaluation at which the expression first held to one at which it still holds. Where \
it is shorter than the interval, every alert waits one whole interval anyway, and two looks decide. A \
`for` of less than two intervals is told as a remark: whatever happens between the two looks is not seen.

Make `for` a multiple of the interval, or evaluate the group more often. The interval is that of the \
group, or `--evaluation-interval`.",
    bad: "alert: Down\nexpr: up == 0\nfor: 30s\n",
    good: "alert: Down\nexpr: up == 0\nfor: 3m\n",
};

pub(in crate::lint) struct ForInterval;

impl Check for ForInterval {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        let (Some(alert), Some(interval)) = (context.alert(), context.interval()) else { return };
        let Some(place) = alert.places.for_duration else { return };
        let hold = alert.for_duration;
        if hold.is_zero() || hold >= interval * 2 {
            return;
        }
        let every = format_duration(interval);
        let finding = if hold < interval {
            let message = format!("`for` is shorter than the interval: it waits {every} anyway");
            context.finding_at(&ABOUT, place, message).help("make it a multiple of the interval")
        } else {
            let message = "`for` of less than two intervals: two looks decide";
            let mut finding = context.finding_at(&ABOUT, place, message);
            finding.severity = Severity::Info;
            finding
        };
        findings.push(finding.caret(format!("evaluated every {every}")));
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
        let short: &[&str] = &["expr: up == 0\nfor: 30s"];
        cases_with(
            &ForInterval,
            &settings,
            &[
                (short, &["2:6 30s"]),
                (&["expr: up == 0\nfor: 1m"], &["2:6 1m"]),
                (&["expr: up == 0\nfor: 2m"], &[]),
                (&["expr: up == 0\nfor: 0s"], &[]),
                (&["expr: up == 0"], &[]),
            ],
        );
        // Nobody has said how often.
        cases(&ForInterval, &[(short, &[])]);
    }
}
