//! The other side: receivers that fail, and what they know by what they were told.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use watchbell::engine::{DeliveryTicket, RoutingSetup};
use watchbell::model::{
    Fingerprint, GroupKey, IntegrationId, Notification, NotificationStatus, NotifyReason, Timestamp,
};

/// How a receiver answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Health {
    Works,
    Fails,
    Refuses,
}

/// A group at an integration.
pub type LaneId = (IntegrationId, GroupKey);
/// An alert in a message: which, since when, resolved, missed.
pub type Named = (Fingerprint, Timestamp, bool, bool);

/// A message as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub at: Timestamp,
    pub lane: LaneId,
    pub key: String,
    pub reason: NotifyReason,
    pub created_at: Timestamp,
    pub alerts: Vec<Named>,
}

/// Everything that arrived, with what must hold of it.
#[derive(Clone, Default)]
pub struct Receivers {
    pub messages: Vec<Message>,
    /// By lane: the alerts that the receiver knows, and whether it believes that they fire.
    known: BTreeMap<LaneId, BTreeMap<Fingerprint, bool>>,
    last: HashMap<LaneId, Message>,
    by_key: HashMap<String, Vec<Named>>,
    /// Lanes that a reload may have changed since their last message.
    excused: BTreeSet<LaneId>,
    /// Messages that arrived before a crash, so that the sender never learned of it. They may be
    /// said again, and have an end to be told all the same.
    unsure: BTreeSet<String>,
    pub repeated_keys: usize,
}

impl Receivers {
    /// Takes a message in. `repeat` is the shortest repeat interval that has been configured.
    pub fn receive(&mut self, ticket: &DeliveryTicket, at: Timestamp, setup: &RoutingSetup) {
        let notification = &ticket.delivery.notification;
        let message = message(ticket, notification, at);
        assert!(!message.alerts.is_empty(), "a message names alerts: {message:?}");
        if let Some(before) = self.by_key.get(&message.key) {
            assert_eq!(*before, message.alerts, "one key, one text");
            self.repeated_keys += 1;
            self.unsure.remove(&message.key);
            return;
        }
        self.by_key.insert(message.key.clone(), message.alerts.clone());
        self.check_repetition(&message);
        self.check_ends(&message, setup);
        let known = self.known.entry(message.lane.clone()).or_default();
        for (fingerprint, _, resolved, _) in &message.alerts {
            known.insert(*fingerprint, !resolved);
        }
        self.excused.remove(&message.lane);
        self.last.insert(message.lane.clone(), message.clone());
        self.messages.push(message);
    }

    /// Nothing is said twice, except by the repeat interval.
    fn check_repetition(&self, message: &Message) {
        let Some(last) = self.last.get(&message.lane) else { return };
        if message.reason == NotifyReason::RepeatIntervalElapsed {
            let apart = message.created_at.since(last.created_at).as_secs();
            let same = last.alerts == message.alerts && !self.unsure.contains(&last.key);
            assert!(!same || apart >= 118, "repeated after {apart} s:\n{last:?}\n{message:?}");
        } else if !self.excused.contains(&message.lane) {
            assert_ne!(last.alerts, message.alerts, "said twice: {:?}", message);
        }
    }

    /// An end is told only of an alert whose beginning was told, or it says that it was missed.
    fn check_ends(&self, message: &Message, setup: &RoutingSetup) {
        let known = self.known.get(&message.lane);
        let told_of_ends = wants_resolved(setup, &message.lane.0);
        for (fingerprint, _, resolved, missed) in &message.alerts {
            let knows = known.is_some_and(|known| known.contains_key(fingerprint));
            assert!(
                !resolved || *missed || knows,
                "{fingerprint} ends without a beginning: {message:?}"
            );
            assert!(told_of_ends || !resolved || *missed, "unwanted end: {message:?}");
        }
    }

    /// Whether a receiver believes that an alert fires.
    pub fn believes(&self, lane: &LaneId, fingerprint: Fingerprint) -> bool {
        let known = self.known.get(lane).and_then(|known| known.get(&fingerprint));
        known.is_some_and(|fires| *fires)
    }

    /// The alerts that receivers believe to fire, where they are told of ends.
    pub fn open(&self, setup: &RoutingSetup) -> Vec<(LaneId, Fingerprint)> {
        let lanes = self.known.iter().filter(|((id, _), _)| wants_resolved(setup, id));
        lanes
            .flat_map(|(lane, known)| {
                let open = known.iter().filter(|(_, fires)| **fires);
                open.map(|(fingerprint, _)| (lane.clone(), *fingerprint))
            })
            .collect()
    }

    /// The sender died while this message was on its way.
    pub fn crashed(&mut self, ticket: &DeliveryTicket) {
        self.unsure.insert(ticket.delivery.idempotency_key.clone());
    }

    /// A reload: who is no longer configured cannot be told of anything.
    pub fn reloaded(&mut self, setup: &RoutingSetup) {
        self.excused.extend(self.last.keys().cloned());
        self.known.retain(|(id, _), _| is_configured(setup, id));
    }
}

fn is_configured(setup: &RoutingSetup, id: &IntegrationId) -> bool {
    setup.receivers.values().flatten().any(|(known, _)| known == id)
}

fn wants_resolved(setup: &RoutingSetup, id: &IntegrationId) -> bool {
    setup.receivers.values().flatten().any(|(known, wants)| known == id && *wants)
}

fn message(ticket: &DeliveryTicket, notification: &Notification, at: Timestamp) -> Message {
    let alerts = notification.alerts.iter().map(|named| {
        let resolved = named.status() == NotificationStatus::Resolved;
        (named.alert.fingerprint(), named.alert.starts_at, resolved, named.missed)
    });
    Message {
        at,
        lane: (ticket.integration.clone(), ticket.group.key.clone()),
        key: ticket.delivery.idempotency_key.clone(),
        reason: notification.reason,
        created_at: notification.created_at,
        alerts: alerts.collect(),
    }
}
