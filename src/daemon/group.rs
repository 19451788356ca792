//! One rule group: its task, and what others see of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::alerting::{AlertInstance, AlertState, NoData, OnError, Policy, RuleAlerts, Step};
use crate::clock::Clock;
use crate::daemon::schedule::{Schedule, Slot};
use crate::engine::{
    Away, DispatchHandle, EvalError, Evaluated, Evaluator, Observation, Past, SharedFacts,
};
use crate::model::{Fingerprint, Timestamp};
use crate::rule::{AlertingRule, Rule, RuleGroup};
use crate::telemetry::{GroupLabels, Metrics};

/// How the last evaluation of a rule went, in the words of Prometheus' API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Not evaluated yet.
    #[default]
    Unknown,
    /// It succeeded.
    Ok,
    /// It failed: the rule's alerts stay as they are.
    Err,
}

/// What is known of a rule between two evaluations.
#[derive(Clone, Debug, Default)]
pub struct RuleView {
    /// Its alerts.
    pub alerts: RuleAlerts,
    /// How the last evaluation went.
    pub health: Health,
    /// Why it failed; empty where it did not.
    pub last_error: String,
    /// When it began.
    pub last_evaluation: Option<Timestamp>,
    /// How long it took.
    pub evaluation_time: Duration,
    /// What the datasource warned of: the result may be partial.
    pub warnings: Vec<String>,
    /// Set while it is in doubt whether the datasource has seen everything again.
    pub away: Option<Away>,
    /// Active alerts that have no data and that the rule's policy keeps.
    pub without_data: BTreeSet<Fingerprint>,
}

/// What is known of a group between two evaluations.
#[derive(Clone, Debug)]
pub struct GroupView {
    /// The group as loaded.
    pub group: Arc<RuleGroup>,
    /// Its interval.
    pub interval: Duration,
    /// Its rules, in the order of the file.
    pub rules: Vec<RuleView>,
    /// When the last round began.
    pub last_evaluation: Option<Timestamp>,
    /// How long it took.
    pub evaluation_time: Duration,
}

/// What the groups of one configuration share.
pub(super) struct Shared {
    pub(super) evaluator: Evaluator,
    pub(super) dispatch: DispatchHandle,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) facts: SharedFacts,
}

/// A group that is evaluated on schedule.
pub(super) struct GroupTask {
    pub(super) shared: Arc<Shared>,
    pub(super) view: Arc<Mutex<GroupView>>,
    pub(super) query_offset: Duration,
    /// The policies of the rules, in their order.
    pub(super) policies: Vec<Policy>,
    pub(super) stop: watch::Receiver<bool>,
}

/// The view behind its lock. A panic elsewhere leaves it whole: it is replaced, never half
/// written.
pub(super) fn lock(view: &Mutex<GroupView>) -> std::sync::MutexGuard<'_, GroupView> {
    view.lock().unwrap_or_else(PoisonError::into_inner)
}

impl GroupTask {
    /// Evaluates the group at its slots until told to stop. A round that has begun is finished.
    pub(super) async fn run(mut self) {
        let (group, interval) = {
            let view = lock(&self.view);
            (Arc::clone(&view.group), view.interval)
        };
        let clock = Arc::clone(&self.shared.clock);
        let mut schedule = Schedule::new(&group.file, &group.name, interval, clock.now());
        let labels = GroupLabels::new(format!("{};{}", group.file, group.name));
        loop {
            tokio::select! {
                biased;
                // The sender is gone only when the manager is, which is the same as a stop.
                _ = self.stop.wait_for(|stop| *stop) => break,
                () = clock.sleep_until(schedule.due()) => {}
            }
            let slot = schedule.take(clock.now());
            self.count(&labels, interval, slot);
            self.move_along(&group, slot.jumped, slot.at).await;
            self.round(&group, &labels, slot.at).await;
        }
        // Whoever takes over knows nothing of a jump since the last slot.
        let now = clock.now();
        self.move_along(&group, schedule.jumped(now), now.wall).await;
    }

