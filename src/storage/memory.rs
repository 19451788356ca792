//! A store that lives as long as the process: for `demo`, `eval` and tests.

mod lookup;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::collect::Collected;
use crate::model::{Fingerprint, RuleKey, Silence, SilenceId, Timestamp};
use crate::outbox::{Attempt, EntryId, LaneKey, OutboxEntry};
use crate::storage::{
    CaseFilter, Change, Decision, Deliveries, DeliveryFilter, Dossier, GroupId, History,
    HistoryFilter, KnownAlert, MAX_HISTORY, RecordedTransition, Snapshot, Start, Store, StoreError,
    StoredAlert, StoredGroup, StoredLane,
};

/// An in-memory store. It never fails, and forgets the oldest history beyond [`MAX_HISTORY`]
/// records of each kind.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    alerts: BTreeMap<(RuleKey, Fingerprint, bool), StoredAlert>,
    groups: BTreeMap<GroupId, StoredGroup>,
    lanes: BTreeMap<LaneKey, StoredLane>,
    entries: BTreeMap<EntryId, OutboxEntry>,
    silences: BTreeMap<SilenceId, Silence>,
    heartbeat: Option<Timestamp>,
    last_entry: u64,
    transitions: VecDeque<RecordedTransition>,
    decisions: VecDeque<Decision>,
    attempts: VecDeque<Attempt>,
    starts: VecDeque<Start>,
    collected: Option<Collected>,
    /// By identity in routing and within the rule.
    known: BTreeMap<(Fingerprint, Fingerprint), KnownAlert>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// No change can stop halfway, so a poisoned lock still guards a whole state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn apply(&mut self, change: Change) {
        match change {
            Change::PutAlert(alert) => {
                let resolved = alert.instance.resolved_at.is_some();
                let key = (alert.rule.clone(), alert.instance.fingerprint(), resolved);
                self.alerts.insert(key, alert);
            }
            Change::DeleteAlert { rule, fingerprint, resolved } => {
                self.alerts.remove(&(rule, fingerprint, resolved));
            }
            Change::MoveRules(moves) => self.move_rules(&moves),
            Change::AddTransition { rule, transition } => {
                add(&mut self.transitions, RecordedTransition { rule, transition });
            }
            Change::PutKnown(known) => {
                self.known.insert((known.labels.fingerprint(), known.instance), known);
            }
            Change::AddDecision(decision) => add(&mut self.decisions, decision),
            Change::PutGroup(group) => {
                self.groups.insert(group.id.clone(), group);
            }
            Change::DeleteGroup(id) => {
                self.groups.remove(&id);
            }
            Change::PutLane(lane) => {
                self.lanes.insert(lane.key.clone(), *lane);
            }
            Change::DeleteLane(key) => {
                self.lanes.remove(&key);
            }
            Change::PutEntry(entry) => {
                self.last_entry = self.last_entry.max(entry.id.0);
                self.entries.insert(entry.id, *entry);
            }
            Change::DeleteEntry(id) => {
                self.entries.remove(&id);
            }
            Change::PutSilence(silence) => {
                self.silences.insert(silence.id, *silence);
            }
            Change::DeleteSilence(id) => {
                self.silences.remove(&id);
            }
            Change::AddAttempt(attempt) => add(&mut self.attempts, *attempt),
            Change::Heartbeat(at) => self.heartbeat = Some(at),
            Change::AddStart(start) => add(&mut self.starts, start),
            Change::Collect(change) => change.apply(&mut self.collected),
        }
    }

    /// Takes all out before any is put back, so that two rules can swap keys.
    fn move_rules(&mut self, moves: &[(RuleKey, RuleKey)]) {
        let taken: Vec<_> = moves
            .iter()
            .flat_map(|(old, new)| {
                let alerts = self.alerts.extract_if(.., |(rule, ..), _| rule == old);
                alerts
                    .map(|(_, alert)| StoredAlert { rule: new.clone(), ..alert })
                    .collect::<Vec<_>>()
            })
            .collect();
        for alert in taken {
            self.apply(Change::PutAlert(alert));
        }
    }
}

