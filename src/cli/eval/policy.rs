//! What the rule policies would do at this time.

use serde_json::{Value, json};

use crate::alerting::{NoData, OnError, Policy, RulePolicies};
use crate::engine::{Evaluated, Evaluator};
use crate::model::Timestamp;
use crate::rule::AlertingRule;

/// The policy that holds for a rule, and what it finds.
pub(super) struct Found {
    /// Its number in the configuration, from 1.
    number: usize,
    policy: Policy,
    failed: bool,
    /// Whether anything behind the expression has data; `None` where that was not or could not be
    /// asked.
    has_data: Option<bool>,
}

impl Found {
    /// Looks at a rule that has just been evaluated, or has failed to be. `None` where no policy
    /// holds for it.
    pub(super) async fn new(
        policies: &RulePolicies,
        rule: &AlertingRule,
        evaluated: Option<&Evaluated>,
        evaluator: &Evaluator,
        query_at: Timestamp,
    ) -> Option<Self> {
        let index = policies.index_of(rule)?;
        let policy = policies.of(rule);
        let done = evaluated.filter(|done| done.step.error.is_none());
        let has_data = match (done, policy.no_data) {
            (Some(done), NoData::Keep | NoData::Alert) if done.samples == 0 => {
                let samples = evaluator.samples_of(rule, query_at).await;
                samples.ok().flatten().map(|samples| !samples.is_empty())
            }
            (Some(done), NoData::Keep | NoData::Alert) if done.samples > 0 => Some(true),
            _ => None,
        };
        Some(Self { number: index + 1, policy, failed: done.is_none(), has_data })
    }

    /// What would happen now, where that differs from a rule without a policy.
    pub(super) fn effect(&self) -> Option<String> {
        let told = |name: &str| format!("{name} would tell of it");
        let effect = match (self.failed, self.has_data) {
            (true, _) if self.policy.on_error == OnError::Alert => {
                format!("it failed: {}", told("WatchbellRuleEvaluationFailed"))
            }
            (false, Some(false)) if self.policy.no_data == NoData::Alert => {
                let told = told("WatchbellRuleNoData");
                format!("there is no data: an active alert would stay, and {told}")
            }
            (false, Some(false)) => "there is no data: an active alert would stay".to_string(),
            _ => return None,
        };
        Some(format!("{effect} (rule_policies, number {})", self.number))
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "number": self.number,
            "no_data": self.policy.no_data.as_str(),
            "on_error": self.policy.on_error.as_str(),
            "has_data": self.has_data,
            "effect": self.effect(),
        })
    }
}
