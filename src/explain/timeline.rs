//! The events of one alert, oldest first, each in plain words.

use std::collections::{BTreeMap, BTreeSet};

use crate::alerting::{AlertState, Transition};
use crate::explain::times::{clock, rough};
use crate::explain::{Event, Kind, Timeline, Verdict, Window, phrase};
use crate::model::{IntegrationId, LabelSet, Timestamp};
use crate::outbox::{Attempt, AttemptOutcome};
use crate::storage::{Case, Decision, GroupId, MAX_RECORDS, RecordedTransition, Start};

/// The events within a window, and how many others there are.
pub(super) fn events(
    case: &Case,
    starts: &[Start],
    window: &Window,
    now: Timestamp,
) -> (Vec<Event>, usize) {
    let mut events = Vec::new();
    let history = &case.history;
    let rules: BTreeSet<_> = history.transitions.iter().map(|record| &record.rule).collect();
    events.extend(history.transitions.iter().map(|record| transition(record, rules.len() > 1)));
    events.extend(changed(&history.decisions).map(|record| decision(record, now)));
    events.extend(history.attempts.iter().map(|record| attempt(record, case, now)));
    // Starts are told from the alert's first sign on.
    let first = events.iter().map(|event| event.at).min();
    let starts = starts.iter().filter(|start| first.is_some_and(|first| start.at >= first));
    events.extend(starts.map(|record| start(record, now)));
    events.sort_by_key(|event| (event.at, order(event)));
    let all = events.len();
    events.retain(|event| {
        window.since.is_none_or(|since| event.at >= since)
            && window.until.is_none_or(|until| event.at <= until)
    });
    if window.limit > 0 && events.len() > window.limit {
        events.drain(..events.len() - window.limit);
    }
    let omitted = all - events.len();
    (events, omitted)
}

/// What comes first of what happened in one millisecond: what is replaced is replaced after an
/// attempt.
fn order(event: &Event) -> (Kind, bool) {
    match event.reason.as_str() {
        "superseded" | "withdrawn" => (Kind::Attempt, true),
        _ => (event.kind, false),
    }
}

/// Leaves out what a restart has recorded again although it had not changed.
fn changed(decisions: &[Decision]) -> impl Iterator<Item = &Decision> {
    let mut last: BTreeMap<&GroupId, (&str, &str)> = BTreeMap::new();
    decisions.iter().filter(move |decision| {
        let new = (&*decision.reason, &*decision.detail);
        decision.integration.is_some() || last.insert(&decision.group, new) != Some(new)
    })
}

fn event(at: Timestamp, kind: Kind, reason: &str, text: String) -> Event {
    Event {
        at,
        kind,
        reason: reason.to_string(),
        state: None,
        receiver: None,
        integration: None,
        group: None,
        notification: None,
        attempt: None,
        status: None,
        error: None,
        next_attempt: None,
        detail: String::new(),
        text,
    }
}

fn start(start: &Start, now: Timestamp) -> Event {
    let (reason, away) = match start.last_alive {
        None => ("started", String::new()),
        Some(at) => {
            let away = rough(start.at.since(at));
            ("restarted", format!(", {away} after its last sign of life at {}", clock(at, now)))
        }
    };
    event(start.at, Kind::Start, reason, format!("{}{away}", phrase(reason)))
}

fn transition(record: &RecordedTransition, name_rule: bool) -> Event {
    let Transition { instance, to, reason, at, .. } = &record.transition;
    let becomes = match (to, record.transition.resolves()) {
        (_, true) => "resolved",
        (AlertState::Firing, _) => "firing",
        (AlertState::Pending, _) => "pending",
        (AlertState::Inactive, _) => "over",
    };
    let mut text = format!("{becomes}: {}", phrase(reason.as_str()));
    if record.transition.fires() && record.transition.from == AlertState::Inactive {
        text.push_str(", and it has no `for`");
    }
    if *to != AlertState::Inactive {
        text.push_str(&format!("; value {}", value(instance.value)));
    }
    if name_rule {
        text.push_str(&format!(" (rule {})", record.rule));
    }
    Event { state: Some(*to), ..event(*at, Kind::Transition, reason.as_str(), text) }
}

fn value(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_string();
    }
    value.to_string()
}

