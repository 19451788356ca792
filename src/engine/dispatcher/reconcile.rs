//! A start and a reload: the groups are brought in line with the routes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::alerting::AlertState;
use crate::engine::RoutingSetup;
use crate::engine::dispatcher::Dispatcher;
use crate::engine::dispatcher::group::{Group, GroupLane};
use crate::model::{Alert, LabelSet, Now, RuleKey};
use crate::outbox::{Lane, LaneKey, OutboxEntry};
use crate::routing::{AggregationGroup, Inhibitor, Route};
use crate::storage::{Change, Decision, GroupId, Snapshot, StoredAlert, StoredGroup, StoredLane};

impl Dispatcher {
    /// A dispatcher that goes on from what is stored. Whatever was in flight is due again.
    pub fn load(setup: Arc<RoutingSetup>, snapshot: Snapshot, now: Now) -> (Self, Vec<Change>) {
        let mut dispatcher = Self::new(setup);
        dispatcher.last_entry = snapshot.last_entry;
        let mut changes = Vec::new();
        let routes = dispatcher.routes();
        for stored in snapshot.groups {
            let group = restored_group(&dispatcher.setup, &routes, stored, now);
            dispatcher.groups.insert(group.id(), group);
        }
        for alert in snapshot.alerts {
            dispatcher.restore_alert(alert, now);
        }
        dispatcher.restore_lanes(snapshot.lanes, snapshot.entries, now, &mut changes);
        let restored: BTreeSet<GroupId> = dispatcher.groups.keys().cloned().collect();
        let mut routed = Vec::new();
        dispatcher.reconcile(now, &mut routed);
        // That an alert is in a group that was there before is no new decision.
        changes.extend(routed.into_iter().filter(|change| match change {
            Change::AddDecision(d) => d.reason != "grouped" || !restored.contains(&d.group),
            _ => true,
        }));
        (dispatcher, changes)
    }

    /// Takes a new configuration. What fired under a group that is no more is resolved under it
    /// (`route_changed`) and announced under the new one.
    pub fn reload(&mut self, setup: Arc<RoutingSetup>, now: Now) -> Vec<Change> {
        let mut changes = Vec::new();
        self.inhibitor = Inhibitor::new(setup.inhibit_rules.clone());
        self.setup = setup;
        for routed in self.alerts.values() {
            self.inhibitor.set(&routed.merged);
        }
        self.reconcile(now, &mut changes);
        changes
    }

    /// Tells that rules kept their alerts under new keys, from old to new, all at once.
    pub fn rules_moved(&mut self, moved: Vec<(RuleKey, RuleKey)>) -> Vec<Change> {
        if moved.is_empty() {
            return Vec::new();
        }
        let to: HashMap<&RuleKey, &RuleKey> = moved.iter().map(|(old, new)| (old, new)).collect();
        for source in self.alerts.values_mut().flat_map(|routed| &mut routed.sources) {
            if let Some(new) = to.get(&source.rule) {
                source.rule = (*new).clone();
            }
        }
        vec![Change::MoveRules(moved)]
    }

    /// The routes by what of them makes a group's identity.
    fn routes(&self) -> HashMap<(String, String), Arc<Route>> {
        let routes = self.setup.tree.routes();
        routes.map(|r| ((r.key.clone(), r.receiver.clone()), Arc::new(r.clone()))).collect()
    }

    /// Puts a stored alert back. Its groups are those of the labels that it was routed by; where
    /// the external labels have changed since, it leaves them like one whose route changed.
    fn restore_alert(&mut self, stored: StoredAlert, now: Now) {
        let instance = stored.instance;
        if instance.state == AlertState::Pending {
            return;
        }
        let instance_id = instance.fingerprint();
        let alert = self.alert(&instance, &stored.generator_url);
        if alert.labels != stored.routed {
            let former = Alert { labels: stored.routed, ..alert.clone() };
            self.put_in_stored_groups(&Arc::new(former), now);
        }
        let alert = Arc::new(alert);
        let groups = self.put_in_stored_groups(&alert, now);
        let merged = self.add_source(stored.rule, instance_id, alert);
        self.inhibitor.set(&merged);
        if let Some(routed) = self.alerts.get_mut(&merged.fingerprint()) {
            routed.groups = groups;
        }
    }

