//! What is due when.

use std::collections::BTreeSet;

use crate::model::{IntegrationId, Monotonic};
use crate::storage::GroupId;

/// The due times of flushes and attempts, on the monotonic clock. Whoever moves a timer names its
/// former time, so that no stale one is left.
#[derive(Default)]
pub(super) struct Timers {
    flushes: BTreeSet<(Monotonic, GroupId)>,
    attempts: BTreeSet<(Monotonic, GroupId, IntegrationId)>,
}

impl Timers {
    pub(super) fn next(&self, with_attempts: bool) -> Option<Monotonic> {
        let flush = self.flushes.first().map(|(at, _)| *at);
        let attempt = self.attempts.first().map(|(at, ..)| *at).filter(|_| with_attempts);
        [flush, attempt].into_iter().flatten().min()
    }

    pub(super) fn set_flush(
        &mut self,
        id: &GroupId,
        former: &mut Option<Monotonic>,
        at: Option<Monotonic>,
    ) {
        if *former == at {
            return;
        }
        if let Some(former) = *former {
            self.flushes.remove(&(former, id.clone()));
        }
        if let Some(at) = at {
            self.flushes.insert((at, id.clone()));
        }
        *former = at;
    }

    pub(super) fn set_attempt(
        &mut self,
        id: &GroupId,
        integration: &IntegrationId,
        former: &mut Option<Monotonic>,
        at: Option<Monotonic>,
    ) {
        if *former == at {
            return;
        }
        if let Some(former) = *former {
            self.attempts.remove(&(former, id.clone(), integration.clone()));
        }
        if let Some(at) = at {
            self.attempts.insert((at, id.clone(), integration.clone()));
        }
        *former = at;
    }

    /// The groups that are due, earliest first.
    pub(super) fn due_flushes(&self, now: Monotonic) -> Vec<GroupId> {
        self.flushes.iter().take_while(|(at, _)| *at <= now).map(|(_, id)| id.clone()).collect()
    }

    /// The lanes whose attempt is due, earliest first, at most `limit`.
    pub(super) fn due_attempts(
        &self,
        now: Monotonic,
        limit: usize,
    ) -> Vec<(GroupId, IntegrationId)> {
        let due = self.attempts.iter().take_while(|(at, ..)| *at <= now).take(limit);
        due.map(|(_, id, integration)| (id.clone(), integration.clone())).collect()
    }
}
