//! Which conditions hold, and the step that they make.

use std::collections::{BTreeMap, BTreeSet};

use crate::alerting::builtin::BuiltinAlert;
use crate::alerting::builtin::facts::{Collecting, Facts, Failure, integration_labels};
use crate::alerting::builtin::watched::{Seen, Watched};
use crate::alerting::{ActiveSample, RuleAlerts, RuleTiming, Step, final_labels};
use crate::model::{Fingerprint, LabelSet, Monotonic, Now};
use crate::rule::AlertingRule;
use crate::template::{Expansion, QueryAnswers, RuleData, RuleTemplate};

/// One look at the facts.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// What is known.
    pub facts: &'a Facts,
    /// When they were looked at before.
    pub before: Monotonic,
    /// The time.
    pub now: Now,
    /// What templates see as `$externalLabels`.
    pub external_labels: &'a LabelSet,
    /// What templates see as `$externalURL`.
    pub external_url: &'a str,
}

/// Something for which a condition holds.
struct Holding {
    /// What tells it from others: labels of the alert.
    labels: LabelSet,
    /// What only templates see.
    error: String,
    value: f64,
}

/// What a look says of one alert.
enum Condition {
    Holds(Vec<Holding>),
    /// Nothing has been observed yet.
    Unknown,
}

/// Evaluates one built-in rule and moves its alerts.
pub fn evaluate(rule: &AlertingRule, alerts: &mut RuleAlerts, look: &Look<'_>) -> Step {
    let Some(alert) = BuiltinAlert::from_name(&rule.name) else { return Step::default() };
    let condition = look.condition(alert);
    let is_open = |labels: &LabelSet| match condition {
        Condition::Holds(_) => look.is_open(alert, labels),
        Condition::Unknown => true,
    };
    let open = alerts.active().filter(|(_, instance)| is_open(&instance.labels));
    let open: BTreeSet<Fingerprint> = open.map(|(fingerprint, _)| fingerprint).collect();
    let things = match condition {
        Condition::Holds(things) => things,
        Condition::Unknown => Vec::new(),
    };
    let samples = things.into_iter().map(|thing| look.sample(rule, thing)).collect();
    let timing = RuleTiming {
        for_duration: rule.for_duration,
        keep_firing_for: rule.keep_firing_for,
        limit: 0,
    };
    alerts.step_keeping(&timing, samples, &open, look.now.wall)
}

