//! Changes that are not committed yet.

use std::collections::HashSet;

use crate::model::{Fingerprint, RuleKey, SilenceId};
use crate::outbox::{EntryId, LaneKey};
use crate::storage::{Change, GroupId};

/// How many changes may wait for a store that fails before history is dropped and of several
/// changes to one thing only the last is kept. What is left then is bounded by the number of
/// alerts, groups, messages and silences.
const MAX_CHANGES: usize = 200_000;

/// Changes in order, kept until a commit succeeds.
pub(super) struct Backlog {
    changes: Vec<Change>,
    /// Where they are condensed next: twice what was left the last time.
    limit: usize,
}

impl Backlog {
    pub(super) fn new(changes: Vec<Change>) -> Self {
        Self { changes, limit: MAX_CHANGES }
    }

    pub(super) fn add(&mut self, changes: Vec<Change>) {
        self.changes.extend(changes);
        if self.changes.len() > self.limit {
            self.condense();
            self.limit = MAX_CHANGES.max(self.changes.len().saturating_mul(2));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }

    pub(super) fn clear(&mut self) {
        self.changes.clear();
        self.limit = MAX_CHANGES;
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
            } else if let Some(subject) = Subject::of(&change)
                && seen.insert(subject)
            {
                kept.push(change);
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
            | Change::Heartbeat(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn rule(nth: u32) -> RuleKey {
        let [file, group, rule] = ["f", "g", "R"].map(str::to_string);
        RuleKey { file, group, rule, nth }
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
        assert!(backlog.changes().len() <= MAX_CHANGES, "{}", backlog.changes().len());
        backlog.condense();
        assert_eq!(backlog.changes().len(), 10, "the last change of each");
    }

    #[test]
    fn what_comes_before_a_move_of_rules_is_not_taken_for_what_comes_after() {
        let moved = Change::MoveRules(vec![(rule(0), rule(1))]);
        let changes = vec![delete(0), delete(0), moved.clone(), delete(0), delete(1)];
        let mut backlog = Backlog::new(changes);
        backlog.condense();
        assert_eq!(backlog.changes(), [delete(0), moved, delete(0), delete(1)]);
    }
}
