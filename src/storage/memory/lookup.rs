//! What people ask of the store.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Fingerprint, LabelSet, Timestamp};
use crate::outbox::{LaneKey, OutboxEntry, Told};
use crate::storage::memory::State;
use crate::storage::{
    Case, CaseFilter, Deliveries, DeliveryFilter, Dossier, GroupId, History, MAX_NEARBY,
    MAX_RECORDS, MAX_STARTS, Snapshot,
};

/// The alerts that are known under one label set: when any changed last, and their fingerprints
/// within their rules.
type Known = BTreeMap<LabelSet, (Timestamp, BTreeSet<Fingerprint>)>;

impl State {
    pub(super) fn dossier(&self, filter: &CaseFilter) -> Dossier {
        let known = self.known();
        let mut newest: Vec<_> = known.iter().collect();
        newest.sort_by(|a, b| (b.1.0, a.0).cmp(&(a.1.0, b.0)));
        let found: Vec<_> =
            newest.iter().filter(|(labels, _)| filter.matchers.matches(labels)).collect();
        let nearby = if found.is_empty() { MAX_NEARBY } else { 0 };
        let cases = found.iter().take(filter.bound());
        Dossier {
            cases: cases.map(|(labels, (_, instances))| self.case(labels, instances)).collect(),
            more: found.len() > filter.bound(),
            nearby: newest.iter().take(nearby).map(|(labels, _)| (*labels).clone()).collect(),
            heartbeat: self.heartbeat,
            starts: last(&self.starts.iter().collect::<Vec<_>>(), MAX_STARTS),
        }
    }

    fn known(&self) -> Known {
        let mut known = Known::new();
        let stored = self.alerts.values().map(|alert| {
            let instance = &alert.instance;
            (&alert.routed, instance.fingerprint(), instance.changed_at())
        });
        let past = self
            .known
            .iter()
            .map(|((_, instance), known)| (&known.labels, *instance, known.seen_at));
        for (labels, instance, at) in stored.chain(past) {
            let (seen_at, instances) = known.entry(labels.clone()).or_default();
            *seen_at = at.max(*seen_at);
            instances.insert(instance);
        }
        known
    }

    fn case(&self, labels: &LabelSet, instances: &BTreeSet<Fingerprint>) -> Case {
        let fingerprint = labels.fingerprint();
        let mut transitions: Vec<_> = self
            .transitions
            .iter()
            .filter(|record| instances.contains(&record.transition.fingerprint))
            .collect();
        transitions.sort_by_key(|record| record.transition.at);
        let mut decisions: Vec<_> =
            self.decisions.iter().filter(|record| record.fingerprint == fingerprint).collect();
        decisions.sort_by_key(|record| record.at);
        let mut attempts: Vec<_> =
            self.attempts.iter().filter(|record| record.alerts.contains(&fingerprint)).collect();
        attempts.sort_by_key(|record| record.at);
        let decided = decisions.iter().map(|decision| decision.group.clone());
        let groups: BTreeSet<GroupId> = decided.chain(self.groups_telling(fingerprint)).collect();
        let in_groups = |lane: &LaneKey| groups.contains(&GroupId::of_lane(lane));
        let mut case = Case {
            labels: labels.clone(),
            history: History {
                transitions: last(&transitions, MAX_RECORDS),
                decisions: last(&decisions, MAX_RECORDS),
                attempts: last(&attempts, MAX_RECORDS),
            },
            current: Snapshot {
                alerts: self
                    .alerts
                    .iter()
                    .filter(|((_, instance, _), _)| instances.contains(instance))
                    .map(|(_, alert)| alert.clone())
                    .collect(),
                groups: groups.iter().filter_map(|id| self.groups.get(id)).cloned().collect(),
                lanes: self.lanes.values().filter(|l| in_groups(&l.key)).cloned().collect(),
                entries: self
                    .entries
                    .values()
                    .filter(|entry| in_groups(&entry.lane()))
                    .cloned()
                    .collect(),
                heartbeat: self.heartbeat,
                ..Snapshot::default()
            },
        };
        case.keep_own_words();
        case
    }

    /// The groups in which somebody knows of an alert, or is about to.
    fn groups_telling(&self, fingerprint: Fingerprint) -> impl Iterator<Item = GroupId> {
        let names = move |told: &Told| {
            told.firing.contains(&fingerprint) || told.resolved.contains(&fingerprint)
        };
        let lanes = self.lanes.values();
        lanes
            .filter(move |lane| [&lane.enqueued, &lane.delivered].into_iter().flatten().any(names))
            .map(|lane| GroupId::of_lane(&lane.key))
    }

    pub(super) fn deliveries(&self, filter: &DeliveryFilter) -> Deliveries {
        let mut deliveries = Deliveries { heartbeat: self.heartbeat, ..Deliveries::default() };
        let names: BTreeMap<Fingerprint, LabelSet> =
            self.known().into_keys().map(|labels| (labels.fingerprint(), labels)).collect();
        if filter.pending {
            let wanted = self.entries.values().rev().filter(|entry| filter.wants_entry(entry));
            deliveries.entries = wanted.take(filter.bound() + 1).cloned().collect();
            deliveries.entries.sort_by_key(|e: &OutboxEntry| {
                std::cmp::Reverse((e.notification.created_at, e.id))
            });
        } else {
            let any = filter.matchers.0.is_empty();
            let matches = |fp: &Fingerprint| {
                names.get(fp).is_some_and(|labels| filter.matchers.matches(labels))
            };
            let mut wanted: Vec<_> = self
                .attempts
                .iter()
                .filter(|attempt| {
                    filter.wants(&attempt.integration)
                        && filter.outcome.is_none_or(|outcome| outcome == attempt.outcome)
                        && filter.since.is_none_or(|since| attempt.at >= since)
                        && (any || attempt.alerts.iter().any(matches))
                })
                .collect();
            wanted.sort_by_key(|attempt| attempt.at);
            wanted.reverse();
            deliveries.attempts = wanted.into_iter().take(filter.bound() + 1).cloned().collect();
        }
        deliveries.cut(filter.bound());
        let named: BTreeSet<Fingerprint> = deliveries.named().collect();
        deliveries.labels = names.into_iter().filter(|(fp, _)| named.contains(fp)).collect();
        deliveries
    }
}

/// The last few of a list.
fn last<T: Clone>(records: &[&T], most: usize) -> Vec<T> {
    let first = records.len().saturating_sub(most);
    records.iter().skip(first).map(|record| T::clone(record)).collect()
}
