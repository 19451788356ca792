//! What one entry takes over from another, and the record of an attempt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Alert, Fingerprint, NotificationStatus, NotifiedAlert, Timestamp};
use crate::outbox::{Attempt, Current, OutboxEntry, Outcome};

/// Makes `newer` take over the place in the backoff and the duties of `older`. An alert that
/// `older` owed as firing and that is over by now is told as missed. The end of an alert is told
/// even if `newer` leaves it out because the alert is held back meanwhile. Returns the alerts whose
/// duty ends instead: they still fire, and `newer` does not name them because they are held back.
#[must_use]
pub(super) fn inherit(
    newer: &mut OutboxEntry,
    older: &OutboxEntry,
    current: &Current,
) -> BTreeSet<Fingerprint> {
    newer.attempts = older.attempts;
    newer.next_attempt = older.next_attempt;
    newer.last_error.clone_from(&older.last_error);
    let latest = newer.notification.created_at;
    let words = &mut newer.notification.alerts;
    let places: BTreeMap<Fingerprint, usize> =
        words.iter().enumerate().map(|(place, a)| (a.alert.fingerprint(), place)).collect();
    let mut held = BTreeSet::new();
    for owed in &older.notification.alerts {
        let fingerprint = owed.alert.fingerprint();
        let named = places.get(&fingerprint).and_then(|place| words.get_mut(*place));
        if !older.untold.contains(&fingerprint) {
            if named.is_none() && owed.alert.is_resolved() {
                words.push(owed.clone());
            }
            continue;
        }
        if let Some(alert) = named {
            alert.missed |= alert.alert.is_resolved();
        } else if let Some(alert) = missed(owed, current.get(&fingerprint), latest) {
            words.push(alert);
        } else {
            held.insert(fingerprint);
            continue;
        }
        newer.untold.insert(fingerprint);
    }
    NotifiedAlert::sort(words);
    held
}

/// What is said of an alert that was owed and that newer words leave out; `None` where that very
/// firing goes on. Where its end is not known, it is the latest that is possible: when the alert
/// began to fire again, or `latest`.
fn missed(
    owed: &NotifiedAlert,
    now: Option<&Arc<Alert>>,
    latest: Timestamp,
) -> Option<NotifiedAlert> {
    let start = owed.alert.starts_at;
    let mut alert = NotifiedAlert { missed: true, ..owed.clone() };
    match now {
        Some(now) if now.is_resolved() => alert.alert = Arc::clone(now),
        _ if owed.alert.is_resolved() => {}
        Some(now) if now.starts_at > start => {
            Arc::make_mut(&mut alert.alert).ends_at = Some(now.starts_at);
        }
        Some(_) => return None,
        None => Arc::make_mut(&mut alert.alert).ends_at = Some(latest.max(start)),
    }
    Some(alert)
}

/// Takes from `waiting` the duties that the delivery of `told` has fulfilled. A later firing of
/// the same alert is still owed.
pub(super) fn relieve(waiting: &mut OutboxEntry, told: &OutboxEntry) {
    let told: BTreeMap<Fingerprint, Timestamp> = told
        .notification
        .alerts
        .iter()
        .map(|a| (a.alert.fingerprint(), a.alert.starts_at))
        .collect();
    for alert in &mut waiting.notification.alerts {
        let fingerprint = alert.alert.fingerprint();
        if told.get(&fingerprint).is_some_and(|start| *start >= alert.alert.starts_at) {
            waiting.untold.remove(&fingerprint);
            alert.missed = false;
        }
    }
}

/// Marks in `waiting` the ends of alerts whose beginning `refused` was to tell and never will.
pub(super) fn mark_missed(waiting: &mut OutboxEntry, refused: &OutboxEntry) {
    for alert in &mut waiting.notification.alerts {
        let fingerprint = alert.alert.fingerprint();
        if alert.alert.is_resolved() && refused.untold.contains(&fingerprint) {
            alert.missed = true;
            waiting.untold.insert(fingerprint);
        }
    }
}

/// The record of an attempt that has just ended.
pub(super) fn record(entry: &OutboxEntry, outcome: &Outcome, now: Timestamp) -> Attempt {
    let (status, error) = match outcome {
        Outcome::Delivered { status, .. } => (*status, None),
        Outcome::Retry { status, error, .. } | Outcome::Permanent { status, error } => {
            (*status, Some(error.clone()))
        }
    };
    Attempt {
        entry: entry.id,
        group_key: entry.notification.group_key.clone(),
        integration: entry.notification.integration.clone(),
        number: entry.attempts,
        at: now,
        outcome: outcome.kind(),
        status,
        error,
        reason: entry.notification.reason,
        alerts: entry.notification.alerts.iter().map(|a| a.alert.fingerprint()).collect(),
        resolved: entry.notification.fingerprints(NotificationStatus::Resolved).collect(),
        next_attempt: None,
    }
}