    /// Moves the times that run along with a wall clock that has jumped, here and in the store.
    async fn move_along(&self, group: &RuleGroup, jumped: i64, at: Timestamp) {
        if jumped == 0 {
            return;
        }
        let (group_name, seconds) = (&group.name, jumped / 1000);
        tracing::warn!(
            group = group_name,
            seconds,
            "the wall clock jumped, running times move along"
        );
        for (index, rule) in group.rules.iter().enumerate() {
            if let Rule::Alerting(rule) = rule
                && let Some(moved) = moved_along(&self.view, index, jumped, at)
            {
                self.tell(rule, moved).await;
            }
        }
    }

    async fn tell(&self, rule: &AlertingRule, observation: Observation) {
        let url: Arc<str> = self.shared.evaluator.generator_url(&rule.query).into();
        if self.shared.dispatch.observe(&rule.key, &url, observation).await.is_err() {
            tracing::debug!(rule = %rule.key, "the dispatch loop has stopped");
        }
    }

    fn count(&self, labels: &GroupLabels, interval: Duration, slot: Slot) {
        let metrics = &self.shared.metrics.rules;
        metrics.iterations.get_or_create(labels).inc_by(1 + slot.missed);
        if slot.missed > 0 {
            metrics.iterations_missed.get_or_create(labels).inc_by(slot.missed);
            let now = self.shared.clock.now().mono;
            self.shared.facts.with(|facts| {
                facts.rounds_missed(&labels.rule_group, interval, slot.missed, now);
            });
            tracing::warn!(
                group = labels.rule_group,
                missed = slot.missed,
                "evaluations were skipped, the one before took too long"
            );
        }
    }

    /// One round: the rules one after the other.
    async fn round(&self, group: &RuleGroup, labels: &GroupLabels, ts: Timestamp) {
        let began = self.shared.clock.now().mono;
        for (index, rule) in group.rules.iter().enumerate() {
            if let Rule::Alerting(rule) = rule {
                self.evaluate(group, labels, rule, index, ts).await;
            }
        }
        let took = self.shared.clock.now().mono.since(began);
        let metrics = &self.shared.metrics.rules;
        metrics.duration.get_or_create(labels).observe(took.as_secs_f64());
        metrics.last_evaluation.get_or_create(labels).set(ts.as_secs_f64());
        let mut view = lock(&self.view);
        view.last_evaluation = Some(ts);
        view.evaluation_time = took;
    }

    async fn evaluate(
        &self,
        group: &RuleGroup,
        labels: &GroupLabels,
        rule: &AlertingRule,
        index: usize,
        ts: Timestamp,
    ) {
        let shared = &self.shared;
        let known = lock(&self.view).rules.get(index).cloned().unwrap_or_default();
        let (mut alerts, away) = (known.alerts, known.away);
        let policy = self.policies.get(index).copied().unwrap_or_default();
        let past = Past {
            away: away.as_ref(),
            no_data: policy.no_data,
            without_data: Some(&known.without_data),
        };
        let began = shared.clock.now().mono;
        let query_at = ts - self.query_offset;
        let evaluator = &shared.evaluator;
        let evaluated =
            evaluator.evaluate_after(&past, rule, group.limit, &mut alerts, ts, query_at).await;
        let took = shared.clock.now().mono.since(began);
        shared.metrics.rules.evaluations.get_or_create(labels).inc();
        let away = match &evaluated {
            Ok(evaluated) => away.and_then(|away| away.answered(ts, evaluated.doubted.clone())),
            Err(_) => {
                let last_answer = known.last_evaluation.map(|at| at - self.query_offset);
                let begun = || Away::since(last_answer, &alerts);
                Some(away.map_or_else(begun, |away| away.goes_on(&alerts)))
            }
        };
        self.note(rule, policy, &evaluated);
        let (step, warnings, without_data, error) = match evaluated {
            Ok(evaluated) => {
                let error = evaluated.step.error.as_ref().map(ToString::to_string);
                if !evaluated.doubted.is_empty() {
                    tracing::info!(
                        rule = %rule.key,
                        alerts = evaluated.doubted.len(),
                        "alerts go on firing: the datasource was away and has not seen all of \
                         its targets since"
                    );
                }
                (evaluated.step, evaluated.warnings, evaluated.without_data, error)
            }
            Err(error) => {
                (Step::default(), Vec::new(), known.without_data, Some(error.to_string()))
            }
        };
        if error.is_some() {
            shared.metrics.rules.evaluation_failures.get_or_create(labels).inc();
        }
        let firing = self.renewed(index, &alerts);
        let observation = Observation { transitions: step.transitions, firing };
        let view = RuleView {
            alerts,
            health: if error.is_some() { Health::Err } else { Health::Ok },
            last_error: error.unwrap_or_default(),
            last_evaluation: Some(ts),
            evaluation_time: took,
            warnings,
            away,
            without_data,
        };
        self.publish(rule, index, view);
        self.tell(rule, observation).await;
    }

