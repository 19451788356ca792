//! The step itself: the samples of one evaluation move a rule's alerts.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::alerting::{AlertInstance, AlertState, Transition, TransitionReason};
use crate::model::label::share_texts;
use crate::model::{Fingerprint, LabelSet, Timestamp};

/// How long a resolved alert is remembered, as in Prometheus (`resolvedRetention`).
pub const RESOLVED_RETENTION: Duration = Duration::from_secs(15 * 60);

/// What of a rule decides when its alerts change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleTiming {
    /// How long the expression must return an alert before it fires (`for`).
    pub for_duration: Duration,
    /// How long an alert fires on after the expression last returned it.
    pub keep_firing_for: Duration,
    /// How many alerts may be pending or fire at once; 0 for any number.
    pub limit: u64,
}

/// A sample of the rule's expression, as an alert.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveSample {
    /// The alert's labels, from [`final_labels`](crate::alerting::final_labels).
    pub labels: LabelSet,
    /// The alert's annotations, expanded.
    pub annotations: LabelSet,
    /// The sample's value.
    pub value: f64,
}

/// Why an evaluation gave no alerts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Two samples became one alert. Prometheus' words, as users know and match them. No alert
    /// has changed.
    #[error("vector contains metrics with the same labelset after applying alert labels: {labels}")]
    DuplicateLabels {
        /// The labels that two samples share.
        labels: LabelSet,
    },
    /// The rule has more alerts than it may; all of them are cleared.
    #[error("exceeded limit of {limit} with {count} alerts")]
    LimitExceeded {
        /// The rule's limit.
        limit: u64,
        /// How many alerts would be pending or fire.
        count: u64,
    },
}

/// What a step did. Even a failed step may have transitions: those of a limit that was exceeded.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Step {
    /// What changed, resolved and dropped alerts first. A new value or annotation alone is no
    /// transition.
    pub transitions: Vec<Transition>,
    /// The alerts that [`RuleAlerts`] no longer holds: to be deleted from the current alerts of
    /// the store after the transitions are written. It names alerts of `transitions` too.
    pub forgotten: Vec<Fingerprint>,
    /// Why the evaluation failed, if it did.
    pub error: Option<StepError>,
}

/// The alerts of one rule: those that are pending or fire, and those resolved a short while ago.
///
/// Cloning copies a pointer, and what is shared is copied when one side changes: every evaluation
/// holds the alerts as they were while it waits for its datasource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RuleAlerts(Arc<BTreeMap<Fingerprint, AlertInstance>>);

impl RuleAlerts {
    /// All alerts, the resolved among them, in order of fingerprint.
    pub fn iter(&self) -> impl Iterator<Item = (Fingerprint, &AlertInstance)> {
        self.0.iter().map(|(fingerprint, alert)| (*fingerprint, alert))
    }

    /// The alerts that are pending or fire.
    pub fn active(&self) -> impl Iterator<Item = (Fingerprint, &AlertInstance)> {
        self.iter().filter(|(_, alert)| alert.is_active())
    }

    fn map(&mut self) -> &mut BTreeMap<Fingerprint, AlertInstance> {
        Arc::make_mut(&mut self.0)
    }

    /// One alert.
    pub fn get(&self, fingerprint: Fingerprint) -> Option<&AlertInstance> {
        self.0.get(&fingerprint)
    }

    /// How many alerts are in a state.
    pub fn count(&self, state: AlertState) -> usize {
        self.0.values().filter(|alert| alert.state == state).count()
    }

    /// The rule's state as Prometheus' API shows it: that of its furthest alert.
    pub fn state(&self) -> AlertState {
        self.0.values().map(|alert| alert.state).max().unwrap_or_default()
    }

    /// Takes the samples of one evaluation at `ts`. A query that failed is no evaluation: do not
    /// call this, and the state stays frozen.
    pub fn step(&mut self, rule: &RuleTiming, vector: Vec<ActiveSample>, ts: Timestamp) -> Step {
        self.step_keeping(rule, vector, &BTreeSet::new(), ts)
    }