    /// Puts an alert into those stored groups that today's routes give it.
    fn put_in_stored_groups(&mut self, alert: &Arc<Alert>, now: Now) -> Vec<GroupId> {
        let setup = Arc::clone(&self.setup);
        let mut held = Vec::new();
        for id in group_ids(&setup, &alert.labels) {
            if let Some(group) = self.groups.get_mut(&id) {
                let route = Arc::clone(&group.route);
                group.core.insert(&route, Arc::clone(alert), now);
                held.push(id);
            }
        }
        held
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
            let receiver = stored.key.integration.receiver.clone();
            let id = GroupId { key: stored.key.group_key.clone(), receiver };
            let entries = by_lane.remove(&stored.key).unwrap_or_default();
            let Some(group) = self.groups.get_mut(&id) else {
                changes.push(Change::DeleteLane(stored.key));
                changes.extend(entries.iter().map(|e| Change::DeleteEntry(e.id)));
                continue;
            };
            // Alerts that this lane knows of under a route that no longer is.
            for fp in stored.enqueued.iter().flat_map(|told| &told.firing) {
                if let Some(routed) = self.alerts.get(fp) {
                    let alert = || Arc::clone(&routed.merged);
                    group.core.alerts.entry(*fp).or_insert_with(alert);
                }
            }
            let (lane, removed) = Lane::restored(
                stored.enqueued,
                stored.delivered,
                stored.receiver_state,
                entries,
                &group.core.alerts,
            );
            let told_at = lane.enqueued.as_ref().map_or(now.mono, |told| now.past(told.at));
            changes.extend(removed.into_iter().map(Change::DeleteEntry));
            changes.extend(lane.entries().cloned().map(Change::PutEntry));
            let send_resolved = true;
            let id = stored.key.integration;
            group.lanes.push(GroupLane { id, send_resolved, lane, told_at, attempt_at: None });
        }
        let orphaned = by_lane.into_values().flatten();
        changes.extend(orphaned.map(|entry| Change::DeleteEntry(entry.id)));
    }

    /// Brings groups, their routes, their lanes and their timers in line with the configuration.
    fn reconcile(&mut self, now: Now, changes: &mut Vec<Change>) {
        let routes = self.routes();
        let ids: Vec<GroupId> = self.groups.keys().cloned().collect();
        for id in &ids {
            self.reconcile_group(id, &routes, now, changes);
        }
        let firing: Vec<_> = self.alerts.iter().filter(|(_, r)| !r.merged.is_resolved()).collect();
        let firing: Vec<_> = firing.iter().map(|(fp, r)| (**fp, Arc::clone(&r.merged))).collect();
        for (fingerprint, alert) in firing {
            self.fire_in_groups(fingerprint, &alert, now, changes);
        }
        for id in &ids {
            self.close_if_over(id, now, changes);
        }
    }

    fn reconcile_group(
        &mut self,
        id: &GroupId,
        routes: &HashMap<(String, String), Arc<Route>>,
        now: Now,
        changes: &mut Vec<Change>,
    ) {
        let Some(mut group) = self.groups.remove(id) else { return };
        let route = routes.get(&(route_key(id, &group.core.labels), id.receiver.clone()));
        group.orphan = route.is_none();
        if let Some(route) = route {
            group.route = Arc::clone(route);
            group.core.route = route.id;
            let interval =
                if group.core.has_flushed { route.group_interval } else { route.group_wait };
            group.core.next_flush = group.core.next_flush.min(now.mono + interval);
        }
        self.drop_lost_lanes(&mut group, now, changes);
        self.renew_lanes(&mut group, now, changes);
        if self.let_go(&mut group, now) || group.orphan {
            group.core.next_flush = now.mono;
        }
        let mut lanes = std::mem::take(&mut group.lanes);
        for lane in &mut lanes {
            lane.lane.forget_unknown(&group.core.alerts);
            self.time_attempt(id, lane, now);
        }
        group.lanes = lanes;
        self.timers.set_flush(id, &mut group.flush_at, Some(group.core.next_flush));
        changes.push(group.stored(now));
        self.groups.insert(id.clone(), group);
    }

    /// Lets firing alerts go that no longer belong to the group: one that is known there is told
    /// as resolved, the others leave without a word. Whether any has to be told.
    fn let_go(&mut self, group: &mut Group, now: Now) -> bool {
        let id = group.id();
        let mut told = false;
        for (fingerprint, alert) in std::mem::take(&mut group.core.alerts) {
            let belongs = !group.orphan && group_ids(&self.setup, &alert.labels).contains(&id);
            let current = self.alerts.get(&fingerprint).map(|r| Arc::clone(&r.merged));
            if alert.is_resolved() || (belongs && current.is_some()) {
                group.core.alerts.insert(fingerprint, alert);
                continue;
            }
            if let Some(routed) = self.alerts.get_mut(&fingerprint) {
                routed.groups.retain(|held| *held != id);
            }
            if group.lanes().any(|lane| lane.knew(fingerprint)) {
                told = true;
                let ends_at = Some(now.wall.max(alert.starts_at));
                let ended = Alert { ends_at, ..Alert::clone(&alert) };
                group.core.alerts.insert(fingerprint, Arc::new(ended));
            }
        }
        told
    }

    /// Drops the lanes of integrations that the receiver no longer has: there is no address left
    /// to deliver to.
    fn drop_lost_lanes(&mut self, group: &mut Group, now: Now, changes: &mut Vec<Change>) {
        let id = group.id();
        let setup = Arc::clone(&self.setup);
        let known = setup.integrations(&group.core.receiver);
        let is_known = |lane: &GroupLane| known.iter().any(|(known, _)| *known == lane.id);
        let (kept, lost) = std::mem::take(&mut group.lanes).into_iter().partition(is_known);
        group.lanes = kept;
        let lost: Vec<GroupLane> = lost;
        for mut lane in lost {
            self.timers.set_attempt(&id, &lane.id, &mut lane.attempt_at, None);
            for entry in lane.lane.entries() {
                changes.push(Change::DeleteEntry(entry.id));
                changes.extend(entry.untold.iter().map(|fingerprint| {
                    Change::AddDecision(Decision {
                        at: now.wall,
                        fingerprint: *fingerprint,
                        group: id.clone(),
                        integration: Some(lane.id.clone()),
                        reason: "integration_removed".to_string(),
                        detail: String::new(),
                    })
                }));
            }
            let group_key = group.core.key.clone();
            changes.push(Change::DeleteLane(LaneKey { group_key, integration: lane.id.clone() }));
        }
    }
}

