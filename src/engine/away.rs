//! A datasource that was away: what it does not return may only not be there yet.
//!
//! A Prometheus that has just started answers at once, but knows of a target only after the first
//! scrape, unless it kept samples that are younger than its lookback. Until then an empty result
//! says nothing, and an alert that fires must not be told as over.

use std::time::Duration;

use crate::alerting::{ActiveSample, AlertState, RuleAlerts};
use crate::engine::evaluate::Evaluator;
use crate::model::Timestamp;
use crate::query::QueryValue;

/// For how long an empty result is doubted at most: Prometheus' own default of
/// `--query.lookback-delta`, and more than the scrape interval of any target.
const DOUBT: Duration = Duration::from_secs(5 * 60);
/// How many targets the datasource has seen: every scraped one has this series.
const TARGETS: &str = "count(up)";

/// A time in which a rule heard nothing of its datasource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away {
    /// When it answered last; `None` where it never has.
    since: Option<Timestamp>,
    /// When it first answered again; `None` while it does not.
    back: Option<Timestamp>,
}

impl Away {
    /// Nothing has been heard since then.
    pub fn since(last_answer: Option<Timestamp>) -> Self {
        Self { since: last_answer, back: None }
    }

    /// The datasource does not answer (again).
    pub fn goes_on(self) -> Self {
        Self { back: None, ..self }
    }

    /// The datasource has answered at `ts`. `None` once there is nothing to doubt any more.
    pub fn answered(self, ts: Timestamp) -> Option<Self> {
        let back = self.back.unwrap_or(ts);
        (ts.since(back) < DOUBT).then_some(Self { back: Some(back), ..self })
    }
}

impl Evaluator {
    /// The alerts that fire and are not in `active`, while it is in doubt whether they are over;
    /// `None` where it is not. One that only `keep_firing_for` keeps was over before.
    pub(super) async fn doubted(
        &self,
        away: Away,
        alerts: &RuleAlerts,
        active: &[ActiveSample],
        query_at: Timestamp,
    ) -> Option<Vec<ActiveSample>> {
        let missing = alerts.active().map(|(_, alert)| alert).filter(|alert| {
            alert.state == AlertState::Firing
                && alert.keep_firing_since.is_none()
                && !active.iter().any(|sample| sample.labels == alert.labels)
        });
        let missing: Vec<ActiveSample> = missing
            .map(|alert| ActiveSample {
                labels: alert.labels.clone(),
                annotations: alert.annotations.clone(),
                value: alert.value,
            })
            .collect();
        if !missing.is_empty() && self.has_seen_all(away, query_at).await {
            return None;
        }
        Some(missing)
    }

    /// Whether the datasource knows of as many targets as before it went.
    async fn has_seen_all(&self, away: Away, now: Timestamp) -> bool {
        let Some(since) = away.since else { return false };
        match (self.targets(since).await, self.targets(now).await) {
            (Some(before), Some(now)) => before > 0.0 && now >= before,
            _ => false,
        }
    }

    async fn targets(&self, at: Timestamp) -> Option<f64> {
        match self.querier.instant(TARGETS, at).await.ok()?.value {
            QueryValue::Vector(vector) => vector.first().map(|sample| sample.value),
            _ => None,
        }
    }
}
