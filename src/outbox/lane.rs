//! The state of one group at one integration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{
    Alert, Fingerprint, GroupKey, IntegrationId, Notification, NotificationStatus, NotifiedAlert,
    Timestamp,
};
use crate::outbox::{Attempt, EntryId, OutboxEntry, Outcome, backoff};

/// The identity of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LaneKey {
    /// The group.
    pub group_key: GroupKey,
    /// The integration.
    pub integration: IntegrationId,
}

/// The alerts of a lane's group as they are now, resolved ones among them.
pub type Current = BTreeMap<Fingerprint, Arc<Alert>>;

/// What a receiver has been told, or is about to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The alerts named as firing.
    pub firing: BTreeSet<Fingerprint>,
    /// The alerts named as resolved.
    pub resolved: BTreeSet<Fingerprint>,
    /// When it was decided.
    pub at: Timestamp,
}

/// One group at one integration: at most one entry in flight and one waiting.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    /// What was last decided to be said. Deduplication compares with this, so that nothing is
    /// decided twice while it waits.
    pub enqueued: Option<Told>,
    /// What the receiver is known to have.
    pub delivered: Option<Told>,
    /// What the integration remembers of the group.
    pub receiver_state: Option<serde_json::Value>,
    waiting: Option<OutboxEntry>,
    in_flight: Option<OutboxEntry>,
}

/// What the end of an attempt changed, besides the lane itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The record of the attempt.
    pub attempt: Attempt,
    /// Entries that no longer exist.
    pub removed: Vec<EntryId>,
    /// It was given up because nobody needs it any more.
    pub unwanted: bool,
}

impl Lane {
    /// A lane as it was stored. Whatever a former process had in flight waits again, with its
    /// idempotency key; of several entries the newest carries the words and the others' duties.
    pub fn restored(
        enqueued: Option<Told>,
        delivered: Option<Told>,
        receiver_state: Option<serde_json::Value>,
        mut entries: Vec<OutboxEntry>,
        current: &Current,
    ) -> (Self, Vec<EntryId>) {
        entries.sort_by_key(|e| e.id);
        let mut lane = Self { enqueued, delivered, receiver_state, ..Self::default() };
        let mut removed = Vec::new();
        if let Some(mut newest) = entries.pop() {
            for old in entries {
                take_place(&mut newest, &old);
                let dropped = take_duties(&mut newest, &old, current);
                lane.not_said(&dropped);
                removed.push(old.id);
            }
            lane.waiting = Some(newest);
        }
        lane.carry(current);
        (lane, removed)
    }

    /// The entries that exist, to be stored.
    pub fn entries(&self) -> impl Iterator<Item = &OutboxEntry> {
        self.in_flight.iter().chain(self.waiting.iter())
    }

    /// When the next attempt is due; `None` while one is in flight or nothing waits.
    pub fn due(&self) -> Option<Timestamp> {
        match self.in_flight {
            Some(_) => None,
            None => self.waiting.as_ref().map(|e| e.next_attempt),
        }
    }