impl Look<'_> {
    fn condition(&self, alert: BuiltinAlert) -> Condition {
        match alert {
            BuiltinAlert::DatasourceUnreachable => self.datasource(),
            BuiltinAlert::EvaluationsMissed => Condition::Holds(self.overruns()),
            BuiltinAlert::NotificationFailed => Condition::Holds(self.failures(true)),
            BuiltinAlert::NotificationDelayed => Condition::Holds(self.failures(false)),
            BuiltinAlert::StoreFailed => match &self.facts.store {
                None => Condition::Unknown,
                Some(commit) => holds_once(commit.as_ref().err()),
            },
            BuiltinAlert::CollectorFailed => match &self.facts.collecting {
                Collecting::Unknown => Condition::Unknown,
                Collecting::Off | Collecting::Answered => holds_once(None),
                Collecting::Failed(error) => holds_once(Some(error)),
            },
            BuiltinAlert::ReloadFailed => holds_once(self.facts.refused.as_ref()),
            BuiltinAlert::RuleNoData => Condition::Holds(self.rules(|seen| {
                let count = u64::try_from(seen.without_data).unwrap_or(u64::MAX);
                (count > 0).then(|| (String::new(), count))
            })),
            BuiltinAlert::RuleEvaluationFailed => Condition::Holds(self.rules(|seen| {
                let error = seen.error.as_ref().filter(|_| !self.is_excused(seen))?;
                Some((error.clone(), 1))
            })),
            BuiltinAlert::Watchdog => holds_once(Some(&String::new())),
        }
    }

    /// Not answered since the last look, the last query least of all: one slow query among good
    /// ones is no trouble of the datasource.
    fn datasource(&self) -> Condition {
        let datasource = &self.facts.datasource;
        if datasource.error.is_none() && datasource.answered.is_none() {
            return Condition::Unknown;
        }
        holds_once(datasource.error.as_ref().filter(|_| self.is_unreachable()))
    }

    fn is_unreachable(&self) -> bool {
        let datasource = &self.facts.datasource;
        let answered = datasource.answered.is_some_and(|at| at > self.before);
        datasource.error.is_some() && !answered
    }

    /// A rule fails only because the datasource is away, which is told once for all rules.
    fn is_excused(&self, seen: &Seen) -> bool {
        seen.absence && self.is_unreachable()
    }

    /// Whether an alert that is active stays as it is, because nothing is known of what it is
    /// about: a rule that has not been evaluated since the start, or cannot be.
    fn is_open(&self, alert: BuiltinAlert, labels: &LabelSet) -> bool {
        if ![BuiltinAlert::RuleNoData, BuiltinAlert::RuleEvaluationFailed].contains(&alert) {
            return false;
        }
        let is_open = |rule: &Watched| rule.seen.as_ref().is_none_or(|seen| self.is_excused(seen));
        self.facts.rules.of(labels).any(is_open)
    }

    /// The rules in trouble, by their labels: two that have the same are one.
    fn rules(&self, trouble: impl Fn(&Seen) -> Option<(String, u64)>) -> Vec<Holding> {
        let mut things: Vec<Holding> = Vec::new();
        for rule in self.facts.rules.iter() {
            let Some((error, n)) = rule.seen.as_ref().and_then(&trouble) else { continue };
            match things.iter_mut().find(|thing| thing.labels == rule.labels) {
                Some(known) => known.value += count(n),
                None => {
                    let (labels, value) = (rule.labels.clone(), count(n));
                    things.push(Holding { labels, error, value });
                }
            }
        }
        things
    }

    /// The groups of which two rounds have taken too long.
    fn overruns(&self) -> Vec<Holding> {
        let mut things = Vec::new();
        for (group, overrun) in &self.facts.overruns {
            let [Some((first, a)), Some((_, b))] = overrun.last else { continue };
            if self.now.mono.since(first) <= overrun.window {
                things.push(Holding {
                    labels: LabelSet::from([("rule_group", group.as_str())]),
                    error: String::new(),
                    value: count(a.saturating_add(b)),
                });
            }
        }
        things
    }

    /// The integrations that have failed: once for each, however many groups are concerned.
    fn failures(&self, for_good: bool) -> Vec<Holding> {
        let counts =
            |failure: &&Failure| failure.for_good == for_good && failure.until > self.now.mono;
        let mut things = Vec::new();
        for (integration, groups) in &self.facts.failures {
            let failures: Vec<&Failure> = groups.values().filter(counts).collect();
            if let Some(last) = failures.iter().max_by_key(|failure| failure.at) {
                things.push(Holding {
                    labels: integration_labels(integration),
                    error: last.error.clone(),
                    value: count(u64::try_from(failures.len()).unwrap_or(u64::MAX)),
                });
            }
        }
        things
    }

    /// The sample of an alert, with its texts expanded.
    fn sample(&self, rule: &AlertingRule, thing: Holding) -> ActiveSample {
        let mut visible = thing.labels.to_builder();
        visible.set("error", thing.error.as_str());
        let visible = visible.build();
        let data = RuleData {
            labels: &visible,
            value: thing.value,
            external_labels: self.external_labels,
            external_url: self.external_url,
            now: self.now.wall,
        };
        let labels: Vec<(String, String)> = expand(&rule.labels, &data).into_iter().collect();
        ActiveSample {
            labels: final_labels(&thing.labels, &labels, &rule.name),
            annotations: expand(&rule.annotations, &data).into_iter().collect(),
            value: thing.value,
        }
    }
}

/// The condition of something that is there only once.
fn holds_once(error: Option<&String>) -> Condition {
    let thing =
        |error: &String| Holding { labels: LabelSet::new(), error: error.clone(), value: 1.0 };
    Condition::Holds(error.map(thing).into_iter().collect())
}

/// The texts of templates. They must not query: the datasource may be what is away.
fn expand(templates: &[(String, RuleTemplate)], data: &RuleData<'_>) -> BTreeMap<String, String> {
    let text = |template: &RuleTemplate| match template.expand(data, &QueryAnswers::new()) {
        Ok(Expansion::Text(text)) => text.into_owned(),
        Ok(Expansion::NeedsQuery(_)) => {
            "<error expanding template: a built-in alert asks no queries>".to_string()
        }
        Err(error) => format!("<error expanding template: {error}>"),
    };
    templates.iter().map(|(name, template)| (name.clone(), text(template))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "shown to people")]
fn count(n: u64) -> f64 {
    n as f64
}
