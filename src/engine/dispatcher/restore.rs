//! A start: alerts, groups and lanes come back from the store.
//!
//! The store keeps alerts by rule, groups without their alerts, and what each lane has told. An
//! alert belongs to the groups that today's routes give it, and to those where somebody believes
//! that it fires. A group of which the routes know no more ends.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::alerting::AlertState;
use crate::engine::RoutingSetup;
use crate::engine::dispatcher::Dispatcher;
use crate::engine::dispatcher::group::{Group, GroupLane};
use crate::engine::dispatcher::reconcile::{RoutesByName, route_key};
use crate::engine::dispatcher::record::{Before, joined};
use crate::model::{Alert, Fingerprint, Monotonic, Now};
use crate::outbox::{Lane, LaneKey, OutboxEntry, Told};
use crate::routing::{AggregationGroup, Route};
use crate::storage::{
    Change, GroupId, KnownAlert, Snapshot, Start, StoredAlert, StoredGroup, StoredLane,
};

/// Groups by alert.
pub(super) type GroupsOf = HashMap<Fingerprint, SmallVec<[GroupId; 1]>>;
/// The groups in which somebody has been told of an alert, or is about to be.
type ToldIn = GroupsOf;

impl Dispatcher {
    /// A dispatcher that goes on from what is stored. Whatever was in flight is due again.
    pub fn load(setup: Arc<RoutingSetup>, snapshot: Snapshot, now: Now) -> (Self, Vec<Change>) {
        let mut dispatcher = Self::new(setup);
        dispatcher.last_entry = snapshot.last_entry;
        dispatcher.silences = snapshot.silences.into_iter().collect();
        let last_alive = snapshot.heartbeat;
        let mut changes = vec![Change::AddStart(Start { at: now.wall, last_alive })];
        let routes = dispatcher.routes_by_name();
        for stored in snapshot.groups {
            let group = restored_group(&dispatcher.setup, &routes, stored, now);
            dispatcher.groups.insert(group.id(), group);
        }
        let told_in = told_in(&snapshot.lanes, &snapshot.entries);
        let mut former = Vec::new();
        for alert in snapshot.alerts {
            former.extend(dispatcher.restore_alert(alert, now, &mut changes));
        }
        let mut routes_say = dispatcher.restore_members(&told_in, now);
        for alert in former {
            // It may stand in the place of another that has these labels now.
            routes_say.remove(&alert.fingerprint());
            dispatcher.put_where_told(&Arc::new(alert), &told_in, now);
        }
        dispatcher.restore_lanes(snapshot.lanes, snapshot.entries, now, &mut changes);
        let restored: BTreeSet<GroupId> = dispatcher.groups.keys().cloned().collect();
        let mut routed = Vec::new();
        dispatcher.reconcile(&routes_say, now, &mut routed);
        dispatcher.forget_settled(&mut routed);
        dispatcher.record_renamed(&restored, now, &mut changes);
        // That an alert is in a group that was there before is no new decision.
        changes.extend(routed.into_iter().filter(|change| match change {
            Change::AddDecision(d) => {
                !matches!(&*d.reason, "grouped" | "no_integrations") || !restored.contains(&d.group)
            }
            _ => true,
        }));
        (dispatcher, changes)
    }

    /// Puts off until `looked` what is to be repeated and came due while nothing ran: an alert of
    /// which the rules have not been asked yet may be over. News is not put off.
    pub fn wait_for_rules(&mut self, looked: Monotonic) {
        for group in self.groups.values_mut() {
            let told_at = looked - group.route.repeat_interval;
            for lane in &mut group.lanes {
                lane.told_at = lane.told_at.max(told_at);
            }
        }
    }

