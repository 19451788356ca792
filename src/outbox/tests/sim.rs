//! A lane in its surroundings: alerts that fire and are held back, flushes, a store, a receiver.
//!
//! The flush decides as Alertmanager's deduplication does, and keeps what is held back but known
//! as known. Routing does this for real; here it is written as plainly as possible.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{
    Alert, Fingerprint, GroupKey, IntegrationId, LabelSet, Notification, NotificationStatus,
    NotifiedAlert, NotifyReason, Timestamp,
};
use crate::outbox::{Current, EntryId, Finished, Lane, OutboxEntry, Outcome, Told};

type Set = BTreeSet<Fingerprint>;

pub struct Sim {
    pub lane: Lane,
    pub current: Current,
    /// What the receiver believes to fire, and since when.
    pub view: BTreeMap<Fingerprint, Timestamp>,
    /// Firings that were decided to be told, and have not been.
    pub owed: BTreeMap<Fingerprint, Timestamp>,
    /// What the receiver was told by a message of which nobody knows that it arrived, and not
    /// again since.
    pub unnoticed: Set,
    /// Deliveries of which the receiver learnt nothing.
    pub repeats: usize,
    pub send_resolved: bool,
    /// The last end of each alert that the receiver was told.
    ends: BTreeMap<Fingerprint, Option<Timestamp>>,
    held: Set,
    in_flight: Option<OutboxEntry>,
    seconds: i64,
    last_entry: u64,
    stored_log: String,
    stored_entries: BTreeMap<EntryId, String>,
}

fn labels(name: &str) -> LabelSet {
    LabelSet::from([("alertname", name)])
}

pub fn fp(name: &str) -> Fingerprint {
    labels(name).fingerprint()
}

impl Sim {
    pub fn new(send_resolved: bool) -> Self {
        let mut sim = Self {
            lane: Lane::default(),
            current: Current::new(),
            view: BTreeMap::new(),
            owed: BTreeMap::new(),
            unnoticed: Set::new(),
            repeats: 0,
            send_resolved,
            ends: BTreeMap::new(),
            held: Set::new(),
            in_flight: None,
            seconds: 0,
            last_entry: 0,
            stored_log: String::new(),
            stored_entries: BTreeMap::new(),
        };
        sim.store([]);
        sim
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_secs(self.seconds)
    }

    /// The newest entry.
    pub fn entry(&self) -> OutboxEntry {
        self.lane.entries().last().unwrap().clone()
    }

    pub fn fire(&mut self, name: &str) -> &mut Self {
        self.seconds += 1;
        let alert = Alert {
            labels: labels(name),
            annotations: LabelSet::new(),
            starts_at: self.now(),
            ends_at: None,
            generator_url: "".into(),
            value: None,
        };
        if self.current.get(&fp(name)).is_none_or(|alert| alert.is_resolved()) {
            self.current.insert(fp(name), Arc::new(alert));
        }
        self
    }

    pub fn resolve(&mut self, name: &str) -> &mut Self {
        self.seconds += 1;
        let now = self.now();
        if let Some(alert) = self.current.get_mut(&fp(name)).filter(|a| !a.is_resolved()) {
            Arc::make_mut(alert).ends_at = Some(now);
        }
        self
    }

    /// Holds an alert back. Nothing is owed of a firing that goes on.
    pub fn hold(&mut self, name: &str) -> &mut Self {
        self.held.insert(fp(name));
        if self.fires(fp(name)) {
            self.owed.remove(&fp(name));
        }
        self
    }

    pub fn release(&mut self, name: &str) -> &mut Self {
        self.held.remove(&fp(name));
        self
    }

    pub fn fires(&self, fingerprint: Fingerprint) -> bool {
        self.current.get(&fingerprint).is_some_and(|alert| !alert.is_resolved())
    }

    /// The alerts that fire and are not held back.
    pub fn to_be_known(&self) -> Set {
        let known = |fp: &&Fingerprint| self.fires(**fp) && !self.held.contains(*fp);
        self.current.keys().filter(known).copied().collect()
    }

    pub fn flush(&mut self) {
        self.flush_lane(false);
    }

    /// A flush after the repeat interval.
    pub fn repeat(&mut self) {
        self.flush_lane(true);
    }

    fn flush_lane(&mut self, repeat: bool) {
        self.seconds += 1;
        let log = self.lane.enqueued.clone();
        let known = log.as_ref().map(|told| told.firing.clone()).unwrap_or_default();
        let free = self.to_be_known();
        let carried = |fp: &&Fingerprint| self.fires(**fp) && known.contains(*fp);
        let firing: Set = free.iter().chain(self.held.iter().filter(carried)).copied().collect();
        let told_end = |fp: &&Fingerprint| {
            !self.fires(**fp) && (!self.held.contains(*fp) || known.contains(*fp))
        };
        let resolved: Set = self.current.keys().filter(told_end).copied().collect();
        let new_end = |log: &Told| self.send_resolved && !resolved.is_subset(&log.resolved);
        let say = match &log {
            None => !firing.is_empty(),
            Some(log) if !firing.is_subset(&log.firing) => true,
            Some(log) if firing.is_empty() => self.send_resolved && !log.firing.is_empty(),
            Some(log) => new_end(log) || (repeat && !free.is_empty()),
        };
        self.last_entry += 1;
        let id = EntryId(self.last_entry);
        let removed = if say {
            let mut named = free;
            if self.send_resolved {
                named.extend(&resolved);
            }
            if named.is_disjoint(&firing) {
                named.extend(&firing);
            }
            let news: Set =
                named.difference(&known).copied().filter(|fp| self.fires(*fp)).collect();
            self.owed.extend(news.iter().map(|fp| (*fp, self.current[fp].starts_at)));
            let notification = self.words(&named);
            let told = Told { firing, resolved, at: self.now() };
            self.lane.enqueue(id, notification, told, &self.current, self.now())
        } else {
            if firing.is_empty() && !known.is_empty() && !self.send_resolved {
                self.lane.clear_log(self.now());
            }
            self.lane.refresh(id, &self.current).into_iter().collect()
        };
        self.store(removed);
        self.settle();
    }