fn decision(decision: &Decision, now: Timestamp) -> Event {
    let Decision { at, group, integration, reason, detail, .. } = decision;
    let detail_words = match &**reason {
        "grouped" => format!("{}{}", group.key, flush_of(detail, now)),
        _ => detail.to_string(),
    };
    let mut text = phrase(reason).to_string();
    if !detail_words.is_empty() {
        text.push_str(&format!(" ({detail_words})"));
    }
    Event {
        receiver: Some(group.receiver.to_string()),
        integration: integration.as_ref().map(short),
        group: Some(group.key.clone()),
        detail: detail.to_string(),
        ..event(*at, Kind::Decision, reason, text)
    }
}

/// When the group was to be flushed, as the detail of `grouped` ends. Its route stands in the key.
fn flush_of(detail: &str, now: Timestamp) -> String {
    let at = detail.rsplit_once(" at ").and_then(|(_, at)| at.parse::<Timestamp>().ok());
    at.map(|at| format!(", flushed at {}", clock(at, now))).unwrap_or_default()
}

/// `slack[0]`
pub(super) fn short(integration: &IntegrationId) -> String {
    format!("{}[{}]", integration.kind, integration.index)
}

fn attempt(attempt: &Attempt, case: &Case, now: Timestamp) -> Event {
    let over = attempt.resolved.contains(&case.labels.fingerprint());
    let says = if over { "that it is over" } else { "that it fires" };
    let status = attempt.status.map(|status| format!(", status {status}")).unwrap_or_default();
    let outcome = phrase(attempt.outcome.as_str());
    let text = match attempt.outcome {
        AttemptOutcome::Delivered => {
            format!("{outcome}: told {says} (attempt {}{status})", attempt.number)
        }
        AttemptOutcome::Retry | AttemptOutcome::Permanent => {
            let error = attempt.error.as_deref().unwrap_or("no reason given");
            let next = match (attempt.outcome, attempt.next_attempt) {
                (_, Some(at)) => format!(", tried again at {}", clock(at, now)),
                (AttemptOutcome::Permanent, _) => {
                    ", tried anew when its group is flushed".to_string()
                }
                _ => ", not tried again".to_string(),
            };
            format!("{outcome}: {error} (attempt {}{status}){next}", attempt.number)
        }
    };
    Event {
        receiver: Some(attempt.integration.receiver.to_string()),
        integration: Some(short(&attempt.integration)),
        group: Some(attempt.group_key.clone()),
        notification: Some(attempt.entry.0),
        attempt: Some(attempt.number),
        status: attempt.status,
        error: attempt.error.clone(),
        next_attempt: attempt.next_attempt,
        ..event(attempt.at, Kind::Attempt, attempt.outcome.as_str(), text)
    }
}

/// What is known of the alert beside its events.
pub(super) fn timeline(
    case: &Case,
    events: Vec<Event>,
    omitted: usize,
    verdict: Verdict,
) -> Timeline {
    let history = &case.history;
    let active = case.current.alerts.iter().filter(|alert| alert.instance.is_active());
    let active = active.max_by_key(|alert| alert.instance.state);
    let last = history.transitions.last().map(|record| &record.transition);
    let (state, since) = match active {
        Some(alert) => {
            let instance = &alert.instance;
            (instance.state, Some(instance.fired_at.unwrap_or(instance.active_at)))
        }
        None => (AlertState::Inactive, last.map(|transition| transition.at)),
    };
    let annotations = match (active, last) {
        (Some(alert), _) => alert.instance.annotations.clone(),
        (None, Some(transition)) => transition.instance.annotations.clone(),
        (None, None) => LabelSet::new(),
    };
    let rules = history.transitions.iter().map(|record| record.rule.to_string());
    let stored = case.current.alerts.iter().map(|alert| alert.rule.to_string());
    let rules: BTreeSet<String> = rules.chain(stored).collect();
    let full = |records: usize| records >= MAX_RECORDS;
    Timeline {
        labels: case.labels.clone(),
        fingerprint: case.labels.fingerprint(),
        state,
        since,
        annotations,
        rules: rules.into_iter().collect(),
        events,
        omitted,
        truncated: full(history.transitions.len())
            || full(history.decisions.len())
            || full(history.attempts.len()),
        verdict,
    }
}
