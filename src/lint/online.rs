//! What an alert would have done over the last day.

use std::time::Duration;

use crate::diag::{Diagnostic, Severity};
use crate::lint::About;
use crate::model::{Timestamp, format_duration};
use crate::query::{RangeResult, Series};
use crate::rule::Rule;

/// The page of what is told of the past.
pub(super) static ABOUT: About = About {
    id: "online/history",
    severity: Severity::Info,
    title: "What an alert would have done over the last day, and what it costs",
    text: "\
With `--prometheus URL`. Each alert is evaluated over the last day, one point for each interval. Told are \
the alerts that would have fired, with their `for`, and how long the query took. One that would have fired \
most of the time is a warning: either something is broken, or the alert is.",
    bad: "alert: Busy\nexpr: node_load1 > 0.01\n",
    good: "alert: Busy\nexpr: node_load1 > 8\n",
};

/// How an alert that fires at more than this part of the day is judged.
const MOSTLY: f64 = 0.9;

/// What an alerting rule would have done: from the values of its expression at every `step` between
/// two times, and the time that the query took. `None` where it is no alerting rule.
pub fn history(
    rule: &Rule,
    result: &RangeResult,
    (start, end, step): (Timestamp, Timestamp, Duration),
    took: Duration,
) -> Option<Diagnostic> {
    let alert = rule.as_alerting()?;
    let runs: Vec<(i64, i64)> =
        result.series.iter().flat_map(|series| firing(series, alert.for_duration, step)).collect();
    let day = end.millis().saturating_sub(start.millis()).max(1);
    let longest = runs.iter().map(|(from, to)| to - from).max().unwrap_or(0);
    let took = format!("the query took {:.2} s", took.as_secs_f64());
    let message = match runs.len() {
        0 => "would not have fired in the last day".to_string(),
        1 => "would have fired once in the last day".to_string(),
        n => format!("would have fired {n} times in the last day"),
    };
    let span = rule.places().name;
    let mut finding = Diagnostic::new(ABOUT.id, ABOUT.severity, rule.source(), span, message)
        .rule(rule.name())
        .note(format!("{} series; {took}", result.series.len()));
    if longest > 0 {
        let minutes = Duration::from_secs(u64::try_from(longest / 60_000).unwrap_or(0) * 60);
        finding = finding.caret(format!("for up to {}", format_duration(minutes)));
    }
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let share = longest as f64 / day as f64;
    if share > MOSTLY {
        finding.severity = Severity::Warning;
    }
    Some(finding)
}

/// The times during which an alert would have fired, in milliseconds: of each run of samples what is
/// left when `hold` has passed.
fn firing(series: &Series, hold: Duration, step: Duration) -> Vec<(i64, i64)> {
    let (hold, step) = (millis(hold), millis(step));
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for (at, _) in &series.samples {
        let at = at.millis();
        match runs.last_mut() {
            // One point may be missing by a rounding of the server.
            Some((_, last)) if at - *last <= step + step / 2 => *last = at,
            _ => runs.push((at, at)),
        }
    }
    runs.retain(|(from, to)| to - from >= hold);
    runs.iter().map(|(from, to)| (from + hold, to + step)).collect()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::file;
    use crate::model::LabelSet;

    /// What is told of an alert whose expression gave samples at these minutes of the day.
    fn told(rule: &str, minutes: &[i64]) -> (String, String, Severity) {
        let file = file(&[rule]);
        let at = |minute: &i64| (Timestamp::from_millis(minute * 60_000), 1.0);
        let samples = minutes.iter().map(at).collect();
        let series = vec![Series { labels: LabelSet::new(), samples }];
        let result = RangeResult { series, ..RangeResult::default() };
        let day = (Timestamp::from_millis(0), Timestamp::from_millis(24 * 3_600_000));
        let minute = Duration::from_secs(60);
        let rule = &file.groups[0].rules[0];
        let found = history(rule, &result, (day.0, day.1, minute), Duration::from_millis(250));
        let found = found.unwrap();
        assert_eq!(found.note.as_deref(), Some("1 series; the query took 0.25 s"));
        (found.message, found.caret, found.severity)
    }

    #[test]
    fn an_alert_fires_when_its_for_has_passed() {
        let (at_once, later) = ("expr: a > 1", "expr: a > 1\nfor: 2m");
        let not = "would not have fired in the last day";
        assert_eq!(told(at_once, &[]).0, not);
        let (message, caret, severity) = told(at_once, &[5, 6, 7, 30]);
        assert_eq!(message, "would have fired 2 times in the last day");
        assert_eq!((caret.as_str(), severity), ("for up to 3m", Severity::Info));
        let (message, caret, _) = told(later, &[5, 6, 7, 30, 31]);
        assert_eq!(
            (message.as_str(), caret.as_str()),
            ("would have fired once in the last day", "for up to 1m")
        );
        assert_eq!(told(later, &[5, 6]).0, not);
        let always: Vec<i64> = (0..24 * 60).collect();
        assert_eq!(told(at_once, &always).2, Severity::Warning);
    }
}
