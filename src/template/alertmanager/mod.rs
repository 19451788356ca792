//! Go templates of an `alertmanager.yml`: inline texts and the `*.tmpl` files beside it.

mod data;
mod defaults;
mod functions;
mod methods;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use gotmpl::parse::ListNode;

use crate::model::Timestamp;
use crate::template::TemplateData;
use crate::template::go::run::{Facts, Failure, Run, Set, Templates};
use crate::template::go::{Language, Parsed, TemplateError, check_calls, parse};
use crate::template::rule::ExpandError;

/// The most bytes of one inline text or one `*.tmpl` file.
const MAX_BYTES: usize = 1024 * 1024;
/// The most bytes of one rendered text.
const MAX_OUTPUT: usize = 1024 * 1024;
/// The inline text among the templates. A name that no file can define twice.
const ENTRY: &str = "\0text";

/// A `*.tmpl` file that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template file {file}: {error}")]
pub struct GoFileError {
    /// The file as it was named.
    pub file: String,
    /// What is wrong, with its place in the file.
    #[source]
    pub error: TemplateError,
}

/// The named templates that inline texts may call: Alertmanager's defaults by name, and those of
/// `*.tmpl` files, which may replace them. Cloning copies a pointer.
#[derive(Clone)]
pub struct GoTemplates(Arc<Shared>);

struct Shared {
    defines: Vec<(String, ListNode)>,
    used: BTreeSet<String>,
    bytes: usize,
}

fn language() -> Language<'static> {
    Language {
        functions: &|name| functions::DIALECT.knows(name),
        function_names: &|| functions::DIALECT.names(),
        variables: &[],
        max_bytes: MAX_BYTES,
    }
}

impl GoTemplates {
    /// The defaults and the templates of some files, given by name and text. A template may call
    /// one of any file; of two with one name the later file's counts.
    ///
    /// # Errors
    /// The first mistake of every file that has one.
    pub fn new(files: &[(String, String)]) -> Result<Self, Vec<GoFileError>> {
        let mut errors = Vec::new();
        let mut shared =
            Shared { defines: Vec::new(), used: BTreeSet::new(), bytes: defaults::TEXT.len() };
        let own = [(defaults::FILE.to_string(), defaults::TEXT.to_string())];
        let mut calls = Vec::new();
        for (file, text) in own.iter().chain(files) {
            match parse(text, &language()) {
                Ok(parsed) => {
                    shared.bytes += text.len();
                    calls.push((file, shared.add(file, parsed)));
                }
                Err(error) => errors.push(GoFileError { file: file.clone(), error }),
            }
        }
        if errors.is_empty() {
            let names = || shared.defines.iter().map(|(name, _)| name.as_str());
            errors.extend(calls.into_iter().filter_map(|(file, calls)| {
                let error = check_calls(&calls, names()).err()?;
                Some(GoFileError { file: file.clone(), error })
            }));
        }
        if errors.is_empty() { Ok(Self(Arc::new(shared))) } else { Err(errors) }
    }

    /// The names of all templates.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.defines.iter().map(|(name, _)| name.as_str())
    }
}

impl fmt::Debug for GoTemplates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// Names of called templates and where they stand.
type Calls = Vec<(String, crate::diag::Span)>;

impl Shared {
    /// Adds a file: its templates, and itself by its name as Go's `ParseGlob` does. An empty
    /// template replaces none.
    fn add(&mut self, file: &str, parsed: Parsed) -> Calls {
        let base = file.rsplit('/').next().unwrap_or(file).to_string();
        self.used.extend(parsed.used);
        for (name, body) in parsed.defines.into_iter().chain([(base, parsed.main)]) {
            match self.defines.iter_mut().find(|(n, _)| *n == name) {
                Some(slot) if !body.is_empty_tree() => slot.1 = body,
                Some(_) => {}
                None => self.defines.push((name, body)),
            }
        }
        parsed.calls
    }
}

