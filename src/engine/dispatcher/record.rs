//! What is recorded of decisions to say nothing, or something else than before, so that `explain`
//! can tell them. Nothing here moves the state machine.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::dispatcher::group::{Group, GroupLane};
use crate::model::{Fingerprint, IntegrationId, Now};
use crate::outbox::{EntryId, Lane, OutboxEntry};
use crate::storage::{Change, Decision, GroupId};

/// What one lane's silence about an alert has been put down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quiet {
    /// It fires and the receiver knows.
    Known,
    /// It is over and the integration is not told of ends.
    Over,
}

impl GroupLane {
    /// Records that an alert fires again before anybody was told that it was over, so that nobody
    /// is told now.
    pub(super) fn note_known(
        &mut self,
        group: &GroupId,
        firing: &BTreeSet<Fingerprint>,
        now: Now,
        changes: &mut Vec<Change>,
    ) {
        for fingerprint in firing {
            if self.noted.insert(*fingerprint, Quiet::Known) != Some(Quiet::Known) {
                let to = Some(self.id.clone());
                let name = "already_notified";
                changes.push(decision(*fingerprint, group, to, name, Arc::default(), now));
            }
        }
    }

    /// Records the ends of alerts that the receiver knows and is not told of, because the
    /// integration wants no ends.
    pub(super) fn note_ends<'a>(
        &mut self,
        group: &GroupId,
        resolved: impl Iterator<Item = &'a Fingerprint>,
        now: Now,
        changes: &mut Vec<Change>,
    ) {
        if self.send_resolved {
            return;
        }
        for fingerprint in resolved.filter(|fp| self.lane.has_told(**fp)) {
            if self.noted.insert(*fingerprint, Quiet::Over) != Some(Quiet::Over) {
                let to = Some(self.id.clone());
                let name = "send_resolved_off";
                changes.push(decision(*fingerprint, group, to, name, Arc::default(), now));
            }
        }
    }
}

/// The entries of a lane before something happens to them.
pub(super) struct Before(Vec<(EntryId, BTreeSet<Fingerprint>)>);

impl Before {
    pub(super) fn of<'a>(entries: impl IntoIterator<Item = &'a OutboxEntry>) -> Self {
        let named = |entry: &OutboxEntry| {
            entry.notification.alerts.iter().map(|named| named.alert.fingerprint()).collect()
        };
        Self(entries.into_iter().map(|entry| (entry.id, named(entry))).collect())
    }

    /// Records what became of entries that are gone: newer words stand for what they said, or it
    /// is not said any more.
    pub(super) fn record(
        self,
        gone: &[EntryId],
        lane: &Lane,
        group: &GroupId,
        integration: &IntegrationId,
        now: Now,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        for (old, named) in self.0.into_iter().filter(|(id, _)| gone.contains(id)) {
            let newer = lane.entries().filter(|entry| entry.id > old).last();
            for fingerprint in named {
                let (name, detail) = match newer {
                    Some(new) if new.status_of(fingerprint).is_some() => {
                        ("superseded", format!("notification {} by {}", old.0, new.id.0))
                    }
                    Some(new) => ("withdrawn", format!("notification {}, by {}", old.0, new.id.0)),
                    None => ("withdrawn", format!("notification {}", old.0)),
                };
                let to = Some(integration.clone());
                changes.push(decision(fingerprint, group, to, name, detail, now));
            }
        }
        changes
    }
}

/// An alert has joined a group: by which route, when that is flushed, and whether anybody is
/// behind its receiver.
pub(super) fn joined(fingerprint: Fingerprint, group: &mut Group, now: Now) -> Decision {
    let due = now.wall_of(group.core.next_flush.max(now.mono));
    let detail = match &group.joining {
        Some((known, detail)) if *known == due => Arc::clone(detail),
        _ => {
            let detail = format!("route {}, flushed at {due}", group.route.key).into();
            group.joining = Some((due, Arc::clone(&detail)));
            detail
        }
    };
    record(fingerprint, &group.id(), None, "grouped", detail, now)
}

/// There is nobody behind a group's receiver.
pub(super) fn nobody(fingerprint: Fingerprint, group: &GroupId, now: Now) -> Change {
    decision(fingerprint, group, None, "no_integrations", Arc::default(), now)
}

/// A reload has taken an alert out of a group; `told` says whether its end is told there.
pub(super) fn left(fingerprint: Fingerprint, group: &GroupId, told: bool, now: Now) -> Change {
    let detail = if told { "its end is told there" } else { "nobody was told of it there" };
    decision(fingerprint, group, None, "left_group", detail, now)
}

/// A decision, to be stored.
pub(super) fn decision(
    fingerprint: Fingerprint,
    group: &GroupId,
    integration: Option<IntegrationId>,
    reason: &'static str,
    detail: impl Into<Arc<str>>,
    now: Now,
) -> Change {
    Change::AddDecision(record(fingerprint, group, integration, reason, detail.into(), now))
}

fn record(
    fingerprint: Fingerprint,
    group: &GroupId,
    integration: Option<IntegrationId>,
    reason: &'static str,
    detail: Arc<str>,
    now: Now,
) -> Decision {
    let (group, reason) = (group.clone(), reason.into());
    Decision { at: now.wall, fingerprint, group, integration, reason, detail }
}
