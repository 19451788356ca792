//! PagerDuty: the Events API v2.

mod config;
mod event;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::http::{HttpClient, HttpError, HttpRequest, HttpResponse, Timeouts};
use crate::model::{Secret, SecretSource, Timestamp};
use crate::notify::pagerduty::config::PagerdutyConfig;
use crate::notify::pagerduty::event::{OnFailure, Templates, actions};
use crate::notify::{
    BuildError, Context, Delivery, IntegrationConfig, Kind, Notifier, Preview, RenderError,
    respond, words,
};
use crate::outbox::Outcome;

/// PagerDuty's line in the table of kinds.
pub const KIND: Kind = Kind {
    name: "pagerduty",
    key: "pagerduty_configs",
    templates: config::TEMPLATES,
    read: config::read,
};

/// The most characters of PagerDuty's own words in an error.
const MAX_REASON: usize = 300;

impl IntegrationConfig for PagerdutyConfig {
    fn send_resolved(&self) -> bool {
        self.send_resolved
    }

    fn secrets(&self) -> Vec<&SecretSource> {
        vec![&self.routing_key]
    }

    fn build(&self, context: &Context) -> Result<Arc<dyn Notifier>, BuildError> {
        let timeouts = Timeouts { total: self.timeout, ..Timeouts::default() };
        let client = HttpClient::new(&self.http, timeouts)?;
        let templates = Templates::new(self, context)?;
        let now = Timestamp::from_secs(1_700_000_000);
        for sample in words::samples(&self.id, now) {
            for action in actions(&sample, false) {
                templates.event(&sample, *action, now, OnFailure::Refuse)?;
            }
        }
        Ok(Arc::new(Pagerduty { config: self.clone(), client, templates }))
    }
}

struct Pagerduty {
    config: PagerdutyConfig,
    client: HttpClient,
    templates: Templates,
}

#[async_trait]
impl Notifier for Pagerduty {
    async fn deliver(&self, delivery: &Delivery, now: Timestamp) -> Outcome {
        let key = match self.config.routing_key.read() {
            Ok(key) => key,
            // A file that is being rotated may be back soon.
            Err(error) => return Outcome::retry(error.to_string()),
        };
        let notification = &delivery.notification;
        let mut outcome = Outcome::delivered(None);
        for action in actions(notification, delivery.announced) {
            let event = self.templates.event(notification, *action, now, OnFailure::Plain);
            outcome = match event {
                Ok(event) => self.send(event, &key, now).await,
                Err(error) => Outcome::permanent(error.to_string()),
            };
            if !matches!(outcome, Outcome::Delivered { .. }) {
                break;
            }
        }
        outcome
    }

    fn preview(&self, delivery: &Delivery, now: Timestamp) -> Result<Preview, RenderError> {
        let notification = &delivery.notification;
        let mut parts = Vec::new();
        for action in actions(notification, delivery.announced) {
            let event = self.templates.event(notification, *action, now, OnFailure::Refuse)?;
            if parts.is_empty() {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
                let details = &event["payload"]["custom_details"];
                let list = [text(&details["firing"]), text(&details["resolved"])];
                parts.push(("subject", text(&event["payload"]["summary"])));
                parts.push(("text", list.join("\n\n").trim().to_string()));
            }
            let body = serde_json::to_string_pretty(&event).map_err(|error| RenderError {
                template: "the PagerDuty event".to_string(),
                reason: error.to_string(),
            })?;
            parts.push(("body", body));
        }
        Ok(Preview { parts })
    }
}

impl Pagerduty {
    async fn send(&self, mut event: Value, key: &Secret, now: Timestamp) -> Outcome {
        event["routing_key"] = Value::from(key.expose());
        let request = match HttpRequest::post(&self.config.url) {
            Ok(request) => request.body("application/json", event.to_string()),
            Err(error) => return Outcome::permanent(error.to_string()),
        };
        outcome(self.client.send(request).await, key, now)
    }
}

/// 202 is delivered. 400 says what is wrong with the event, and that stays wrong.
fn outcome(answer: Result<HttpResponse, HttpError>, key: &Secret, now: Timestamp) -> Outcome {
    let clean = |error: String| match key.expose() {
        "" => error,
        key => error.replace(key, "<secret>"),
    };
    match answer {
        Ok(response) if response.status() == 400 => {
            let error = clean(format!("pagerduty refused the event: {}", reason(&response)));
            Outcome::Permanent { error, status: Some(400) }
        }
        answer => match respond::outcome(answer, now) {
            Outcome::Retry { after, error, status } => {
                Outcome::Retry { after, error: clean(error), status }
            }
            Outcome::Permanent { error, status } => {
                Outcome::Permanent { error: clean(error), status }
            }
            delivered => delivered,
        },
    }
}

/// PagerDuty's own words: `message`, and the list `errors`.
fn reason(response: &HttpResponse) -> String {
    let Ok(body) = serde_json::from_slice::<Value>(response.body()) else {
        return response.excerpt();
    };
    let errors = body["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let parts: Vec<&str> = body["message"].as_str().into_iter().chain(errors).collect();
    if parts.is_empty() {
        return response.excerpt();
    }
    let line = parts.join("; ").split_whitespace().collect::<Vec<_>>().join(" ");
    crate::template::truncate(&line, MAX_REASON)
}
