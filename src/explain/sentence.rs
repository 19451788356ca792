//! The answer in one sentence, and what comes next.

use std::collections::BTreeSet;

use crate::alerting::{AlertState, TransitionReason};
use crate::explain::places::{Hold, Phase, Place, phase};
use crate::explain::timeline::short;
use crate::explain::times::{ahead, clock, rough};
use crate::explain::{Next, Step, Told, Verdict, phrase};
use crate::model::Timestamp;
use crate::storage::Case;

/// Whether someone was told, by all places together.
pub(super) fn verdict(case: &Case, places: &[Place], now: Timestamp) -> Verdict {
    let phase = phase(case);
    let (told, parts) = match phase {
        Phase::Pending => (Told::NotYet, vec![pending(case, now)]),
        Phase::NeverFired => (Told::No, vec![never_fired(case)]),
        Phase::Firing(at) | Phase::Over(at) if places.is_empty() => {
            (Told::No, vec![format!("it fired at {} and no group took it", clock(at, now))])
        }
        Phase::Firing(_) => said(places, |place| firing(place, now)),
        Phase::Over(fired) => {
            let (told, mut parts) = said(places, |place| over(place, case, fired, now));
            // A new story has begun that nobody hears before it fires.
            if case.current.alerts.iter().any(|a| a.instance.state == AlertState::Pending) {
                parts.push(format!("since then {}", pending(case, now)));
            }
            (told, parts)
        }
    };
    let lead = match told {
        Told::Yes => "Yes",
        Told::Partly => "In part",
        Told::NotYet => "Not yet",
        Told::No => "No",
    };
    Verdict { told, sentence: format!("{lead}: {}.", parts.join("; ")), next: next(places) }
}

/// How far one place has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    /// It was told.
    Told,
    /// It will be.
    Coming,
    /// It was not, and nothing will change that by itself.
    Silent,
}

/// The parts of all places, those who were told first, each said once.
fn said(places: &[Place], say: impl Fn(&Place) -> (Progress, String)) -> (Told, Vec<String>) {
    let mut parts: Vec<(Progress, String)> = places.iter().map(say).collect();
    parts.sort_by_key(|(progress, _)| *progress);
    let any = |wanted| parts.iter().any(|(progress, _)| *progress == wanted);
    let told = match (any(Progress::Told), any(Progress::Coming), any(Progress::Silent)) {
        (true, false, false) => Told::Yes,
        (true, _, _) => Told::Partly,
        (false, true, _) => Told::NotYet,
        (false, false, _) => Told::No,
    };
    let mut seen = BTreeSet::new();
    parts.retain(|(_, text)| seen.insert(text.clone()));
    (told, parts.into_iter().map(|(_, text)| text).collect())
}

fn name(place: &Place) -> String {
    match &place.integration {
        Some(integration) => integration.to_string(),
        None => place.group.receiver.to_string(),
    }
}

fn pending(case: &Case, now: Timestamp) -> String {
    let active = case.current.alerts.iter().filter(|a| a.instance.state == AlertState::Pending);
    let since = active.map(|alert| alert.instance.active_at).min().unwrap_or(now);
    let lasted = rough(now.since(since));
    format!(
        "it is pending since {} ({lasted}) and nobody is told before it has been so for the whole \
         of the rule's `for`",
        clock(since, now)
    )
}

fn never_fired(case: &Case) -> String {
    let last = case.history.transitions.last().map(|record| &record.transition);
    let Some(last) = last else {
        return "nothing is known of a firing, as history does not reach back so far".to_string();
    };
    let lasted = rough(last.at.since(last.instance.active_at));
    match last.reason {
        TransitionReason::Vanished => {
            format!(
                "it was pending for {lasted} and over before the rule's `for` was, so it never fired"
            )
        }
        reason => format!("it never fired: {}", phrase(reason.as_str())),
    }
}

/// One place while the alert fires.
fn firing(place: &Place, now: Timestamp) -> (Progress, String) {
    let who = name(place);
    let held = place.held.as_ref().map(|hold| holding(hold, now));
    if let Some(told) = place.told {
        let again = place.told_again.map(|at| format!(", and last at {},", clock(at, now)));
        let again = again.unwrap_or_default();
        let mut text = format!("{who} was told at {}{again} that it fires", clock(told, now));
        if place.removed {
            text.push_str(", and has left the configuration since");
        } else if let Some(held) = &held {
            text.push_str(&format!(", and is not told again: it has been {held}"));
        } else if place.waiting.is_some() {
            text.push_str(&format!(", and newer words wait: {}", waiting(place, now)));
        }
        return (Progress::Told, text);
    }
    if place.removed {
        let text = format!("{who} left the configuration before it was told");
        return (Progress::Silent, text);
    }
    if place.waiting.is_some() {
        return (Progress::Coming, format!("{who} is not told yet, {}", waiting(place, now)));
    }
    if let Some(held) = held {
        let text = format!("{who} is not told: it has been {held}{}", flush(place, now));
        return (Progress::Silent, text);
    }
    if place.nobody {
        return (Progress::Silent, format!("the receiver {who} has no integrations"));
    }
    if let Some(attempt) = &place.refused {
        let error = attempt.error.as_deref().unwrap_or("no reason given");
        let at = clock(attempt.at, now);
        let again = place.flush.map(|flush| format!(", tried anew at {}", ahead(flush, now)));
        let text = format!("{who} refused it at {at}: {error}{}", again.unwrap_or_default());
        return (Progress::Coming, text);
    }
    match place.flush {
        Some(flush) => (
            Progress::Coming,
            format!("{who} is told when its group is flushed, at {}", ahead(flush, now)),
        ),
        None => (Progress::Silent, format!("{who} was not told and its group is gone")),
    }
}

