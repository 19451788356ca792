//! The state machine from a firing alert to the notifications that are owed.
//!
//! Events move it: observations of rules, silences, the time, and outcomes of deliveries. Each returns the [`Change`]s that have to be committed before anything else follows.

mod deliver;
mod flush;
mod group;
mod hold;
mod keys;
mod observe;
mod reconcile;
mod record;
mod restore;
mod setup;
mod silence;
#[cfg(test)]
pub(super) mod tests;
mod timers;
mod whereabouts;

pub use deliver::DeliveryTicket;
pub use observe::Observation;
pub use setup::RoutingSetup;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::model::{Alert, Fingerprint, LabelSet, Monotonic, Now, RuleKey};
use crate::outbox::EntryId;
use crate::routing::{Inhibitor, Route, Silences};
use crate::storage::{Change, GroupId};

use group::Group;
use keys::GroupIds;
use timers::Timers;

/// An alert on its way through routing. Two rules may produce the same labels: such an alert is
/// one, and fires while either fires. Nearly every alert has one source and one group.
struct Routed {
    /// What each rule says of it.
    sources: SmallVec<[Source; 1]>,
    /// The sources as one: the earliest start, the newest annotations.
    merged: Arc<Alert>,
    /// The groups that hold it.
    groups: SmallVec<[GroupId; 2]>,
}

/// What one rule says of an alert.
struct Source {
    rule: RuleKey,
    /// The identity within the rule, before external labels.
    instance: LabelSet,
    alert: Arc<Alert>,
}

/// How much there is of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Alerts that fire and of which someone is told.
    pub firing: usize,
    /// Alerts that fire and are held back.
    pub suppressed: usize,
    /// Deliveries that wait or are in flight.
    pub undelivered: usize,
    /// For how long the oldest of them has been waiting.
    pub oldest: std::time::Duration,
}

/// Alerts, groups and lanes. See the module's documentation.
pub struct Dispatcher {
    setup: Arc<RoutingSetup>,
    /// The routes of the setup by their ids, shared by all of their groups.
    routes: Vec<Arc<Route>>,
    inhibitor: Inhibitor,
    silences: Silences,
    /// Boxed: a table that grows is in memory twice, and a storm fills it to its rim.
    alerts: HashMap<Fingerprint, Box<Routed>>,
    groups: BTreeMap<GroupId, Group>,
    ids: GroupIds,
    timers: Timers,
    last_entry: u64,
}

impl Dispatcher {
    /// A dispatcher that knows of no alert.
    pub fn new(setup: Arc<RoutingSetup>) -> Self {
        let inhibitor = Inhibitor::new(setup.inhibit_rules.clone());
        Self {
            routes: routes(&setup),
            setup,
            inhibitor,
            silences: Silences::default(),
            alerts: HashMap::new(),
            groups: BTreeMap::new(),
            ids: GroupIds::default(),
            timers: Timers::default(),
            last_entry: 0,
        }
    }

    /// When something is due next: a flush, or an attempt where those count.
    pub fn next_deadline(&self, with_attempts: bool) -> Option<Monotonic> {
        self.timers.next(with_attempts)
    }

    /// How much there is of everything. Looks at every alert and lane.
    pub fn counts(&self, now: Now) -> Counts {
        let mut counts = Counts::default();
        let any_held = self.groups.values().any(|group| !group.held.is_empty());
        for (fingerprint, routed) in &self.alerts {
            if !routed.merged.is_resolved() {
                let held = |id: &GroupId| {
                    let group = self.groups.get(id).filter(|_| any_held);
                    group.is_some_and(|group| group.held.contains_key(fingerprint))
                };
                // Held back everywhere: nobody is told.
                if !routed.groups.is_empty() && routed.groups.iter().all(held) {
                    counts.suppressed += 1;
                } else {
                    counts.firing += 1;
                }
            }
        }
        for entry in self.groups.values().flat_map(Group::lanes).flat_map(|l| l.lane.entries()) {
            counts.undelivered += 1;
            let age = now.wall.since(entry.notification.created_at);
            counts.oldest = counts.oldest.max(age);
        }
        counts
    }

    /// Flushes every group that is due.
    pub fn on_time(&mut self, now: Now) -> Vec<Change> {
        let mut changes = Vec::new();
        self.flush_due(now, usize::MAX, &mut changes);
        changes
    }

    /// Flushes groups that are due, the earliest first, until there are so many changes. What is
    /// left is still due.
    pub fn flush_due(&mut self, now: Now, enough: usize, changes: &mut Vec<Change>) {
        for id in self.timers.due_flushes(now.mono) {
            if changes.len() >= enough {
                return;
            }
            self.flush(&id, now, changes);
        }
    }

    fn next_entry(&mut self) -> EntryId {
        self.last_entry += 1;
        EntryId(self.last_entry)
    }
}

/// The routes of a setup, at the places that their ids name.
fn routes(setup: &RoutingSetup) -> Vec<Arc<Route>> {
    setup.tree.routes().cloned().map(Arc::new).collect()
}
