//! Checked rules.

use std::sync::Arc;
use std::time::Duration;

use crate::diag::{SourceFile, Span};
use crate::model::RuleKey;
use crate::promql;
use crate::template::RuleTemplate;
use crate::yaml::Scalar;

/// A group of rules that are evaluated one after the other at one interval.
///
/// Two groups are equal if they do the same, wherever in the file they stand: a reload leaves an
/// equal group alone.
#[derive(Clone, Debug)]
pub struct RuleGroup {
    /// The file as the configuration names it.
    pub file: String,
    /// The name, unique in its file.
    pub name: String,
    /// How often it is evaluated; `None` for the configuration's `evaluation_interval`.
    pub interval: Option<Duration>,
    /// How far in the past it is evaluated; `None` for the configuration's default.
    pub query_offset: Option<Duration>,
    /// How many alerts or series a rule of the group may give; 0 for any number.
    pub limit: u64,
    /// The rules in order of evaluation.
    pub rules: Vec<Rule>,
    /// Where the name stands.
    pub name_span: Span,
    /// The file's text.
    pub source: Arc<SourceFile>,
}

/// A rule of either kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// Gives alerts.
    Alerting(AlertingRule),
    /// Gives series.
    Recording(RecordingRule),
}

/// A rule that gives alerts.
#[derive(Clone, Debug)]
pub struct AlertingRule {
    /// Its identity over restarts and reloads.
    pub key: RuleKey,
    /// The alert's name.
    pub name: String,
    /// The expression: each sample of its result is an alert.
    pub expr: promql::Expr,
    /// The expression as it is written.
    pub query: String,
    /// How long the expression must hold before the alert fires.
    pub for_duration: Duration,
    /// How long the alert goes on firing after the expression has ceased to hold.
    pub keep_firing_for: Duration,
    /// Labels of the group, overridden by those of the rule, sorted by name.
    pub labels: Vec<(String, RuleTemplate)>,
    /// Annotations, sorted by name.
    pub annotations: Vec<(String, RuleTemplate)>,
    /// The rule's line in its file, from 1.
    pub line: usize,
    /// Where its parts stand.
    pub places: RulePlaces,
    /// The file's text.
    pub source: Arc<SourceFile>,
}

impl AlertingRule {
    /// The templates of labels and of annotations, each with its place.
    pub fn templates(&self) -> impl Iterator<Item = (&TextField, &RuleTemplate)> {
        let labels = self.places.labels.iter().zip(&self.labels);
        let annotations = self.places.annotations.iter().zip(&self.annotations);
        labels.chain(annotations).map(|(field, (_, template))| (field, template))
    }
}

/// A rule that gives series.
#[derive(Clone, Debug)]
pub struct RecordingRule {
    /// Its identity over restarts and reloads.
    pub key: RuleKey,
    /// The name of the series.
    pub name: String,
    /// The expression whose result is recorded.
    pub expr: promql::Expr,
    /// The expression as it is written.
    pub query: String,
    /// Labels of the group, overridden by those of the rule, sorted by name.
    pub labels: Vec<(String, String)>,
    /// The rule's line in its file, from 1.
    pub line: usize,
    /// Where its parts stand.
    pub places: RulePlaces,
    /// The file's text.
    pub source: Arc<SourceFile>,
}

/// Where the parts of a rule stand in its file.
#[derive(Clone, Debug)]
pub struct RulePlaces {
    /// The whole rule.
    pub rule: Span,
    /// The name.
    pub name: Span,
    /// The expression.
    pub expr: Scalar,
    /// The value of `for`.
    pub for_duration: Option<Span>,
    /// The value of `keep_firing_for`.
    pub keep_firing_for: Option<Span>,
    /// The labels, in the order of the rule's labels.
    pub labels: Vec<TextField>,
    /// The annotations, in the order of the rule's annotations.
    pub annotations: Vec<TextField>,
}

/// A label or annotation as it is written.
#[derive(Clone, Debug)]
pub struct TextField {
    /// The name.
    pub name: Scalar,
    /// The value, a template in an alerting rule.
    pub value: Scalar,
    /// Whether it is a label of the group.
    pub from_group: bool,
}

impl TextField {
    /// The value's text; a null is "".
    pub fn text(&self) -> &str {
        if self.value.is_null() { "" } else { self.value.text() }
    }
}

impl Rule {
    /// Its identity.
    pub fn key(&self) -> &RuleKey {
        match self {
            Self::Alerting(rule) => &rule.key,
            Self::Recording(rule) => &rule.key,
        }
    }

    /// Its name: `alert` or `record`.
    pub fn name(&self) -> &str {
        match self {
            Self::Alerting(rule) => &rule.name,
            Self::Recording(rule) => &rule.name,
        }
    }

    /// The parsed expression.
    pub fn expr(&self) -> &promql::Expr {
        match self {
            Self::Alerting(rule) => &rule.expr,
            Self::Recording(rule) => &rule.expr,
        }
    }

    /// The expression as it is written.
    pub fn query(&self) -> &str {
        match self {
            Self::Alerting(rule) => &rule.query,
            Self::Recording(rule) => &rule.query,
        }
    }

    /// Where its parts stand.
    pub fn places(&self) -> &RulePlaces {
        match self {
            Self::Alerting(rule) => &rule.places,
            Self::Recording(rule) => &rule.places,
        }
    }

    /// The file's text.
    pub fn source(&self) -> &Arc<SourceFile> {
        match self {
            Self::Alerting(rule) => &rule.source,
            Self::Recording(rule) => &rule.source,
        }
    }

    /// The place in the file of a place in the expression.
    pub fn expr_span(&self, span: Span) -> Span {
        self.places().expr.span_of(span, self.source())
    }

    /// The rule, if it is an alerting one.
    pub fn as_alerting(&self) -> Option<&AlertingRule> {
        match self {
            Self::Alerting(rule) => Some(rule),
            Self::Recording(_) => None,
        }
    }

    /// The rule, if it is a recording one.
    pub fn as_recording(&self) -> Option<&RecordingRule> {
        match self {
            Self::Alerting(_) => None,
            Self::Recording(rule) => Some(rule),
        }
    }
}

impl PartialEq for RuleGroup {
    fn eq(&self, other: &Self) -> bool {
        self.file == other.file
            && self.name == other.name
            && self.interval == other.interval
            && self.query_offset == other.query_offset
            && self.limit == other.limit
            && self.rules == other.rules
    }
}

impl PartialEq for AlertingRule {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
            && self.query == other.query
            && self.for_duration == other.for_duration
            && self.keep_firing_for == other.keep_firing_for
            && same(&self.places.labels, &other.places.labels)
            && same(&self.places.annotations, &other.places.annotations)
    }
}

impl PartialEq for RecordingRule {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.query == other.query && self.labels == other.labels
    }
}

fn same(a: &[TextField], b: &[TextField]) -> bool {
    a.iter().map(pair).eq(b.iter().map(pair))
}

fn pair(field: &TextField) -> (&str, &str) {
    (field.name.text(), field.text())
}
