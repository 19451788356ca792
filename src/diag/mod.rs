//! Tier 0: findings about a file, with their place, and how they are shown.

mod formats;
mod render;
mod source;

pub use formats::{
    Described, render_findings_json, render_github, render_gitlab, render_junit, render_sarif,
};
pub use render::{Style, render_json, render_text};
pub use source::{SourceFile, Span};

use std::sync::Arc;

use serde::Serialize;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Likely not what was meant.
    Warning,
    /// The rule or route cannot do what it is there for.
    Bug,
    /// The file is refused.
    Error,
}

impl Severity {
    /// All of them, the gravest last.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Bug, Self::Error];

    /// The name: `bug`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Bug => "bug",
            Self::Error => "error",
        }
    }
}

/// A further place that a finding speaks of.
#[derive(Clone, Debug)]
pub struct Label {
    /// The file of the place.
    pub source: Arc<SourceFile>,
    /// The place.
    pub span: Span,
    /// What to say there.
    pub text: String,
}

/// A change of the file in which a finding stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// A change after which the finding is gone and nothing else has changed: it may be made unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as a request: `compare with =`.
    pub message: String,
    /// The changes, which do not overlap.
    pub edits: Vec<Edit>,
}

/// One finding: what is wrong, where, why it matters and what to do.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The stable name of the kind of finding, such as `yaml/unknown-key`.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// One sentence in lower case, without a full stop.
    pub message: String,
    /// The file of the cause.
    pub source: Arc<SourceFile>,
    /// The cause, carets are drawn under it.
    pub span: Span,
    /// A few words beside the carets; may be empty.
    pub caret: String,
    /// Further places.
    pub labels: Vec<Label>,
    /// Why it matters.
    pub note: Option<String>,
    /// What to do next.
    pub help: Option<String>,
    /// The name of the rule that it concerns.
    pub rule: Option<String>,
    /// A safe change, if there is one.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A finding of the given kind at a place.
    pub fn new(
        id: &'static str,
        severity: Severity,
        source: &Arc<SourceFile>,
        span: Span,
        message: impl Into<String>,
    ) -> Self {
        Self {
            id,
            severity,
            message: message.into(),
            source: Arc::clone(source),
            span,
            caret: String::new(),
            labels: Vec::new(),
            note: None,
            help: None,
            rule: None,
            fix: None,
        }
    }

    /// A finding that refuses the file.
    pub fn error(
        id: &'static str,
        source: &Arc<SourceFile>,
        span: Span,
        message: impl Into<String>,
    ) -> Self {
        Self::new(id, Severity::Error, source, span, message)
    }

    /// Adds the words beside the carets.
    #[must_use]
    pub fn caret(mut self, text: impl Into<String>) -> Self {
        self.caret = text.into();
        self
    }

    /// Adds a further place in the same file.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        let source = Arc::clone(&self.source);
        self.labels.push(Label { source, span, text: text.into() });
        self
    }

    /// Adds a further place in another file.
    #[must_use]
    pub fn label_in(
        mut self,
        source: &Arc<SourceFile>,
        span: Span,
        text: impl Into<String>,
    ) -> Self {
        self.labels.push(Label { source: Arc::clone(source), span, text: text.into() });
        self
    }

    /// Adds a safe change of one place.
    #[must_use]
    pub fn fix(mut self, message: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        let edits = vec![Edit { span, text: text.into() }];
        self.fix = Some(Fix { message: message.into(), edits });
        self
    }

    /// Adds why it matters.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = Some(text.into());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Adds the rule that it concerns.
    #[must_use]
    pub fn rule(mut self, name: impl Into<String>) -> Self {
        self.rule = Some(name.into());
        self
    }

    /// Line and column of the cause, both from 1; the column counts characters.
    pub fn line_column(&self) -> (usize, usize) {
        self.source.line_column(self.span.start)
    }
}

/// The one-line form `path:line:column: message`, for logs and API answers.
impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}: {}", self.source.path(), self.message)?;
        if !self.caret.is_empty() {
            write!(f, ": {}", self.caret)?;
        }
        Ok(())
    }
}

/// The first mistake in one line, and how many more there are.
pub fn summary(diagnostics: &[Diagnostic]) -> String {
    let mut errors = diagnostics.iter().filter(|d| d.severity == Severity::Error);
    match (errors.next(), errors.count()) {
        (None, _) => "no mistakes".to_string(),
        (Some(one), 0) => one.to_string(),
        (Some(first), more) => format!("{first} (and {more} more)"),
    }
}

/// Whether any finding refuses its file.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}

/// Sorts findings by file, then by place.
pub fn sort(diagnostics: &mut [Diagnostic]) {
    diagnostics.sort_by(|a, b| {
        (a.source.path(), a.span.start, a.id).cmp(&(b.source.path(), b.span.start, b.id))
    });
}

/// The name in `known` that is nearest to `name`, if one is near enough to be a slip of the keys:
/// at most a third of its characters differ.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A long text is no slip of the keys, and comparing it would cost.
    if name.len() > 100 {
        return None;
    }
    let len = name.chars().count();
    let near = known.into_iter().filter_map(|candidate| {
        let other = candidate.chars().count();
        let most = other.max(3) / 3;
        // Two names differ in as many characters at least as one is longer.
        let edits = (len.abs_diff(other) <= most).then(|| distance(name, candidate))?;
        (edits <= most).then_some((edits, candidate))
    });
    near.min().map(|(_, candidate)| candidate)
}

/// The edit distance in characters; two neighbours that have changed places count as one edit
/// (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    let at = |rows: &[Vec<usize>], i: usize, j: usize| {
        rows.get(i).and_then(|row| row.get(j)).copied().unwrap_or(usize::MAX / 2)
    };
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let replaced = at(&rows, i, j) + usize::from(ca != cb);
            let edited = at(&rows, i, j + 1).min(row.last().copied().unwrap_or(i)) + 1;
            let crossed = i > 0 && j > 0 && a.get(i - 1) == Some(cb) && b.get(j - 1) == Some(ca);
            let swapped = if crossed { at(&rows, i - 1, j - 1) + 1 } else { usize::MAX };
            row.push(replaced.min(edited).min(swapped));
        }
        rows.push(row);
    }
    at(&rows, a.len(), b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_slips_only() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("titel", "title"), 1);
        assert_eq!(nearest("titel", ["text", "title"]), Some("title"));
        let known = ["for", "expr", "annotations", "keep_firing_for"];
        assert_eq!(nearest("anotations", known), Some("annotations"));
        assert_eq!(nearest("exp", known), Some("expr"));
        assert_eq!(nearest("whatever", known), None);
    }
}
