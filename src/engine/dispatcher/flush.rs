//! A group is due: who is held back, what is news, and to whom.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::dispatcher::Dispatcher;
use crate::engine::dispatcher::group::{Group, GroupLane};
use crate::engine::dispatcher::hold::Held;
use crate::engine::dispatcher::record::{Before, Quiet, decision};
use crate::model::{Fingerprint, Notification, NotifiedAlert, NotifyReason, Now};
use crate::outbox::{Lane, Told};
use crate::routing::{Dedup, LogView, decide, mute_reason};
use crate::storage::{Change, GroupId};

/// The alerts of a group that is due, by what may be said of them.
struct Sorted {
    /// They fire and nothing holds them back.
    firing: BTreeSet<Fingerprint>,
    /// They fire and are held back.
    held: BTreeSet<Fingerprint>,
    /// They are resolved and nothing holds them back.
    resolved: BTreeSet<Fingerprint>,
    /// They are resolved and would be held back, were their firing not known.
    resolved_held: BTreeSet<Fingerprint>,
}

/// What is news to one lane.
struct News {
    reason: NotifyReason,
    /// The alerts to name.
    named: BTreeSet<Fingerprint>,
    /// What the receiver knows afterwards.
    told: Told,
}

impl Dispatcher {
    /// Flushes one group, whether it is due or not.
    pub(super) fn flush(&mut self, id: &GroupId, now: Now, changes: &mut Vec<Change>) {
        let Some(mut group) = self.groups.remove(id) else { return };
        self.renew_lanes(&mut group, now, changes);
        let sorted = self.sort(&mut group, now, changes);
        let due = due(&group, now);
        for index in 0..group.lanes.len() {
            self.flush_lane(&mut group, index, &sorted, due, now, changes);
        }
        let route = Arc::clone(&group.route);
        group.core.flushed(&route, now);
        self.groups.insert(id.clone(), group);
        self.close_if_over(id, now, changes);
        if let Some(group) = self.groups.get_mut(id) {
            self.timers.set_flush(id, &mut group.flush_at, Some(group.core.next_flush));
            changes.push(group.stored(now));
        }
    }

    /// Gives the group a lane for every integration that its receiver has now.
    pub(super) fn renew_lanes(&self, group: &mut Group, now: Now, changes: &mut Vec<Change>) {
        let integrations = self.setup.integrations(&group.core.receiver);
        group.lanes.reserve_exact(integrations.len().saturating_sub(group.lanes.len()));
        for (id, send_resolved) in integrations {
            match group.lane_mut(id) {
                Some(lane) => lane.send_resolved = *send_resolved,
                None => {
                    let lane = GroupLane::new(id.clone(), *send_resolved, Lane::default(), now);
                    changes.push(lane.stored(&group.core));
                    group.lanes.push(lane);
                }
            }
        }
    }

    /// Asks of every alert whether it is held back, and records where that has changed.
    fn sort(&self, group: &mut Group, now: Now, changes: &mut Vec<Change>) -> Sorted {
        let mut sorted = Sorted {
            firing: BTreeSet::new(),
            held: BTreeSet::new(),
            resolved: BTreeSet::new(),
            resolved_held: BTreeSet::new(),
        };
        let muted = mute_reason(&group.route, &self.setup.intervals, now.wall);
        let id = group.id();
        for (fingerprint, alert) in &group.core.alerts {
            let reason = self.holds(&alert.labels, muted.as_ref(), now.wall);
            let after = reason.as_ref().map(Held::from);
            if group.held.get(fingerprint) != after.as_ref() {
                let (name, detail) = match &reason {
                    Some(reason) => (reason.as_str(), self.explain(reason)),
                    None => ("active", String::new()),
                };
                changes.push(decision(*fingerprint, &id, None, name, detail, now));
                match after {
                    Some(held) => group.held.insert(*fingerprint, held),
                    None => group.held.remove(fingerprint),
                };
            }
            match (alert.is_resolved(), reason.is_some()) {
                (false, false) => sorted.firing.insert(*fingerprint),
                (false, true) => sorted.held.insert(*fingerprint),
                (true, false) => sorted.resolved.insert(*fingerprint),
                (true, true) => sorted.resolved_held.insert(*fingerprint),
            };
        }
        sorted
    }