    /// Records that alerts which have other labels than before are in groups that were there before:
    /// each is another alert.
    fn record_renamed(
        &mut self,
        restored: &BTreeSet<GroupId>,
        now: Now,
        changes: &mut Vec<Change>,
    ) {
        let renamed = changes.iter().filter_map(|change| match change {
            Change::PutKnown(known) => Some(known.labels.fingerprint()),
            _ => None,
        });
        let renamed: BTreeSet<Fingerprint> = renamed.collect();
        for fingerprint in renamed {
            let groups = self.alerts.get(&fingerprint).map_or(&[][..], |routed| &routed.groups);
            let groups = groups.iter().filter(|id| restored.contains(id));
            for id in groups {
                let Some(group) = self.groups.get_mut(id) else { continue };
                changes.push(Change::AddDecision(joined(fingerprint, group, now)));
            }
        }
    }

    /// Puts a stored alert back, with today's external labels where it fires. Returns the alert
    /// as it was known before, where the labels have changed.
    fn restore_alert(
        &mut self,
        stored: StoredAlert,
        now: Now,
        changes: &mut Vec<Change>,
    ) -> Option<Alert> {
        let StoredAlert { rule, instance, generator_url, routed } = stored;
        let labels = self.setup.routed_labels(&instance.labels);
        if labels != routed && instance.is_active() {
            let instance = instance.fingerprint();
            changes.push(Change::PutKnown(KnownAlert { labels, instance, seen_at: now.wall }));
        }
        if instance.state == AlertState::Pending {
            return None;
        }
        let mut alert = self.alert(&instance, &generator_url);
        let mut former = None;
        if alert.labels != routed {
            let before = Alert { labels: routed, ..alert.clone() };
            if alert.is_resolved() {
                alert = before;
            } else {
                former = Some(before);
            }
        }
        let merged = self.add_source(rule, instance.labels, Arc::new(alert));
        self.inhibitor.set(&merged);
        former
    }

    /// Puts the alerts into the stored groups. A resolved one belongs only where its end may still
    /// have to be told. Gives the groups that today's routes give each alert: to find them is the most
    /// that a start has to do for it.
    fn restore_members(&mut self, told_in: &ToldIn, now: Now) -> GroupsOf {
        let setup = Arc::clone(&self.setup);
        let mut routes_say = GroupsOf::with_capacity(self.alerts.len());
        for (fingerprint, routed) in &mut self.alerts {
            let today = self.ids.of_labels(&setup.tree, &routed.merged.labels);
            let mut ids: SmallVec<[GroupId; 1]> = today.iter().cloned().collect();
            routes_say.insert(*fingerprint, today.into());
            if routed.merged.is_resolved() {
                ids.retain(|id| {
                    self.groups.get(id).is_some_and(|g| unseen(g, &routed.merged, now))
                });
            }
            ids.extend(told_in.get(fingerprint).into_iter().flatten().cloned());
            ids.sort_unstable();
            ids.dedup();
            for id in ids {
                if let Some(group) = self.groups.get_mut(&id) {
                    let route = Arc::clone(&group.route);
                    group.core.insert(&route, Arc::clone(&routed.merged), now);
                    routed.groups.push(id);
                }
            }
        }
        routes_say
    }

    /// Puts an alert of former labels where somebody was told of it.
    fn put_where_told(&mut self, alert: &Arc<Alert>, told_in: &ToldIn, now: Now) {
        for id in told_in.get(&alert.fingerprint()).into_iter().flatten() {
            if let Some(group) = self.groups.get_mut(id) {
                let route = Arc::clone(&group.route);
                group.core.insert(&route, Arc::clone(alert), now);
            }
        }
    }

