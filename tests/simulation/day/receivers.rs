//! The receivers: they take messages, and fail as the plan says.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use watchbell::model::Timestamp;
use watchbell::notify::{Delivery, Notifier, Preview, RenderError};
use watchbell::outbox::Outcome;

use super::plan::{Effect, Health};
use super::world::World;

/// How long a notifier waits for an answer; longer than the dispatch loop does.
const PATIENCE: Duration = Duration::from_secs(150);

/// One integration.
pub struct Receiver {
    world: Arc<World>,
    number: usize,
}

impl Receiver {
    pub fn new(world: &Arc<World>, number: usize) -> Self {
        Self { world: Arc::clone(world), number }
    }

    async fn arrives(&self, delivery: &Delivery) {
        let result = {
            let mut state = self.world.state();
            let state = &mut *state;
            state.note(|| words(delivery));
            let now = state.now();
            state.duties.arrived(&self.world.plan, &state.rules, self.number, delivery, now)
        };
        self.world.check(result);
        self.world.effect(Effect::Arrived).await;
    }
}

#[async_trait]
impl Notifier for Receiver {
    async fn deliver(&self, delivery: &Delivery, _: Timestamp) -> Outcome {
        self.world.effect(Effect::DeliveryBegun).await;
        let begun = {
            let mut state = self.world.state();
            let now = state.now();
            state.duties.begun(&self.world.plan, self.number, delivery, now)
        };
        self.world.check(begun);
        self.world.latency().await;
        let health = self.world.plan.health(self.number, self.world.now());
        let failed = |after: Option<Duration>, error: &str, status| Outcome::Retry {
            after,
            error: error.to_string(),
            status,
        };
        let outcome = match health {
            Health::Works => {
                self.arrives(delivery).await;
                Outcome::delivered(Some(200))
            }
            Health::Fails => failed(None, "503", Some(503)),
            Health::Limits(after) => {
                let until = self.world.now() + after;
                self.world.state().duties.limited(self.number, until);
                failed(Some(Duration::from_millis(after as u64)), "429", Some(429))
            }
            Health::Hangs => {
                tokio::time::sleep(PATIENCE).await;
                failed(None, "no answer", None)
            }
            Health::Refuses => Outcome::permanent("refused"),
            Health::LosesAnswers => {
                self.arrives(delivery).await;
                self.world.state().duties.unlearned(&delivery.idempotency_key);
                tokio::time::sleep(Duration::from_secs(10)).await;
                failed(None, "the connection broke", None)
            }
        };
        self.world.effect(Effect::Answered).await;
        if health != Health::Works {
            let mut state = self.world.state();
            state.note(|| format!("{health:?}: not {}", words(delivery)));
        }
        outcome
    }

    fn preview(&self, _: &Delivery, _: Timestamp) -> Result<Preview, RenderError> {
        Ok(Preview { parts: Vec::new() })
    }
}

/// A message in one line, for the trace.
fn words(delivery: &Delivery) -> String {
    let notification = &delivery.notification;
    let alerts: Vec<String> = notification
        .alerts
        .iter()
        .map(|named| {
            let state = if named.alert.is_resolved() { "over" } else { "fires" };
            let missed = if named.missed { " (missed)" } else { "" };
            let value = |name| named.alert.labels.value(name);
            format!("{}/{} {state}{missed}", value("alertname"), value("pod"))
        })
        .collect();
    format!(
        "told {} {}: {} [{}] attempt {} key {}",
        notification.integration,
        notification.group_labels,
        alerts.join(", "),
        notification.reason.as_str(),
        delivery.attempt,
        delivery.idempotency_key.get(..6).unwrap_or_default()
    )
}
