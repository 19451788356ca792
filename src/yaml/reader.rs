//! Typed reading that collects every mistake.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use crate::diag::{Diagnostic, Severity, SourceFile, Span, has_errors};
use crate::model::parse_duration;
use crate::yaml::{Document, Fields, MAX_FINDINGS, Node, Resolved, Scalar};

/// The first number that is too large for an integer.
const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// Collects the mistakes of one file.
///
/// The methods that read a node take `what`, the words for it in a message, such as
/// "`group_wait`" or "the route". They return `None` after they have noted a mistake.
#[derive(Debug)]
pub struct Reader {
    source: Arc<SourceFile>,
    diagnostics: Vec<Diagnostic>,
    rule: Option<String>,
    /// Whether an error did not fit.
    dropped: bool,
}

impl Reader {
    /// A reader that begins with the document's own findings.
    pub fn new(document: &Document) -> Self {
        Self {
            source: Arc::clone(&document.source),
            diagnostics: document.diagnostics.clone(),
            rule: None,
            dropped: false,
        }
    }

    /// A reader of the same file without findings, for a part that is read beside the others.
    #[must_use]
    pub fn beside(&self) -> Self {
        let source = Arc::clone(&self.source);
        Self { source, diagnostics: Vec::new(), rule: None, dropped: false }
    }

    /// Takes the findings of a reader of a part.
    pub fn append(&mut self, part: Self) {
        self.dropped |= part.dropped;
        for diagnostic in part.diagnostics {
            self.report(diagnostic);
        }
    }

    /// The file.
    pub fn source(&self) -> &Arc<SourceFile> {
        &self.source
    }

    /// Names the rule that the findings from here on concern.
    pub fn set_rule(&mut self, name: Option<String>) {
        self.rule = name;
    }

    /// Notes a finding, up to [`MAX_FINDINGS`] of them.
    pub fn report(&mut self, mut diagnostic: Diagnostic) {
        if self.diagnostics.len() >= MAX_FINDINGS {
            self.dropped |= diagnostic.severity == Severity::Error;
            return;
        }
        if diagnostic.rule.is_none() {
            diagnostic.rule.clone_from(&self.rule);
        }
        self.diagnostics.push(diagnostic);
    }

    /// Notes an error.
    pub fn error(&mut self, id: &'static str, span: Span, message: impl Into<String>) {
        let diagnostic = Diagnostic::error(id, &self.source, span, message);
        self.report(diagnostic);
    }

    /// Whether an error has been noted.
    pub fn has_errors(&self) -> bool {
        self.dropped || has_errors(&self.diagnostics)
    }

