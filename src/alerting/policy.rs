//! What a rule does where its datasource has no data, or no answer.

use std::collections::BTreeSet;

use crate::alerting::step::transition;
use crate::alerting::{AlertState, RuleAlerts, Transition, TransitionReason};
use crate::diag::{Diagnostic, Span, nearest};
use crate::model::label::{ALERT_NAME, METRIC_NAME};
use crate::model::{Fingerprint, InstantVector, LabelSet, Matchers, Timestamp, parse_matchers};
use crate::rule::AlertingRule;
use crate::yaml::{Fields, Node, Reader};

/// What becomes of an active alert whose label set has no data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NoData {
    /// It ends, as in Prometheus.
    #[default]
    Resolve,
    /// It stays as it is.
    Keep,
    /// It stays as it is, and another alert says so.
    Alert,
}

impl NoData {
    const ALL: [Self; 3] = [Self::Resolve, Self::Keep, Self::Alert];

    /// The name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Keep => "keep",
            Self::Alert => "alert",
        }
    }
}

/// What happens where a rule cannot be evaluated. Its alerts stay as they are in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnError {
    /// Nothing more, as in Prometheus.
    #[default]
    Keep,
    /// Another alert says so.
    Alert,
}

impl OnError {
    const ALL: [Self; 2] = [Self::Keep, Self::Alert];

    /// The name in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Alert => "alert",
        }
    }
}

/// What holds for one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Where there is no data.
    pub no_data: NoData,
    /// Where there is no evaluation.
    pub on_error: OnError,
}

impl Policy {
    /// Whether anything of it is told by another alert.
    pub fn alerts(self) -> bool {
        self.no_data == NoData::Alert || self.on_error == OnError::Alert
    }
}

/// A policy for the rules that it names.
#[derive(Clone, Debug)]
pub struct RulePolicy {
    /// All must match the rule's labels as they are written, `alertname` among them. None match
    /// every rule.
    pub matchers: Matchers,
    /// What holds for these rules.
    pub policy: Policy,
    /// Its first line in the configuration.
    pub span: Span,
}

/// The section `rule_policies`: the first that matches a rule holds for it.
#[derive(Clone, Debug, Default)]
pub struct RulePolicies(pub Vec<RulePolicy>);

impl RulePolicies {
    /// Reads the section.
    pub fn read(reader: &mut Reader, node: &Node) -> Self {
        let nodes = reader.list(node, "`rule_policies`").unwrap_or_default();
        Self(nodes.iter().filter_map(|node| read_policy(reader, node)).collect())
    }

    /// What of the policies has an effect, wherever they stand.
    pub fn effect(&self) -> Vec<(&Matchers, Policy)> {
        self.0.iter().map(|policy| (&policy.matchers, policy.policy)).collect()
    }

    /// The number of the policy that holds for a rule.
    pub fn index_of(&self, rule: &AlertingRule) -> Option<usize> {
        if self.0.is_empty() {
            return None;
        }
        let labels = written_labels(rule);
        self.0.iter().position(|policy| policy.matchers.matches(&labels))
    }

    /// Whether one of the policies matches a rule, whichever holds for it.
    pub fn matches(&self, index: usize, rule: &AlertingRule) -> bool {
        let policy = self.0.get(index);
        policy.is_some_and(|policy| policy.matchers.matches(&written_labels(rule)))
    }

    /// What holds for a rule.
    pub fn of(&self, rule: &AlertingRule) -> Policy {
        let policy = self.index_of(rule).and_then(|index| self.0.get(index));
        policy.map(|policy| policy.policy).unwrap_or_default()
    }
}

/// A rule's labels as they are written, with its name.
fn written_labels(rule: &AlertingRule) -> LabelSet {
    let written = rule.labels.iter().map(|(name, text)| (name.as_str(), text.text()));
    written.chain([(ALERT_NAME, rule.name.as_str())]).collect()
}

fn read_policy(reader: &mut Reader, node: &Node) -> Option<RulePolicy> {
    let mut fields = reader.mapping(node, "a rule policy")?;
    let mut matchers = Vec::new();
    for node in fields.list(reader, "matchers").unwrap_or_default() {
        let Some(text) = reader.string(node, "an item of `matchers`") else { continue };
        match parse_matchers(text) {
            Ok(parsed) => matchers.extend(parsed.0),
            Err(error) => reader.error("policy/matcher", node.span, error.to_string()),
        }
    }
    let no_data = word(reader, &mut fields, "no_data", NoData::ALL, NoData::as_str);
    let on_error = word(reader, &mut fields, "on_error", OnError::ALL, OnError::as_str);
    let span = fields.entries().first().map_or(node.span, |entry| {
        Span::new(entry.key.span().start, entry.value.span.end.max(entry.key.span().end))
    });
    fields.finish(reader);
    let policy = Policy { no_data, on_error };
    Some(RulePolicy { matchers: Matchers(matchers), policy, span })
}

/// One of a few words.
fn word<T: Copy + Default, const N: usize>(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> T {
    let Some(node) = fields.get(key) else { return T::default() };
    let Some(text) = reader.string(node, &format!("`{key}`")) else { return T::default() };
    if let Some(known) = all.into_iter().find(|known| name(*known) == text) {
        return known;
    }
    let names = all.map(name);
    let message = format!("`{key}`: {text:?} is none of {}", names.join(", "));
    let mut finding = Diagnostic::error("yaml/value", reader.source(), node.span, message);
    if let Some(near) = nearest(text, names) {
        finding = finding.help(format!("did you mean `{near}`?"));
    }
    reader.report(finding);
    T::default()
}

/// Whether samples show data of an alert. Labels that the rule sets are left out of account: their
/// text may depend on the value, which is another here.
pub fn has_data(rule: &AlertingRule, alert: &LabelSet, samples: &InstantVector) -> bool {
    let own = |name: &str| {
        name != ALERT_NAME && name != METRIC_NAME && !rule.labels.iter().any(|(set, _)| set == name)
    };
    let alert = alert.filtered(own);
    samples.iter().any(|sample| sample.labels.filtered(own) == alert)
}

/// What is worth storing where alerts are kept without data: the beginning and the end of that, of
/// those that are still active. `before` were kept at the last evaluation.
pub fn kept_transitions(
    alerts: &RuleAlerts,
    before: &BTreeSet<Fingerprint>,
    kept: &BTreeSet<Fingerprint>,
    at: Timestamp,
) -> Vec<Transition> {
    let begun = kept.difference(before).map(|fp| (*fp, TransitionReason::KeptNoData));
    let ended = before.difference(kept).map(|fp| (*fp, TransitionReason::DataReturned));
    let mut transitions = Vec::new();
    for (fingerprint, reason) in begun.chain(ended) {
        let alert = alerts.get(fingerprint).filter(|alert| alert.state != AlertState::Inactive);
        transitions
            .extend(alert.map(|alert| transition(fingerprint, alert, alert.state, reason, at)));
    }
    transitions
}

#[cfg(test)]
mod tests;
