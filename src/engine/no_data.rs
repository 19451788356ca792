//! Active alerts that the expression no longer returns: are they over, or is there no data?

use std::collections::BTreeSet;

use crate::alerting::{ActiveSample, AlertInstance, RuleAlerts, has_data};
use crate::engine::evaluate::{EvalError, Evaluator, vector};
use crate::model::{Fingerprint, InstantVector, Timestamp};
use crate::promql::{Presence, presence};
use crate::rule::AlertingRule;

/// What is known of alerts that the expression does not return.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// They have no data.
    pub(super) without_data: BTreeSet<Fingerprint>,
    /// They stay as they are: those without data, and all where that could not be found out.
    pub(super) kept: BTreeSet<Fingerprint>,
    /// Why it could not be found out.
    pub(super) error: Option<EvalError>,
}

impl Evaluator {
    /// Asks whether the alerts that are missing in `active` have data. Nothing is asked where none
    /// is missing.
    pub(super) async fn missing(
        &self,
        rule: &AlertingRule,
        alerts: &RuleAlerts,
        active: &[ActiveSample],
        query_at: Timestamp,
    ) -> Missing {
        let returned: BTreeSet<Fingerprint> =
            active.iter().map(|sample| sample.labels.fingerprint()).collect();
        let missing = alerts.active().filter(|(fingerprint, _)| !returned.contains(fingerprint));
        let missing: Vec<(Fingerprint, &AlertInstance)> = missing.collect();
        if missing.is_empty() {
            return Missing::default();
        }
        match self.samples_of(rule, query_at).await {
            Ok(Some(samples)) => {
                let lacks = missing.iter().filter(|(_, a)| !has_data(rule, &a.labels, &samples));
                let lacks: BTreeSet<Fingerprint> = lacks.map(|(fp, _)| *fp).collect();
                Missing { without_data: lacks.clone(), kept: lacks, error: None }
            }
            // A finding at load says that this rule's alerts end as in Prometheus.
            Ok(None) => Missing::default(),
            Err(error) => {
                let kept = missing.iter().map(|(fingerprint, _)| *fingerprint).collect();
                Missing { without_data: BTreeSet::new(), kept, error: Some(error) }
            }
        }
    }

    /// A sample for every label set of a rule that has data; `None` where that cannot be told. Of
    /// an expression that filters nothing there is none beside its result.
    ///
    /// # Errors
    /// When the datasource does not answer.
    pub async fn samples_of(
        &self,
        rule: &AlertingRule,
        query_at: Timestamp,
    ) -> Result<Option<InstantVector>, EvalError> {
        let queries = match presence(&rule.expr, &rule.query) {
            Ok(Presence::Queries(queries)) => queries,
            Ok(Presence::Result) => return Ok(Some(Vec::new())),
            Err(_) => return Ok(None),
        };
        let mut samples = InstantVector::new();
        for query in queries {
            let result = self.querier.instant(&query, query_at).await?;
            samples.extend(vector(result.value, query_at)?);
        }
        Ok(Some(samples))
    }
}
