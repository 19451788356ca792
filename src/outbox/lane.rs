//! The state of one group at one integration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{
    Alert, Fingerprint, GroupKey, IntegrationId, Notification, NotificationStatus, NotifiedAlert,
    Timestamp,
};
use crate::outbox::duty::{inherit, mark_missed, record, relieve};
use crate::outbox::{Attempt, EntryId, OutboxEntry, Outcome, Told, backoff};

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
    /// Firings that the receiver may have been told of by attempts whose outcome was never learned.
    /// They are news all the same; but their end is told, also where they are held back by then.
    pub unlearned: BTreeSet<Fingerprint>,
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
        for entry in &entries {
            lane.doubt(entry);
        }
        let mut removed = Vec::new();
        let mut newest = entries.pop();
        if let Some(newest) = &mut newest {
            for old in entries {
                lane.take_over(newest, &old, current);
                removed.push(old.id);
            }
        }
        lane.waiting = newest;
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
        let delivered = self.delivered.as_ref();
        let in_flight = self.in_flight.as_ref();
        delivered.is_some_and(|told| {
            told.firing.contains(&fingerprint) || told.resolved.contains(&fingerprint)
        }) || in_flight.is_some_and(|entry| entry.status_of(fingerprint).is_some())
    }

    /// Whether the receiver takes an alert to fire, by what it has or is being told at this moment.
    pub fn has_told(&self, fingerprint: Fingerprint) -> bool {
        let in_flight = self.in_flight.as_ref();
        match in_flight.and_then(|entry| entry.status_of(fingerprint)) {
            Some(status) => status == NotificationStatus::Firing,
            None => self.delivered.as_ref().is_some_and(|told| told.firing.contains(&fingerprint)),
        }
    }

    /// Notes that the outcome of an attempt at `entry` will never be known.
    fn doubt(&mut self, entry: &OutboxEntry) {
        let known = self.delivered.as_ref();
        let firing = entry.told().firing.into_iter();
        self.unlearned
            .extend(firing.filter(|fp| !known.is_some_and(|told| told.firing.contains(fp))));
    }

    /// Whether the attempt in flight is the one with this key. A lane that a reload has dropped
    /// and given back does not take the outcomes of its former life.
    pub fn is_in_flight(&self, idempotency_key: &str) -> bool {
        self.in_flight.as_ref().is_some_and(|entry| entry.idempotency_key == idempotency_key)
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
        // An alert is known where the receiver has it and no end of it was decided since: what
        // fires again is news, also while the end of its last firing is still on its way.
        let logs = [&self.delivered, &self.enqueued];
        let known = |fp: &Fingerprint| {
            logs.iter().all(|log| log.as_ref().is_some_and(|told| told.firing.contains(fp)))
        };
        // An end stays told when the alert is held back after it, so that it is not told again.
        let over = |fp: &&Fingerprint| current.get(*fp).is_some_and(|now| now.is_resolved());
        let ends = self.enqueued.iter().flat_map(|log| &log.resolved);
        let ends: Vec<Fingerprint> = ends.filter(over).copied().collect();
        let fires = |named: &NotifiedAlert| named.status() == NotificationStatus::Firing;
        entry.untold = entry
            .notification
            .alerts
            .iter()
            .map(|named| (named.alert.fingerprint(), named))
            .filter(|(fp, named)| named.missed || (fires(named) && !known(fp)))
            .map(|(fp, _)| fp)
            .collect();
        let log = self.enqueued.insert(told);
        log.resolved.extend(ends);
        let mut removed = Vec::new();
        if let Some(old) = self.waiting.take() {
            self.take_over(&mut entry, &old, current);
            removed.push(old.id);
        }
        self.waiting = Some(entry);
        removed
    }

    /// Brings the words of a waiting entry up to date with alerts that have been resolved since,
    /// where no newer notification will do so: what its receiver has not been told is told as
    /// missed, the rest is left out. Returns the entry that no longer exists, if any changed.
    pub fn refresh(&mut self, id: EntryId, current: &Current) -> Option<EntryId> {
        let over = |fp: &Fingerprint| current.get(fp).is_some_and(|now| now.is_resolved());
        let ended = |a: &NotifiedAlert| {
            a.status() == NotificationStatus::Firing && over(&a.alert.fingerprint())
        };
        let old = self.waiting.take_if(|waiting| waiting.notification.alerts.iter().any(ended))?;
        let mut notification = old.notification.clone();
        notification.alerts.retain(|a| !ended(a));
        let mut entry = OutboxEntry::new(id, notification, old.next_attempt);
        entry.untold = old.untold.iter().filter(|fp| !over(fp)).copied().collect();
        self.take_over(&mut entry, &old, current);
        if let Some(enqueued) = &mut self.enqueued {
            // Told as over from now on: what fires again is news.
            enqueued.firing.retain(|fp| !(old.untold.contains(fp) && over(fp)));
        }
        if !entry.notification.alerts.is_empty() {
            self.waiting = Some(entry);
        } else if self.in_flight.is_none() {
            self.enqueued.clone_from(&self.delivered);
        }
        Some(old.id)
    }

    /// Takes ends out of the waiting words whose beginning has been told in time after all: for an
    /// integration that is not told of resolved alerts. Returns the entry where nothing is left.
    pub fn drop_ends(&mut self) -> Option<EntryId> {
        let waiting = self.waiting.as_mut()?;
        let words = &mut waiting.notification.alerts;
        words.retain(|named| named.missed || named.status() == NotificationStatus::Firing);
        if !words.is_empty() {
            return None;
        }
        self.waiting.take().map(|entry| entry.id)
    }

    /// The wall clock was put forward or back: what it has stamped moves along.
    pub fn clock_jumped(&mut self, by_millis: i64) {
        for told in [&mut self.enqueued, &mut self.delivered].into_iter().flatten() {
            told.at = told.at.moved(by_millis);
        }
        for entry in self.in_flight.iter_mut().chain(&mut self.waiting) {
            entry.next_attempt = entry.next_attempt.moved(by_millis);
        }
    }

    /// Puts the waiting entry in flight, where none is. Whether it is due is the caller's to know.
    pub fn take(&mut self) -> Option<&OutboxEntry> {
        if self.in_flight.is_none() {
            self.in_flight = self.waiting.take();
            return self.in_flight.as_ref();
        }
        None
    }

    /// Takes everything as resolved, so that the next firing is news: for an integration that is
    /// not told of resolved alerts.
    pub fn clear_log(&mut self, now: Timestamp) {
        self.unlearned.clear();
        for told in [&mut self.enqueued, &mut self.delivered] {
            let known = told.take().map(|told| told.firing).unwrap_or_default();
            *told = Some(Told { firing: BTreeSet::new(), resolved: known, at: now });
        }
    }

    /// Forgets the firing of alerts whose end is not to be told (any more), but of those that an
    /// entry still names. Returns whether there were any.
    pub fn forget(&mut self, gone: impl Fn(&Fingerprint) -> bool) -> bool {
        let known = [&self.enqueued, &self.delivered].into_iter().flatten();
        let known = known.flat_map(|told| &told.firing).chain(&self.unlearned);
        let mut over: BTreeSet<Fingerprint> = known.filter(|fp| gone(fp)).copied().collect();
        if over.is_empty() {
            return false;
        }
        for fingerprint in self.entries().flat_map(OutboxEntry::concerned) {
            over.remove(&fingerprint);
        }
        self.unlearned.retain(|fp| !over.contains(fp));
        for told in [&mut self.enqueued, &mut self.delivered].into_iter().flatten() {
            told.firing.retain(|fp| !over.contains(fp));
        }
        !over.is_empty()
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
                if receiver_state.is_some() {
                    self.receiver_state.clone_from(receiver_state);
                }
                self.delivered = Some(self.known_after(&entry, current));
                self.unlearned.retain(|fp| entry.status_of(*fp).is_none());
                if let Some(waiting) = &mut self.waiting {
                    relieve(waiting, &entry);
                }
                finished.removed.push(entry.id);
            }
            Outcome::Retry { after, error, status } => {
                if status.is_none() {
                    self.doubt(&entry);
                }
                entry.last_error = Some(error.clone());
                entry.next_attempt = now + backoff(entry.attempts, entry.seed(), *after);
                self.retry(entry, current, &mut finished);
            }
            Outcome::Permanent { .. } => {
                finished.removed.push(entry.id);
                self.undo(&entry);
                if let Some(waiting) = &mut self.waiting {
                    mark_missed(waiting, &entry);
                }
            }
        }
        Some(finished)
    }

    /// Puts the log back to what was delivered, because an entry is given up. Where a newer one
    /// waits, that holds for the alerts which it does not name.
    fn undo(&mut self, entry: &OutboxEntry) {
        let (Some(waiting), Some(log)) = (&self.waiting, &mut self.enqueued) else {
            self.enqueued.clone_from(&self.delivered);
            return;
        };
        let kept = waiting.told();
        let Told { firing, resolved, .. } = entry.told();
        for fp in firing.union(&resolved) {
            if kept.firing.contains(fp) || kept.resolved.contains(fp) {
                continue;
            }
            if self.delivered.as_ref().is_some_and(|told| told.firing.contains(fp)) {
                log.firing.insert(*fp);
                log.resolved.remove(fp);
            } else {
                log.firing.remove(fp);
                if self.unlearned.contains(fp) {
                    log.resolved.remove(fp);
                }
            }
        }
    }

    /// What the receiver knows once it has an entry. A firing that it knows and that the entry
    /// does not name, as its alert is held back, stays known: its end must be told one day.
    fn known_after(&self, entry: &OutboxEntry, current: &Current) -> Told {
        let mut told = entry.told();
        if let Some(before) = &self.delivered {
            let kept =
                |fp: &&Fingerprint| current.contains_key(*fp) && !told.resolved.contains(*fp);
            let kept: Vec<Fingerprint> = before.firing.iter().filter(kept).copied().collect();
            told.firing.extend(kept);
        }
        // The log was emptied while the entry was in flight: what fires again is news.
        if let (Some(log), None) = (&self.enqueued, &self.waiting) {
            told.firing.retain(|fp| log.firing.contains(fp));
        }
        told
    }

    /// Makes `newer` take over from `older`, and the log say what that comes to.
    fn take_over(&mut self, newer: &mut OutboxEntry, older: &OutboxEntry, current: &Current) {
        let held = inherit(newer, older, current);
        self.forget_untold(&held);
        if let Some(log) = &mut self.enqueued {
            let over = newer.told().resolved;
            log.firing.retain(|fp| !over.contains(fp));
            log.resolved.extend(over);
        }
    }

    /// Takes firings out of the log that were decided to be told and will not be, so that they
    /// are news again. What the receiver has, or is about to have, stays.
    fn forget_untold(&mut self, untold: &BTreeSet<Fingerprint>) {
        let in_flight = self.in_flight.as_ref().map(OutboxEntry::told);
        let knows = |fp: &Fingerprint| {
            [&self.delivered, &in_flight].into_iter().flatten().any(|t| t.firing.contains(fp))
        };
        if let Some(enqueued) = &mut self.enqueued {
            enqueued.firing.retain(|fp| !untold.contains(fp) || knows(fp));
        }
    }

    fn retry(&mut self, entry: OutboxEntry, current: &Current, finished: &mut Finished) {
        if let Some(mut newer) = self.waiting.take() {
            self.take_over(&mut newer, &entry, current);
            finished.attempt.next_attempt = Some(newer.next_attempt);
            self.waiting = Some(newer);
            finished.removed.push(entry.id);
        } else if self.wants(&entry, current) {
            finished.attempt.next_attempt = Some(entry.next_attempt);
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