    /// The same, but alerts that are in `kept` and not in the vector stay exactly as they are: a
    /// firing one fires on, a pending one waits.
    pub fn step_keeping(
        &mut self,
        rule: &RuleTiming,
        vector: Vec<ActiveSample>,
        kept: &BTreeSet<Fingerprint>,
        ts: Timestamp,
    ) -> Step {
        let mut active = match by_fingerprint(vector) {
            Ok(active) => active,
            Err(error) => return Step { error: Some(error), ..Step::default() },
        };
        self.clamp_to(ts);
        let missing = self.0.keys().filter(|fp| !active.contains_key(fp)).copied();
        let (kept, absent): (Vec<_>, Vec<_>) = missing.partition(|fp| kept.contains(fp));
        let firing_on = absent.iter().filter_map(|fp| self.0.get(fp));
        let firing_on = firing_on.filter(|alert| keeps_firing(alert, rule, ts)).count();
        let count = active.len() + kept.len() + firing_on;
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if rule.limit > 0 && count > rule.limit {
            let error = StepError::LimitExceeded { limit: rule.limit, count };
            return Step {
                error: Some(error),
                ..self.remove_all(ts, TransitionReason::LimitExceeded)
            };
        }
        self.share_new_texts(&mut active);
        let mut step = Step::default();
        for fingerprint in absent {
            self.absent(fingerprint, rule, ts, &mut step);
        }
        let known = self.0.len();
        for (fingerprint, sample) in active {
            step.transitions.extend(self.present(fingerprint, sample, rule, ts));
        }
        if self.0.len() > known + known / 4 {
            // Filled one by one in their order, the nodes of a tree stay half empty.
            *self.map() = std::mem::take(self.map()).into_iter().collect();
        }
        step
    }

    /// The texts that are not known yet are what stays in memory.
    fn share_new_texts(&self, active: &mut BTreeMap<Fingerprint, ActiveSample>) {
        let (mut labels, mut annotations) = (Vec::new(), Vec::new());
        for (fingerprint, sample) in active {
            let known = self.0.get(fingerprint).filter(|alert| alert.is_active());
            if known.is_none_or(|alert| alert.annotations != sample.annotations) {
                annotations.push(&mut sample.annotations);
            }
            if known.is_none() {
                labels.push(&mut sample.labels);
            }
        }
        share_texts(labels);
        share_texts(annotations);
    }

    /// Ends every alert, as when the rule is gone. What was pending or fired becomes inactive.
    pub fn remove_all(&mut self, ts: Timestamp, reason: TransitionReason) -> Step {
        let mut step = Step::default();
        for (fingerprint, mut alert) in std::mem::take(self.map()) {
            let from = alert.state;
            if alert.is_active() {
                end(&mut alert, ts);
                step.transitions.push(transition(fingerprint, &alert, from, reason, ts));
            }
            step.forgotten.push(fingerprint);
        }
        step
    }

    /// Tells that the wall clock jumped by so many milliseconds, beyond what a monotonic clock
    /// measured, and shows `at` now: running times move along, so that a jump neither fires an
    /// alert early nor delays it. Gives the alerts with a time that runs, to be stored with it: a
    /// restart must not find times of the former clock.
    pub fn clock_jumped(&mut self, by_millis: i64, at: Timestamp) -> Vec<Transition> {
        let mut transitions = Vec::new();
        for (fingerprint, alert) in self.map().iter_mut().filter(|(_, alert)| alert.is_active()) {
            alert.active_at = alert.active_at.moved(by_millis);
            alert.keep_firing_since = alert.keep_firing_since.map(|since| since.moved(by_millis));
            if alert.state == AlertState::Pending || alert.keep_firing_since.is_some() {
                let reason = TransitionReason::ClockJumped;
                transitions.push(transition(*fingerprint, alert, alert.state, reason, at));
            }
        }
        transitions
    }

    /// Puts an alert back that was stored.
    pub(super) fn insert(&mut self, alert: AlertInstance) {
        self.map().insert(alert.fingerprint(), alert);
    }

    /// A running time that starts in the future starts now instead: a clock that went back
    /// delays an alert by one `for` at most, not until the clock has caught up.
    fn clamp_to(&mut self, ts: Timestamp) {
        let is_ahead = |alert: &AlertInstance| {
            let pending = alert.state == AlertState::Pending && alert.active_at > ts;
            pending || alert.keep_firing_since.is_some_and(|since| since > ts)
        };
        // Nearly always: what is shared stays shared.
        if !self.0.values().any(is_ahead) {
            return;
        }
        for alert in self.map().values_mut() {
            if alert.state == AlertState::Pending {
                alert.active_at = alert.active_at.min(ts);
            }
            alert.keep_firing_since = alert.keep_firing_since.map(|since| since.min(ts));
        }
    }

