//! The explanation as a table.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::alerting::AlertState;
use crate::cli::output::{Paint, count, one_line};
use crate::explain::times::{clock, rough};
use crate::explain::{Event, Explanation, Kind, Step, Timeline, Told};
use crate::model::Timestamp;

/// Of failures that are alike so many are shown: the first and the last.
const SHOWN: usize = 2;
/// How many next steps are named.
const NEXT: usize = 4;

pub(super) fn table(explanation: &Explanation, paint: Paint) -> String {
    let mut out = String::new();
    for warning in &explanation.warnings {
        let _ = writeln!(out, "{}: {}", paint.red("warning"), one_line(warning));
    }
    for (place, timeline) in explanation.alerts.iter().enumerate() {
        if place > 0 || !explanation.warnings.is_empty() {
            out.push('\n');
        }
        out.push_str(&alert(timeline, explanation.at, paint));
    }
    if explanation.more {
        let note = "More alerts match: name more labels, or see more with --alerts.";
        let _ = writeln!(out, "\n{}", paint.dim(note));
    }
    out
}

fn alert(timeline: &Timeline, now: Timestamp, paint: Paint) -> String {
    let mut out = format!("{}\n", one_line(&timeline.labels.to_string()));
    let state = match timeline.state {
        AlertState::Firing => paint.red("firing"),
        AlertState::Pending => paint.yellow("pending"),
        AlertState::Inactive => paint.green("over"),
    };
    let since = timeline
        .since
        .map(|at| format!(" since {} UTC ({})", clock(at, now), rough(now.since(at))));
    let _ = writeln!(out, "{state}{}", since.unwrap_or_default());
    if let Some(summary) = timeline.annotations.get("summary") {
        let _ = writeln!(out, "{}", one_line(summary));
    }
    for rule in &timeline.rules {
        let _ = writeln!(out, "{}", paint.dim(&format!("rule {}", one_line(rule))));
    }
    out.push('\n');
    out.push_str(&events(timeline, now, paint));
    let verdict = &timeline.verdict;
    let sentence = one_line(&verdict.sentence);
    let sentence = match verdict.told {
        Told::Yes => paint.green(&sentence),
        Told::Partly | Told::NotYet => paint.yellow(&sentence),
        Told::No => paint.red(&sentence),
    };
    let _ = writeln!(out, "\nWas someone told? {sentence}");
    for next in verdict.next.iter().take(NEXT) {
        let what = match (next.step, &next.integration) {
            (Step::Attempt, Some(integration)) => {
                format!("attempt at {}/{integration}", next.receiver)
            }
            (Step::Attempt, None) => format!("attempt at {}", next.receiver),
            (Step::Flush, _) => format!("{} looks at its group {}", next.receiver, next.group),
        };
        let _ = writeln!(out, "next: {}  {}", clock(next.at, now), one_line(&what));
    }
    out
}

fn events(timeline: &Timeline, now: Timestamp, paint: Paint) -> String {
    let mut out = String::new();
    if timeline.truncated {
        out.push_str(
            "(older history is not shown: an alert has at most 1000 records of each kind)\n",
        );
    }
    if timeline.omitted > 0 {
        let left = count(timeline.omitted, "event");
        let _ =
            writeln!(out, "{}", paint.dim(&format!("({left} outside --since, --until, --limit)")));
    }
    let shown = shown(&timeline.events);
    let width = shown.iter().map(|(event, _)| who(event).chars().count()).max().unwrap_or(0);
    let mut date = now.rfc3339().split('T').next().unwrap_or_default().to_string();
    for (event, alike) in shown {
        let text = event.at.rfc3339();
        let (day, time) = text.split_once('T').unwrap_or(("", &text));
        if day != date {
            let _ = writeln!(out, "{}", paint.dim(day));
            date = day.to_string();
        }
        let time = time.split('.').next().unwrap_or(time);
        if alike > 0 {
            let note = format!("({} alike left out)", count(alike, "failure"));
            let _ = writeln!(
                out,
                "{}",
                paint.dim(&format!("          {:<width$}  {note}", who(event)))
            );
        }
        let words = colour(event, &one_line(&event.text), paint);
        let reason = paint.dim(&format!("[{}]", event.reason));
        let _ = writeln!(out, "{time}  {:<width$}  {words} {reason}", who(event));
    }
    out
}

