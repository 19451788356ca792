//! What is known of the labels of a rule's alerts.

use crate::lint::shape::selected;
use crate::model::label::ALERT_NAME;
use crate::model::{LabelSet, MatchOp, Matcher, Matchers};
use crate::promql::flow::{Has, Labels};
use crate::rule::Rule;

/// An answer about alerts of which not everything is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// For no alert.
    No,
    /// For some, maybe.
    Maybe,
    /// For every alert.
    Yes,
}

/// What is known of one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Every alert has this text; "" is no label.
    Exactly(String),
    /// Any text.
    Any {
        /// Whether the label may be missing.
        may_lack: bool,
    },
}

/// What is known of the labels of a rule's alerts.
#[derive(Debug)]
pub struct AlertLabels<'a> {
    rule: &'a Rule,
    query: Labels,
    external: &'a LabelSet,
}

/// The labels that the program's own alerts may have beside those of their rules.
const BUILTIN_LABELS: [&str; 3] = ["integration", "receiver", "rule_group"];

impl<'a> AlertLabels<'a> {
    /// The labels of a rule's alerts; `query` are those of its expression.
    pub fn new(rule: &'a Rule, query: Labels, external: &'a LabelSet) -> Self {
        Self { rule, query, external }
    }

    /// The labels of one of the program's own alerts, whose conditions are not asked of a datasource.
    pub fn of_builtin(rule: &'a Rule, external: &'a LabelSet) -> Self {
        let mut query = Labels::none_at(rule.expr().span);
        for name in BUILTIN_LABELS {
            query.set(name, Has::Maybe);
        }
        Self { rule, query, external }
    }

    /// What is known of a label. The rule's labels go before those of the query, and external ones
    /// behind both, as in Prometheus.
    pub fn value(&self, name: &str) -> Value {
        if name == ALERT_NAME {
            return Value::Exactly(self.rule.name().to_string());
        }
        let field = self.rule.places().labels.iter().find(|field| field.name.text() == name);
        if let Some(field) = field {
            let text = field.text();
            return match text.contains("{{") {
                true => Value::Any { may_lack: true },
                false => Value::Exactly(text.to_string()),
            };
        }
        let external = self.external.get(name);
        match self.query.has(name) {
            Has::Never(_) => Value::Exactly(external.unwrap_or_default().to_string()),
            Has::Always => match selected(self.rule.expr(), name) {
                Some(value) => Value::Exactly(value.to_string()),
                None => Value::Any { may_lack: false },
            },
            Has::Expected | Has::Maybe => Value::Any { may_lack: external.is_none() },
        }
    }

    /// Whether the alerts pass a matcher.
    pub fn matches(&self, matcher: &Matcher) -> Answer {
        match self.value(matcher.name()) {
            Value::Exactly(value) if matcher.matches_value(&value) => Answer::Yes,
            Value::Exactly(_) => Answer::No,
            Value::Any { may_lack } => match (matcher.op(), matcher.value()) {
                (MatchOp::Equal | MatchOp::Regex, "") if !may_lack => Answer::No,
                (MatchOp::NotEqual, "") | (MatchOp::Regex, ".+") if !may_lack => Answer::Yes,
                (MatchOp::Regex, ".*") => Answer::Yes,
                _ => Answer::Maybe,
            },
        }
    }

    /// Whether the alerts pass all matchers.
    pub fn all(&self, matchers: &Matchers) -> Answer {
        matchers.0.iter().map(|matcher| self.matches(matcher)).min().unwrap_or(Answer::Yes)
    }

    /// Whether no alert has a label.
    pub fn lacks(&self, name: &str) -> bool {
        self.value(name) == Value::Exactly(String::new())
    }
}