    /// Whether nothing is left to be said or remembered.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_none() && self.in_flight.is_none()
    }

    /// Whether the receiver believes that something fires.
    pub fn announced(&self) -> bool {
        self.delivered.as_ref().is_some_and(|told| !told.firing.is_empty())
    }

    /// Whether the receiver has heard of an alert, or is being told of it at this moment.
    pub fn has_heard(&self, fingerprint: Fingerprint) -> bool {
        let named = |entry: &OutboxEntry| entry.status_of(fingerprint).is_some();
        self.delivered.as_ref().is_some_and(|told| {
            told.firing.contains(&fingerprint) || told.resolved.contains(&fingerprint)
        }) || self.in_flight.as_ref().is_some_and(named)
    }

    /// Whether the receiver has been told that an alert fires, or is being told at this moment.
    pub fn has_told(&self, fingerprint: Fingerprint) -> bool {
        let in_flight = self.in_flight.as_ref();
        match in_flight.and_then(|entry| entry.status_of(fingerprint)) {
            Some(status) => status == NotificationStatus::Firing,
            None => self.delivered.as_ref().is_some_and(|told| told.firing.contains(&fingerprint)),
        }
    }

    /// Takes along what the receiver believes to fire, does fire, and is not named by what waits:
    /// it is held back. Its end has to be told one day.
    fn carry(&mut self, current: &Current) {
        let fires = |fp: &&Fingerprint| current.get(fp).is_some_and(|alert| !alert.is_resolved());
        let told = self.delivered.iter().flat_map(|told| &told.firing).filter(fires);
        let waiting = self.waiting.as_ref();
        let ends = |fp: &&Fingerprint| waiting.is_none_or(|entry| entry.status_of(**fp).is_none());
        let carried: Vec<Fingerprint> =
            told.filter(ends).filter(|fp| self.has_told(**fp)).copied().collect();
        if let Some(enqueued) = &mut self.enqueued {
            enqueued.firing.extend(carried);
        }
    }

    /// Decides that `notification` is to be said. A waiting entry is superseded: the words are
    /// replaced, its duties are kept, and so is its place in the backoff. Returns the entries
    /// that no longer exist.
    pub fn enqueue(
        &mut self,
        id: EntryId,
        notification: Notification,
        told: Told,
        current: &Current,
        now: Timestamp,
    ) -> Vec<EntryId> {
        let mut entry = OutboxEntry::new(id, notification, now);
        let known =
            |fp: &Fingerprint| self.delivered.as_ref().is_some_and(|d| d.firing.contains(fp));
        let named = entry.notification.alerts.iter();
        entry.untold = named
            .filter(|named| named.missed || named.status() == NotificationStatus::Firing)
            .map(|named| named.alert.fingerprint())
            .filter(|fp| !known(fp))
            .collect();
        self.enqueued = Some(told);
        let mut removed = Vec::new();
        if let Some(old) = self.waiting.take() {
            take_place(&mut entry, &old);
            let dropped = take_duties(&mut entry, &old, current);
            self.not_said(&dropped);
            removed.push(old.id);
        }
        self.waiting = Some(entry);
        self.carry(current);
        removed
    }

    /// Brings the words of a waiting entry up to date with alerts that have been resolved since,
    /// where no newer notification will do so. Returns whether anything changed.
    pub fn refresh(&mut self, id: EntryId, current: &Current) -> Option<EntryId> {
        let waiting = self.waiting.as_ref()?;
        let over = |a: &NotifiedAlert| {
            a.status() == NotificationStatus::Firing
                && current.get(&a.alert.fingerprint()).is_some_and(|now| now.is_resolved())
        };
        if !waiting.notification.alerts.iter().any(over) {
            return None;
        }
        let old = self.waiting.take()?;
        let mut notification = old.notification.clone();
        notification.alerts.retain(|a| a.status() == NotificationStatus::Firing && !over(a));
        let mut entry = OutboxEntry::new(id, notification, old.next_attempt);
        entry.untold = old
            .untold
            .iter()
            .filter(|fp| entry.notification.alerts.iter().any(|a| a.alert.fingerprint() == **fp))
            .copied()
            .collect();
        take_place(&mut entry, &old);
        let dropped = take_duties(&mut entry, &old, current);
        self.not_said(&dropped);
        if entry.notification.alerts.is_empty() {
            self.enqueued.clone_from(&self.delivered);
        } else {
            self.waiting = Some(entry);
        }
        Some(old.id)
    }

    /// Puts the waiting entry in flight, where none is. Whether it is due is the caller's to know.
    pub fn take(&mut self) -> Option<&OutboxEntry> {
        if self.in_flight.is_none() {
            self.in_flight = self.waiting.take();
            return self.in_flight.as_ref();
        }
        None
    }

    /// Whether the attempt in flight is the one with this key. A lane that a reload has dropped
    /// and given back does not take the outcomes of its former life.
    pub fn is_in_flight(&self, idempotency_key: &str) -> bool {
        self.in_flight.as_ref().is_some_and(|entry| entry.idempotency_key == idempotency_key)
    }

    /// Takes everything as resolved, so that the next firing is news: for an integration that is
    /// not told of resolved alerts.
    pub fn clear_log(&mut self, now: Timestamp) {
        for told in [&mut self.enqueued, &mut self.delivered].into_iter().flatten() {
            *told = Told {
                firing: BTreeSet::new(),
                resolved: std::mem::take(&mut told.firing),
                at: now,
            };
        }
    }

    /// Takes alerts out of what was decided to be said: they are held back before the receiver
    /// could be told, and are news once they are not.
    fn not_said(&mut self, dropped: &[Fingerprint]) {
        let dropped = dropped.iter().filter(|fingerprint| !self.has_told(**fingerprint));
        let dropped: Vec<Fingerprint> = dropped.copied().collect();
        if let Some(told) = &mut self.enqueued {
            told.firing.retain(|fingerprint| !dropped.contains(fingerprint));
        }
    }

    /// Forgets alerts of which nothing is known any more, so that nobody waits for their end.
    pub fn forget_unknown(&mut self, current: &Current) {
        for told in [&mut self.enqueued, &mut self.delivered].into_iter().flatten() {
            told.firing.retain(|fingerprint| current.contains_key(fingerprint));
        }
    }

    /// Takes the outcome of the attempt in flight. `None` when nothing was in flight.
    pub fn finish(
        &mut self,
        outcome: &Outcome,
        current: &Current,
        now: Timestamp,
    ) -> Option<Finished> {
        let mut entry = self.in_flight.take()?;
        entry.attempts = entry.attempts.saturating_add(1);
        let mut finished = Finished {
            attempt: record(&entry, outcome, now),
            removed: Vec::new(),
            unwanted: false,
        };
        match outcome {
            Outcome::Delivered { receiver_state, .. } => {
                let mut told = entry.told();
                if let Some(waiting) = &mut self.waiting {
                    let waiting_firing: BTreeSet<Fingerprint> =
                        waiting.notification.fingerprints(NotificationStatus::Firing).collect();
                    let ends = |fp: &Fingerprint| !waiting_firing.contains(fp);
                    waiting.untold.retain(|fp| {
                        !told.firing.contains(fp) && !(told.resolved.contains(fp) && ends(fp))
                    });
                }
                if receiver_state.is_some() {
                    self.receiver_state.clone_from(receiver_state);
                }
                // What the message does not name because it is held back is still known.
                if let Some(before) = self.delivered.take() {
                    told.firing.extend(before.firing.difference(&told.resolved));
                }
                self.delivered = Some(told);
                finished.removed.push(entry.id);
            }
            Outcome::Retry { after, error, .. } => {
                entry.last_error = Some(error.clone());
                entry.next_attempt = now + backoff(entry.attempts, entry.seed(), *after);
                self.retry(entry, current, &mut finished);
            }
            Outcome::Permanent { .. } => {
                finished.removed.push(entry.id);
                if let Some(newer) = &mut self.waiting {
                    let dropped = take_duties(newer, &entry, current);
                    self.not_said(&dropped);
                } else {
                    self.enqueued.clone_from(&self.delivered);
                }
            }
        }
        self.carry(current);
        Some(finished)
    }

    fn retry(&mut self, entry: OutboxEntry, current: &Current, finished: &mut Finished) {
        if let Some(newer) = &mut self.waiting {
            take_place(newer, &entry);
            let dropped = take_duties(newer, &entry, current);
            self.not_said(&dropped);
            finished.removed.push(entry.id);
        } else if self.wants(&entry, current) {
            self.waiting = Some(entry);
        } else {
            finished.removed.push(entry.id);
            finished.unwanted = true;
            self.enqueued.clone_from(&self.delivered);
        }
    }

    /// An entry is wanted while its group fires, while it owes the news of a firing, or while it
    /// brings the end of a firing that was announced.
    fn wants(&self, entry: &OutboxEntry, current: &Current) -> bool {
        let group_fires = current.values().any(|alert| !alert.is_resolved());
        let ends = entry.notification.status() == NotificationStatus::Resolved && self.announced();
        group_fires || !entry.untold.is_empty() || ends
    }
}

