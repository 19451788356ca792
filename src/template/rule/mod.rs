//! Templates in the labels and annotations of rules, as Prometheus expands them.

mod functions;
mod humanize;
mod text_functions;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use gotmpl::Value;

use crate::diag::Span;
use crate::model::kept::Kept;
use crate::model::{InstantVector, LabelSet, Timestamp};
use crate::template::go::run::{Answer, Facts, Failure, Run, Set, Templates};
use crate::template::go::straight::{Place, Shape, Straight};
use crate::template::go::value::{labels, object, text};
use crate::template::go::{Language, Parsed, TemplateError, parse};

pub(super) use functions::number_of;
pub(super) use humanize::{duration as humanize_duration, short as humanize};
pub(super) use text_functions::{REGEX, lower, mapped, title, upper};

/// The most bytes of one template; Prometheus has no limit. What expands to itself alone may have more.
/// The work on one grows with the square of its variables: with so many bytes it stays below a second.
const MAX_BYTES: usize = 256 * 1024;
/// The most bytes of one expanded label or annotation; Prometheus has no limit.
const MAX_OUTPUT: usize = 256 * 1024;
/// How many templates each thread keeps: many rules have the same.
const MAX_KEPT: usize = 200;

thread_local! {
    static KEPT: Kept<RuleTemplate> = Kept::new(MAX_KEPT);
}

/// The template itself among those that it defines. A name that no text can define twice.
const ENTRY: &str = "\0rule";

/// What templates see, and the variables that Prometheus declares in front of every one.
const SHAPE: Shape = Shape {
    variables: &[
        ("$labels", "Labels"),
        ("$externalLabels", "ExternalLabels"),
        ("$externalURL", "ExternalURL"),
        ("$value", "Value"),
    ],
    values: &["ExternalURL", "Value"],
    maps: &["Labels", "ExternalLabels"],
};

/// A label or annotation of a rule, ready to be expanded.
///
/// What it compiles to is checked when it is parsed, and made again and kept when it is needed
/// first: it takes kilobytes, and of many rules few ever have an alert.
#[derive(Clone)]
pub struct RuleTemplate {
    text: Arc<str>,
    /// `None` for a text without actions.
    actions: Option<Arc<Actions>>,
}

struct Actions {
    label_uses: Box<[(String, Span)]>,
    compiled: OnceLock<Result<Compiled, TemplateError>>,
}

enum Compiled {
    Straight(Straight),
    Blocks { templates: gotmpl::Template, used: BTreeSet<String> },
}

fn parsed(source: &str) -> Result<Parsed, TemplateError> {
    let language = Language {
        functions: &|name| functions::DIALECT.knows(name),
        function_names: &|| functions::DIALECT.names(),
        variables: SHAPE.variables,
        max_bytes: MAX_BYTES,
    };
    parse(source, &language)
}

impl Compiled {
    fn new(parsed: Parsed) -> Self {
        if let Some(straight) = Straight::new(&parsed.main, &functions::DIALECT, &SHAPE) {
            return Self::Straight(straight);
        }
        let mut templates = gotmpl::Template::new("");
        for (name, body) in parsed.defines {
            templates = templates.add_parse_tree(&name, body);
        }
        let templates = templates.add_parse_tree(ENTRY, parsed.main);
        Self::Blocks { templates, used: parsed.used }
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
pub enum Expansion<'t> {
    /// The text; that of a template without actions is its own.
    Text(Cow<'t, str>),
    /// It needs the answer to this query; with it, expand again.
    NeedsQuery(String),
}

/// Why a template gave no text, in Prometheus' words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error {step} template: {message}")]
pub struct ExpandError {
    /// In what it failed: `parsing` or `executing`.
    pub step: &'static str,
    /// What failed.
    pub message: String,
}

impl RuleTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// Broken syntax, a block that is not closed, an unknown function or variable; more than 256 KiB
    /// of text. An unknown template is none, as in Go: calling it fails.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        if !source.contains("{{") {
            return Ok(Self { text: Arc::from(source), actions: None });
        }
        KEPT.with(|kept| {
            kept.or_make(source, |source| {
                let label_uses = parsed(source)?.label_uses.into();
                let actions = Actions { label_uses, compiled: OnceLock::new() };
                Ok(Self { text: Arc::from(source), actions: Some(Arc::new(actions)) })
            })
        })
    }

    /// A template that need not parse: one that does not fails whenever it is expanded. So it is with the
    /// labels of a group, which Prometheus does not parse before.
    pub fn parse_late(source: &str) -> Self {
        Self::parse(source).unwrap_or_else(|error| {
            let actions =
                Actions { label_uses: Box::default(), compiled: OnceLock::from(Err(error)) };
            Self { text: Arc::from(source), actions: Some(Arc::new(actions)) }
        })
    }

    /// Why it does not parse, if [`Self::parse_late`] has made it of such a text.
    pub fn refusal(&self) -> Option<&TemplateError> {
        self.actions.as_ref()?.compiled.get()?.as_ref().err()
    }

    /// The template as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is text alone, which expands to itself.
    pub fn is_plain(&self) -> bool {
        self.actions.is_none()
    }

    /// The labels that it reads by name, each with the place of the name: `$labels.x`,
    /// `.Labels.x`, `index $labels "x"`.
    pub fn label_uses(&self) -> &[(String, Span)] {
        self.actions.as_ref().map_or(&[], |actions| &actions.label_uses)
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
    ) -> Result<Expansion<'_>, ExpandError> {
        let Some(actions) = &self.actions else {
            return Ok(Expansion::Text(Cow::Borrowed(&self.text)));
        };
        let compiled = actions.compiled.get_or_init(|| parsed(&self.text).map(Compiled::new));
        let compiled = compiled.as_ref().map_err(|error| failed("parsing", error.to_string()))?;
        let run = Run::new(&functions::DIALECT, facts(data, answers));
        let text = match compiled {
            Compiled::Straight(template) => {
                run.execute_straight(template, MAX_OUTPUT, &|place| read(data, place))
            }
            Compiled::Blocks { templates, used } => {
                let templates = Templates::Text(templates);
                let (entry, bytes, max_output) = (ENTRY, self.text.len(), MAX_OUTPUT);
                run.execute(&Set { templates, entry, used, bytes, max_output }, &root(data))
            }
        };
        match text {
            Ok(text) => Ok(Expansion::Text(Cow::Owned(text))),
            Err(Failure::Lacks(query)) => Ok(Expansion::NeedsQuery(query)),
            Err(Failure::Error(message)) => Err(failed("executing", message)),
        }
    }
}

fn failed(step: &'static str, message: String) -> ExpandError {
    ExpandError { step, message }
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
    Facts { now: data.now, external_url: data.external_url.to_string(), answer }
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

/// The same as of [`root`], for one place.
fn read(data: &RuleData<'_>, place: &Place) -> Value {
    match (place.field, &place.entry) {
        ("Labels", Some(name)) => text(data.labels.value(name)),
        ("ExternalLabels", Some(name)) => text(data.external_labels.value(name)),
        ("ExternalURL", None) => text(data.external_url),
        ("Value", None) => Value::Float(data.value),
        _ => Value::Nil,
    }
}

#[cfg(test)]
mod syntax_tests;
#[cfg(test)]
mod tests;