impl State {
    fn prune(&mut self, before: Timestamp) -> u64 {
        let active: BTreeSet<Fingerprint> =
            self.alerts.keys().map(|(_, alert, _)| *alert).collect();
        let routed: BTreeSet<Fingerprint> = self
            .known
            .keys()
            .filter(|(_, instance)| active.contains(instance))
            .map(|(fingerprint, _)| *fingerprint)
            .collect();
        let deleted = forget(&mut self.transitions, |record| {
            record.transition.at >= before || active.contains(&record.transition.fingerprint)
        }) + forget(&mut self.decisions, |record| {
            record.at >= before
                || (record.integration.is_none() && routed.contains(&record.fingerprint))
        }) + forget(&mut self.attempts, |record| record.at >= before)
            + forget(&mut self.starts, |start| start.at >= before);
        let told: BTreeSet<Fingerprint> =
            self.attempts.iter().flat_map(|attempt| attempt.alerts.iter().copied()).collect();
        let known = self.known.len();
        self.known.retain(|(fingerprint, instance), known| {
            known.seen_at >= before || active.contains(instance) || told.contains(fingerprint)
        });
        deleted + u64::try_from(known - self.known.len()).unwrap_or(u64::MAX)
    }
}

fn add<T>(records: &mut VecDeque<T>, record: T) {
    if records.len() == MAX_HISTORY {
        records.pop_front();
    }
    records.push_back(record);
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self) -> Result<Snapshot, StoreError> {
        let state = self.state();
        Ok(Snapshot {
            alerts: state.alerts.values().cloned().collect(),
            groups: state.groups.values().cloned().collect(),
            lanes: state.lanes.values().cloned().collect(),
            entries: state.entries.values().cloned().collect(),
            silences: state.silences.values().cloned().collect(),
            heartbeat: state.heartbeat,
            last_entry: state.last_entry,
        })
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut state = self.state();
        changes.into_iter().for_each(|change| state.apply(change));
        Ok(())
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<History, StoreError> {
        let state = self.state();
        let named = |alerts: &[Fingerprint]| {
            filter.alerts.is_empty() || alerts.iter().any(|alert| filter.alerts.contains(alert))
        };
        Ok(History {
            transitions: newest(&state.transitions, filter, transition_at, |record| {
                named(&[record.transition.fingerprint])
            }),
            decisions: newest(&state.decisions, filter, decision_at, |record| {
                named(&[record.fingerprint])
            }),
            attempts: newest(&state.attempts, filter, attempt_at, |record| named(&record.alerts)),
        })
    }

    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.state().prune(before))
    }

    async fn dossier(&self, filter: &CaseFilter) -> Result<Dossier, StoreError> {
        Ok(self.state().dossier(filter))
    }

    async fn collected(&self) -> Result<Option<Collected>, StoreError> {
        Ok(self.state().collected.clone())
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Deliveries, StoreError> {
        Ok(self.state().deliveries(filter))
    }
}

fn transition_at(record: &RecordedTransition) -> Timestamp {
    record.transition.at
}

fn decision_at(record: &Decision) -> Timestamp {
    record.at
}

fn attempt_at(record: &Attempt) -> Timestamp {
    record.at
}

fn newest<T: Clone>(
    records: &VecDeque<T>,
    filter: &HistoryFilter,
    at: fn(&T) -> Timestamp,
    wanted: impl Fn(&T) -> bool,
) -> Vec<T> {
    let since = |record: &T| filter.since.is_none_or(|since| at(record) >= since);
    let mut found: Vec<&T> = records.iter().filter(|r| since(r) && wanted(r)).collect();
    // A stable sort: records of one time stay in the order in which they were committed.
    found.sort_by_key(|record| at(record));
    let first = found.len().saturating_sub(filter.bound());
    found.into_iter().skip(first).cloned().collect()
}

fn forget<T>(records: &mut VecDeque<T>, keep: impl FnMut(&T) -> bool) -> u64 {
    let held = records.len();
    records.retain(keep);
    u64::try_from(held - records.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::storage::contract::store_contract!(((), MemoryStore::new()));
}
