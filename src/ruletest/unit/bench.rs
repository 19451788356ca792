//! Rules over series in memory, one evaluation after the other: the alerting step and the
//! templates of the daemon, the expressions evaluated here.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;

use crate::alerting::{AlertInstance, AlertState, RuleAlerts, Step};
use crate::engine::Evaluator;
use crate::model::label::METRIC_NAME;
use crate::model::{InstantVector, LabelSet, Sample, Timestamp};
use crate::promql::eval::{Options, Value, instant};
use crate::promql::series::SampleValue;
use crate::query::MemoryQuerier;
use crate::rule::{AlertingRule, RecordingRule, Rule, RuleGroup};
use crate::ruletest::unit::ahead::{Ahead, ForeseeingQuerier, Foreseen};
use crate::ruletest::unit::recorder::{Recorder, alert_series, are_alerts_read};
use crate::ruletest::unit::{Case, Feed, FeedError};

/// An evaluation that failed: in a test that is a failure of the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RuleFailure {
    /// The rule's name.
    pub(super) rule: String,
    /// Why.
    pub(super) error: String,
}

/// One rule with what it did so far.
pub(super) struct RuleRun<'r> {
    pub(super) rule: &'r Rule,
    pub(super) alerts: RuleAlerts,
    /// Whether an alert of it has ever fired.
    pub(super) fired: bool,
    recorder: Recorder,
    /// What its expression gives in the next rounds, where that can be known ahead.
    foreseen: Option<Foreseen>,
}

/// One group.
pub(super) struct GroupRun<'r> {
    pub(super) group: &'r RuleGroup,
    pub(super) rules: Vec<RuleRun<'r>>,
}

/// What one rule did in one round.
pub(super) struct Told<'a, 'r> {
    pub(super) rule: &'r AlertingRule,
    pub(super) step: Step,
    pub(super) alerts: &'a RuleAlerts,
}

/// The rules and the series of one test.
pub(super) struct Bench<'r> {
    pub(super) groups: Vec<GroupRun<'r>>,
    querier: Arc<MemoryQuerier>,
    foreseeing: Arc<ForeseeingQuerier>,
    evaluator: Evaluator,
    input: Feed,
    ahead: Option<Ahead>,
    /// Whether the series of alerts are needed.
    are_alerts_read: bool,
}

impl<'r> Bench<'r> {
    /// The rules of a test before anything has happened.
    pub(super) fn new(groups: &[&'r RuleGroup], case: &Case, options: Options) -> Self {
        let querier = Arc::new(MemoryQuerier::new(options));
        let foreseeing = Arc::new(ForeseeingQuerier::new(Arc::clone(&querier)));
        let evaluator = Evaluator {
            querier: Arc::clone(&foreseeing) as Arc<_>,
            external_labels: case.external_labels.clone(),
            external_url: case.external_url.clone(),
        };
        let times = (case.start, case.interval);
        let input = Feed::new(&case.input_series, times, &mut querier.series_mut());
        let rule = |rule| RuleRun {
            rule,
            alerts: RuleAlerts::default(),
            fired: false,
            recorder: Recorder::default(),
            foreseen: None,
        };
        let group = |group: &&'r RuleGroup| GroupRun {
            group,
            rules: group.rules.iter().map(rule).collect(),
        };
        let are_alerts_read = are_alerts_read(groups, case);
        let groups = groups.iter().map(group).collect();
        Self { groups, querier, foreseeing, evaluator, input, ahead: None, are_alerts_read }
    }

    /// Evaluates for many rounds at once what can be: the test ends at `end` and has a round at every
    /// `step`. What the rules do is the same.
    pub(super) fn look_ahead(&mut self, case: &Case, step: Duration, end: Timestamp) {
        let groups = self.groups.iter().map(|group| group.group);
        let Some(ahead) = Ahead::new(groups, case, step, end) else { return };
        for run in self.groups.iter_mut().flat_map(|group| &mut group.rules) {
            run.foreseen = ahead.covers(run.rule.expr()).then(Foreseen::default);
        }
        self.ahead = Some(ahead);
    }

    /// Appends the samples up to a time.
    pub(super) fn feed(&mut self, until: Timestamp) -> Result<(), FeedError> {
        self.input.until(until, &mut self.querier.series_mut())
    }

    /// Evaluates every group once. `told` hears of what every alerting rule did.
    pub(super) fn round(
        &mut self,
        ts: Timestamp,
        mut told: impl FnMut(Told<'_, 'r>),
    ) -> Vec<RuleFailure> {
        let mut failures = Vec::new();
        for group in &mut self.groups {
            let query_at = ts - group.group.query_offset.unwrap_or_default();
            for run in &mut group.rules {
                let foreseen = run.foresee(self.ahead.as_ref(), query_at, self.querier.options());
                if run.is_idle() && foreseen.as_ref().is_some_and(Vec::is_empty) {
                    // Nothing is what it had and what it gives.
                    continue;
                }
                let result = match run.rule {
                    Rule::Alerting(rule) => {
                        if let Some(samples) = foreseen {
                            self.foreseeing.foresee(query_at, vector(samples, query_at));
                        }
                        let (evaluator, limit) = (&self.evaluator, group.group.limit);
                        let times = (ts, query_at);
                        let store = self.are_alerts_read.then_some(&*self.querier);
                        alert(evaluator, store, (rule, limit), run, times, &mut told)
                    }
                    Rule::Recording(rule) => foreseen
                        .map_or_else(|| evaluated(&self.querier, rule, query_at), Ok)
                        .and_then(|samples| record(rule, group.group.limit, samples))
                        .map(|samples| {
                            run.recorder.write(&mut self.querier.series_mut(), samples, query_at);
                        }),
                };
                if let Err(error) = result {
                    failures.push(RuleFailure { rule: run.rule.name().to_string(), error });
                }
            }
        }
        failures
    }

