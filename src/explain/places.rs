//! Everyone who is to be told of an alert, and how far that has come.

use std::collections::BTreeSet;

use crate::alerting::AlertState;
use crate::model::{Fingerprint, IntegrationId, Timestamp};
use crate::outbox::{Attempt, AttemptOutcome, LaneKey, OutboxEntry};
use crate::storage::{Case, Decision, GroupId, StoredLane};

/// How far the alert has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It has never fired, as far as is known, and is pending.
    Pending,
    /// It has never fired, as far as is known, and is gone.
    NeverFired,
    /// It fires since this time.
    Firing(Timestamp),
    /// It fired at this time, and is over.
    Over(Timestamp),
}

/// Why nothing is said by a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) since: Timestamp,
    pub(super) reason: String,
    pub(super) detail: String,
}

/// One group, or one integration in it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) group: GroupId,
    /// `None` where the group has not been flushed yet, or has nobody.
    pub(super) integration: Option<IntegrationId>,
    /// When it was first told that the alert fires.
    pub(super) told: Option<Timestamp>,
    /// When it was told so last, where that was another time.
    pub(super) told_again: Option<Timestamp>,
    /// When it was told that the alert is over.
    pub(super) told_over: Option<Timestamp>,
    /// What waits to be delivered to it.
    pub(super) waiting: Option<OutboxEntry>,
    /// The last attempt, where it was refused for good.
    pub(super) refused: Option<Attempt>,
    /// What holds the alert back now, or did when it ended.
    pub(super) held: Option<Hold>,
    /// It is not told of ends.
    pub(super) no_ends: bool,
    /// The receiver has no integrations.
    pub(super) nobody: bool,
    /// The integration is gone from the configuration.
    pub(super) removed: bool,
    /// When the group is flushed next.
    pub(super) flush: Option<Timestamp>,
}

/// Where an alert stands. Two rules may give it: it fires while either fires.
pub(super) fn phase(case: &Case) -> Phase {
    let transitions = || case.history.transitions.iter().map(|record| &record.transition);
    let fired = transitions().filter(|transition| transition.fires()).map(|t| t.at).next_back();
    let current = || case.current.alerts.iter().map(|alert| &alert.instance);
    if let Some(instance) = current().find(|instance| instance.state == AlertState::Firing) {
        return Phase::Firing(fired.or(instance.fired_at).unwrap_or(instance.active_at));
    }
    let stored = current().filter_map(|instance| instance.resolved_at.and(instance.fired_at)).max();
    match fired.or(stored) {
        Some(at) => Phase::Over(at),
        None if current().any(|instance| instance.state == AlertState::Pending) => Phase::Pending,
        None => Phase::NeverFired,
    }
}

/// Everyone who is to be told of the last firing. What held the alert back before the last start
/// counts no more: it is looked at again.
pub(super) fn places(case: &Case, last_start: Option<Timestamp>) -> Vec<Place> {
    let (Phase::Firing(fired) | Phase::Over(fired)) = phase(case) else { return Vec::new() };
    let firing = matches!(phase(case), Phase::Firing(_));
    let look = Look { case, fingerprint: case.labels.fingerprint(), fired, firing, last_start };
    let mut groups: Vec<GroupId> = look.groups(|at| at >= fired).into_iter().collect();
    if groups.is_empty() {
        // It fires again and nothing had to be decided anew.
        groups = look.groups(|_| true).into_iter().collect();
    }
    groups.iter().flat_map(|group| look.places(group)).collect()
}

struct Look<'a> {
    case: &'a Case,
    fingerprint: Fingerprint,
    fired: Timestamp,
    firing: bool,
    last_start: Option<Timestamp>,
}