    fn flush_lane(
        &mut self,
        group: &mut Group,
        index: usize,
        sorted: &Sorted,
        due: Now,
        now: Now,
        changes: &mut Vec<Change>,
    ) {
        let entry = self.next_entry();
        let id = group.id();
        let Some(lane) = group.lanes.get_mut(index) else { return };
        // Its words are decided anew now.
        changes.extend(lane.refused.take().map(Change::DeleteEntry));
        let outcome = news(lane, &group.left, group.route.repeat_interval, sorted, due);
        lane.note_ends(&id, sorted.resolved.union(&sorted.resolved_held), now, changes);
        let before = Before::of(lane.lane.entries());
        let removed = match outcome {
            Outcome::Say(news) => {
                let notification = Notification {
                    group_key: group.core.key.clone(),
                    integration: lane.id.clone(),
                    group_labels: group.core.labels.clone(),
                    alerts: words(&group.core, lane, &news.named),
                    reason: news.reason,
                    created_at: now.wall,
                };
                let name = news.reason.as_str();
                let detail: Arc<str> = format!("notification {}", entry.0).into();
                for fingerprint in &news.named {
                    let (to, detail) = (Some(lane.id.clone()), Arc::clone(&detail));
                    changes.push(decision(*fingerprint, &id, to, name, detail, now));
                }
                let firing = news.named.iter().filter(|fp| sorted.firing.contains(fp));
                lane.noted.extend(firing.map(|fp| (*fp, Quiet::Known)));
                lane.told_at = due.mono;
                lane.lane.enqueue(entry, notification, news.told, &group.core.alerts, now.wall)
            }
            Outcome::ClearLog => {
                lane.lane.clear_log(now.wall);
                lane.lane.refresh(entry, &group.core.alerts).into_iter().collect()
            }
            Outcome::Hold => {
                lane.note_known(&id, &sorted.firing, now, changes);
                match lane.lane.refresh(entry, &group.core.alerts) {
                    Some(removed) => vec![removed],
                    None => return,
                }
            }
        };
        changes.extend(before.record(&removed, &lane.lane, &id, &lane.id, now));
        changes.extend(removed.into_iter().map(Change::DeleteEntry));
        changes.extend(lane.lane.entries().cloned().map(Change::put_entry));
        changes.push(lane.stored(&group.core));
        self.time_attempt(&id, lane, now);
    }

    /// Sets the timer of a lane's next attempt.
    pub(super) fn time_attempt(&mut self, id: &GroupId, lane: &mut GroupLane, now: Now) {
        let due = lane.lane.due();
        if due.is_some() && due == lane.attempt_due && lane.attempt_at.is_some() {
            // A timer that runs is not moved by a clock that has been put back.
            return;
        }
        lane.attempt_due = due;
        let at = due.map(|due| now.timer(due, crate::outbox::MAX_RETRY_AFTER));
        self.timers.set_attempt(id, &lane.id, &mut lane.attempt_at, at);
    }

    /// Takes out what is settled, and the whole group when nothing is left of it.
    pub(super) fn close_if_over(&mut self, id: &GroupId, now: Now, changes: &mut Vec<Change>) {
        let Some(group) = self.groups.get_mut(id) else { return };
        let settled = group.settle(now, changes);
        let unknown = settled.iter().filter(|(_, knew)| !**knew && !group.lanes.is_empty());
        changes.extend(unknown.map(|(fingerprint, _)| {
            let name = "resolved_before_notification";
            decision(*fingerprint, id, None, name, Arc::default(), now)
        }));
        let settled = settled.into_keys().collect();
        if group.is_over() {
            changes.extend(group.deleted());
            self.timers.set_flush(id, &mut group.flush_at, None);
            self.groups.remove(id);
        }
        self.release(id, &settled, changes);
    }
}

enum Outcome {
    Say(News),
    ClearLog,
    Hold,
}