    /// The alerts that fire and of which the view knows another value or other annotations.
    fn renewed(&self, index: usize, alerts: &RuleAlerts) -> Vec<AlertInstance> {
        let view = lock(&self.view);
        let known = view.rules.get(index).map(|rule| &rule.alerts);
        let is_known = |fingerprint: Fingerprint, alert: &AlertInstance| {
            known.and_then(|known| known.get(fingerprint)).is_some_and(|known| {
                known.value.to_bits() == alert.value.to_bits()
                    && known.annotations == alert.annotations
            })
        };
        let firing = alerts.active().filter(|(_, alert)| alert.state == AlertState::Firing);
        let renewed = firing.filter(|(fingerprint, alert)| !is_known(*fingerprint, alert));
        renewed.map(|(_, alert)| alert.clone()).collect()
    }

    /// Notes what the rule's policy asks to be told of.
    fn note(&self, rule: &AlertingRule, policy: Policy, evaluated: &Result<Evaluated, EvalError>) {
        if !policy.alerts() {
            return;
        }
        let error = match evaluated {
            Ok(done) => done.step.error.as_ref().map(|error| (error.to_string(), false)),
            Err(error) => Some((error.to_string(), error.is_absence())),
        };
        let count = match evaluated {
            Ok(done) if policy.no_data == NoData::Alert => done.without_data.len(),
            _ => 0,
        };
        let seen = match &error {
            Some((error, absence)) if policy.on_error == OnError::Alert => {
                Err((error.as_str(), *absence))
            }
            // A failure says nothing of data.
            Some(_) => return,
            None => Ok(count),
        };
        self.shared.facts.with(|facts| facts.rule_evaluated(&rule.key, seen));
    }

    /// Shows the new state, and logs what has changed about the rule's health.
    fn publish(&self, rule: &AlertingRule, index: usize, new: RuleView) {
        let mut view = lock(&self.view);
        let Some(known) = view.rules.get_mut(index) else { return };
        match (known.health, new.health) {
            (Health::Err, Health::Ok) => {
                tracing::info!(rule = %rule.key, "the rule evaluates again")
            }
            (before, Health::Err)
                if before != Health::Err || known.last_error != new.last_error =>
            {
                tracing::warn!(rule = %rule.key, error = new.last_error, "evaluation failed");
            }
            _ => {}
        }
        for warning in new.warnings.iter().filter(|w| !known.warnings.contains(w)) {
            tracing::warn!(rule = %rule.key, warning, "the datasource warns");
        }
        *known = new;
    }
}

/// Moves the times of a rule along with a wall clock that has jumped. Gives what is to be stored of
/// that, if anything.
pub(super) fn moved_along(
    view: &Mutex<GroupView>,
    rule: usize,
    jumped: i64,
    at: Timestamp,
) -> Option<Observation> {
    let mut view = lock(view);
    let rule = view.rules.get_mut(rule).filter(|_| jumped != 0)?;
    if let Some(away) = &mut rule.away {
        away.clock_jumped(jumped);
    }
    let transitions = rule.alerts.clock_jumped(jumped, at);
    let stored = !transitions.is_empty();
    stored.then(|| Observation { transitions, firing: firing(&rule.alerts) })
}

/// The alerts that fire.
pub(super) fn firing(alerts: &RuleAlerts) -> Vec<AlertInstance> {
    let firing = |alert: &&AlertInstance| alert.state == AlertState::Firing;
    alerts.active().map(|(_, alert)| alert).filter(firing).cloned().collect()
}