/// The groups that the configuration gives a label set.
fn group_ids(setup: &RoutingSetup, labels: &LabelSet) -> Vec<GroupId> {
    let groups = setup.tree.groups_of(labels).into_iter();
    groups
        .filter_map(|(route, key, _)| {
            let receiver = setup.tree.get(route)?.receiver.clone();
            Some(GroupId { key, receiver })
        })
        .collect()
}

/// The route's part of a group's key.
fn route_key(id: &GroupId, labels: &LabelSet) -> String {
    let suffix = format!(":{labels}");
    id.key.0.strip_suffix(&suffix).unwrap_or(&id.key.0).to_string()
}

fn restored_group(
    setup: &RoutingSetup,
    routes: &HashMap<(String, String), Arc<Route>>,
    stored: StoredGroup,
    now: Now,
) -> Group {
    let key = (route_key(&stored.id, &stored.labels), stored.id.receiver.clone());
    let route = routes.get(&key).map_or_else(
        || {
            // The route is gone. The root's timing serves to end the group.
            let root = setup.tree.root().clone();
            Arc::new(Route { receiver: stored.id.receiver.clone(), ..root })
        },
        Arc::clone,
    );
    let core = AggregationGroup::restored(
        &route,
        stored.id.key,
        stored.labels,
        stored.next_flush,
        stored.has_flushed,
        now,
    );
    Group::new(core, route)
}
