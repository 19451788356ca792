//! The generic webhook: Alertmanager's JSON, version 4.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use crate::http::{HttpClient, HttpConfig, HttpRequest, Timeouts, parse_url};
use crate::model::time::GO_ZERO_TIME;
use crate::model::{
    Fingerprint, IntegrationId, LabelSet, Notification, NotifiedAlert, SecretSource, Timestamp,
};
use crate::notify::globals::read_timeout;
use crate::notify::{
    BuildError, Context, Delivery, Globals, IntegrationConfig, Kind, Notifier, Preview,
    RenderError, respond,
};
use crate::outbox::Outcome;
use crate::yaml::{Node, Reader};

#[cfg(test)]
mod tests;

/// The webhook's line in the table of kinds.
pub const KIND: Kind = Kind { name: "webhook", key: "webhook_configs", templates: &[], read };

/// `webhook_configs`: one item.
#[derive(Clone, Debug, PartialEq, Eq)]
struct WebhookConfig {
    send_resolved: bool,
    url: SecretSource,
    /// How many alerts a message holds at most; 0 for all.
    max_alerts: usize,
    timeout: Duration,
    http: HttpConfig,
}

fn read(
    reader: &mut Reader,
    node: &Node,
    _id: &IntegrationId,
    globals: &Globals,
) -> Option<Box<dyn IntegrationConfig>> {
    let mut fields = reader.mapping(node, "the webhook")?;
    let url = globals.secret(reader, &mut fields, "url", "url_file");
    if let (Some(SecretSource::Inline(url)), Some(node)) = (&url, fields.get("url")) {
        if url.expose().contains("{{") {
            reader.wrong_value(node, "`url`", "a template in it is not supported yet");
        } else if parse_url(url.expose()).is_err() {
            reader.wrong_value(node, "`url`", "is no http or https address");
        }
    }
    let has_url = fields.key_span("url").or(fields.key_span("url_file")).is_some();
    if !has_url {
        reader.error("receiver/webhook", fields.span(), "a webhook needs `url` or `url_file`");
    }
    fields.unsupported(reader, "payload", "the body is Alertmanager's version 4");
    let max_alerts = fields.unsigned(reader, "max_alerts").unwrap_or(0);
    let timeout = read_timeout(reader, &mut fields);
    let config = url.map(|url| WebhookConfig {
        send_resolved: fields.bool(reader, "send_resolved").unwrap_or(true),
        url,
        max_alerts: usize::try_from(max_alerts).unwrap_or(usize::MAX),
        timeout,
        http: globals.http_config_or_default(reader, &mut fields),
    });
    fields.finish(reader);
    config.map(|config| Box::new(config) as Box<dyn IntegrationConfig>)
}

impl IntegrationConfig for WebhookConfig {
    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn secrets(&self) -> Vec<&SecretSource> {
        vec![&self.url]
    }

    fn build(&self, context: &Context) -> Result<Arc<dyn Notifier>, BuildError> {
        let timeouts = Timeouts { total: self.timeout, ..Timeouts::default() };
        let client = HttpClient::new(&self.http, timeouts)?;
        let external_url = context.external_url.clone();
        Ok(Arc::new(Webhook { config: self.clone(), client, external_url }))
    }
}

struct Webhook {
    config: WebhookConfig,
    client: HttpClient,
    external_url: String,
}

#[async_trait]
impl Notifier for Webhook {
    async fn deliver(&self, delivery: &Delivery, now: Timestamp) -> Outcome {
        let request = self.config.url.read().map_err(|e| e.to_string()).and_then(|url| {
            let body = serde_json::to_vec(&self.message(&delivery.notification))
                .map_err(|e| e.to_string())?;
            let request = HttpRequest::post(url.expose()).map_err(|e| e.to_string())?;
            let request =
                request.hide_url(&url).header("Idempotency-Key", &delivery.idempotency_key);
            Ok(request.map_err(|e| e.to_string())?.body("application/json", body))
        });
        match request {
            Ok(request) => respond::outcome(self.client.send(request).await, now),
            // A file that is being rotated may be back soon.
            Err(error) => Outcome::retry(error),
        }
    }

    fn preview(&self, delivery: &Delivery, _now: Timestamp) -> Result<Preview, RenderError> {
        let message = self.message(&delivery.notification);
        let body = serde_json::to_string_pretty(&message).map_err(|error| RenderError {
            template: "the webhook's body".to_string(),
            reason: error.to_string(),
        })?;
        Ok(Preview { parts: vec![("body", body)] })
    }
}

impl Webhook {
    fn message<'a>(&'a self, notification: &'a Notification) -> Message<'a> {
        let shown = match self.config.max_alerts {
            0 => notification.alerts.len(),
            max => max.min(notification.alerts.len()),
        };
        Message {
            receiver: &notification.integration.receiver,
            status: notification.status().as_str(),
            alerts: notification.alerts.iter().take(shown).map(Item::new).collect(),
            group_labels: &notification.group_labels,
            common_labels: notification.common_labels(),
            common_annotations: notification.common_annotations(),
            external_url: &self.external_url,
            version: "4",
            group_key: &notification.group_key.0,
            truncated_alerts: notification.alerts.len() - shown,
            notification_reason: notification.reason.as_str(),
        }
    }
}

/// The body, in Alertmanager's shape (its `webhook.Message`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    receiver: &'a str,
    status: &'static str,
    alerts: Vec<Item<'a>>,
    group_labels: &'a LabelSet,
    common_labels: LabelSet,
    common_annotations: LabelSet,
    #[serde(rename = "externalURL")]
    external_url: &'a str,
    version: &'static str,
    group_key: &'a str,
    truncated_alerts: usize,
    /// The only name that Alertmanager writes with an underscore; it has it since 0.32.
    #[serde(rename = "notification_reason")]
    notification_reason: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    status: &'static str,
    labels: &'a LabelSet,
    annotations: &'a LabelSet,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    fingerprint: Fingerprint,
}

impl<'a> Item<'a> {
    fn new(notified: &'a NotifiedAlert) -> Self {
        let alert = &notified.alert;
        Self {
            status: notified.status().as_str(),
            labels: &alert.labels,
            annotations: &alert.annotations,
            starts_at: alert.starts_at.rfc3339(),
            ends_at: alert.ends_at.map_or_else(|| GO_ZERO_TIME.to_string(), Timestamp::rfc3339),
            generator_url: &alert.generator_url,
            fingerprint: alert.fingerprint(),
        }
    }
}
