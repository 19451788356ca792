//! A reload, and the end of a start: the groups are brought in line with the routes.

use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::RoutingSetup;
use crate::engine::dispatcher::group::{Group, GroupLane};
use crate::engine::dispatcher::record::{decision, left, nobody};
use crate::engine::dispatcher::restore::GroupsOf;
use crate::engine::dispatcher::{Dispatcher, Routed, Source, routes};
use crate::model::{Alert, Fingerprint, LabelSet, Now, RuleKey};
use crate::outbox::LaneKey;
use crate::routing::{Inhibitor, Route};
use crate::storage::{Change, GroupId, KnownAlert};

/// The routes by the key and the receiver that name a group.
pub(super) type RoutesByName = HashMap<(String, Arc<str>), Arc<Route>>;

impl Dispatcher {
    /// Takes a new configuration. What fired under a group that is no more is resolved under it
    /// (`route_changed`) and announced under the new one.
    pub fn reload(&mut self, setup: Arc<RoutingSetup>, now: Now) -> Vec<Change> {
        let mut changes = Vec::new();
        self.inhibitor = Inhibitor::new(setup.inhibit_rules.clone());
        let relabel = self.setup.external_labels != setup.external_labels;
        self.routes = routes(&setup);
        self.ids.clear();
        self.setup = setup;
        if relabel {
            self.relabel(now, &mut changes);
        }
        for routed in self.alerts.values() {
            self.inhibitor.set(&routed.merged);
        }
        self.reconcile(&GroupsOf::new(), now, &mut changes);
        changes
    }

