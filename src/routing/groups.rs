//! A group of alerts that are told of together, and when it is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{Alert, Fingerprint, GroupKey, LabelSet, Monotonic, Now, Timestamp};
use crate::routing::{Route, RouteId};

/// The alerts of one route that share their group labels.
#[derive(Clone, Debug)]
pub struct AggregationGroup {
    /// The group's identity.
    pub key: GroupKey,
    /// The route that it belongs to.
    pub route: RouteId,
    /// Who is told.
    pub receiver: Arc<str>,
    /// The labels that its alerts share by `group_by`.
    pub labels: LabelSet,
    /// The alerts, firing and resolved, by identity.
    pub alerts: BTreeMap<Fingerprint, Arc<Alert>>,
    /// When the group is due.
    pub next_flush: Monotonic,
    /// Whether the group was due before. Until then it waits for `group_wait`.
    pub has_flushed: bool,
}

impl AggregationGroup {
    /// A new group without alerts: due after the route's `group_wait`.
    pub fn new(route: &Route, key: GroupKey, labels: LabelSet, now: Now) -> Self {
        Self {
            key,
            route: route.id,
            receiver: route.receiver.as_str().into(),
            labels,
            alerts: BTreeMap::new(),
            next_flush: now.mono + route.group_wait,
            has_flushed: false,
        }
    }

    /// A group from the store, due at the stored time, but at once if that has passed and after one
    /// interval at most, so that a clock jump cannot silence it.
    pub fn restored(
        route: &Route,
        key: GroupKey,
        labels: LabelSet,
        next_flush: Timestamp,
        has_flushed: bool,
        now: Now,
    ) -> Self {
        let interval = if has_flushed { route.group_interval } else { route.group_wait };
        let next_flush = now.timer(next_flush, interval);
        Self { next_flush, has_flushed, ..Self::new(route, key, labels, now) }
    }

    /// Puts an alert in, or a newer state of one that is there. A group that was never due does not
    /// wait for an alert that is already older than `group_wait`, as in Alertmanager: it came late,
    /// or the group is new only because the program is.
    pub fn insert(&mut self, route: &Route, alert: Arc<Alert>, now: Now) {
        if !self.has_flushed && alert.starts_at + route.group_wait < now.wall {
            self.next_flush = self.next_flush.min(now.mono);
        }
        self.alerts.insert(alert.fingerprint(), alert);
    }

    /// Whether the group is due.
    pub fn is_due(&self, now: Now) -> bool {
        self.next_flush <= now.mono
    }

    /// Marks the group as looked at: it is due again one `group_interval` after it was due. A flush
    /// that comes late does not move the ones after it, and flushes that were missed are not made
    /// up for.
    pub fn flushed(&mut self, route: &Route, now: Now) {
        let next = self.next_flush + route.group_interval;
        self.next_flush = if next <= now.mono { now.mono + route.group_interval } else { next };
        self.has_flushed = true;
    }

    /// The identities of the alerts that fire and of those that are resolved, where `keep` accepts
    /// the alert.
    pub fn split(
        &self,
        mut keep: impl FnMut(Fingerprint, &Alert) -> bool,
    ) -> (BTreeSet<Fingerprint>, BTreeSet<Fingerprint>) {
        let kept = self.alerts.iter().filter(|(id, alert)| keep(**id, alert));
        let (resolved, firing): (Vec<_>, Vec<_>) = kept.partition(|(_, a)| a.is_resolved());
        let ids = |list: Vec<(&Fingerprint, _)>| list.into_iter().map(|(id, _)| *id).collect();
        (ids(firing), ids(resolved))
    }

    /// Takes out the alerts of `settled` that are still resolved. One that fires again in the
    /// meantime stays.
    pub fn remove_resolved(&mut self, settled: &BTreeSet<Fingerprint>) {
        self.alerts.retain(|id, alert| !(alert.is_resolved() && settled.contains(id)));
    }

    /// Whether the group has no alert left and can be dropped.
    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty()
    }
}