    /// The alerts of one name that fire.
    pub(super) fn firing(&self, alertname: &str) -> impl Iterator<Item = &AlertInstance> {
        let rules = self.groups.iter().flat_map(|group| &group.rules);
        let named = rules
            .filter(move |run| run.rule.as_alerting().is_some_and(|rule| rule.name == alertname));
        named
            .flat_map(|run| run.alerts.active())
            .map(|(_, alert)| alert)
            .filter(|alert| alert.state == AlertState::Firing)
    }

    /// The series, for expressions.
    pub(super) fn querier(&self) -> &MemoryQuerier {
        &self.querier
    }
}

impl RuleRun<'_> {
    /// What the expression gives at a time, where that is known without evaluating it then.
    fn foresee(
        &mut self,
        ahead: Option<&Ahead>,
        at: Timestamp,
        options: &Options,
    ) -> Option<Vec<(LabelSet, SampleValue)>> {
        let samples = self.foreseen.as_mut()?.at(ahead?, self.rule.expr(), at, options);
        if samples.is_none() {
            self.foreseen = None;
        }
        samples
    }

    /// Whether an evaluation that gives nothing changes nothing.
    fn is_idle(&self) -> bool {
        self.alerts.iter().next().is_none() && self.recorder.is_empty()
    }
}

/// Samples as an answer to a query; a native histogram counts as 0.
fn vector(samples: Vec<(LabelSet, SampleValue)>, timestamp: Timestamp) -> InstantVector {
    let sample = |(labels, value): (LabelSet, SampleValue)| Sample {
        labels,
        timestamp,
        value: value.float().unwrap_or(0.0),
    };
    samples.into_iter().map(sample).collect()
}

/// Evaluates an alerting rule. Its series are written to the store, if there is one.
fn alert<'r>(
    evaluator: &Evaluator,
    store: Option<&MemoryQuerier>,
    (rule, limit): (&'r AlertingRule, u64),
    run: &mut RuleRun<'r>,
    (ts, query_at): (Timestamp, Timestamp),
    told: &mut impl FnMut(Told<'_, 'r>),
) -> Result<(), String> {
    // Answers from memory are there at once.
    let done = evaluator.evaluate(rule, limit, &mut run.alerts, ts, query_at).now_or_never();
    let done = done.ok_or("the series in memory did not answer")?.map_err(|e| e.to_string())?;
    let error = done.step.error.as_ref().map(ToString::to_string);
    if let Some(store) = store {
        run.recorder.write(&mut store.series_mut(), alert_series(&run.alerts), query_at);
    }
    run.fired |= run.alerts.count(AlertState::Firing) > 0;
    told(Told { rule, step: done.step, alerts: &run.alerts });
    error.map_or(Ok(()), Err)
}

/// What the expression of a recording rule gives.
fn evaluated(
    querier: &MemoryQuerier,
    rule: &RecordingRule,
    at: Timestamp,
) -> Result<Vec<(LabelSet, SampleValue)>, String> {
    let done = instant(&rule.expr, &querier.series(), at, querier.options());
    match done.map_err(|error| error.message)?.value {
        Value::Scalar(number) => Ok(vec![(LabelSet::new(), SampleValue::Float(number))]),
        Value::Vector(vector) => Ok(vector.into_iter().map(|s| (s.labels, s.value)).collect()),
        Value::String(_) | Value::Matrix(_) => {
            Err("rule result is not a vector or scalar".to_string())
        }
    }
}

/// The series of a recording rule.
fn record(
    rule: &RecordingRule,
    limit: u64,
    samples: Vec<(LabelSet, SampleValue)>,
) -> Result<Vec<(LabelSet, SampleValue)>, String> {
    let mut seen = HashSet::new();
    let mut recorded = Vec::with_capacity(samples.len());
    for (labels, value) in samples {
        let mut labels = labels.to_builder();
        labels.set(METRIC_NAME, &rule.name);
        for (name, value) in &rule.labels {
            labels.set(name, value);
        }
        let labels = labels.build();
        if !seen.insert(labels.clone()) {
            // Prometheus' words, as users know them.
            return Err(
                "vector contains metrics with the same labelset after applying rule labels"
                    .to_string(),
            );
        }
        recorded.push((labels, value));
    }
    let count = recorded.len() as u64;
    if limit > 0 && count > limit {
        return Err(format!("exceeded limit of {limit} with {count} series"));
    }
    Ok(recorded)
}
