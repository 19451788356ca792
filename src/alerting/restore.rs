//! What a stop of the program does to the alerts that it had stored.
//!
//! Firing and resolved alerts come back as they were: people were told that it fires, so it
//! fires until an evaluation says otherwise, and it is never announced as new. Pending alerts
//! are the question, because `for` ran while nobody looked. In this order:
//!
//! 1. A stop of at most [`TOLERATED_INTERVALS`] intervals changes nothing.
//! 2. The datasource settles it, where it answers for the whole stop.
//! 3. Otherwise Prometheus' rule (`RestoreForState` in its `rules` package): within
//!    [`OUTAGE_TOLERANCE`], and for a `for` of at least [`GRACE_PERIOD`], the time down is added
//!    to `active_at`; what would fire within the grace period waits for its end. All else starts
//!    anew.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::alerting::step::transition;
use crate::alerting::{AlertInstance, AlertState, RuleAlerts, Transition, TransitionReason};
use crate::model::{Fingerprint, Timestamp};

/// How many intervals of the rule a stop may last without any effect.
pub const TOLERATED_INTERVALS: u32 = 2;
/// The longest stop after which a pending alert is taken up again without evidence.
pub const OUTAGE_TOLERANCE: Duration = Duration::from_secs(3600);
/// How long after the start a pending alert waits at least, where no evidence settles it.
pub const GRACE_PERIOD: Duration = Duration::from_secs(600);

/// The stop, and what of the rule matters to it.
#[derive(Clone, Copy, Debug)]
pub struct Stop<'a> {
    /// When the program is last known to have run: its last heartbeat or evaluation.
    pub last_alive: Timestamp,
    /// When it runs again.
    pub now: Timestamp,
    /// The rule's interval.
    pub interval: Duration,
    /// The rule's `for`.
    pub for_duration: Duration,
    /// What the datasource says of the stop, where it was asked and answered.
    pub evidence: Option<&'a RangeEvidence>,
}

impl Stop<'_> {
    /// How long it lasted.
    pub fn gap(&self) -> Duration {
        self.now.since(self.last_alive)
    }

    /// Whether the stop was too long to change nothing, so that asking the datasource pays.
    pub fn needs_evidence(&self) -> bool {
        self.gap() > self.interval.saturating_mul(TOLERATED_INTERVALS)
    }
}

/// The rule's expression over the stop, by a range query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RangeEvidence {
    /// The distance of the query's steps.
    pub step: Duration,
    /// The steps at which the datasource had any data. At the others it was down itself, and an
    /// empty result of the expression says nothing.
    pub observed: BTreeSet<Timestamp>,
    /// By alert: the steps at which the expression returned it.
    pub active: BTreeMap<Fingerprint, BTreeSet<Timestamp>>,
}

/// What the evidence says of one alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It was active at every step, and the steps cover the stop.
    Continuous,
    /// It was not active at some step; the stretch that lasts to the end began here.
    ActiveSince(Timestamp),
    /// It was not active at the last step.
    Ended,
    /// The datasource did not see enough of the stop.
    Unknown,
}

impl RangeEvidence {
    fn verdict(&self, fingerprint: Fingerprint, from: Timestamp, to: Timestamp) -> Verdict {
        let active = self.active.get(&fingerprint);
        let mut stretch = None;
        for at in self.observed.range(..=to).rev().take_while(|at| **at >= from) {
            if active.is_some_and(|active| active.contains(at)) {
                stretch = Some(*at);
            } else {
                return stretch.map_or(Verdict::Ended, Verdict::ActiveSince);
            }
        }
        if self.covers(from, to) { Verdict::Continuous } else { Verdict::Unknown }
    }

    /// Whether the observed steps leave no part of the time unseen that is longer than two
    /// steps: one step may be lost to a scrape that came late.
    fn covers(&self, from: Timestamp, to: Timestamp) -> bool {
        let longest = self.step.saturating_mul(2);
        let mut seen = from;
        for at in self.observed.range(from..).take_while(|at| **at <= to) {
            if at.since(seen) > longest {
                return false;
            }
            seen = *at;
        }
        to.since(seen) <= longest
    }
}

/// A rule's alerts after a stop.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Restoration {
    /// The alerts to go on with.
    pub alerts: RuleAlerts,
    /// Why each alert that was pending or fired came back as it did, or did not.
    pub reasons: BTreeMap<Fingerprint, TransitionReason>,
    /// What changed: a moved `active_at` (pending → pending), or a dropped pending alert.
    pub transitions: Vec<Transition>,
    /// The dropped alerts, to be deleted from the current alerts of the store.
    pub forgotten: Vec<Fingerprint>,
}

/// Decides what becomes of a rule's stored alerts. Resolved ones come back too; the next step
/// drops those that are too old.
pub fn restore(stored: Vec<AlertInstance>, stop: &Stop<'_>) -> Restoration {
    let mut restoration = Restoration::default();
    for mut alert in stored {
        let (fingerprint, from) = (alert.fingerprint(), alert.state);
        let reason = match from {
            AlertState::Inactive => {
                restoration.alerts.insert(alert);
                continue;
            }
            AlertState::Firing => TransitionReason::RestoredKept,
            AlertState::Pending => restore_pending(&mut alert, fingerprint, stop),
        };
        restoration.reasons.insert(fingerprint, reason);
        let unchanged = [TransitionReason::RestoredKept, TransitionReason::RestoredContinuous]
            .contains(&reason);
        if !unchanged {
            let change = transition(fingerprint, &alert, from, reason, stop.now);
            restoration.transitions.push(change);
        }
        if alert.is_active() {
            restoration.alerts.insert(alert);
        } else {
            restoration.forgotten.push(fingerprint);
        }
    }
    restoration
}

/// Moves a pending alert's `active_at`, or makes it inactive.
fn restore_pending(
    alert: &mut AlertInstance,
    fingerprint: Fingerprint,
    stop: &Stop<'_>,
) -> TransitionReason {
    if !stop.needs_evidence() {
        return TransitionReason::RestoredKept;
    }
    let verdict = stop.evidence.map_or(Verdict::Unknown, |evidence| {
        evidence.verdict(fingerprint, stop.last_alive, stop.now)
    });
    match verdict {
        Verdict::Continuous => TransitionReason::RestoredContinuous,
        Verdict::ActiveSince(start) => {
            alert.active_at = start.max(alert.active_at);
            TransitionReason::RestoredInterrupted
        }
        Verdict::Ended => {
            alert.state = AlertState::Inactive;
            TransitionReason::RestoreEnded
        }
        Verdict::Unknown => restore_without_evidence(alert, stop),
    }
}

/// Prometheus' rule.
fn restore_without_evidence(alert: &mut AlertInstance, stop: &Stop<'_>) -> TransitionReason {
    if stop.gap() > OUTAGE_TOLERANCE {
        alert.state = AlertState::Inactive;
        return TransitionReason::RestoreExpired;
    }
    if stop.for_duration < GRACE_PERIOD {
        alert.state = AlertState::Inactive;
        return TransitionReason::RestoreShortFor;
    }
    let spent = stop.last_alive.since(alert.active_at);
    let remaining = stop.for_duration.saturating_sub(spent);
    if remaining.is_zero() {
        // It was due to fire when the program stopped.
        TransitionReason::RestoredKept
    } else if remaining < GRACE_PERIOD {
        alert.active_at = stop.now + GRACE_PERIOD - stop.for_duration;
        TransitionReason::RestoredGrace
    } else {
        alert.active_at = alert.active_at + stop.gap();
        TransitionReason::RestoredShifted
    }
}

#[cfg(test)]
mod tests;
