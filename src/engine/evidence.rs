//! What the datasource knows of a time in which nobody evaluated.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::alerting::{RangeEvidence, final_labels};
use crate::engine::evaluate::{EvalError, Evaluator};
use crate::model::{Fingerprint, Sample, Timestamp};
use crate::query::Series;
use crate::rule::AlertingRule;
use crate::template::QueryAnswers;

/// Asks whether the datasource itself was there: every scraped target has this series.
const PRESENCE: &str = "count(up)";

impl Evaluator {
    /// Looks at a rule's expression from `from` to `to`, every `step`, for what its alerts were
    /// like meanwhile. The expression is looked at `offset` earlier, as an evaluation would.
    ///
    /// # Errors
    /// When the datasource does not answer.
    pub async fn evidence(
        &self,
        rule: &AlertingRule,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
        offset: Duration,
    ) -> Result<RangeEvidence, EvalError> {
        let (start, end) = (from - offset, to - offset);
        let presence = self.querier.range(PRESENCE, start, end, step).await?;
        let times = presence.series.iter().flat_map(|series| &series.samples);
        let observed: BTreeSet<Timestamp> = times.map(|(at, _)| *at + offset).collect();
        let mut evidence = RangeEvidence { step, observed, ..RangeEvidence::default() };
        for series in self.querier.range(&rule.query, start, end, step).await?.series {
            for (at, value) in &series.samples {
                let at = *at + offset;
                let id = self.identity(rule, &series, at, *value).await;
                evidence.active.entry(id).or_default().insert(at);
            }
        }
        Ok(evidence)
    }

    /// The alert that a sample of a series would have been.
    async fn identity(
        &self,
        rule: &AlertingRule,
        series: &Series,
        at: Timestamp,
        value: f64,
    ) -> Fingerprint {
        let sample = Sample { labels: series.labels.clone(), timestamp: at, value };
        let mut answers = QueryAnswers::new();
        let labels = self.expand_all(&rule.labels, &sample, &mut answers, at).await;
        final_labels(&sample.labels, &labels, &rule.name).fingerprint()
    }
}
