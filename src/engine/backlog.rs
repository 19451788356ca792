//! Changes that are not committed yet.

use crate::storage::Change;

/// How many changes may wait for a store that fails. What counts for delivery is bounded by the
/// number of alerts and groups; history is dropped when the store has been away for too long.
const MAX_CHANGES: usize = 200_000;

/// Changes in order, kept until a commit succeeds.
#[derive(Default)]
pub(super) struct Backlog {
    changes: Vec<Change>,
}

impl Backlog {
    pub(super) fn new(changes: Vec<Change>) -> Self {
        Self { changes }
    }

    pub(super) fn add(&mut self, changes: Vec<Change>) {
        self.changes.extend(changes);
        if self.changes.len() > MAX_CHANGES {
            self.changes.retain(|change| !is_history(change));
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
    }
}

fn is_history(change: &Change) -> bool {
    matches!(
        change,
        Change::AddTransition { .. }
            | Change::AddDecision(_)
            | Change::AddAttempt(_)
            | Change::Heartbeat(_)
    )
}
