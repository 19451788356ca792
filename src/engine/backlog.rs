//! Changes that are not committed yet.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::{Fingerprint, RuleKey, SilenceId};
use crate::outbox::{EntryId, LaneKey};
use crate::storage::{Change, GroupId};

/// How many changes may wait for a store that fails before history is dropped and of several
/// changes to one thing only the last is kept. What is left then is bounded by the number of
/// alerts, groups, messages and silences.
const MAX_CHANGES: usize = 50_000;

/// Changes in order, kept until a commit succeeds.
pub(super) struct Backlog {
    /// Handed to the store, which has not answered yet. They come before the others.
    offered: Arc<Vec<Change>>,
    changes: Vec<Change>,
    /// Where they are condensed next: twice what was left the last time.
    limit: usize,
    /// How many records of history have been dropped since the last commit.
    dropped: u64,
}

impl Backlog {
    pub(super) fn new(changes: Vec<Change>) -> Self {
        Self { offered: Arc::default(), changes, limit: MAX_CHANGES, dropped: 0 }
    }

    pub(super) fn add(&mut self, changes: Vec<Change>) {
        self.changes.extend(changes);
        if self.changes.len() > self.limit {
            self.condense();
            self.limit = MAX_CHANGES.max(self.changes.len().saturating_mul(2));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many changes are not committed.
    pub(super) fn len(&self) -> usize {
        self.offered.len() + self.changes.len()
    }

    /// All changes, to be committed. What is added from now on waits behind them.
    pub(super) fn offer(&mut self) -> Arc<Vec<Change>> {
        self.refused();
        self.offered = Arc::new(std::mem::take(&mut self.changes));
        Arc::clone(&self.offered)
    }

    /// What was offered is not committed: it waits again, before all others.
    pub(super) fn refused(&mut self) {
        // Nothing to put before the others: they stay where they are.
        if self.offered.is_empty() {
            return;
        }
        let mut changes = Arc::unwrap_or_clone(std::mem::take(&mut self.offered));
        changes.append(&mut self.changes);
        self.changes = changes;
    }

    /// What was offered is committed. Returns how many records of history are missing before it.
    pub(super) fn committed(&mut self) -> u64 {
        self.offered = Arc::default();
        self.limit = MAX_CHANGES.max(self.changes.len().saturating_mul(2));
        std::mem::take(&mut self.dropped)
    }

    /// Keeps what the store has to be in the end, in order, and forgets how that came about.
    fn condense(&mut self) {
        let mut seen = HashSet::new();
        let mut kept = Vec::new();
        for change in std::mem::take(&mut self.changes).into_iter().rev() {
            if let Change::MoveRules(_) = change {
                // Before a move, a rule's key may name another rule.
                seen.retain(|subject| !matches!(subject, Subject::Alert(..)));
                kept.push(change);
            } else if let Some(subject) = Subject::of(&change) {
                if seen.insert(subject) {
                    kept.push(change);
                }
            } else if !matches!(change, Change::Heartbeat(_)) {
                self.dropped += 1;
            }
        }
        kept.reverse();
        self.changes = kept;
    }
}

/// What a change is about.
#[derive(PartialEq, Eq, Hash)]
enum Subject {
    Alert(RuleKey, Fingerprint, bool),
    Group(GroupId),
    Lane(LaneKey),
    Entry(EntryId),
    Silence(SilenceId),
}

impl Subject {
    /// `None` for history, and for a move, which is about many.
    fn of(change: &Change) -> Option<Self> {
        Some(match change {
            Change::PutAlert(alert) => {
                let instance = &alert.instance;
                let resolved = instance.resolved_at.is_some();
                Self::Alert(alert.rule.clone(), instance.fingerprint(), resolved)
            }
            Change::DeleteAlert { rule, fingerprint, resolved } => {
                Self::Alert(rule.clone(), *fingerprint, *resolved)
            }
            Change::PutGroup(group) => Self::Group(group.id.clone()),
            Change::DeleteGroup(id) => Self::Group(id.clone()),
            Change::PutLane(lane) => Self::Lane(lane.key.clone()),
            Change::DeleteLane(key) => Self::Lane(key.clone()),
            Change::PutEntry(entry) => Self::Entry(entry.id),
            Change::DeleteEntry(id) => Self::Entry(*id),
            Change::PutSilence(silence) => Self::Silence(silence.id),
            Change::DeleteSilence(id) => Self::Silence(*id),
            Change::MoveRules(_)
            | Change::AddTransition { .. }
            | Change::PutKnown(_)
            | Change::AddDecision(_)
            | Change::AddAttempt(_)
            | Change::AddStart(_)
            | Change::Collect(_)
            | Change::Heartbeat(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn rule(nth: u32) -> RuleKey {
        RuleKey::new("f", "g", "R", nth)
    }

    fn delete(nth: u32) -> Change {
        Change::DeleteAlert { rule: rule(nth), fingerprint: Fingerprint(7), resolved: false }
    }

    #[test]
    fn a_long_outage_of_the_store_does_not_fill_the_memory() {
        let mut backlog = Backlog::new(Vec::new());
        for second in 0..500_000_i64 {
            let id = EntryId(u64::try_from(second % 10).unwrap());
            let at = Timestamp::from_secs(second);
            backlog.add(vec![Change::DeleteEntry(id), Change::Heartbeat(at)]);
        }
        assert!(backlog.len() <= MAX_CHANGES, "{}", backlog.len());
        backlog.condense();
        assert_eq!(backlog.len(), 10, "the last change of each");
    }

    #[test]
    fn what_comes_before_a_move_of_rules_is_not_taken_for_what_comes_after() {
        let moved = Change::MoveRules(vec![(rule(0), rule(1))]);
        let changes = vec![delete(0), delete(0), moved.clone(), delete(0), delete(1)];
        let mut backlog = Backlog::new(changes);
        backlog.condense();
        assert_eq!(*backlog.offer(), [delete(0), moved, delete(0), delete(1)]);
    }

    #[test]
    fn what_was_offered_stays_in_front_until_it_is_committed() {
        let mut backlog = Backlog::new(vec![delete(0)]);
        let offered = backlog.offer();
        backlog.add(vec![delete(1)]);
        assert_eq!((offered.len(), backlog.len()), (1, 2));
        backlog.refused();
        assert_eq!(*backlog.offer(), [delete(0), delete(1)], "refused, so offered again");
        backlog.add(vec![delete(2)]);
        backlog.committed();
        assert_eq!(*backlog.offer(), [delete(2)]);
    }

    #[test]
    fn dropped_history_is_counted() {
        let decision = || {
            Change::AddDecision(crate::storage::Decision {
                at: Timestamp::from_secs(1),
                fingerprint: Fingerprint(7),
                group: GroupId::new(crate::model::GroupKey("k".into()), "r"),
                integration: None,
                reason: "grouped".into(),
                detail: Arc::default(),
            })
        };
        let mut backlog = Backlog::new(vec![decision(), delete(0), decision()]);
        backlog.condense();
        assert_eq!(*backlog.offer(), [delete(0)]);
        assert_eq!((backlog.committed(), backlog.committed()), (2, 0), "said once");
    }
}
