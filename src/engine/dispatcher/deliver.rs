//! Deliveries that are due, and what became of them.

use crate::engine::dispatcher::Dispatcher;
use crate::engine::dispatcher::record::Before;
use crate::model::{IntegrationId, NotifiedAlert, Now};
use crate::notify::Delivery;
use crate::outbox::{AttemptOutcome, EntryId, Outcome};
use crate::storage::{Change, GroupId};

/// A delivery that is in flight; handed back with its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryTicket {
    /// The group that is told of.
    pub group: GroupId,
    /// Whom it goes to.
    pub integration: IntegrationId,
    /// What to deliver.
    pub delivery: Delivery,
}

impl Dispatcher {
    /// Puts due deliveries in flight, at most `limit`. Call it only after the changes so far are
    /// committed. Every ticket comes back through [`Dispatcher::finished`].
    pub fn take_due(&mut self, limit: usize, now: Now) -> Vec<DeliveryTicket> {
        let mut tickets = Vec::new();
        for (group, integration) in self.timers.due_attempts(now.mono, limit) {
            let Some(lane) = self.groups.get_mut(&group).and_then(|g| g.lane_mut(&integration))
            else {
                continue;
            };
            self.timers.set_attempt(&group, &integration, &mut lane.attempt_at, None);
            let announced = lane.lane.announced();
            let receiver_state = lane.lane.receiver_state.clone();
            let Some(entry) = lane.lane.take() else { continue };
            let delivery = Delivery {
                notification: entry.notification.clone(),
                idempotency_key: entry.idempotency_key.clone(),
                receiver_state,
                announced,
                attempt: entry.attempts.saturating_add(1),
            };
            tickets.push(DeliveryTicket { group, integration, delivery });
        }
        tickets
    }

    /// Takes the outcome of a delivery.
    pub fn finished(
        &mut self,
        ticket: &DeliveryTicket,
        outcome: &Outcome,
        now: Now,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let id = &ticket.group;
        let Some(mut group) = self.groups.remove(id) else { return changes };
        if let Some(lane) = group.lanes.iter_mut().find(|l| l.id == ticket.integration)
            && lane.lane.is_in_flight(&ticket.delivery.idempotency_key)
            && let before = Before::of(lane.lane.entries())
            && let Some(finished) = lane.lane.finish(outcome, &group.core.alerts, now.wall)
        {
            if finished.attempt.outcome == AttemptOutcome::Permanent
                && let Some(told) = &lane.lane.enqueued
            {
                // It was not told, so the repeat interval runs from what was told before.
                lane.told_at = lane.told_at.min(now.past(told.at));
            }
            if finished.attempt.outcome == AttemptOutcome::Delivered
                && now.mono.since(lane.told_at) >= group.route.group_interval
            {
                // It came late: the repeat interval runs from its arrival.
                lane.told_at = now.mono;
                let log = [&mut lane.lane.enqueued, &mut lane.lane.delivered];
                log.into_iter().flatten().for_each(|told| told.at = now.wall);
            }
            let unwanted = if lane.send_resolved { None } else { lane.lane.drop_ends() };
            self.time_attempt(id, lane, now);
            // What has gone out, or was refused, was neither replaced nor withdrawn.
            let tried_again = finished.attempt.outcome == AttemptOutcome::Retry;
            let gone = finished.removed.iter().filter(|_| tried_again);
            let gone: Vec<EntryId> = gone.copied().chain(unwanted).collect();
            let mut removed: Vec<EntryId> = finished.removed.into_iter().chain(unwanted).collect();
            let ended = |named: &NotifiedAlert| {
                named.alert.is_resolved() && group.left.contains(&named.alert.fingerprint())
            };
            if finished.attempt.outcome == AttemptOutcome::Permanent
                && ticket.delivery.notification.alerts.iter().any(ended)
            {
                // The rules may know of the alert no more, and the group is not stored with it.
                removed.retain(|id| *id != finished.attempt.entry);
                removed.extend(lane.refused.replace(finished.attempt.entry));
            }
            changes.push(Change::add_attempt(finished.attempt));
            changes.extend(before.record(&gone, &lane.lane, id, &lane.id, now));
            changes.extend(removed.into_iter().map(Change::DeleteEntry));
            changes.extend(lane.lane.entries().cloned().map(Change::put_entry));
            changes.push(lane.stored(&group.core));
        }
        self.groups.insert(id.clone(), group);
        self.close_if_over(id, now, &mut changes);
        changes
    }
}
