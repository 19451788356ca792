//! What the program has observed of itself.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::alerting::builtin::BuiltinAlert;
use crate::alerting::builtin::watched::WatchedRules;
use crate::model::{IntegrationId, LabelSet, Monotonic, RuleKey};
use crate::rule::AlertingRule;

/// For how long a refusal for good counts when nothing more is heard of it.
pub const HOLD_FAILED: Duration = Duration::from_secs(3600);
/// The same for a failed attempt that is repeated: attempts come at least once a minute, unless
/// the receiver asked for a longer wait.
const HOLD_DELAYED: Duration = Duration::from_secs(5 * 60);
/// The shortest time in which two overrun rounds count as a trouble.
const MISSED_WINDOW: Duration = Duration::from_secs(10 * 60);
/// The same in intervals of the group.
const MISSED_INTERVALS: u32 = 5;
/// After so long without any query the datasource is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(60);
/// How many groups of alerts are remembered for one integration. More change nothing but a number
/// in a text.
const MAX_GROUPS: usize = 1000;
/// How much of an error's text is kept, in characters.
const MAX_ERROR: usize = 500;

/// What is known of the datasource.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Datasource {
    /// Why the last query had no answer; `None` where it had one.
    pub(super) error: Option<String>,
    /// When a query was last answered.
    pub(super) answered: Option<Monotonic>,
    /// When one was last asked.
    asked: Option<Monotonic>,
}

/// The rounds of a rule group that took too long.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Overrun {
    /// For how long a round counts.
    pub(super) window: Duration,
    /// The last two: when, and how many rounds were skipped because of it.
    pub(super) last: [Option<(Monotonic, u64)>; 2],
}

/// A failed delivery of one group of alerts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) for_good: bool,
    pub(super) until: Monotonic,
    pub(super) at: Monotonic,
    pub(super) error: String,
}

/// What is known of what a collector reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Collecting {
    /// Nothing yet.
    #[default]
    Unknown,
    /// Nothing is collected.
    Off,
    /// The last pass had its answers.
    Answered,
    /// Why the last pass had none.
    Failed(String),
}

/// Everything that the conditions of the built-in alerts look at. Bounded by the configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    pub(super) datasource: Datasource,
    pub(super) overruns: BTreeMap<String, Overrun>,
    /// By integration and group key.
    pub(super) failures: BTreeMap<IntegrationId, BTreeMap<String, Failure>>,
    /// How the last commit went; `None` before the first.
    pub(super) store: Option<Result<(), String>>,
    /// Why the newest configuration was refused.
    pub(super) refused: Option<String>,
    /// The rules whose policy asks for an alert.
    pub(super) rules: WatchedRules,
    pub(super) collecting: Collecting,
}

impl Facts {
    /// The datasource has answered a query, if only to refuse it.
    pub fn datasource_answered(&mut self, at: Monotonic) {
        self.datasource = Datasource { error: None, answered: Some(at), asked: Some(at) };
    }

    /// The datasource has not answered a query.
    pub fn datasource_failed(&mut self, error: &str, at: Monotonic) {
        self.datasource.error = Some(shortened(error));
        self.datasource.asked = Some(at);
    }

    /// Another datasource is asked from now on: nothing is known of it.
    pub fn datasource_changed(&mut self) {
        self.datasource = Datasource::default();
    }

    /// Whether it should be asked for nothing but whether it answers: rules may ask seldom.
    pub fn wants_probe(&self, now: Monotonic) -> bool {
        let silent = |asked| now.since(asked) >= SILENCE;
        self.datasource.error.is_some() || self.datasource.asked.is_none_or(silent)
    }

    /// A round of a rule group took so long that `missed` after it were skipped.
    pub fn rounds_missed(&mut self, group: &str, interval: Duration, missed: u64, at: Monotonic) {
        let window = MISSED_WINDOW.max(interval.saturating_mul(MISSED_INTERVALS));
        let former = self.overruns.get(group).and_then(|overrun| overrun.last[1]);
        let overrun = Overrun { window, last: [former, Some((at, missed))] };
        self.overruns.insert(group.to_string(), overrun);
    }

    /// An integration has taken a notification of a group of alerts.
    pub fn delivered(&mut self, integration: &IntegrationId, group: &str) {
        let Some(failures) = self.failures.get_mut(integration) else { return };
        failures.remove(group);
        // What a former process left names no group.
        failures.remove("");
        if failures.is_empty() {
            self.failures.remove(integration);
        }
    }

    /// An integration has refused a notification for good.
    pub fn refused(
        &mut self,
        integration: &IntegrationId,
        group: &str,
        error: &str,
        at: Monotonic,
    ) {
        let error = shortened(error);
        let failure = Failure { for_good: true, until: at + HOLD_FAILED, at, error };
        self.fail(integration, group, failure);
    }