/// One place after the alert has ended.
fn over(place: &Place, case: &Case, fired: Timestamp, now: Timestamp) -> (Progress, String) {
    let who = name(place);
    let ended = ended(case).map(|at| format!(" at {}", clock(at, now))).unwrap_or_default();
    match (place.told, place.told_over) {
        (Some(told), Some(end)) => {
            let (told, end) = (clock(told, now), clock(end, now));
            let text =
                format!("{who} was told at {told} that it fired and at {end} that it is over");
            return (Progress::Told, text);
        }
        (None, Some(end)) => {
            let end = clock(end, now);
            let text = format!("{who} was told at {end}, when it was over, that it had fired");
            return (Progress::Told, text);
        }
        (Some(told), None) => {
            let told = clock(told, now);
            let end = match () {
                () if place.waiting.is_some() => {
                    format!("not yet that it is over, {}", waiting(place, now))
                }
                () if place.no_ends => "not that it is over: `send_resolved` is off".to_string(),
                () if place.removed => "it left the configuration before the end".to_string(),
                () => format!("not yet that it is over{}", flush(place, now)),
            };
            return (Progress::Told, format!("{who} was told at {told} that it fired, {end}"));
        }
        (None, None) => {}
    }
    if place.waiting.is_some() {
        let text =
            format!("it is over{ended}, and {who} is still to be told, {}", waiting(place, now));
        return (Progress::Coming, text);
    }
    if place.removed {
        return (Progress::Silent, format!("{who} left the configuration before it was told"));
    }
    if place.nobody {
        return (Progress::Silent, format!("the receiver {who} has no integrations"));
    }
    if let Some(hold) = &place.held {
        let held = holding(hold, now);
        return (
            Progress::Silent,
            format!("{who} was not told: it was {held} until its end{ended}"),
        );
    }
    if let Some(attempt) = &place.refused {
        let error = attempt.error.as_deref().unwrap_or("no reason given");
        let at = clock(attempt.at, now);
        return (Progress::Silent, format!("{who} refused it at {at}: {error}"));
    }
    let fired = clock(fired, now);
    let text = format!("it fired at {fired} and was over{ended} before {who} was to be told");
    (Progress::Silent, text)
}

/// When the last firing ended.
fn ended(case: &Case) -> Option<Timestamp> {
    let transitions = case.history.transitions.iter().map(|record| &record.transition);
    let stored = case.current.alerts.iter().filter_map(|alert| alert.instance.resolved_at).max();
    transitions.filter(|transition| transition.resolves()).map(|t| t.at).next_back().or(stored)
}

/// `inhibited since 03:04:05 (inhibit rule 1, by …)`
fn holding(hold: &Hold, now: Timestamp) -> String {
    let words = match hold.reason.as_str() {
        "inhibited" => "inhibited",
        "silenced" => "silenced",
        "in_mute_interval" => "in a mute time interval",
        "outside_active_interval" => "outside the active time intervals",
        other => other,
    };
    let detail = match hold.detail.as_str() {
        "" => String::new(),
        detail => format!(" ({detail})"),
    };
    format!("{words} since {}{detail}", clock(hold.since, now))
}

/// `its 3 attempts failed, the last with “answered 503”, the next is due at …`
fn waiting(place: &Place, now: Timestamp) -> String {
    let Some(entry) = &place.waiting else { return String::new() };
    let next = ahead(entry.next_attempt, now);
    let failed = match (entry.attempts, &entry.last_error) {
        (0, _) | (_, None) => return format!("the first attempt is due at {next}"),
        (1, Some(error)) => format!("one attempt failed ({error})"),
        (attempts, Some(error)) => format!("{attempts} attempts failed, the last with: {error}"),
    };
    format!("{failed}; the next is due at {next}")
}

fn flush(place: &Place, now: Timestamp) -> String {
    let flush =
        place.flush.map(|flush| format!("; its group is looked at again at {}", ahead(flush, now)));
    flush.unwrap_or_default()
}

/// What happens next, the soonest first.
fn next(places: &[Place]) -> Vec<Next> {
    let mut next = BTreeSet::new();
    for place in places {
        let (receiver, group) = (place.group.receiver.to_string(), place.group.key.clone());
        if let Some(at) = place.flush.filter(|_| !place.nobody) {
            let (receiver, group) = (receiver.clone(), group.clone());
            next.insert(Next { at, step: Step::Flush, receiver, integration: None, group });
        }
        if let Some(entry) = &place.waiting {
            let integration = place.integration.as_ref().map(short);
            let (at, step) = (entry.next_attempt, Step::Attempt);
            next.insert(Next { at, step, receiver, integration, group });
        }
    }
    next.into_iter().collect()
}