    fn restore_lanes(
        &mut self,
        lanes: Vec<StoredLane>,
        entries: Vec<OutboxEntry>,
        now: Now,
        changes: &mut Vec<Change>,
    ) {
        let mut by_lane: BTreeMap<LaneKey, Vec<OutboxEntry>> = BTreeMap::new();
        for entry in entries {
            by_lane.entry(entry.lane()).or_default().push(entry);
        }
        for stored in lanes {
            let entries = by_lane.remove(&stored.key).unwrap_or_default();
            let id = GroupId::of_lane(&stored.key);
            let Some(group) = self.groups.get_mut(&id) else {
                changes.push(Change::DeleteLane(stored.key));
                changes.extend(entries.iter().map(|entry| Change::DeleteEntry(entry.id)));
                continue;
            };
            restore_words(group, &entries, now);
            let before = Before::of(&entries);
            let (mut lane, removed) = Lane::restored(
                stored.enqueued,
                stored.delivered,
                stored.receiver_state,
                entries,
                &group.core.alerts,
            );
            lane.unlearned.extend(stored.unlearned);
            changes.extend(before.record(&removed, &lane, &id, &stored.key.integration, now));
            changes.extend(removed.into_iter().map(Change::DeleteEntry));
            changes.extend(lane.entries().cloned().map(Change::put_entry));
            group.lanes.push(GroupLane::new(stored.key.integration, true, lane, now));
        }
        let orphaned = by_lane.into_values().flatten();
        changes.extend(orphaned.map(|entry| Change::DeleteEntry(entry.id)));
    }

    /// Drops the resolved alerts that no group waits for.
    fn forget_settled(&mut self, changes: &mut Vec<Change>) {
        let settled = self.alerts.iter().filter(|(_, r)| r.merged.is_resolved());
        let settled: Vec<Fingerprint> =
            settled.filter(|(_, r)| r.groups.is_empty()).map(|(fp, _)| *fp).collect();
        for fingerprint in settled {
            self.forget(fingerprint, changes);
        }
    }
}

fn told_in(lanes: &[StoredLane], entries: &[OutboxEntry]) -> ToldIn {
    let mut told_in = ToldIn::new();
    let mut add = |fingerprint: Fingerprint, group: &GroupId| {
        let groups = told_in.entry(fingerprint).or_default();
        if !groups.contains(group) {
            groups.push(group.clone());
        }
    };
    for lane in lanes {
        let group = GroupId::of_lane(&lane.key);
        let told = [&lane.enqueued, &lane.delivered].into_iter().flatten();
        told.flat_map(|told: &Told| &told.firing).for_each(|fp| add(*fp, &group));
        lane.unlearned.iter().for_each(|fp| add(*fp, &group));
    }
    for entry in entries {
        let group = GroupId::of_lane(&entry.lane());
        let named = entry.notification.alerts.iter().map(|named| named.alert.fingerprint());
        named.for_each(|fingerprint| add(fingerprint, &group));
    }
    told_in
}

/// Whether a group has not been flushed since an alert was resolved, so that nobody has looked at
/// its end yet.
fn unseen(group: &Group, alert: &Alert, now: Now) -> bool {
    let last_flush = group.core.next_flush - group.route.group_interval;
    !group.core.has_flushed || alert.ends_at.is_some_and(|end| now.past(end) > last_flush)
}

/// Alerts of which only a message still knows: they left the group and are told as over.
fn restore_words(group: &mut Group, entries: &[OutboxEntry], now: Now) {
    for named in entries.iter().flat_map(|entry| &entry.notification.alerts) {
        let fingerprint = named.alert.fingerprint();
        group.core.alerts.entry(fingerprint).or_insert_with(|| {
            let mut alert = Alert::clone(&named.alert);
            alert.ends_at.get_or_insert(now.wall.max(alert.starts_at));
            Arc::new(alert)
        });
    }
}

fn restored_group(
    setup: &RoutingSetup,
    routes: &RoutesByName,
    stored: StoredGroup,
    now: Now,
) -> Group {
    let key = (route_key(&stored.id, &stored.labels), stored.id.receiver.clone());
    let route = routes.get(&key).map_or_else(
        || {
            // The route is gone. The root's timing serves to end the group.
            let root = setup.tree.root().clone();
            Arc::new(Route { receiver: stored.id.receiver.to_string(), ..root })
        },
        Arc::clone,
    );
    let core = AggregationGroup::restored(
        &route,
        stored.id.key.clone(),
        stored.labels,
        stored.next_flush,
        stored.has_flushed,
        now,
    );
    Group::new(stored.id, core, route)
}
