//! Deliveries as a list.

use serde::{Deserialize, Serialize};

use crate::explain::{times, warnings};
use crate::model::{Fingerprint, GroupKey, LabelSet, NotificationStatus, NotifyReason, Timestamp};
use crate::outbox::{Attempt, AttemptOutcome, OutboxEntry};
use crate::storage::Deliveries;

/// How many alerts of a notification are named.
const SHOWN: usize = 5;

/// Attempts that were made, or what waits, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryList {
    /// The time of the list.
    #[serde(with = "times::field")]
    pub at: Timestamp,
    /// When the program was last known to be alive.
    #[serde(with = "times::optional")]
    pub last_alive: Option<Timestamp>,
    /// Attempts that were made.
    pub attempts: Vec<DeliveryRow>,
    /// What waits.
    pub pending: Vec<WaitingRow>,
    /// Whether there are more.
    pub more: bool,
    /// What to know before anything else is believed.
    pub warnings: Vec<String>,
}

/// What a notification names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    /// How many alerts fire.
    pub firing: usize,
    /// How many are resolved.
    pub resolved: usize,
    /// The labels of the first few of them, as far as they are known.
    pub labels: Vec<LabelSet>,
}

/// An attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryRow {
    /// When its outcome was known.
    #[serde(with = "times::field")]
    pub at: Timestamp,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The status code, where there was an answer.
    pub status: Option<u16>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it is tried again.
    #[serde(with = "times::optional")]
    pub next_attempt: Option<Timestamp>,
    /// To whom.
    pub receiver: String,
    /// By what, such as `slack[0]`.
    pub integration: String,
    /// The group that it told of.
    pub group: GroupKey,
    /// The number of the notification.
    pub notification: u64,
    /// Which attempt at it, from 1.
    pub attempt: u32,
    /// Why there was something to say.
    pub reason: NotifyReason,
    /// What it named.
    pub alerts: Named,
}

/// A notification that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingRow {
    /// When it was decided.
    #[serde(with = "times::field")]
    pub created_at: Timestamp,
    /// When it is tried next.
    #[serde(with = "times::field")]
    pub next_attempt: Timestamp,
    /// How many attempts have failed.
    pub attempts: u32,
    /// Why the last one failed.
    pub last_error: Option<String>,
    /// To whom.
    pub receiver: String,
    /// By what, such as `slack[0]`.
    pub integration: String,
    /// The group that it tells of.
    pub group: GroupKey,
    /// Its number.
    pub notification: u64,
    /// Why there is something to say.
    pub reason: NotifyReason,
    /// What it names.
    pub alerts: Named,
}

/// Reads the name of an integration: a kind (`slack`), or one of a kind (`slack[0]`).
///
/// # Errors
/// Says how to write it.
pub fn parse_integration(text: &str) -> Result<(String, Option<u32>), String> {
    let wrong = || format!("{text:?} is no integration: write it like slack or slack[0]");
    let (kind, index) = match text.split_once('[') {
        None => (text, None),
        Some((kind, rest)) => {
            let index = rest.strip_suffix(']').and_then(|index| index.parse().ok());
            (kind, Some(index.ok_or_else(wrong)?))
        }
    };
    let word = !kind.is_empty() && kind.chars().all(|c| c.is_ascii_lowercase());
    if word { Ok((kind.to_string(), index)) } else { Err(wrong()) }
}

/// Makes a list of what the store returned, as of `now`.
pub fn list(deliveries: &Deliveries, now: Timestamp) -> DeliveryList {
    let labels = |fp: &Fingerprint| deliveries.labels.get(fp).cloned();
    DeliveryList {
        at: now,
        last_alive: deliveries.heartbeat,
        attempts: deliveries.attempts.iter().map(|attempt| row(attempt, labels)).collect(),
        pending: deliveries.entries.iter().map(waiting).collect(),
        more: deliveries.more,
        warnings: warnings(deliveries.heartbeat, now),
    }
}

fn row(attempt: &Attempt, labels: impl Fn(&Fingerprint) -> Option<LabelSet>) -> DeliveryRow {
    DeliveryRow {
        at: attempt.at,
        outcome: attempt.outcome,
        status: attempt.status,
        error: attempt.error.clone(),
        next_attempt: attempt.next_attempt,
        receiver: attempt.integration.receiver.to_string(),
        integration: super::timeline::short(&attempt.integration),
        group: attempt.group_key.clone(),
        notification: attempt.entry.0,
        attempt: attempt.number,
        reason: attempt.reason,
        alerts: Named {
            firing: attempt.alerts.len().saturating_sub(attempt.resolved.len()),
            resolved: attempt.resolved.len(),
            labels: attempt.alerts.iter().take(SHOWN).filter_map(labels).collect(),
        },
    }
}

fn waiting(entry: &OutboxEntry) -> WaitingRow {
    let notification = &entry.notification;
    let count = |status| notification.with_status(status).count();
    let named = notification.alerts.iter().take(SHOWN);
    WaitingRow {
        created_at: notification.created_at,
        next_attempt: entry.next_attempt,
        attempts: entry.attempts,
        last_error: entry.last_error.clone(),
        receiver: notification.integration.receiver.to_string(),
        integration: super::timeline::short(&notification.integration),
        group: notification.group_key.clone(),
        notification: entry.id.0,
        reason: notification.reason,
        alerts: Named {
            firing: count(NotificationStatus::Firing),
            resolved: count(NotificationStatus::Resolved),
            labels: named.map(|named| named.alert.labels.clone()).collect(),
        },
    }
}