impl Look<'_> {
    /// The groups that concern the alert: by decisions and attempts of such a time, and by what
    /// their receivers know now.
    fn groups(&self, wanted: impl Fn(Timestamp) -> bool) -> BTreeSet<GroupId> {
        let decisions = self.case.history.decisions.iter();
        let mut groups: BTreeSet<GroupId> =
            decisions.filter(|d| wanted(d.at)).map(|d| d.group.clone()).collect();
        let lanes = self.case.current.lanes.iter().filter(|lane| self.believes(lane));
        groups.extend(lanes.map(|lane| GroupId::of_lane(&lane.key)));
        groups
            .extend(self.case.current.entries.iter().map(|entry| GroupId::of_lane(&entry.lane())));
        if self.firing {
            groups.retain(|group| self.is_member(group));
        }
        groups
    }

    fn believes(&self, lane: &StoredLane) -> bool {
        let told = [&lane.enqueued, &lane.delivered];
        told.into_iter().flatten().any(|told| told.firing.contains(&self.fingerprint))
    }

    /// Whether a firing alert is in a group: a reload has not taken it out.
    fn is_member(&self, group: &GroupId) -> bool {
        let membership = |d: &&Decision| matches!(&*d.reason, "grouped" | "left_group");
        let last = self.decisions(group).filter(membership).last();
        last.is_none_or(|decision| decision.reason == "grouped")
    }

    fn decisions<'a>(&'a self, group: &'a GroupId) -> impl Iterator<Item = &'a Decision> {
        self.case.history.decisions.iter().filter(move |decision| decision.group == *group)
    }

    /// The group's integrations, or the group alone where none is known.
    fn places(&self, group: &GroupId) -> Vec<Place> {
        let current = &self.case.current;
        let lanes = current.lanes.iter().filter(|lane| group.has_lane(&lane.key));
        let mut integrations: BTreeSet<&IntegrationId> =
            lanes.map(|lane| &lane.key.integration).collect();
        let decided = self.decisions(group).filter(|d| d.at >= self.fired);
        integrations.extend(decided.filter_map(|d| d.integration.as_ref()));
        let waiting = current.entries.iter().filter(|entry| group.has_lane(&entry.lane()));
        integrations.extend(waiting.map(|entry| &entry.notification.integration));
        let tried = self.attempts(group, None);
        integrations.extend(tried.map(|attempt| &attempt.integration));
        if integrations.is_empty() {
            return vec![self.place(group, None)];
        }
        integrations.into_iter().map(|id| self.place(group, Some(id))).collect()
    }

    fn attempts<'a>(
        &'a self,
        group: &'a GroupId,
        integration: Option<&'a IntegrationId>,
    ) -> impl DoubleEndedIterator<Item = &'a Attempt> {
        self.case.history.attempts.iter().filter(move |attempt| {
            attempt.at >= self.fired
                && attempt.group_key == group.key
                && attempt.integration.receiver == group.receiver
                && integration.is_none_or(|integration| attempt.integration == *integration)
        })
    }

    fn place(&self, group: &GroupId, integration: Option<&IntegrationId>) -> Place {
        let current = &self.case.current;
        let of_place =
            |key: &LaneKey| key.group_key == group.key && integration == Some(&key.integration);
        let decided = |reason: &str| {
            self.decisions(group).any(|decision| {
                decision.at >= self.fired
                    && decision.reason == reason
                    && decision.integration.as_ref() == integration
            })
        };
        let delivered = |over: bool| {
            let attempts = self.attempts(group, integration).filter(move |attempt| {
                attempt.outcome == AttemptOutcome::Delivered
                    && attempt.resolved.contains(&self.fingerprint) == over
            });
            let mut times = attempts.map(|attempt| attempt.at).filter(|_| integration.is_some());
            let first = times.next();
            (first, times.next_back())
        };
        let (told, told_again) = delivered(false);
        let (first_end, last_end) = delivered(true);
        let lane = current.lanes.iter().find(|lane| of_place(&lane.key));
        let known = lane.and_then(|lane| lane.delivered.as_ref());
        let known = known.filter(|told| told.firing.contains(&self.fingerprint));
        let last = integration.and_then(|_| self.attempts(group, integration).next_back());
        let waiting = current.entries.iter().rfind(|entry| of_place(&entry.lane()));
        Place {
            group: group.clone(),
            integration: integration.cloned(),
            told: told.or_else(|| known.map(|told| told.at)),
            told_again,
            told_over: last_end.or(first_end),
            waiting: waiting.cloned(),
            refused: last.filter(|a| a.outcome == AttemptOutcome::Permanent).cloned(),
            held: self.held(group),
            no_ends: decided("send_resolved_off"),
            nobody: integration.is_none()
                && self.decisions(group).any(|decision| decision.reason == "no_integrations"),
            removed: lane.is_none() && decided("integration_removed"),
            flush: current.groups.iter().find(|g| g.id == *group).map(|g| g.next_flush),
        }
    }

    /// The last word on whether the group may tell of the alert.
    fn held(&self, group: &GroupId) -> Option<Hold> {
        let of_group = self.decisions(group).filter(|decision| decision.integration.is_none());
        let says = |reason: &str| holds(reason) || matches!(reason, "active" | "grouped");
        let last = of_group.filter(|decision| says(&decision.reason)).last()?;
        let old = self.firing && self.last_start.is_some_and(|start| last.at < start);
        (holds(&last.reason) && !old).then(|| Hold {
            since: last.at,
            reason: last.reason.to_string(),
            detail: last.detail.to_string(),
        })
    }
}

/// Whether a reason holds an alert back.
fn holds(reason: &str) -> bool {
    matches!(reason, "inhibited" | "silenced" | "in_mute_interval" | "outside_active_interval")
}
