//! A querier whose queries are counted, timed and noted among the facts.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::engine::facts::{SharedFacts, shows_absence};
use crate::model::{Monotonic, Timestamp};
use crate::query::{Querier, QueryError, QueryResult, RangeResult};
use crate::telemetry::{Metrics, QueryFailureLabels};

/// Counts and times the queries of another querier.
pub struct MeasuredQuerier<Q> {
    inner: Q,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    facts: SharedFacts,
}

impl<Q> MeasuredQuerier<Q> {
    /// Measures `inner`.
    pub fn new(inner: Q, clock: Arc<dyn Clock>, metrics: Arc<Metrics>, facts: SharedFacts) -> Self {
        Self { inner, clock, metrics, facts }
    }

    async fn measure<T>(
        &self,
        query: impl Future<Output = Result<T, QueryError>>,
        warned: impl Fn(&T) -> bool,
    ) -> Result<T, QueryError> {
        let metrics = &self.metrics.queries;
        let began = self.clock.now().mono;
        let result = query.await;
        metrics.queries.inc();
        let now = self.clock.now().mono;
        metrics.duration.observe(now.since(began).as_secs_f64());
        self.note(result.as_ref().err(), now);
        match &result {
            Ok(answer) if warned(answer) => drop(metrics.warnings.inc()),
            Ok(_) => {}
            Err(error) => {
                let kind = QueryFailureLabels { kind: error.kind() };
                metrics.failures.get_or_create(&kind).inc();
            }
        }
        result
    }

    /// Notes whether the datasource is there.
    fn note(&self, error: Option<&QueryError>, now: Monotonic) {
        let Some(error) = error else {
            return self.facts.with(|facts| facts.datasource_answered(now));
        };
        match shows_absence(error) {
            Some(true) => {
                self.facts.with(|facts| facts.datasource_failed(&error.to_string(), now));
            }
            Some(false) => self.facts.with(|facts| facts.datasource_answered(now)),
            None => {}
        }
    }
}

#[async_trait]
impl<Q: Querier> Querier for MeasuredQuerier<Q> {
    async fn instant(&self, query: &str, at: Timestamp) -> Result<QueryResult, QueryError> {
        let warned = |result: &QueryResult| !result.warnings.is_empty();
        self.measure(self.inner.instant(query, at), warned).await
    }

    async fn range(
        &self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    ) -> Result<RangeResult, QueryError> {
        let warned = |result: &RangeResult| !result.warnings.is_empty();
        self.measure(self.inner.range(query, start, end, step), warned).await
    }
}
