//! What the integrations share: notifications to try templates with, and the plain words that are
//! sent where a template fails.

use crate::model::{IntegrationId, Notification, NotificationStatus, Timestamp};
use crate::notify::sample;

/// How many alerts a plain form lists.
const LISTED: usize = 10;

/// Notifications of every shape, to find a template that fails before it is needed: firing, firing
/// and resolved, resolved, resolved before anyone was told.
pub(super) fn samples(integration: &IntegrationId, now: Timestamp) -> Vec<Notification> {
    let mixed = sample(integration, true, now);
    let mut resolved = mixed.clone();
    resolved.alerts.retain(|a| a.status() == NotificationStatus::Resolved);
    let mut missed = resolved.clone();
    missed.alerts.iter_mut().for_each(|alert| alert.missed = true);
    vec![sample(integration, false, now), mixed, resolved, missed]
}

/// The subject in plain words: `[FIRING:2] HighCPUUsage`.
pub(super) fn headline(notification: &Notification) -> String {
    let status = match notification.status() {
        NotificationStatus::Firing => {
            format!("[FIRING:{}]", notification.with_status(NotificationStatus::Firing).count())
        }
        NotificationStatus::Resolved => "[RESOLVED]".to_string(),
    };
    let common = notification.common_labels();
    match common.get("alertname") {
        Some(name) => format!("{status} {name}"),
        None => format!("{status} {} alerts", notification.alerts.len()),
    }
}

/// One line for each alert of a status, or of all: labels, summary and start.
pub(super) fn listing(notification: &Notification, status: Option<NotificationStatus>) -> String {
    let alerts = || {
        notification.alerts.iter().filter(move |alert| status.is_none_or(|s| alert.status() == s))
    };
    let line = |notified: &crate::model::NotifiedAlert| {
        let alert = &notified.alert;
        let summary = alert.annotations.value("summary");
        let dash = if summary.is_empty() { "" } else { ": " };
        let status = notified.status().as_str();
        format!("{status}: {}{dash}{summary}, since {}", alert.labels, alert.starts_at)
    };
    let mut lines: Vec<String> = alerts().take(LISTED).map(line).collect();
    if let Some(more) = alerts().count().checked_sub(LISTED + 1) {
        lines.push(format!("and {} more", more + 1));
    }
    lines.join("\n")
}
