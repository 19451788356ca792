//! A group with its route, its lanes and what was last decided about its alerts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::engine::dispatcher::hold::Held;
use crate::engine::dispatcher::record::Quiet;
use crate::model::{Alert, Fingerprint, IntegrationId, Monotonic, Now, Timestamp};
use crate::outbox::{EntryId, Lane, LaneKey};
use crate::routing::{AggregationGroup, Route};
use crate::storage::{Change, GroupId, StoredGroup, StoredLane};

/// How long a resolved alert is kept for a receiver that refuses to hear of it, as long as
/// Alertmanager keeps its notification log.
const GIVE_UP_AFTER: Duration = Duration::from_secs(120 * 3600);

/// One integration's lane with its place in time.
pub(super) struct GroupLane {
    pub(super) id: IntegrationId,
    pub(super) send_resolved: bool,
    pub(super) lane: Lane,
    /// The alerts of which nothing is said, and why, as far as that has been recorded.
    pub(super) noted: BTreeMap<Fingerprint, Quiet>,
    /// When the last notification was decided, for the repeat interval.
    pub(super) told_at: Monotonic,
    /// The timer of the next attempt, as it stands in the timers.
    pub(super) attempt_at: Option<Monotonic>,
    /// An entry that was refused for good and stays stored until the next flush, since no other
    /// place keeps the words of what it ends.
    pub(super) refused: Option<EntryId>,
    /// The stamp that this timer was made of.
    pub(super) attempt_due: Option<Timestamp>,
}

impl GroupLane {
    /// A lane of which nothing is due yet.
    pub(super) fn new(id: IntegrationId, send_resolved: bool, lane: Lane, now: Now) -> Self {
        let told_at = lane.enqueued.as_ref().map_or(now.mono, |told| now.past(told.at));
        let known = lane.enqueued.iter().flat_map(|told| &told.firing);
        let noted = known.map(|fingerprint| (*fingerprint, Quiet::Known)).collect();
        let (attempt_at, attempt_due, refused) = (None, None, None);
        Self { id, send_resolved, lane, noted, told_at, attempt_at, attempt_due, refused }
    }

    /// Whether the receiver takes an alert to fire, or is about to.
    pub(super) fn believes(&self, fingerprint: Fingerprint) -> bool {
        let told = [&self.lane.enqueued, &self.lane.delivered];
        told.into_iter().flatten().any(|told| told.firing.contains(&fingerprint))
            || self.lane.entries().any(|entry| entry.untold.contains(&fingerprint))
            || self.lane.unlearned.contains(&fingerprint)
    }

    /// Whether the receiver was told of an alert, or is about to be.
    pub(super) fn knew(&self, fingerprint: Fingerprint) -> bool {
        let told = [&self.lane.enqueued, &self.lane.delivered];
        told.into_iter()
            .flatten()
            .any(|told| told.firing.contains(&fingerprint) || told.resolved.contains(&fingerprint))
    }

    /// Whether the lane may still need a resolved alert's words.
    fn needs(&self, fingerprint: Fingerprint) -> bool {
        let told = |told: &crate::outbox::Told| told.firing.contains(&fingerprint);
        let ends = self.lane.delivered.as_ref().is_some_and(told)
            || self.lane.unlearned.contains(&fingerprint);
        !self.lane.is_idle() || (self.send_resolved && ends)
    }

    /// Whether the lane still has something to say when its group is empty.
    fn owes(&self) -> bool {
        let ends = self.lane.announced() || !self.lane.unlearned.is_empty();
        !self.lane.is_idle() || (self.send_resolved && ends)
    }

    fn key(&self, group: &AggregationGroup) -> LaneKey {
        LaneKey { group_key: group.key.clone(), integration: self.id.clone() }
    }

    /// The lane's log, to be stored.
    pub(super) fn stored(&self, group: &AggregationGroup) -> Change {
        Change::put_lane(StoredLane {
            key: self.key(group),
            enqueued: self.lane.enqueued.clone(),
            delivered: self.lane.delivered.clone(),
            receiver_state: self.lane.receiver_state.clone(),
            unlearned: self.lane.unlearned.clone(),
        })
    }
}