    /// A delivery failed and is tried again, at the latest after the wait that the receiver asked
    /// for.
    pub fn delayed(
        &mut self,
        integration: &IntegrationId,
        group: &str,
        error: &str,
        wait: Option<Duration>,
        at: Monotonic,
    ) {
        let until = at + HOLD_DELAYED + wait.unwrap_or_default().min(HOLD_FAILED);
        let error = shortened(error);
        let failure = Failure { for_good: false, until, at, error };
        self.fail(integration, group, failure);
    }

    fn fail(&mut self, integration: &IntegrationId, group: &str, failure: Failure) {
        let failures = self.failures.entry(integration.clone()).or_default();
        failures.retain(|_, known| known.until > failure.at);
        if failures.len() < MAX_GROUPS || failures.contains_key(group) {
            failures.insert(group.to_string(), failure);
        }
    }

    /// The store has taken everything.
    pub fn store_committed(&mut self) {
        if self.store != Some(Ok(())) {
            self.store = Some(Ok(()));
        }
    }

    /// The store has taken nothing.
    pub fn store_failed(&mut self, error: &str) {
        self.store = Some(Err(shortened(error)));
    }

    /// The newest configuration is in use.
    pub fn reloaded(&mut self) {
        self.refused = None;
    }

    /// The newest configuration was refused.
    pub fn reload_refused(&mut self, error: &str) {
        self.refused = Some(shortened(error));
    }

    /// What a collector has asked was answered.
    pub fn collector_answered(&mut self) {
        self.collecting = Collecting::Answered;
    }

    /// It was not.
    pub fn collector_failed(&mut self, error: &str) {
        self.collecting = Collecting::Failed(shortened(error));
    }

    /// Nothing is collected from now on.
    pub fn collector_off(&mut self) {
        self.collecting = Collecting::Off;
    }

    /// Watches these rules from now on, and no others.
    pub fn watch_rules<'a>(&mut self, rules: impl Iterator<Item = &'a AlertingRule>) {
        self.rules.replace(rules);
    }

    /// A watched rule was evaluated: how many of its active alerts have no data, or why it failed
    /// and whether that was because the datasource did not answer.
    pub fn rule_evaluated(&mut self, rule: &RuleKey, seen: Result<usize, (&str, bool)>) {
        self.rules.evaluated(rule, seen);
    }

    /// Forgets what is known of rule groups and integrations that are gone.
    pub fn retain(
        &mut self,
        is_group: impl Fn(&str) -> bool,
        is_integration: impl Fn(&IntegrationId) -> bool,
    ) {
        self.overruns.retain(|group, _| is_group(group));
        self.failures.retain(|integration, _| is_integration(integration));
    }

    /// Takes up what an alert of a former process says.
    pub(super) fn remember(&mut self, alert: BuiltinAlert, labels: &LabelSet, at: Monotonic) {
        match alert {
            BuiltinAlert::EvaluationsMissed => {
                let last = [Some((at, 0)), Some((at, 1))];
                let overrun = Overrun { window: MISSED_WINDOW, last };
                self.overruns.entry(labels.value("rule_group").to_string()).or_insert(overrun);
            }
            BuiltinAlert::NotificationFailed | BuiltinAlert::NotificationDelayed => {
                let Some(integration) = integration_of(labels) else { return };
                let error = "the program was restarted since";
                match alert {
                    BuiltinAlert::NotificationFailed => self.refused(&integration, "", error, at),
                    _ => self.delayed(&integration, "", error, None, at),
                }
            }
            // Unknown until observed, which keeps the alert as it is; or known at once.
            _ => {}
        }
    }
}

/// The labels that name an integration.
pub(super) fn integration_labels(id: &IntegrationId) -> LabelSet {
    let integration = format!("{}[{}]", id.kind, id.index);
    LabelSet::from([("integration", integration.as_str()), ("receiver", &*id.receiver)])
}

fn integration_of(labels: &LabelSet) -> Option<IntegrationId> {
    let (kind, index) = labels.get("integration")?.strip_suffix(']')?.split_once('[')?;
    let (receiver, kind) = (labels.get("receiver")?.into(), kind.into());
    Some(IntegrationId { receiver, kind, index: index.parse().ok()? })
}

/// The start of an error's text.
pub(super) fn shortened(error: &str) -> String {
    match error.char_indices().nth(MAX_ERROR) {
        Some((end, _)) => format!("{}…", error.get(..end).unwrap_or_default()),
        None => error.to_string(),
    }
}