    /// Tells that the wall clock jumped by so many milliseconds, beyond what the monotonic clock
    /// measured. Timers run on; what is stored of them gets new stamps, so that a process which
    /// starts from it neither waits longer nor repeats sooner.
    pub fn clock_jumped(&mut self, by_millis: i64, now: Now) -> Vec<Change> {
        let mut changes = Vec::new();
        for (id, mut group) in std::mem::take(&mut self.groups) {
            let mut lanes = std::mem::take(&mut group.lanes);
            for lane in &mut lanes {
                lane.lane.clock_jumped(by_millis);
                self.time_attempt(&id, lane, now);
                changes.extend(lane.lane.entries().cloned().map(Change::put_entry));
                changes.push(lane.stored(&group.core));
            }
            group.lanes = lanes;
            changes.push(group.stored(now));
            self.groups.insert(id, group);
        }
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

    /// Gives the alerts that fire the labels of the new configuration. Where these differ it is
    /// another alert: the former one is no longer known here and leaves its groups like one whose
    /// route changed. Those that are resolved end as they were announced.
    fn relabel(&mut self, now: Now, changes: &mut Vec<Change>) {
        let setup = Arc::clone(&self.setup);
        let mut renamed = Vec::new();
        let mut lost = Vec::new();
        for (fingerprint, routed) in &mut self.alerts {
            let is_renamed = |source: &Source| {
                !source.alert.is_resolved()
                    && setup.routed_labels(&source.instance) != source.alert.labels
            };
            let (gone, kept): (Vec<Source>, Vec<Source>) =
                std::mem::take(&mut routed.sources).into_iter().partition(is_renamed);
            routed.sources = kept.into();
            renamed.extend(gone);
            if routed.merged.is_resolved() {
                continue;
            }
            match routed.sources.iter().find(|source| !source.alert.is_resolved()) {
                Some(source) => routed.merge(&source.rule.clone()),
                None => lost.push(*fingerprint),
            }
        }
        for fingerprint in lost {
            self.forget(fingerprint, changes);
        }
        for source in renamed {
            let labels = setup.routed_labels(&source.instance);
            changes.push(Change::PutKnown(KnownAlert {
                labels: labels.clone(),
                instance: source.instance.fingerprint(),
                seen_at: now.wall,
            }));
            let alert = Arc::new(Alert { labels, ..Alert::clone(&source.alert) });
            self.add_source(source.rule, source.instance, alert);
        }
    }

    /// The routes by what of them makes a group's identity.
    pub(super) fn routes_by_name(&self) -> RoutesByName {
        let name = |route: &Route| (route.key.clone(), route.receiver.as_str().into());
        self.routes.iter().map(|route| (name(route), Arc::clone(route))).collect()
    }

    /// Brings groups, their routes, their lanes and their timers in line with the configuration.
    /// `routes_say` is what is known already of the groups that the routes give an alert.
    pub(super) fn reconcile(&mut self, routes_say: &GroupsOf, now: Now, changes: &mut Vec<Change>) {
        let routes = self.routes_by_name();
        let ids: Vec<GroupId> = self.groups.keys().cloned().collect();
        for id in &ids {
            self.reconcile_group(id, &routes, routes_say, now, changes);
        }
        // One that is where the routes want it has no way to go.
        let is_there = |fingerprint: &Fingerprint, routed: &Routed| {
            let wanted = routes_say.get(fingerprint);
            wanted.is_some_and(|ids| ids.iter().all(|id| routed.groups.contains(id)))
        };
        let firing = self.alerts.iter().filter(|(_, r)| !r.merged.is_resolved());
        let firing = firing.filter(|(fingerprint, routed)| !is_there(fingerprint, routed));
        let firing: Vec<_> = firing.map(|(fp, r)| (*fp, Arc::clone(&r.merged))).collect();
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
        routes: &RoutesByName,
        routes_say: &GroupsOf,
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
        if self.let_go(&mut group, routes_say, now, changes) || group.orphan {
            group.core.next_flush = now.mono;
        }
        let mut lanes = std::mem::take(&mut group.lanes);
        for lane in &mut lanes {
            if lane.lane.forget(|fp| !group.core.alerts.contains_key(fp)) {
                changes.push(lane.stored(&group.core));
            }
            self.time_attempt(id, lane, now);
        }
        group.lanes = lanes;
        self.timers.set_flush(id, &mut group.flush_at, Some(group.core.next_flush));
        changes.push(group.stored(now));
        self.groups.insert(id.clone(), group);
    }

    /// Lets firing alerts go that no longer belong to the group: one that is known there is told
    /// as resolved, the others leave without a word. Whether any has to be told.
    fn let_go(
        &mut self,
        group: &mut Group,
        routes_say: &GroupsOf,
        now: Now,
        changes: &mut Vec<Change>,
    ) -> bool {
        let id = group.id();
        let mut told = false;
        for (fingerprint, alert) in std::mem::take(&mut group.core.alerts) {
            let belongs = !group.orphan
                && match routes_say.get(&fingerprint) {
                    Some(ids) => ids.contains(&id),
                    None => self.ids.of_labels(&self.setup.tree, &alert.labels).contains(&id),
                };
            let current = self.alerts.get(&fingerprint).map(|r| Arc::clone(&r.merged));
            if alert.is_resolved() || (belongs && current.is_some()) {
                group.core.alerts.insert(fingerprint, alert);
                continue;
            }
            if let Some(routed) = self.alerts.get_mut(&fingerprint) {
                routed.groups.retain(|held| *held != id);
            }
            let believed = group.lanes().any(|lane| lane.believes(fingerprint));
            changes.push(left(fingerprint, &id, believed, now));
            if believed {
                told = true;
                group.left.insert(fingerprint);
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
            changes.extend(lane.refused.take().map(Change::DeleteEntry));
            changes.extend(lane.lane.entries().map(|entry| Change::DeleteEntry(entry.id)));
            let concerned = group.core.alerts.keys().filter(|fp| lane.believes(**fp));
            changes.extend(concerned.map(|fingerprint| {
                let to = Some(lane.id.clone());
                decision(*fingerprint, &id, to, "integration_removed", Arc::default(), now)
            }));
            if known.is_empty() {
                let firing = group.core.alerts.iter().filter(|(_, alert)| !alert.is_resolved());
                changes.extend(firing.map(|(fingerprint, _)| nobody(*fingerprint, &id, now)));
            }
            let group_key = group.core.key.clone();
            changes.push(Change::DeleteLane(LaneKey { group_key, integration: lane.id.clone() }));
        }
    }
}

/// The route's part of a group's key.
pub(super) fn route_key(id: &GroupId, labels: &LabelSet) -> String {
    let suffix = format!(":{labels}");
    id.key.0.strip_suffix(&suffix).unwrap_or(&id.key.0).to_string()
}