/// A group of alerts and everyone who is told of it.
pub(super) struct Group {
    id: GroupId,
    pub(super) core: AggregationGroup,
    /// The route, kept also when a reload has removed it from the tree.
    pub(super) route: Arc<Route>,
    /// Whether the configuration no longer has this group: its firing alerts are resolved under
    /// it and it ends.
    pub(super) orphan: bool,
    pub(super) lanes: Vec<GroupLane>,
    /// Which alerts are held back, and why.
    pub(super) held: BTreeMap<Fingerprint, Held>,
    /// Alerts that a reload has taken out of the group: they end here because their route changed.
    pub(super) left: BTreeSet<Fingerprint>,
    /// What is said of alerts that join before the flush at this time.
    pub(super) joining: Option<(Timestamp, Arc<str>)>,
    /// The timer of the next flush, as it stands in the timers.
    pub(super) flush_at: Option<Monotonic>,
}

impl Group {
    pub(super) fn new(id: GroupId, core: AggregationGroup, route: Arc<Route>) -> Self {
        Self {
            id,
            core,
            route,
            orphan: false,
            lanes: Vec::new(),
            held: BTreeMap::new(),
            left: BTreeSet::new(),
            joining: None,
            flush_at: None,
        }
    }

    pub(super) fn id(&self) -> GroupId {
        self.id.clone()
    }

    pub(super) fn lanes(&self) -> impl Iterator<Item = &GroupLane> {
        self.lanes.iter()
    }

    pub(super) fn lane_mut(&mut self, id: &IntegrationId) -> Option<&mut GroupLane> {
        self.lanes.iter_mut().find(|lane| lane.id == *id)
    }

    /// The group and its next flush, to be stored.
    pub(super) fn stored(&self, now: Now) -> Change {
        Change::PutGroup(StoredGroup {
            id: self.id(),
            labels: self.core.labels.clone(),
            next_flush: now.wall_of(self.core.next_flush),
            has_flushed: self.core.has_flushed,
        })
    }

    /// Takes out the resolved alerts that no lane needs any more. Returns for each whether anybody
    /// was told of it.
    pub(super) fn settle(
        &mut self,
        now: Now,
        changes: &mut Vec<Change>,
    ) -> BTreeMap<Fingerprint, bool> {
        let given_up =
            |alert: &Alert| alert.ends_at.is_some_and(|end| now.wall.since(end) > GIVE_UP_AFTER);
        let settled: BTreeSet<Fingerprint> = self
            .core
            .alerts
            .iter()
            .filter(|(fp, alert)| {
                alert.is_resolved()
                    && (given_up(alert) || !self.lanes.iter().any(|lane| lane.needs(**fp)))
            })
            .map(|(fp, _)| *fp)
            .collect();
        // Before it is forgotten.
        let knew = |fp: &Fingerprint| self.lanes.iter().any(|lane| lane.knew(*fp));
        let gone = settled.iter().map(|fp| (*fp, knew(fp))).collect();
        self.core.remove_resolved(&settled);
        for lane in &mut self.lanes {
            // One that is not told of ends takes the next firing as new, whoever else still waits.
            let over = |alert: &Arc<Alert>| alert.is_resolved() && !lane.send_resolved;
            let gone = |fp: &Fingerprint| self.core.alerts.get(fp).is_none_or(over);
            if lane.lane.forget(gone) {
                changes.push(lane.stored(&self.core));
            }
            lane.noted.retain(|fp, _| self.core.alerts.contains_key(fp));
        }
        self.held.retain(|fp, _| self.core.alerts.contains_key(fp));
        self.left.retain(|fp| self.core.alerts.contains_key(fp));
        gone
    }

    /// Whether the group is empty and nobody waits for anything about it.
    pub(super) fn is_over(&self) -> bool {
        self.core.is_empty() && !self.lanes.iter().any(GroupLane::owes)
    }

    /// The removal of the group and its lanes from the store.
    pub(super) fn deleted(&self) -> impl Iterator<Item = Change> + '_ {
        let lanes = self.lanes.iter().flat_map(|lane| {
            let refused = lane.refused.map(Change::DeleteEntry);
            refused.into_iter().chain([Change::DeleteLane(lane.key(&self.core))])
        });
        lanes.chain([Change::DeleteGroup(self.id())])
    }
}
