//! One thing to be delivered, and the attempts made at it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{
    Fingerprint, IntegrationId, Notification, NotificationStatus, NotifiedAlert, Timestamp,
};
use crate::outbox::LaneKey;

/// Numbers the entries of one store, rising.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub u64);

/// What a receiver has been told, or is about to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The alerts named as firing.
    pub firing: BTreeSet<Fingerprint>,
    /// The alerts named as resolved.
    pub resolved: BTreeSet<Fingerprint>,
    /// When it was decided.
    pub at: Timestamp,
}

/// A notification on its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Its number.
    pub id: EntryId,
    /// Sent with every attempt at this entry, so that a receiver can tell a repeated attempt from
    /// a new message. Changes with the words.
    pub idempotency_key: String,
    /// What to say.
    pub notification: Notification,
    /// The alerts whose firing the receiver may not know yet. They must be told, even when they
    /// are resolved before that works.
    pub untold: BTreeSet<Fingerprint>,
    /// Attempts whose outcome is known.
    pub attempts: u32,
    /// When the next attempt is due.
    pub next_attempt: Timestamp,
    /// Why the last attempt failed, without any secret.
    pub last_error: Option<String>,
}

impl OutboxEntry {
    pub(super) fn new(id: EntryId, notification: Notification, at: Timestamp) -> Self {
        Self {
            id,
            idempotency_key: idempotency_key(id, &notification),
            untold: BTreeSet::new(),
            attempts: 0,
            next_attempt: at,
            last_error: None,
            notification,
        }
    }

    /// The lane that it belongs to.
    pub fn lane(&self) -> LaneKey {
        LaneKey {
            group_key: self.notification.group_key.clone(),
            integration: self.notification.integration.clone(),
        }
    }

    /// What the receiver knows once this is delivered.
    pub fn told(&self) -> Told {
        Told {
            firing: self.notification.fingerprints(NotificationStatus::Firing).collect(),
            resolved: self.notification.fingerprints(NotificationStatus::Resolved).collect(),
            at: self.notification.created_at,
        }
    }

    /// What it tells of an alert, where it names it.
    pub fn status_of(&self, fingerprint: Fingerprint) -> Option<NotificationStatus> {
        let mut alerts = self.notification.alerts.iter();
        alerts.find(|named| named.alert.fingerprint() == fingerprint).map(NotifiedAlert::status)
    }

    /// The alerts that it names, or whose firing it still has to tell. Some come twice.
    pub(super) fn concerned(&self) -> impl Iterator<Item = Fingerprint> {
        let named = self.notification.alerts.iter().map(|named| named.alert.fingerprint());
        named.chain(self.untold.iter().copied())
    }

    /// A number that is this entry's own, for jitter.
    pub(super) fn seed(&self) -> u64 {
        self.idempotency_key
            .bytes()
            .fold(self.id.0, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)))
    }
}

/// 32 hexadecimal digits out of the entry's number, its lane and its time: the same for every
/// attempt, also after a restart, and never used for other words.
fn idempotency_key(id: EntryId, notification: &Notification) -> String {
    let mut hash = Sha256::new();
    hash.update(id.0.to_be_bytes());
    hash.update(notification.created_at.millis().to_be_bytes());
    hash.update(notification.group_key.0.as_bytes());
    hash.update([0]);
    hash.update(notification.integration.to_string().as_bytes());
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered {
        /// What the integration wants to remember for the group: Slack's channel and timestamp,
        /// the first Message-ID. `None` keeps what was remembered before.
        receiver_state: Option<serde_json::Value>,
        /// The status code, where the protocol has one.
        status: Option<u16>,
    },
    /// It did not work, and may work later.
    Retry {
        /// The least wait that the receiver asked for.
        after: Option<Duration>,
        /// Why, without any secret.
        error: String,
        /// The status code, where there was an answer.
        status: Option<u16>,
    },
    /// It cannot work as it is: a rejected key, a malformed request.
    Permanent {
        /// Why, without any secret.
        error: String,
        /// The status code, where there was an answer.
        status: Option<u16>,
    },
}

impl Outcome {
    /// A delivery with nothing to remember.
    pub fn delivered(status: Option<u16>) -> Self {
        Self::Delivered { receiver_state: None, status }
    }

    /// A failure that may pass.
    pub fn retry(error: impl Into<String>) -> Self {
        Self::Retry { after: None, error: error.into(), status: None }
    }

    /// A failure that will not pass.
    pub fn permanent(error: impl Into<String>) -> Self {
        Self::Permanent { error: error.into(), status: None }
    }

    /// The short name, for records and metrics.
    pub fn kind(&self) -> AttemptOutcome {
        match self {
            Self::Delivered { .. } => AttemptOutcome::Delivered,
            Self::Retry { .. } => AttemptOutcome::Retry,
            Self::Permanent { .. } => AttemptOutcome::Permanent,
        }
    }
}

/// The kinds of [`Outcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttemptOutcome {
    /// The receiver has it.
    Delivered,
    /// It failed and is tried again.
    Retry,
    /// It failed for good.
    Permanent,
}

impl AttemptOutcome {
    /// The name, as shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retry => "retry",
            Self::Permanent => "permanent",
        }
    }
}

/// The record of one attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The entry that was tried.
    pub entry: EntryId,
    /// The group it told of.
    pub group_key: crate::model::GroupKey,
    /// Whom it went to.
    pub integration: IntegrationId,
    /// Which attempt it was, from 1.
    pub number: u32,
    /// When its outcome was known.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The status code, where there was an answer.
    pub status: Option<u16>,
    /// Why it failed, without any secret.
    pub error: Option<String>,
    /// Why the notification went out.
    pub reason: crate::model::NotifyReason,
    /// The alerts that it named.
    pub alerts: Vec<Fingerprint>,
    /// Those of them that it named as resolved.
    pub resolved: Vec<Fingerprint>,
    /// When it is tried again; `None` where it is not.
    pub next_attempt: Option<Timestamp>,
}