/// When a group that is flushed was due. Intervals are measured between these points, so that a
/// loop that is a little late does not put a repetition off by one more interval.
fn due(group: &Group, now: Now) -> Now {
    let late = now.mono.since(group.core.next_flush);
    if group.core.next_flush > now.mono || late >= group.route.group_interval {
        return now;
    }
    Now { wall: now.wall - late, mono: group.core.next_flush }
}

/// Decides what one lane is to be told.
///
/// An alert that is held back but known to fire does not count as resolved, and the end of one
/// that is known is told although it would be held back.
fn news(
    lane: &GroupLane,
    left: &BTreeSet<Fingerprint>,
    repeat_interval: std::time::Duration,
    sorted: &Sorted,
    due: Now,
) -> Outcome {
    let none = BTreeSet::new();
    let log = lane.lane.enqueued.as_ref();
    let (mut known, logged) =
        log.map_or((none.clone(), &none), |t| (t.firing.clone(), &t.resolved));
    let mut resolved = sorted.resolved.clone();
    let unlearned = &lane.lane.unlearned;
    let was_told = |fp: &&Fingerprint| {
        known.contains(*fp) || lane.lane.has_told(**fp) || unlearned.contains(*fp)
    };
    resolved.extend(sorted.resolved_held.iter().filter(was_told));
    // What the receiver may know has an end to be told, once.
    known.extend(unlearned.intersection(&resolved).filter(|fp| !logged.contains(fp)));
    let decide = |known: &BTreeSet<Fingerprint>| {
        let firing = sorted.firing.iter().chain(sorted.held.intersection(known));
        let firing: BTreeSet<_> = firing.copied().collect();
        let age = due.mono.since(lane.told_at);
        let view = LogView { firing: known, resolved: logged, age };
        let view = (log.is_some() || !known.is_empty()).then_some(view);
        let answer = decide(view.as_ref(), &firing, &resolved, lane.send_resolved, repeat_interval);
        (answer, firing)
    };
    let (mut decided, mut firing) = decide(&known);
    if matches!(decided, Dedup::Notify(_)) {
        // The new words replace those that wait. What is held back by now and only waits to be
        // told is not told; it is news again when nothing holds it back.
        known.retain(|fp| !sorted.held.contains(fp));
        known.extend(sorted.held.iter().filter(|fp| lane.lane.has_told(**fp)));
        (decided, firing) = decide(&known);
    }
    let reason = match decided {
        // What is repeated must not consist of alerts that are held back.
        Dedup::Notify(NotifyReason::RepeatIntervalElapsed) if sorted.firing.is_empty() => {
            return Outcome::Hold;
        }
        Dedup::Notify(reason) => reason,
        Dedup::ClearLog => return Outcome::ClearLog,
        Dedup::Hold(_) => return Outcome::Hold,
    };
    let mut named = sorted.firing.clone();
    if lane.send_resolved {
        named.extend(&resolved);
    }
    if named.is_disjoint(&firing) {
        // Something fires that is held back: the words must not say that all is over.
        named.extend(&firing);
    }
    if named.is_empty() {
        return Outcome::Hold;
    }
    let ends = matches!(reason, NotifyReason::AllAlertsResolved | NotifyReason::NewResolvedAlerts);
    let moved = ends && resolved.difference(logged).any(|fp| left.contains(fp));
    let reason = if moved { NotifyReason::RouteChanged } else { reason };
    Outcome::Say(News { reason, named, told: Told { firing, resolved, at: due.wall } })
}

/// The named alerts as they are now, firing ones first.
fn words(
    group: &crate::routing::AggregationGroup,
    lane: &GroupLane,
    named: &BTreeSet<Fingerprint>,
) -> Vec<NotifiedAlert> {
    let alerts = named.iter().filter_map(|fp| group.alerts.get(fp).map(|alert| (fp, alert)));
    let mut words: Vec<NotifiedAlert> = alerts
        .map(|(fp, alert)| NotifiedAlert {
            alert: Arc::clone(alert),
            missed: alert.is_resolved() && !lane.lane.has_heard(*fp),
        })
        .collect();
    NotifiedAlert::sort(&mut words);
    words
}