/// The events that are shown, each with how many before it are left out: failures of one
/// integration that are alike, but for the first and the last.
fn shown(events: &[Event]) -> Vec<(&Event, usize)> {
    let mut runs: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut alike = vec![Some(0); events.len()];
    let mut close = |run: Vec<usize>| {
        if run.len() > SHOWN + 1 {
            let inner = run.get(1..run.len() - 1).unwrap_or_default();
            inner.iter().for_each(|place| alike[*place] = None);
            if let Some(last) = run.last() {
                alike[*last] = Some(inner.len());
            }
        }
    };
    let same = |a: &Event, b: &Event| (&a.reason, &a.error) == (&b.reason, &b.error);
    for (place, event) in events.iter().enumerate() {
        let run = runs.entry(who(event)).or_default();
        let goes_on = run.last().and_then(|last| events.get(*last)).is_some_and(|l| same(l, event));
        if event.reason != "retry" || !goes_on {
            close(std::mem::take(run));
        }
        if event.reason == "retry" {
            run.push(place);
        }
    }
    runs.into_values().for_each(close);
    let all = events.iter().zip(alike);
    all.filter_map(|(event, alike)| Some((event, alike?))).collect()
}

/// Whom an event concerns.
fn who(event: &Event) -> String {
    match (&event.receiver, &event.integration) {
        (Some(receiver), Some(integration)) => one_line(&format!("{receiver}/{integration}")),
        (Some(receiver), None) => one_line(receiver),
        (None, _) if event.kind == Kind::Start => "watchbell".to_string(),
        (None, _) => "rule".to_string(),
    }
}

fn colour(event: &Event, text: &str, paint: Paint) -> String {
    match (event.kind, event.state, event.reason.as_str()) {
        (Kind::Transition, Some(AlertState::Firing), _)
        | (_, _, "retry" | "permanent" | "no_integrations") => paint.red(text),
        (_, _, "delivered") | (Kind::Transition, Some(AlertState::Inactive), _) => {
            paint.green(text)
        }
        (Kind::Transition, _, _)
        | (_, _, "inhibited" | "silenced" | "in_mute_interval" | "outside_active_interval") => {
            paint.yellow(text)
        }
        _ => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(integration: &str, reason: &str, error: &str) -> Event {
        let (kind, integration) = (Kind::Attempt, Some(integration.to_string()));
        let error = Some(error.to_string()).filter(|error| !error.is_empty());
        Event {
            at: Timestamp::from_secs(0),
            kind,
            reason: reason.to_string(),
            state: None,
            receiver: Some("ops".to_string()),
            integration,
            group: None,
            notification: None,
            attempt: None,
            status: None,
            error,
            next_attempt: None,
            detail: String::new(),
            text: String::new(),
        }
    }

    /// Two receivers that fail at the same time, one of them in two ways.
    #[test]
    fn failures_that_are_alike_are_counted() {
        let mut events = Vec::new();
        for _ in 0..5 {
            events.push(event("slack[0]", "retry", "503"));
            events.push(event("email[0]", "retry", "refused"));
        }
        events.push(event("slack[0]", "retry", "timed out"));
        events.push(event("email[0]", "delivered", ""));
        let shown = shown(&events);
        let lines: Vec<String> = shown
            .iter()
            .map(|(event, alike)| format!("{} {} {alike}", who(event), event.reason))
            .collect();
        assert_eq!(
            lines,
            [
                "ops/slack[0] retry 0",
                "ops/email[0] retry 0",
                "ops/slack[0] retry 3",
                "ops/email[0] retry 3",
                "ops/slack[0] retry 0",
                "ops/email[0] delivered 0",
            ]
        );
    }
}