    /// An alert that the expression does not return.
    fn absent(&mut self, fp: Fingerprint, rule: &RuleTiming, ts: Timestamp, step: &mut Step) {
        let Some(alert) = self.map().get_mut(&fp) else { return };
        let from = alert.state;
        let reason = match from {
            AlertState::Inactive => {
                if alert.resolved_at.is_none_or(|at| ts.since(at) > RESOLVED_RETENTION) {
                    self.map().remove(&fp);
                    step.forgotten.push(fp);
                }
                return;
            }
            AlertState::Pending => {
                end(alert, ts);
                Some(TransitionReason::Vanished)
            }
            AlertState::Firing if keeps_firing(alert, rule, ts) => {
                let started = alert.keep_firing_since.is_none();
                alert.keep_firing_since.get_or_insert(ts);
                advance(alert, rule, ts).or_else(|| started.then_some(TransitionReason::KeptFiring))
            }
            AlertState::Firing => {
                let was_kept = alert.keep_firing_since.is_some();
                end(alert, ts);
                Some(if was_kept {
                    TransitionReason::KeepFiringElapsed
                } else {
                    TransitionReason::Absent
                })
            }
        };
        step.transitions.extend(reason.map(|reason| transition(fp, alert, from, reason, ts)));
        if from == AlertState::Pending {
            self.map().remove(&fp);
            step.forgotten.push(fp);
        }
    }

    /// An alert that the expression returns.
    fn present(
        &mut self,
        fp: Fingerprint,
        sample: ActiveSample,
        rule: &RuleTiming,
        ts: Timestamp,
    ) -> Option<Transition> {
        let new = AlertInstance {
            labels: sample.labels,
            annotations: sample.annotations,
            state: AlertState::Pending,
            value: sample.value,
            active_at: ts,
            fired_at: None,
            keep_firing_since: None,
            resolved_at: None,
        };
        let mut from = AlertState::Inactive;
        let mut reason = Some(TransitionReason::BecameActive);
        // In its place: taken out and put back, it would split the tree's nodes.
        let alert = match self.map().entry(fp) {
            Entry::Vacant(place) => place.insert(new),
            Entry::Occupied(place) => {
                let alert = place.into_mut();
                let known = std::mem::replace(alert, new);
                from = known.state;
                if known.is_active() {
                    reason = known.keep_firing_since.map(|_| TransitionReason::Reappeared);
                    go_on(alert, known);
                }
                alert
            }
        };
        let advanced = advance(alert, rule, ts);
        let reason = if from == AlertState::Inactive { reason } else { advanced.or(reason) };
        reason.map(|reason| transition(fp, alert, from, reason, ts))
    }
}

/// Lets an alert that has just been returned go on from what is known of it.
fn go_on(alert: &mut AlertInstance, known: AlertInstance) {
    // The same texts, and routing holds the ones that are known.
    alert.labels = known.labels;
    if alert.annotations == known.annotations {
        alert.annotations = known.annotations;
    }
    alert.state = known.state;
    alert.active_at = known.active_at;
    alert.fired_at = known.fired_at;
}

/// Samples by the identity of their alert.
fn by_fingerprint(
    vector: Vec<ActiveSample>,
) -> Result<BTreeMap<Fingerprint, ActiveSample>, StepError> {
    let mut active = BTreeMap::new();
    for sample in vector {
        if let Some(other) = active.insert(sample.labels.fingerprint(), sample) {
            return Err(StepError::DuplicateLabels { labels: other.labels });
        }
    }
    Ok(active)
}

/// Whether an alert that the expression does not return fires on.
fn keeps_firing(alert: &AlertInstance, rule: &RuleTiming, ts: Timestamp) -> bool {
    let since = alert.keep_firing_since.unwrap_or(ts);
    alert.state == AlertState::Firing && ts.since(since) < rule.keep_firing_for
}

/// Moves an alert between pending and firing, by the time it has been active.
fn advance(
    alert: &mut AlertInstance,
    rule: &RuleTiming,
    ts: Timestamp,
) -> Option<TransitionReason> {
    // For a firing alert time runs at least to the point where it fired: a clock that went back
    // does not end it, only a raised `for` does.
    let until = alert.fired_at.map_or(ts, |at| at.max(ts));
    let held = until.since(alert.active_at) >= rule.for_duration;
    match (alert.state, held) {
        (AlertState::Pending, true) => {
            alert.state = AlertState::Firing;
            alert.fired_at = Some(ts);
            Some(TransitionReason::HeldFor)
        }
        (AlertState::Firing, false) => {
            alert.state = AlertState::Pending;
            alert.fired_at = None;
            alert.keep_firing_since = None;
            Some(TransitionReason::ForRaised)
        }
        _ => None,
    }
}

/// Makes an alert inactive; one that fired is resolved.
fn end(alert: &mut AlertInstance, ts: Timestamp) {
    if alert.state == AlertState::Firing {
        alert.resolved_at = Some(ts);
    }
    alert.state = AlertState::Inactive;
    alert.keep_firing_since = None;
}

/// The change of `alert`, which has just become what it is.
pub(super) fn transition(
    fingerprint: Fingerprint,
    alert: &AlertInstance,
    from: AlertState,
    reason: TransitionReason,
    at: Timestamp,
) -> Transition {
    Transition { fingerprint, instance: alert.clone(), from, to: alert.state, reason, at }
}

#[cfg(test)]
mod tests;