    fn words(&self, named: &Set) -> Notification {
        let knew = |fp: &Fingerprint| {
            [&self.lane.enqueued, &self.lane.delivered]
                .into_iter()
                .flatten()
                .any(|told| told.firing.contains(fp) || told.resolved.contains(fp))
        };
        let word = |fp| {
            let alert = Arc::clone(&self.current[fp]);
            NotifiedAlert { missed: alert.is_resolved() && !knew(fp), alert }
        };
        let mut alerts: Vec<NotifiedAlert> = named.iter().map(word).collect();
        alerts.sort_by(|a, b| a.order().cmp(&b.order()));
        Notification {
            group_key: GroupKey("{}:{}".into()),
            integration: IntegrationId { receiver: "r".into(), kind: "webhook".into(), index: 0 },
            group_labels: LabelSet::new(),
            alerts,
            reason: NotifyReason::FirstNotification,
            created_at: self.now(),
        }
    }

    pub fn take(&mut self) {
        if let Some(entry) = self.lane.take() {
            self.in_flight = Some(entry.clone());
        }
    }

    pub fn finish(&mut self, outcome: &Outcome) -> Option<Finished> {
        self.seconds += 1;
        let entry = self.in_flight.take()?;
        match outcome {
            Outcome::Delivered { .. } => self.receive(&entry),
            Outcome::Retry { .. } => {}
            // Given up; a flush that finds them firing decides anew.
            Outcome::Permanent { .. } => self.owed.retain(|fp, _| !entry.untold.contains(fp)),
        }
        let finished = self.lane.finish(outcome, &self.current, self.now());
        self.store(finished.iter().flat_map(|f| f.removed.clone()).collect::<Vec<_>>());
        self.settle();
        finished
    }

    /// One whole attempt.
    pub fn attempt(&mut self, outcome: &Outcome) -> Option<Finished> {
        self.take();
        self.finish(outcome)
    }

    /// What the receiver makes of a message, whether the lane learns of it or not.
    fn receive(&mut self, entry: &OutboxEntry) {
        let mut news = false;
        for word in &entry.notification.alerts {
            let (fp, start) = (word.alert.fingerprint(), word.alert.starts_at);
            self.unnoticed.remove(&fp);
            if word.status() == NotificationStatus::Firing {
                news |= self.view.insert(fp, start) != Some(start);
            } else {
                self.view.remove(&fp);
                news |= self.ends.insert(fp, word.alert.ends_at) != Some(word.alert.ends_at);
            }
            let told = word.missed || word.status() == NotificationStatus::Firing;
            if told && self.owed.get(&fp).is_some_and(|owed| *owed <= start) {
                self.owed.remove(&fp);
            }
        }
        self.repeats += usize::from(!news);
    }

    /// The receiver gets what is in flight, and nobody hears of it.
    pub fn receive_unnoticed(&mut self) {
        if let Some(entry) = self.in_flight.clone() {
            self.receive(&entry);
            self.unnoticed.extend(entry.told().firing);
        }
    }

    /// The process dies and another reads the store.
    pub fn crash(&mut self) {
        let (enqueued, delivered, state) = serde_json::from_str(&self.stored_log).unwrap();
        let entries =
            self.stored_entries.values().map(|e| serde_json::from_str(e).unwrap()).collect();
        self.in_flight = None;
        let (lane, removed) = Lane::restored(enqueued, delivered, state, entries, &self.current);
        self.lane = lane;
        self.store(removed);
        self.settle();
    }

    /// Stores what the engine stores: the log, the entries, less those that are gone.
    fn store(&mut self, removed: impl IntoIterator<Item = EntryId>) {
        for id in removed {
            self.stored_entries.remove(&id);
        }
        for entry in self.lane.entries() {
            self.stored_entries.insert(entry.id, serde_json::to_string(entry).unwrap());
        }
        let held: Vec<EntryId> = self.lane.entries().map(|entry| entry.id).collect();
        let stored: Vec<EntryId> = self.stored_entries.keys().copied().collect();
        assert_eq!(stored, held, "the store holds the lane's entries and no other");
        assert!(held.len() <= 2, "one in flight, one waiting");
        let log = (&self.lane.enqueued, &self.lane.delivered, &self.lane.receiver_state);
        self.stored_log = serde_json::to_string(&log).unwrap();
    }

    /// Takes out the resolved alerts that nobody needs any more.
    fn settle(&mut self) {
        let idle = self.lane.is_idle();
        let known = self.lane.delivered.as_ref().map(|told| told.firing.clone());
        let known = known.filter(|_| self.send_resolved).unwrap_or_default();
        self.current.retain(|fp, alert| !alert.is_resolved() || !idle || known.contains(fp));
        if idle {
            self.lane.forget_unknown(&self.current);
        }
    }
}