    /// All findings, in order of place.
    pub fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut diagnostics = self.diagnostics;
        crate::diag::sort(&mut diagnostics);
        if self.dropped {
            let end = Span::at(self.source.text().len());
            let message = "there are more mistakes, which are not shown";
            diagnostics.push(Diagnostic::error("yaml/limit", &self.source, end, message));
        }
        diagnostics
    }

    /// Notes that a node is not what it should be (`yaml/type`).
    pub fn wrong_type(&mut self, node: &Node, what: &(impl Display + ?Sized), wanted: &str) {
        let message = format!("{what} must be {wanted}, found {}", node.kind());
        // Of a list or mapping only the first line is shown.
        let mut span = node.span;
        if node.as_scalar().is_none() {
            let text = self.source.text().get(span.range()).unwrap_or_default();
            span.end = span.start + text.lines().next().unwrap_or_default().len();
        }
        let diagnostic = Diagnostic::error("yaml/type", &self.source, span, message);
        self.report(diagnostic.caret(format!("expected {wanted}")));
    }

    /// Whether an item of a list is nothing at all, which is noted: Go leaves such items out.
    pub fn is_empty_item(&mut self, node: &Node, what: &(impl Display + ?Sized)) -> bool {
        if node.is_null() {
            let message = format!("{what} is empty, so there is none");
            let (source, severity) = (&self.source, Severity::Warning);
            self.report(Diagnostic::new("yaml/value", severity, source, node.span, message));
        }
        node.is_null()
    }

    /// Notes that a scalar has the right type and a wrong value (`yaml/value`).
    pub fn wrong_value(
        &mut self,
        node: &Node,
        what: &(impl Display + ?Sized),
        reason: impl Display,
    ) {
        self.error("yaml/value", node.span, format!("{what}: {reason}"));
    }

    /// The fields of a mapping.
    pub fn mapping<'n>(
        &mut self,
        node: &'n Node,
        what: &(impl Display + ?Sized),
    ) -> Option<Fields<'n>> {
        let Some(entries) = node.as_mapping() else {
            self.wrong_type(node, what, "a mapping");
            return None;
        };
        Some(Fields::new(node.span, entries, what.to_string()))
    }

    /// The items of a list.
    pub fn list<'n>(
        &mut self,
        node: &'n Node,
        what: &(impl Display + ?Sized),
    ) -> Option<&'n [Node]> {
        let items = node.as_sequence();
        if items.is_none() {
            self.wrong_type(node, what, "a list");
        }
        items
    }

    /// A scalar, whatever it means.
    pub fn scalar<'n>(
        &mut self,
        node: &'n Node,
        what: &(impl Display + ?Sized),
    ) -> Option<&'n Scalar> {
        let scalar = node.as_scalar();
        if scalar.is_none() {
            self.wrong_type(node, what, "a string");
        }
        scalar
    }

    /// A string. Numbers and bools are taken as they are written, a null is "", as Go's decoder
    /// does for a field that is a string.
    pub fn string<'n>(
        &mut self,
        node: &'n Node,
        what: &(impl Display + ?Sized),
    ) -> Option<&'n str> {
        let scalar = self.scalar(node, what)?;
        Some(if scalar.is_null() { "" } else { scalar.text() })
    }

    /// A bool.
    pub fn bool(&mut self, node: &Node, what: &(impl Display + ?Sized)) -> Option<bool> {
        match node.as_scalar().map(Scalar::resolve) {
            Some(Resolved::Bool(value)) => Some(value),
            _ => {
                self.wrong_type(node, what, "true or false");
                None
            }
        }
    }

    /// A whole number. Of another number Go takes what stands before the point, so it is no mistake.
    pub fn integer(&mut self, node: &Node, what: &(impl Display + ?Sized)) -> Option<i64> {
        match node.as_scalar().map(Scalar::resolve) {
            Some(Resolved::Integer(value)) => Some(value),
            #[expect(clippy::cast_possible_truncation, reason = "as Go does it, up to this bound")]
            Some(Resolved::Float(value)) if value < TWO_TO_63 => {
                let whole = value as i64;
                if value.fract() != 0.0 {
                    let message = format!("{what} is a whole number: this counts as {whole}");
                    let source = &self.source;
                    let severity = Severity::Warning;
                    let finding =
                        Diagnostic::new("yaml/value", severity, source, node.span, message);
                    self.report(finding);
                }
                Some(whole)
            }
            _ => {
                self.wrong_type(node, what, "a whole number");
                None
            }
        }
    }

    /// A whole number that is not negative.
    pub fn unsigned(&mut self, node: &Node, what: &(impl Display + ?Sized)) -> Option<u64> {
        let value = self.integer(node, what)?;
        let unsigned = u64::try_from(value).ok();
        if unsigned.is_none() {
            self.wrong_value(node, what, "must not be negative");
        }
        unsigned
    }

    /// A number.
    pub fn float(&mut self, node: &Node, what: &(impl Display + ?Sized)) -> Option<f64> {
        match node.as_scalar().map(Scalar::resolve) {
            #[expect(clippy::cast_precision_loss, reason = "as any float that is read from text")]
            Some(Resolved::Integer(value)) => Some(value as f64),
            Some(Resolved::Float(value)) => Some(value),
            _ => {
                self.wrong_type(node, what, "a number");
                None
            }
        }
    }

    /// A Prometheus duration such as `1h30m`.
    pub fn duration(&mut self, node: &Node, what: &(impl Display + ?Sized)) -> Option<Duration> {
        let text = self.scalar(node, what)?.text();
        match parse_duration(text) {
            Ok(duration) => Some(duration),
            Err(error) => {
                self.wrong_value(node, what, error);
                None
            }
        }
    }

    /// A list of strings. Items that are not strings are noted and left out.
    pub fn strings<'n>(
        &mut self,
        node: &'n Node,
        what: &(impl Display + ?Sized),
    ) -> Option<Vec<&'n str>> {
        let items = self.list(node, what)?;
        let item = format_args!("an item of {what}");
        Some(items.iter().filter_map(|node| self.string(node, &item)).collect())
    }

    /// Keys and scalar values in the order of the file. Values that are not scalars are noted and
    /// left out. A value that is null has the text "".
    pub fn string_map<'n>(
        &mut self,
        node: &'n Node,
        what: &(impl Display + ?Sized),
    ) -> Option<Vec<(&'n Scalar, &'n Node)>> {
        let Some(entries) = node.as_mapping() else {
            self.wrong_type(node, what, "a mapping");
            return None;
        };
        let mut pairs = Vec::with_capacity(entries.len());
        for entry in entries {
            let what = format_args!("`{}` in {what}", entry.key.text());
            if self.scalar(&entry.value, &what).is_some() {
                pairs.push((&entry.key, &entry.value));
            }
        }
        Some(pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_cut_as_go_does_it() {
        for (text, expected, findings) in [
            ("1e3", Some(1000), 0),
            ("1.0", Some(1), 0),
            ("0888", Some(888), 0),
            ("-1.5", Some(-1), 1),
            (".5", Some(0), 1),
            ("1e19", None, 1),
            (".inf", None, 1),
            (".nan", None, 1),
            ("'5'", None, 1),
        ] {
            let source = Arc::new(SourceFile::new("f", text));
            let document = crate::yaml::load(&source).unwrap();
            let mut reader = Reader::new(&document);
            assert_eq!(reader.integer(&document.root, "it"), expected, "{text}");
            assert_eq!(reader.has_errors(), expected.is_none(), "{text}");
            assert_eq!(reader.into_diagnostics().len(), findings, "{text}");
        }
    }
}
