//! Email: a mail with a text and an HTML part, sent through a smarthost.
//!
//! | file | idea |
//! |---|---|
//! | `config.rs` | `email_configs`, with Alertmanager's names |
//! | `view.rs` | what the shipped templates show: few alerts, short texts, safe links |
//! | `words.rs` | subject, text and HTML; the plain form where a template fails |
//! | `message.rs` | headers, addresses, the thread |
//! | `stream.rs` | TCP and TLS, up to a connection on which mail may be sent |
//! | `smtp.rs` | the conversation: login, recipients, the mail |
//! | `error.rs` | what can go wrong, and whether trying again helps |
//! | `partial.rs` | who has a mail already that others wait for |

mod config;
mod error;
mod message;
mod partial;
mod smtp;
mod stream;
mod view;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;

use crate::http::tls_client_config;
use crate::model::{Notification, SecretSource, Timestamp};
use crate::notify::{
    BuildError, Context, Delivery, IntegrationConfig, Kind, Notifier, Preview, RenderError, sample,
};
use crate::outbox::Outcome;
use config::EmailConfig;
use message::{Mail, Thread};
use partial::Partial;
use words::{Texts, Words};

/// Email's line in the table of kinds.
pub const KIND: Kind = Kind {
    name: "email",
    key: "email_configs",
    templates: &[
        (words::SUBJECT, include_str!("../../../notifiers/email/subject.txt.hbs")),
        (words::HTML, include_str!("../../../notifiers/email/body.html.hbs")),
        (words::TEXT, include_str!("../../../notifiers/email/body.txt.hbs")),
        ("email/button.html.hbs", include_str!("../../../notifiers/email/button.html.hbs")),
    ],
    read: config::read,
};

impl IntegrationConfig for EmailConfig {
    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn secrets(&self) -> Vec<&SecretSource> {
        self.login.iter().map(|login| &login.password).collect()
    }

    fn build(&self, context: &Context) -> Result<Arc<dyn Notifier>, BuildError> {
        // A certificate that cannot be read is found now; each delivery reads it again.
        tls_client_config(&self.server.tls)?;
        let texts = Texts::new(self, context)?;
        let now = Timestamp::from_secs(1_700_000_000);
        for resolved in [false, true] {
            let notification = sample(&self.id, resolved, now);
            texts.render(&notification, now)?;
            let over = Notification {
                alerts: notification.alerts.into_iter().filter(|a| a.alert.is_resolved()).collect(),
                ..notification
            };
            texts.render(&over, now)?;
        }
        Ok(Arc::new(Email { config: self.clone(), texts, partial: Partial::default() }))
    }
}

struct Email {
    config: EmailConfig,
    texts: Texts,
    partial: Partial,
}

#[async_trait]
impl Notifier for Email {
    async fn deliver(&self, delivery: &Delivery, now: Timestamp) -> Outcome {
        let words = match self.texts.render(&delivery.notification, now) {
            Ok(words) => words,
            Err(error) => {
                let integration = &delivery.notification.integration;
                tracing::warn!(%integration, %error, "template failed, sending the plain form");
                self.texts.plain(&delivery.notification, now)
            }
        };
        let thread = Thread::new(delivery, &self.config.threading, self.texts.day(now));
        match Mail::compose(&words, delivery, &thread, now) {
            Ok(mail) => self.send(&mail, delivery, thread.state(&mail.message_id)).await,
            Err(error) => Outcome::permanent(error),
        }
    }

    fn preview(&self, delivery: &Delivery, now: Timestamp) -> Result<Preview, RenderError> {
        let Words { subject, text, html, .. } = self.texts.render(&delivery.notification, now)?;
        let mut parts = vec![("subject", subject.trim().to_string()), ("text", text)];
        parts.extend(html.map(|html| ("html", html)));
        Ok(Preview { parts })
    }
}

impl Email {
    async fn send(&self, mail: &Mail, delivery: &Delivery, state: serde_json::Value) -> Outcome {
        let key = &delivery.idempotency_key;
        let waiting = self.partial.waiting(key, &mail.recipients);
        let integration = &delivery.notification.integration;
        let some_have_it = waiting.len() < mail.recipients.len();
        let last = delivery.attempt >= partial::MAX_ATTEMPTS;
        let sent = match smtp::send(&self.config, mail, &waiting).await {
            Ok(sent) => sent,
            Err(error) if some_have_it && (last || !error.is_transient()) => {
                tracing::warn!(%integration, %error, "the last recipients were given up");
                self.partial.forget(key);
                return Outcome::Delivered { receiver_state: Some(state), status: error.status() };
            }
            Err(error) => return error.outcome(),
        };
        for refusal in &sent.refused {
            tracing::warn!(%integration, error = %refusal, "a recipient was refused");
        }
        if let Some(refusal) = sent.postponed.first()
            && !last
        {
            self.partial.keep(key, &mail.recipients, &sent.open);
            return refusal.clone().outcome();
        }
        for refusal in &sent.postponed {
            tracing::warn!(%integration, error = %refusal, "a recipient was given up");
        }
        self.partial.forget(key);
        Outcome::Delivered { receiver_state: Some(state), status: Some(sent.status) }
    }
}
