//! What the log and the metrics say of changes and attempts.

use std::time::Duration;

use crate::engine::dispatcher::{Counts, DeliveryTicket};
use crate::outbox::{AttemptOutcome, Outcome};
use crate::storage::Change;
use crate::telemetry::{
    AlertStateLabel, DeliveryFailure, DeliveryFailureLabels, IntegrationLabels, Metrics,
    StateLabels,
};

/// Logs the changes that people care for.
pub(super) fn changes(changes: &[Change]) {
    for change in changes {
        match change {
            Change::AddTransition { rule, transition } => tracing::info!(
                rule = %rule,
                alert = %transition.instance.labels,
                from = transition.from.as_str(),
                to = transition.to.as_str(),
                reason = transition.reason.as_str(),
                "alert changed"
            ),
            Change::AddDecision(decision) => tracing::debug!(
                alert = %decision.fingerprint,
                group = %decision.group.key,
                receiver = &*decision.group.receiver,
                integration = decision.integration.as_ref().map(tracing::field::display),
                reason = &*decision.reason,
                detail = &*decision.detail,
                "routing decision"
            ),
            Change::PutSilence(silence) => tracing::info!(
                silence = %silence.id,
                matchers = %silence.matchers,
                starts_at = %silence.starts_at,
                ends_at = %silence.ends_at,
                created_by = silence.created_by,
                "silence changed"
            ),
            _ => {}
        }
    }
}

/// Sets the gauges of alerts and of what waits.
pub(super) fn gauges(metrics: &Metrics, counts: &Counts) {
    let gauge = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    for (state, count) in
        [(AlertStateLabel::Firing, counts.firing), (AlertStateLabel::Suppressed, counts.suppressed)]
    {
        metrics.rules.alerts.get_or_create(&StateLabels { state }).set(gauge(count));
    }
    metrics.delivery.outbox_entries.set(gauge(counts.undelivered));
    metrics.delivery.outbox_oldest_age.set(counts.oldest.as_secs_f64());
}

/// Logs and counts one attempt at delivery.
pub(super) fn attempt(
    metrics: &Metrics,
    ticket: &DeliveryTicket,
    outcome: &Outcome,
    took: Duration,
) {
    let labels = IntegrationLabels::from(&ticket.integration);
    metrics.delivery.notifications.get_or_create(&labels).inc();
    metrics.delivery.latency.get_or_create(&labels).observe(took.as_secs_f64());
    let notification = &ticket.delivery.notification;
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let (error, status) = match outcome {
        Outcome::Delivered { status, .. } => {
            tracing::info!(
                integration = %ticket.integration,
                group = %ticket.group.key,
                reason = notification.reason.as_str(),
                alerts = notification.alerts.len(),
                attempt = ticket.delivery.attempt,
                status,
                millis,
                "notification delivered"
            );
            return;
        }
        Outcome::Retry { error, status, .. } | Outcome::Permanent { error, status } => {
            (error, status)
        }
    };
    let reason = failure(outcome.kind(), *status);
    metrics.delivery.failed.get_or_create(&DeliveryFailureLabels::new(&labels, reason)).inc();
    tracing::warn!(
        integration = %ticket.integration,
        group = %ticket.group.key,
        reason = notification.reason.as_str(),
        attempt = ticket.delivery.attempt,
        status,
        error,
        outcome = outcome.kind().as_str(),
        millis,
        "notification failed"
    );
}

/// The kind of a failure, for the metric: by status code, and by whether it may pass.
fn failure(kind: AttemptOutcome, status: Option<u16>) -> DeliveryFailure {
    match (kind, status) {
        (AttemptOutcome::Permanent, Some(_)) => DeliveryFailure::Refused,
        (AttemptOutcome::Permanent, None) => DeliveryFailure::Unsendable,
        (_, Some(429)) => DeliveryFailure::RateLimited,
        (_, Some(_)) => DeliveryFailure::Server,
        (_, None) => DeliveryFailure::NoAnswer,
    }
}
