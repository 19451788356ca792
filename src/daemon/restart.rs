//! A start: what a former process left is taken up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::alerting::{
    AlertInstance, AlertState, RangeEvidence, RuleAlerts, RuleIdentity, Step, Stop, carry_over,
    restore,
};
use crate::daemon::rules::{RuleManager, RuleSettings};
use crate::model::{LabelSet, RuleKey, Timestamp};
use crate::rule::{AlertingRule, Rule, RuleGroup};
use crate::storage::StoredAlert;

/// The longest stop that is looked back at. After a longer one no `for` clock goes on.
const LONGEST_LOOK_BACK: Duration = Duration::from_secs(24 * 3600);

/// What a former process left.
pub struct Leftover {
    /// The alerts that it had.
    pub alerts: Vec<StoredAlert>,
    /// When it was last known to be alive.
    pub last_alive: Timestamp,
}

impl RuleManager {
    /// Takes up what a former process left. Alerts of rules that are gone are resolved. `answers`
    /// says whether the datasource can be asked about the time between.
    pub(super) async fn restore(
        &self,
        fresh: &[Arc<RuleGroup>],
        settings: &RuleSettings,
        leftover: Leftover,
        mut answers: bool,
    ) -> Vec<RuleAlerts> {
        let now = self.clock.now().wall;
        let mut stored: BTreeMap<RuleKey, Vec<AlertInstance>> = BTreeMap::new();
        let active = leftover.alerts.into_iter().filter(|a| a.instance.is_active());
        for alert in active {
            stored.entry(alert.rule).or_default().push(alert.instance);
        }
        let mut states = Vec::new();
        for group in fresh {
            for rule in &group.rules {
                let alerts = stored.remove(rule.key()).unwrap_or_default();
                let Rule::Alerting(rule) = rule else {
                    states.push(RuleAlerts::default());
                    continue;
                };
                let stop = Stop {
                    last_alive: leftover.last_alive,
                    now,
                    interval: group.interval.unwrap_or(settings.evaluation_interval),
                    for_duration: rule.for_duration,
                    evidence: None,
                };
                let offset = group.query_offset.unwrap_or(settings.query_offset);
                // A datasource that does not answer is not waited for once more with every rule.
                let evidence =
                    look_back(rule, &alerts, &stop, offset, settings, &mut answers).await;
                let stop = Stop { evidence: evidence.as_ref(), ..stop };
                states.push(self.restore_rule(rule, alerts, &stop, settings).await);
            }
        }
        self.remove_lost(stored, now, settings).await;
        states
    }

    async fn restore_rule(
        &self,
        rule: &AlertingRule,
        alerts: Vec<AlertInstance>,
        stop: &Stop<'_>,
        settings: &RuleSettings,
    ) -> RuleAlerts {
        let restoration = restore(alerts, stop);
        // One line for each reason: a storm's alerts would fill the log at every start.
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (fingerprint, reason) in &restoration.reasons {
            tracing::debug!(rule = %rule.key, alert = %fingerprint, %reason, "alert restored");
            *counts.entry(reason.as_str()).or_default() += 1;
        }
        for (reason, alerts) in counts {
            tracing::info!(rule = %rule.key, alerts, reason, "alerts restored");
        }
        let step = Step {
            transitions: restoration.transitions,
            forgotten: restoration.forgotten,
            error: None,
        };
        if !step.transitions.is_empty() {
            self.tell(&rule.key, &rule.query, step, settings).await;
        }
        restoration.alerts
    }

    /// Resolves the alerts of rules that went while the program was down.
    async fn remove_lost(
        &self,
        stored: BTreeMap<RuleKey, Vec<AlertInstance>>,
        now: Timestamp,
        settings: &RuleSettings,
    ) {
        let lost = stored.into_iter().map(|(key, alerts)| {
            let labels = LabelSet::new();
            let stop = Stop {
                last_alive: now,
                now,
                interval: Duration::ZERO,
                for_duration: Duration::ZERO,
                evidence: None,
            };
            (RuleIdentity { key, labels }, restore(alerts, &stop).alerts)
        });
        for removed in carry_over(lost.collect(), &[], now).removed {
            self.tell(&removed.key, "", removed.step, settings).await;
        }
    }
}

/// Asks the datasource what pending alerts were like during the stop, where that decides anything.
async fn look_back(
    rule: &AlertingRule,
    alerts: &[AlertInstance],
    stop: &Stop<'_>,
    offset: Duration,
    settings: &RuleSettings,
    answers: &mut bool,
) -> Option<RangeEvidence> {
    let pending = alerts.iter().any(|alert| alert.state == AlertState::Pending);
    if !*answers || !pending || !stop.needs_evidence() || stop.gap() > LONGEST_LOOK_BACK {
        return None;
    }
    let evaluator = &settings.evaluator;
    match evaluator.evidence(rule, stop.last_alive, stop.now, stop.interval, offset).await {
        Ok(evidence) => Some(evidence),
        Err(error) => {
            tracing::warn!(rule = %rule.key, %error, "the time of the stop cannot be looked at");
            *answers = false;
            None
        }
    }
}