/// An inline text of an `alertmanager.yml`, such as a Slack title, ready to be rendered.
#[derive(Clone)]
pub struct GoText {
    text: Arc<str>,
    compiled: Option<Arc<Compiled>>,
}

struct Compiled {
    templates: Kind,
    used: BTreeSet<String>,
    bytes: usize,
}

enum Kind {
    Text(gotmpl::Template),
    Html(gotmpl::html::Template),
}

impl GoText {
    /// Parses a text whose values are printed as they are.
    ///
    /// # Errors
    /// Broken syntax, a block that is not closed, an unknown function, variable or template.
    pub fn parse(source: &str, templates: &GoTemplates) -> Result<Self, TemplateError> {
        Self::build(source, templates, |defines| {
            let set = gotmpl::Template::new("");
            Ok(Kind::Text(
                defines
                    .iter()
                    .fold(set, |set, (name, body)| set.add_parse_tree(name, body.clone())),
            ))
        })
    }

    /// Parses an HTML text: values are escaped by their place, as Go's `html/template` does.
    ///
    /// # Errors
    /// As [`GoText::parse`].
    pub fn parse_html(source: &str, templates: &GoTemplates) -> Result<Self, TemplateError> {
        Self::build(source, templates, |defines| {
            // As the root of the set, so that what the escaping pass finds in it is reported.
            let mut set = gotmpl::html::Template::new(ENTRY).parse("")?;
            for (name, body) in defines {
                set = set.add_parse_tree(name, body.clone())?;
            }
            Ok(Kind::Html(set))
        })
    }

    fn build(
        source: &str,
        templates: &GoTemplates,
        kind: impl Fn(&[(String, ListNode)]) -> Result<Kind, gotmpl::TemplateError>,
    ) -> Result<Self, TemplateError> {
        let text: Arc<str> = Arc::from(source);
        if !source.contains("{{") {
            return Ok(Self { text, compiled: None });
        }
        let parsed = parse(source, &language())?;
        let own = parsed.defines.iter().map(|(name, _)| name.as_str());
        check_calls(&parsed.calls, own.chain(templates.names()))?;
        let shared = &templates.0;
        let mut defines = shared.defines.clone();
        defines.extend(parsed.defines);
        defines.push((ENTRY.to_string(), parsed.main));
        let templates = kind(&defines).map_err(|error| {
            TemplateError::new(crate::diag::Span::new(0, source.len()), error.to_string())
        })?;
        let used = shared.used.iter().cloned().chain(parsed.used).collect();
        let bytes = shared.bytes + source.len();
        Ok(Self { text, compiled: Some(Arc::new(Compiled { templates, used, bytes })) })
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Renders the text. `now` is what `since` and `now` count from.
    ///
    /// # Errors
    /// When a function refuses its arguments, a field does not exist, the HTML is broken, or the
    /// result, the work or the nesting exceeds its bound.
    pub fn render(&self, data: &TemplateData, now: Timestamp) -> Result<String, ExpandError> {
        let Some(compiled) = &self.compiled else { return Ok(self.text.to_string()) };
        let facts = Facts { now, external_url: String::new(), answer: Arc::new(|_| None) };
        let run = Run::new(&functions::DIALECT, facts);
        let set = Set {
            templates: match &compiled.templates {
                Kind::Text(templates) => Templates::Text(templates),
                Kind::Html(templates) => Templates::Html(templates),
            },
            entry: ENTRY,
            used: &compiled.used,
            bytes: compiled.bytes,
            max_output: MAX_OUTPUT,
        };
        run.execute(&set, &data::root(data.as_json())).map_err(|failure| {
            let message = match failure {
                Failure::Lacks(query) => format!("no answer to {query}"),
                Failure::Error(message) => message,
            };
            ExpandError { step: "executing", message }
        })
    }
}

impl fmt::Debug for GoText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GoText").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests;
