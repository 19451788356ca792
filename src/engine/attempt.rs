//! One attempt at delivery, which always has an outcome.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;

use crate::engine::dispatcher::DeliveryTicket;
use crate::model::Now;
use crate::notify::Notifier;
use crate::outbox::Outcome;

/// No attempt lasts longer; every notifier has a shorter limit of its own.
pub(super) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(120);

/// Delivers; whatever goes wrong inside is an outcome too.
pub(super) async fn attempt(notifier: &dyn Notifier, ticket: &DeliveryTicket, now: Now) -> Outcome {
    // A notifier that panics must not keep its lane in flight for ever. It holds nothing that a
    // panic could leave half done: every attempt starts anew.
    let attempt = AssertUnwindSafe(notifier.deliver(&ticket.delivery, now.wall)).catch_unwind();
    match tokio::time::timeout(ATTEMPT_TIMEOUT, attempt).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Outcome::retry("the integration failed inside (a bug)"),
        Err(_) => Outcome::retry(format!("no outcome within {} s", ATTEMPT_TIMEOUT.as_secs())),
    }
}
