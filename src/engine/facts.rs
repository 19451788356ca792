//! What the program observes of itself, written from many tasks.

use std::sync::{Arc, Mutex, PoisonError};

use crate::alerting::Facts;
use crate::engine::dispatcher::DeliveryTicket;
use crate::model::Monotonic;
use crate::outbox::Outcome;
use crate::query::QueryError;

/// The facts behind a lock that nobody holds for long.
#[derive(Clone, Debug, Default)]
pub struct SharedFacts(Arc<Mutex<Facts>>);

impl SharedFacts {
    /// Reads or writes the facts. A panic elsewhere leaves them whole: each fact is written at once.
    pub fn with<T>(&self, act: impl FnOnce(&mut Facts) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes what came of an attempt at delivery.
    pub(super) fn attempted(&self, ticket: &DeliveryTicket, outcome: &Outcome, now: Monotonic) {
        let (integration, group) = (&ticket.integration, &*ticket.group.key.0);
        self.with(|facts| match outcome {
            Outcome::Delivered { .. } => facts.delivered(integration, group),
            Outcome::Permanent { error, .. } => facts.refused(integration, group, error, now),
            Outcome::Retry { error, after, .. } => {
                facts.delayed(integration, group, error, *after, now);
            }
        });
    }
}

/// Whether a failed query shows that the datasource is not there; `None` where it says nothing of
/// that, and `Some(false)` where it is an answer of its own.
pub(super) fn shows_absence(error: &QueryError) -> Option<bool> {
    use crate::query::ApiErrorKind::{BadData, Execution};
    match error {
        QueryError::Api { kind: BadData | Execution, .. } | QueryError::TooManySamples { .. } => {
            Some(false)
        }
        QueryError::Busy { .. } | QueryError::Range { .. } => None,
        QueryError::Http(_) | QueryError::Api { .. } | QueryError::Decode { .. } => Some(true),
    }
}
