//! Slack: incoming webhooks, and bot tokens with one thread for each group.

mod answer;
mod config;
mod guard;
mod message;
mod text;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use crate::http::{HttpClient, HttpRequest, Timeouts};
use crate::model::{NotificationStatus, NotifyReason, SecretSource, Timestamp};
use crate::notify::slack::answer::{Answer, Thread};
use crate::notify::slack::config::{Endpoint, SlackConfig};
use crate::notify::slack::message::{OnFailure, Templates};
use crate::notify::{
    BuildError, Context, Delivery, IntegrationConfig, Kind, Notifier, Preview, RenderError, words,
};
use crate::outbox::Outcome;

/// Slack's line in the table of kinds.
pub const KIND: Kind =
    Kind { name: "slack", key: "slack_configs", templates: text::TEMPLATES, read: config::read };

impl IntegrationConfig for SlackConfig {
    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn secrets(&self) -> Vec<&SecretSource> {
        match &self.endpoint {
            Endpoint::Webhook(secret) | Endpoint::App { token: secret, .. } => vec![secret],
        }
    }

    fn build(&self, context: &Context) -> Result<Arc<dyn Notifier>, BuildError> {
        let timeouts = Timeouts { total: self.timeout, ..Timeouts::default() };
        let client = HttpClient::new(&self.http, timeouts)?;
        let templates = Templates::new(self, context)?;
        let now = Timestamp::from_secs(1_700_000_000);
        for sample in words::samples(&self.id, now) {
            templates.message(&sample, now, OnFailure::Refuse)?;
        }
        let (endpoint, threads) = (self.endpoint.clone(), self.threads);
        Ok(Arc::new(Slack { endpoint, threads, client, templates }))
    }
}

struct Slack {
    endpoint: Endpoint,
    threads: bool,
    client: HttpClient,
    templates: Templates,
}

#[async_trait]
impl Notifier for Slack {
    async fn deliver(&self, delivery: &Delivery, now: Timestamp) -> Outcome {
        let notification = &delivery.notification;
        let message = match self.templates.message(notification, now, OnFailure::Plain) {
            Ok(message) => message,
            Err(error) => return Outcome::permanent(error.to_string()),
        };
        let channel = message.get("channel").and_then(Value::as_str).unwrap_or("").to_string();
        let state = delivery.receiver_state.as_ref().filter(|_| self.threads);
        if let Some(thread) = Thread::recall(state, &channel) {
            let reply = reply(message.clone(), &thread, delivery);
            match self.post(reply, now).await {
                Answer::Posted { status, .. } => return Outcome::delivered(Some(status)),
                Answer::Failed(outcome) => return outcome,
                Answer::ThreadLost => {}
            }
        }
        match self.post(message, now).await {
            Answer::Posted { place, status } => Outcome::Delivered {
                receiver_state: place.filter(|_| self.threads).and_then(|(id, ts)| {
                    serde_json::to_value(Thread { channel: id, ts, asked_for: channel }).ok()
                }),
                status: Some(status),
            },
            Answer::Failed(outcome) => outcome,
            Answer::ThreadLost => Outcome::permanent("slack refuses a message without a thread"),
        }
    }

    fn preview(&self, delivery: &Delivery, now: Timestamp) -> Result<Preview, RenderError> {
        let message = self.templates.message(&delivery.notification, now, OnFailure::Refuse)?;
        let attachment = |name: &str| -> String {
            let text = message.get("attachments").and_then(|list| list.get(0)?.get(name)?.as_str());
            text.unwrap_or_default().to_string()
        };
        let body = serde_json::to_string_pretty(&message).map_err(|error| RenderError {
            template: "the Slack message".to_string(),
            reason: error.to_string(),
        })?;
        Ok(Preview {
            parts: vec![
                ("subject", attachment("title")),
                ("text", attachment("text")),
                ("body", body),
            ],
        })
    }
}

impl Slack {
    async fn post(&self, message: Map<String, Value>, now: Timestamp) -> Answer {
        match self.request(message) {
            Ok(request) => answer::read(self.client.send(request).await, now),
            // A file that is being rotated may be back soon.
            Err(error) => Answer::Failed(Outcome::retry(error)),
        }
    }

    fn request(&self, message: Map<String, Value>) -> Result<HttpRequest, String> {
        let body = Value::Object(message).to_string();
        let request = match &self.endpoint {
            Endpoint::Webhook(url) => {
                let url = url.read().map_err(|e| e.to_string())?;
                HttpRequest::post(url.expose()).map_err(|e| e.to_string())?.hide_url(&url)
            }
            Endpoint::App { url, token } => {
                let token = token.read().map_err(|e| e.to_string())?;
                let request = HttpRequest::post(url.expose()).map_err(|e| e.to_string())?;
                request.bearer(&token).map_err(|e| e.to_string())?
            }
        };
        Ok(request.body("application/json; charset=utf-8", body))
    }
}

/// A message as an answer in the thread. What fires anew, and a reminder, is shown in the channel
/// too: a reply alone alerts only those who follow the thread.
fn reply(
    mut message: Map<String, Value>,
    thread: &Thread,
    delivery: &Delivery,
) -> Map<String, Value> {
    let notification = &delivery.notification;
    let alerts_people = notification.status() == NotificationStatus::Firing
        && notification.reason != NotifyReason::NewResolvedAlerts;
    message.insert("channel".to_string(), Value::from(thread.channel.as_str()));
    message.insert("thread_ts".to_string(), Value::from(thread.ts.as_str()));
    if alerts_people {
        message.insert("reply_broadcast".to_string(), Value::Bool(true));
    }
    message
}
