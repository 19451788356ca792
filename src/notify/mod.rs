//! Tier 5: integrations. One file (or folder) each: its section of the configuration, how it
//! renders a notification, how it delivers it, its tests.

#[cfg(test)]
mod cases;
mod context;
mod email;
mod globals;
mod pagerduty;
mod receiver;
pub mod respond;
mod sample;
mod slack;
#[cfg(test)]
mod tests;
mod text;
mod webhook;
mod words;

pub use context::Context;
pub use globals::{Globals, PAGERDUTY_URL, SLACK_APP_URL, SmtpGlobals};
pub use receiver::{BuildError, IntegrationConfig, Kind, ReceiverConfig, read_receivers};
pub use sample::sample;
pub use text::{Text, TextSource};

use std::sync::Arc;

use async_trait::async_trait;

use crate::model::{IntegrationId, Notification, Timestamp};
use crate::outbox::Outcome;

/// Every kind of integration. A new one is its own file and one line here.
pub const KINDS: &[Kind] = &[email::KIND, pagerduty::KIND, slack::KIND, webhook::KIND];

/// What an integration gets to deliver.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// What to say.
    pub notification: Notification,
    /// The same for every attempt at these words.
    pub idempotency_key: String,
    /// What the integration remembered of the group at its last delivery.
    pub receiver_state: Option<serde_json::Value>,
    /// Whether the receiver has been told that something in the group fires. Where it has not,
    /// a resolved notification is the first that it hears of the group.
    pub announced: bool,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// A rendered message for people to look at: nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Named parts in the order in which a person reads them: `subject`, `text`, `html`, `body`.
    /// No part holds an address, a key or a token.
    pub parts: Vec<(&'static str, String)>,
}

/// A template did not render a notification.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot render {template}: {reason}")]
pub struct RenderError {
    /// The template's file, or the key in the configuration that holds the text.
    pub template: String,
    /// What is wrong, with line and column where they are known.
    pub reason: String,
}

/// Sends notifications of one kind to one destination.
///
/// `deliver` never panics and never hangs: every implementation has a timeout. It may be called
/// again with the same idempotency key when an outcome was never learned.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Delivers; `now` is for what the message says of time.
    async fn deliver(&self, delivery: &Delivery, now: Timestamp) -> Outcome;

    /// The words as they would be sent.
    ///
    /// # Errors
    /// When a template does not render. `deliver` would fall back to a plain form.
    fn preview(&self, delivery: &Delivery, now: Timestamp) -> Result<Preview, RenderError>;
}

/// One integration of a receiver, ready to deliver.
#[derive(Clone)]
pub struct Integration {
    /// Its identity.
    pub id: IntegrationId,
    /// Whether it is told of resolved alerts.
    pub send_resolved: bool,
    /// Does the work.
    pub notifier: Arc<dyn Notifier>,
}

/// A named receiver: every notification goes to all its integrations.
#[derive(Clone)]
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// Its integrations; none is allowed and means that nobody is told.
    pub integrations: Vec<Integration>,
}
