//! Templates in the labels and annotations of rules, as Prometheus expands them.

mod functions;
mod humanize;
mod text_functions;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use gotmpl::Value;

use crate::diag::Span;
use crate::model::{InstantVector, LabelSet, Timestamp};
use crate::template::go::run::{Answer, Facts, Failure, Run, Set, Templates};
use crate::template::go::value::{labels, object, text};
use crate::template::go::{Language, TemplateError, check_calls, parse};

pub(super) use functions::number_of;
pub(super) use humanize::{duration as humanize_duration, short as humanize};
pub(super) use text_functions::{REGEX, lower, mapped, title, upper};

/// The most bytes of one template; Prometheus has no limit.
const MAX_BYTES: usize = 64 * 1024;
/// The most bytes of one expanded label or annotation; Prometheus has no limit.
const MAX_OUTPUT: usize = 256 * 1024;
/// The template itself among those that it defines. A name that no text can define twice.
const ENTRY: &str = "\0rule";

/// The variables that Prometheus declares in front of every template.
const VARIABLES: [(&str, &str); 4] = [
    ("$labels", "Labels"),
    ("$externalLabels", "ExternalLabels"),
    ("$externalURL", "ExternalURL"),
    ("$value", "Value"),
];

/// A label or annotation of a rule, ready to be expanded.
///
/// What it compiles to is checked when it is parsed, and made again and kept when it is needed
/// first: it takes kilobytes, and of many rules few ever have an alert.
#[derive(Clone)]
pub struct RuleTemplate {
    text: Arc<str>,
    /// `None` for a text without actions.
    compiled: Option<Arc<OnceLock<Result<Compiled, TemplateError>>>>,
}

struct Compiled {
    templates: gotmpl::Template,
    used: std::collections::BTreeSet<String>,
    label_uses: Vec<(String, Span)>,
}

impl Compiled {
    fn new(source: &str) -> Result<Self, TemplateError> {
        let language = Language {
            functions: &|name| functions::DIALECT.knows(name),
            function_names: functions::DIALECT.names(),
            variables: &VARIABLES,
            max_bytes: MAX_BYTES,
        };
        let parsed = parse(source, &language)?;
        check_calls(&parsed.calls, parsed.defines.iter().map(|(name, _)| name.as_str()))?;
        let mut templates = gotmpl::Template::new("");
        for (name, body) in parsed.defines {
            templates = templates.add_parse_tree(&name, body);
        }
        let templates = templates.add_parse_tree(ENTRY, parsed.main);
        Ok(Self { templates, used: parsed.used, label_uses: parsed.label_uses })
    }
}

/// What a template sees.
#[derive(Clone, Copy, Debug)]
pub struct RuleData<'a> {
    /// The labels of the sample, `__name__` among them, never those of the rule.
    pub labels: &'a LabelSet,
    /// The sample's value.
    pub value: f64,
    /// The configuration's external labels.
    pub external_labels: &'a LabelSet,
    /// The address for links that people open; `pathPrefix` is the path in it.
    pub external_url: &'a str,
    /// The time of the evaluation.
    pub now: Timestamp,
}

/// Answers to the queries that templates ask, by the text of the query. Cloning copies a pointer.
#[derive(Clone, Debug, Default)]
pub struct QueryAnswers(Arc<BTreeMap<String, Result<InstantVector, String>>>);

impl QueryAnswers {
    /// No answers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the answer to a query, or why there is none.
    pub fn insert(&mut self, query: String, answer: Result<InstantVector, String>) {
        Arc::make_mut(&mut self.0).insert(query, answer);
    }

    /// The answer to a query, if it is known.
    pub fn get(&self, query: &str) -> Option<&Result<InstantVector, String>> {
        self.0.get(query)
    }
}

/// What became of an expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expansion {
    /// The text.
    Text(String),
    /// It needs the answer to this query; with it, expand again.
    NeedsQuery(String),
}

/// Why a template gave no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error executing template: {message}")]
pub struct ExpandError {
    /// What failed.
    pub message: String,
}

impl RuleTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// Broken syntax, a block that is not closed, an unknown function, variable or template; more
    /// than 64 KiB of text.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let text: Arc<str> = Arc::from(source);
        if !source.contains("{{") {
            return Ok(Self { text, compiled: None });
        }
        Compiled::new(source)?;
        Ok(Self { text, compiled: Some(Arc::default()) })
    }

    /// The template as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is text alone, which expands to itself.
    pub fn is_plain(&self) -> bool {
        self.compiled.is_none()
    }

    /// The labels that it reads by name, each with the place of the name: `$labels.x`,
    /// `.Labels.x`, `index $labels "x"`.
    pub fn label_uses(&self) -> Vec<(String, Span)> {
        let compiled = self.compiled.as_ref().and_then(|_| Compiled::new(&self.text).ok());
        compiled.map(|compiled| compiled.label_uses).unwrap_or_default()
    }

    /// Expands the template.
    ///
    /// # Errors
    /// When a function refuses its arguments, a query failed, or the result, the work or the
    /// nesting exceeds its bound.
    pub fn expand(
        &self,
        data: &RuleData<'_>,
        answers: &QueryAnswers,
    ) -> Result<Expansion, ExpandError> {
        let Some(compiled) = &self.compiled else {
            return Ok(Expansion::Text(self.text.to_string()));
        };
        let compiled = compiled.get_or_init(|| Compiled::new(&self.text));
        let compiled =
            compiled.as_ref().map_err(|error| ExpandError { message: error.to_string() })?;
        let run = Run::new(&functions::DIALECT, facts(data, answers));
        let set = Set {
            templates: Templates::Text(&compiled.templates),
            entry: ENTRY,
            used: &compiled.used,
            bytes: self.text.len(),
            max_output: MAX_OUTPUT,
        };
        match run.execute(&set, &root(data)) {
            Ok(text) => Ok(Expansion::Text(text)),
            Err(Failure::Lacks(query)) => Ok(Expansion::NeedsQuery(query)),
            Err(Failure::Error(message)) => Err(ExpandError { message }),
        }
    }
}

impl fmt::Debug for RuleTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RuleTemplate").field(&self.text).finish()
    }
}

/// Two templates are equal when their texts are.
impl PartialEq for RuleTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for RuleTemplate {}

fn facts(data: &RuleData<'_>, answers: &QueryAnswers) -> Facts {
    let answers = answers.clone();
    let answer: Answer = Arc::new(move |query| {
        let answer = answers.get(query)?;
        Some(answer.as_ref().map(functions::vector).map_err(Clone::clone))
    });
    Facts {
        now: data.now,
        external_url: data.external_url.to_string(),
        path_prefix: path(data.external_url),
        answer,
    }
}

/// The path of an address as Go has it: empty where none is written.
fn path(address: &str) -> String {
    let path = url::Url::parse(address).map(|u| u.path().to_string()).unwrap_or_default();
    if path == "/" && !address.ends_with('/') { String::new() } else { path }
}

fn root(data: &RuleData<'_>) -> Value {
    object(
        "alert's data",
        [
            ("Labels", labels(data.labels)),
            ("ExternalLabels", labels(data.external_labels)),
            ("ExternalURL", text(data.external_url)),
            ("Value", Value::Float(data.value)),
        ],
    )
}

#[cfg(test)]
mod tests;
