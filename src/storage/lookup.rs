//! What people ask of the store: everything about some alerts, and lists of deliveries.

use std::collections::BTreeMap;

use crate::model::{Fingerprint, IntegrationId, LabelSet, Matchers, Timestamp};
use crate::outbox::{Attempt, AttemptOutcome, OutboxEntry};
use crate::storage::{History, MAX_HISTORY, Snapshot, Start};

/// The most alerts that a [`Dossier`] tells of.
pub const MAX_CASES: usize = 100;
/// The most records of each kind for one alert of a [`Dossier`].
pub const MAX_RECORDS: usize = 1_000;
/// The most starts in a [`Dossier`], the newest.
pub const MAX_STARTS: usize = 100;
/// The most label sets that are named where nothing matches.
pub const MAX_NEARBY: usize = 1_000;

/// Which alerts are asked for.
#[derive(Clone, Debug, Default)]
pub struct CaseFilter {
    /// What the labels in routing must match.
    pub matchers: Matchers,
    /// At most this many alerts, those that changed last; 0 for [`MAX_CASES`], which is never
    /// exceeded.
    pub limit: usize,
}

impl CaseFilter {
    pub(super) fn bound(&self) -> usize {
        bound(self.limit, MAX_CASES)
    }
}

/// Everything that the store knows of some alerts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dossier {
    /// The alerts, the one that changed last first.
    pub cases: Vec<Case>,
    /// Whether more alerts match.
    pub more: bool,
    /// Where none matches: labels of the alerts that changed last.
    pub nearby: Vec<LabelSet>,
    /// When the program was last known to be alive.
    pub heartbeat: Option<Timestamp>,
    /// The starts of the program, oldest first.
    pub starts: Vec<Start>,
}

/// Everything about one alert.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// Its labels in routing.
    pub labels: LabelSet,
    /// The newest [`MAX_RECORDS`] of each kind.
    pub history: History,
    /// The part of the current state that concerns it: its rows, its groups with their lanes, and
    /// the entries that name it, with its words alone.
    pub current: Snapshot,
}

impl Case {
    /// Reduces entries to those that name the alert, and these to its words.
    pub(super) fn keep_own_words(&mut self) {
        let labels = &self.labels;
        self.current.entries.retain_mut(|entry| {
            entry.notification.alerts.retain(|named| named.alert.labels == *labels);
            !entry.notification.alerts.is_empty()
        });
    }
}

/// Which deliveries are asked for.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// What still waits, instead of the attempts that were made.
    pub pending: bool,
    /// Only to this receiver.
    pub receiver: Option<String>,
    /// Only by this kind of integration.
    pub kind: Option<String>,
    /// Only by this one of the receiver's integrations of a kind, from 0.
    pub index: Option<u32>,
    /// Only those that name an alert whose labels in routing match.
    pub matchers: Matchers,
    /// Only attempts that ended so.
    pub outcome: Option<AttemptOutcome>,
    /// Only attempts, or decisions to notify, from this time on.
    pub since: Option<Timestamp>,
    /// At most this many, the newest; 0 for [`MAX_HISTORY`], which is never exceeded.
    pub limit: usize,
}

impl DeliveryFilter {
    pub(super) fn bound(&self) -> usize {
        bound(self.limit, MAX_HISTORY)
    }

    /// Whether an integration is asked for.
    pub(super) fn wants(&self, integration: &IntegrationId) -> bool {
        let is = |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|w| w == name);
        is(&self.receiver, &integration.receiver)
            && is(&self.kind, &integration.kind)
            && self.index.is_none_or(|index| index == integration.index)
    }

    /// Whether an entry is asked for.
    pub(super) fn wants_entry(&self, entry: &OutboxEntry) -> bool {
        let notification = &entry.notification;
        self.wants(&notification.integration)
            && self.since.is_none_or(|since| notification.created_at >= since)
            && notification.alerts.iter().any(|named| self.matchers.matches(&named.alert.labels))
    }
}

/// Deliveries, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deliveries {
    /// Attempts that were made.
    pub attempts: Vec<Attempt>,
    /// What still waits.
    pub entries: Vec<OutboxEntry>,
    /// Whether there are more.
    pub more: bool,
    /// The labels of the first few alerts of each attempt, as far as they are known.
    pub labels: BTreeMap<Fingerprint, LabelSet>,
    /// When the program was last known to be alive.
    pub heartbeat: Option<Timestamp>,
}

impl Deliveries {
    /// The alerts of the attempts whose labels are wanted.
    pub(super) fn named(&self) -> impl Iterator<Item = Fingerprint> {
        self.attempts.iter().flat_map(|attempt| attempt.alerts.iter().take(SHOWN).copied())
    }

    /// Keeps `bound` of a list that may hold one more.
    pub(super) fn cut(&mut self, bound: usize) {
        self.more = self.attempts.len() > bound || self.entries.len() > bound;
        self.attempts.truncate(bound);
        self.entries.truncate(bound);
    }
}

/// How many alerts of an attempt are named by their labels.
const SHOWN: usize = 5;

fn bound(limit: usize, most: usize) -> usize {
    match limit {
        0 => most,
        limit => limit.min(most),
    }
}
