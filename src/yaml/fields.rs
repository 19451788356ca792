//! The fields of a mapping, each asked for by name.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use crate::diag::{Diagnostic, Span, nearest};
use crate::yaml::{Entry, Node, Reader, Scalar};

/// The fields of a mapping that is being read.
///
/// Every method that names a key makes it known. A key with a null value counts as absent for all
/// of them but [`Fields::take`]. A method that reads a type returns `None` if the key is absent
/// or its value is a mistake, which has then been noted.
#[derive(Debug)]
#[must_use = "call `finish`, or unknown keys are accepted"]
pub struct Fields<'n> {
    span: Span,
    what: String,
    entries: &'n [Entry],
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    pub(super) fn new(span: Span, entries: &'n [Entry], what: String) -> Self {
        Self { span, what, entries, known: Vec::new() }
    }

    /// The place of the whole mapping.
    pub fn span(&self) -> Span {
        self.span
    }

    /// All entries, known or not.
    pub fn entries(&self) -> &'n [Entry] {
        self.entries
    }

    /// The place of a key, if the mapping has it. Does not make it known.
    pub fn key_span(&self, key: &str) -> Option<Span> {
        self.entries.iter().find(|e| e.key.text() == key).map(|e| e.key.span())
    }

    /// The value of a key, null or not.
    pub fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.known.push(key);
        self.entries.iter().find(|e| e.key.text() == key).map(|e| &e.value)
    }

    /// The value of a key unless it is null.
    pub fn get(&mut self, key: &'static str) -> Option<&'n Node> {
        self.take(key).filter(|node| !node.is_null())
    }

    /// The value of a key that must be there and not null (`yaml/missing-key`).
    pub fn require(&mut self, reader: &mut Reader, key: &'static str) -> Option<&'n Node> {
        let value = self.get(key);
        if value.is_none() {
            let span = self.key_span(key).unwrap_or_else(|| self.head(reader));
            let message = format!("{} needs `{key}`", self.what);
            reader.error("yaml/missing-key", span, message);
        }
        value
    }

    /// The first line of the mapping: what is missing has no place of its own.
    fn head(&self, reader: &Reader) -> Span {
        let text = reader.source().text().get(self.span.range()).unwrap_or_default();
        let len = text.lines().next().unwrap_or_default().trim_end().len();
        Span::new(self.span.start, self.span.start + len)
    }

    /// Refuses a known key that does not work yet (`yaml/unsupported`). `reason` may be empty.
    pub fn unsupported(&mut self, reader: &mut Reader, key: &'static str, reason: &str) {
        if self.get(key).is_none() {
            return;
        }
        let span = self.key_span(key).unwrap_or(self.span);
        let message = format!("`{key}` in {} is not supported yet", self.what);
        let mut diagnostic = Diagnostic::error("yaml/unsupported", reader.source(), span, message);
        if !reason.is_empty() {
            diagnostic = diagnostic.note(reason);
        }
        reader.report(diagnostic);
    }

    /// Refuses the keys that nobody asked for (`yaml/unknown-key`), with the nearest known one.
    pub fn finish(self, reader: &mut Reader) {
        for entry in self.entries {
            let key = entry.key.text();
            if self.known.contains(&key) {
                continue;
            }
            let message = format!("unknown key `{key}` in {}", self.what);
            let span = entry.key.span();
            let mut diagnostic =
                Diagnostic::error("yaml/unknown-key", reader.source(), span, message);
            let present = |k: &&str| self.entries.iter().any(|e| e.key.text() == *k);
            let free = self.known.iter().copied().filter(|k| !present(k));
            if let Some(near) = nearest(key, free) {
                diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
            }
            reader.report(diagnostic);
        }
    }

    /// A mapping.
    pub fn mapping(&mut self, reader: &mut Reader, key: &'static str) -> Option<Fields<'n>> {
        let node = self.get(key)?;
        reader.mapping(node, &Quoted(key))
    }

    /// A list.
    pub fn list(&mut self, reader: &mut Reader, key: &'static str) -> Option<&'n [Node]> {
        let node = self.get(key)?;
        reader.list(node, &Quoted(key))
    }

    /// A scalar.
    pub fn scalar(&mut self, reader: &mut Reader, key: &'static str) -> Option<&'n Scalar> {
        let node = self.get(key)?;
        reader.scalar(node, &Quoted(key))
    }

    /// A string.
    pub fn string(&mut self, reader: &mut Reader, key: &'static str) -> Option<&'n str> {
        let node = self.get(key)?;
        reader.string(node, &Quoted(key))
    }

    /// A string that must be there.
    pub fn require_string(&mut self, reader: &mut Reader, key: &'static str) -> Option<&'n str> {
        let node = self.require(reader, key)?;
        reader.string(node, &Quoted(key))
    }

    /// A bool.
    pub fn bool(&mut self, reader: &mut Reader, key: &'static str) -> Option<bool> {
        let node = self.get(key)?;
        reader.bool(node, &Quoted(key))
    }

    /// A whole number.
    pub fn integer(&mut self, reader: &mut Reader, key: &'static str) -> Option<i64> {
        let node = self.get(key)?;
        reader.integer(node, &Quoted(key))
    }

    /// A whole number that is not negative.
    pub fn unsigned(&mut self, reader: &mut Reader, key: &'static str) -> Option<u64> {
        let node = self.get(key)?;
        reader.unsigned(node, &Quoted(key))
    }

    /// A number.
    pub fn float(&mut self, reader: &mut Reader, key: &'static str) -> Option<f64> {
        let node = self.get(key)?;
        reader.float(node, &Quoted(key))
    }

    /// A Prometheus duration.
    pub fn duration(&mut self, reader: &mut Reader, key: &'static str) -> Option<Duration> {
        let node = self.get(key)?;
        reader.duration(node, &Quoted(key))
    }

    /// A list of strings; `Some` and empty for `[]`.
    pub fn strings(&mut self, reader: &mut Reader, key: &'static str) -> Option<Vec<&'n str>> {
        let node = self.get(key)?;
        reader.strings(node, &Quoted(key))
    }

    /// A mapping from names to scalars.
    pub fn string_map(
        &mut self,
        reader: &mut Reader,
        key: &'static str,
    ) -> Option<Vec<(&'n Scalar, &'n Node)>> {
        let node = self.get(key)?;
        reader.string_map(node, &Quoted(key))
    }
}

/// A key as messages have it.
struct Quoted(&'static str);

impl Display for Quoted {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.0)
    }
}