/// Makes `newer` take over the place of `older` in the backoff.
fn take_place(newer: &mut OutboxEntry, older: &OutboxEntry) {
    newer.attempts = older.attempts;
    newer.next_attempt = older.next_attempt;
    newer.last_error.clone_from(&older.last_error);
}

/// Makes `newer` take over the duties of `older`: an alert that `older` owed as firing and that is
/// over by now is told as missed. One of which nothing is known is over. One that still fires but
/// is not named by `newer` is held back: its duty ends. Returns those.
fn take_duties(
    newer: &mut OutboxEntry,
    older: &OutboxEntry,
    current: &Current,
) -> Vec<Fingerprint> {
    let mut dropped = Vec::new();
    let ended = newer.notification.created_at;
    for owed in &older.notification.alerts {
        let fingerprint = owed.alert.fingerprint();
        if !older.untold.contains(&fingerprint) {
            continue;
        }
        let named =
            newer.notification.alerts.iter_mut().find(|a| a.alert.fingerprint() == fingerprint);
        if let Some(alert) = named {
            alert.missed |= alert.alert.is_resolved();
        } else {
            let mut alert = owed.clone();
            match current.get(&fingerprint) {
                Some(now) if !now.is_resolved() => {
                    dropped.push(fingerprint);
                    continue;
                }
                Some(now) => alert.alert = Alert::clone(now),
                None => alert.alert.ends_at = Some(ended.max(alert.alert.starts_at)),
            }
            alert.missed = true;
            newer.notification.alerts.push(alert);
        }
        newer.untold.insert(fingerprint);
    }
    newer.notification.alerts.sort_by(|a, b| a.order().cmp(&b.order()));
    dropped
}

fn record(entry: &OutboxEntry, outcome: &Outcome, now: Timestamp) -> Attempt {
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
    }
}
