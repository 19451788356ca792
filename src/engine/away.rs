//! A datasource that was away: what it does not return may only not be there yet.
//!
//! A Prometheus that has just started answers at once, but knows of a target only after the first
//! scrape, unless it kept samples that are younger than its lookback. Until then an empty result
//! says nothing, and an alert that fires must not be told as over.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::alerting::{ActiveSample, AlertState, RuleAlerts};
use crate::engine::evaluate::Evaluator;
use crate::model::{Fingerprint, Timestamp};
use crate::query::QueryValue;

/// For how long an empty result is doubted at most: Prometheus' own default of
/// `--query.lookback-delta`, and more than the scrape interval of any target.
const DOUBT: Duration = Duration::from_secs(5 * 60);
/// How many targets the datasource has seen: every scraped one has this series.
const TARGETS: &str = "count(up)";

/// A time in which a rule heard nothing of its datasource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// When it answered last; `None` where it never has.
    since: Option<Timestamp>,
    /// When it first answered again; `None` while it does not.
    back: Option<Timestamp>,
    /// The alerts that fired then and that it has not returned since. Only these are in doubt.
    unseen: BTreeSet<Fingerprint>,
}

impl Away {
    /// Nothing has been heard since then; `alerts` are those of before.
    pub fn since(last_answer: Option<Timestamp>, alerts: &RuleAlerts) -> Self {
        Self { since: last_answer, back: None, unseen: firing(alerts) }
    }

    /// The datasource does not answer (again).
    pub fn goes_on(self, alerts: &RuleAlerts) -> Self {
        Self { back: None, unseen: firing(alerts), ..self }
    }

    /// The wall clock jumped by so many milliseconds: the doubt lasts no longer for it.
    pub fn clock_jumped(&mut self, by_millis: i64) {
        self.back = self.back.map(|back| back.moved(by_millis));
    }

    /// The datasource has answered at `ts`, and `unseen` stay in doubt. `None` once there is
    /// nothing to doubt any more.
    pub fn answered(self, ts: Timestamp, unseen: BTreeSet<Fingerprint>) -> Option<Self> {
        let back = self.back.unwrap_or(ts);
        let doubt = !unseen.is_empty() && ts.since(back) < DOUBT;
        doubt.then_some(Self { back: Some(back), unseen, ..self })
    }
}

/// The alerts that fire; one that only `keep_firing_for` keeps was over before.
fn firing(alerts: &RuleAlerts) -> BTreeSet<Fingerprint> {
    let firing = alerts.active().filter(|(_, alert)| {
        alert.state == AlertState::Firing && alert.keep_firing_since.is_none()
    });
    firing.map(|(fingerprint, _)| fingerprint).collect()
}

impl Evaluator {
    /// The alerts that are not in `active` and of which it is in doubt whether they are over.
    pub(super) async fn doubted(
        &self,
        away: &Away,
        alerts: &RuleAlerts,
        active: &[ActiveSample],
        query_at: Timestamp,
    ) -> Vec<ActiveSample> {
        let missing = alerts.active().filter(|(fingerprint, alert)| {
            away.unseen.contains(fingerprint)
                && !active.iter().any(|sample| sample.labels == alert.labels)
        });
        let missing: Vec<ActiveSample> = missing
            .map(|(_, alert)| ActiveSample {
                labels: alert.labels.clone(),
                annotations: alert.annotations.clone(),
                value: alert.value,
            })
            .collect();
        if missing.is_empty() || self.has_seen_all(away, query_at).await {
            return Vec::new();
        }
        missing
    }

    /// Whether the datasource knows of as many targets as before it went.
    async fn has_seen_all(&self, away: &Away, now: Timestamp) -> bool {
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
