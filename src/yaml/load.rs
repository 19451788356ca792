//! From text to a document.

use std::cell::Cell;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScanError};

use crate::diag::{Diagnostic, Severity, SourceFile, Span};
use crate::yaml::build::Builder;
use crate::yaml::go;
use crate::yaml::input::CappedInput;
use crate::yaml::limits::{self, MAX_DEPTH, MAX_HELD};
use crate::yaml::parts;
use crate::yaml::repair::Repaired;
use crate::yaml::{Node, Scalar, ScalarStyle, Value};

/// The first document of a file.
#[derive(Clone, Debug)]
pub struct Document {
    /// The file.
    pub source: Arc<SourceFile>,
    /// The whole; a null for an empty file.
    pub root: Node,
    /// What was found on the way: duplicate keys, bad merge keys, a second document.
    /// [`crate::yaml::Reader::new`] takes them over.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the first document of a file. A second one is ignored with a warning, as Prometheus does.
///
/// # Errors
/// Findings where no tree can be made: `yaml/syntax` and `yaml/limit`, after those of
/// [`Document::diagnostics`] that came before.
pub fn load(source: &Arc<SourceFile>) -> Result<Document, Vec<Diagnostic>> {
    let whole = Span::new(0, source.text().len());
    limits::check(source, whole).map_err(|diagnostic| vec![*diagnostic])?;
    let document = match parts::load(source) {
        Some(document) => document,
        None => read(source, whole)?,
    };
    as_go(document, whole)
}

/// The same of a document that stands in a part of a file, beside others. Its places are those of the file.
///
/// # Errors
/// As [`load`].
pub fn load_part(source: &Arc<SourceFile>, part: Span) -> Result<Document, Vec<Diagnostic>> {
    limits::check(source, part).map_err(|diagnostic| vec![*diagnostic])?;
    as_go(read(source, part)?, part)
}

fn read(source: &Arc<SourceFile>, part: Span) -> Result<Document, Vec<Diagnostic>> {
    let mut parsed = match parse(source, part, 0) {
        Ok(parsed) => parsed,
        Err(mistakes) => parse_as_go(source, part, mistakes)?,
    };
    if let Some(mistake) = parsed.behind.take() {
        match parse_as_go(source, part, vec![mistake.clone()]) {
            Ok(all) if all.behind.is_none() => parsed = all,
            _ => parsed.diagnostics.push(never_read(source, &mistake)),
        }
    }
    let Parsed { root, diagnostics, .. } = parsed;
    let root = root.unwrap_or_else(|| empty(part.start));
    Ok(Document { source: Arc::clone(source), root, diagnostics })
}

/// A document of a part of a file, unless Go refuses it.
fn as_go(document: Document, part: Span) -> Result<Document, Vec<Diagnostic>> {
    let text = document.source.text().get(part.range()).unwrap_or_default();
    if go::may_be_refused(text)
        && let Err((at, reason)) = go::edits(text)
    {
        let span = character(&document.source, part.start + at);
        return Err(vec![not_yaml(&document.source, span, reason)]);
    }
    Ok(document)
}

/// Reads a text that the parser refuses with the blanks that Go does without.
fn parse_as_go(
    source: &Arc<SourceFile>,
    part: Span,
    mistakes: Vec<Diagnostic>,
) -> Result<Parsed, Vec<Diagnostic>> {
    let text = source.text().get(part.range()).unwrap_or_default();
    let place = |all: &[Diagnostic]| all.last().map(|last| (last.id, last.span.start));
    let Some(("yaml/syntax", first)) = place(&mistakes) else { return Err(mistakes) };
    let edits = go::edits(text).unwrap_or_default();
    let Some(repaired) = Repaired::new(text, &edits) else { return Err(mistakes) };
    let offsets = Offsets { repaired: Some(&repaired), ..Offsets::new(&repaired.text, part.start) };
    events(source, &repaired.text, &offsets, 0).map_err(|again| match place(&again) {
        // What stands further up is no mistake to Go.
        Some((_, second)) if second > first => again,
        _ => mistakes,
    })
}

/// What was read of a text or a part of it.
pub(super) struct Parsed {
    /// The whole of it, if there is anything.
    pub(super) root: Option<Node>,
    /// What was found on the way.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What cannot be read behind the document. Go never looks there.
    pub(super) behind: Option<Diagnostic>,
    /// How many nodes it has, aliases followed.
    pub(super) nodes: usize,
    /// How many bytes its scalars have, aliases followed.
    pub(super) bytes: usize,
}

/// Reads the first document of a part of a file that stands in so many outer collections.
pub(super) fn parse(
    source: &Arc<SourceFile>,
    part: Span,
    outer: usize,
) -> Result<Parsed, Vec<Diagnostic>> {
    let text = source.text().get(part.range()).unwrap_or_default();
    events(source, text, &Offsets::new(text, part.start), outer)
}

/// Reads the first document of a text, whose places in the file the offsets know.
fn events(
    source: &Arc<SourceFile>,
    text: &str,
    offsets: &Offsets<'_>,
    outer: usize,
) -> Result<Parsed, Vec<Diagnostic>> {
    let budget = Cell::new(MAX_HELD);
    let mut parser = Parser::new(CappedInput::new(text, &budget));
    let mut builder = Builder::new(source, outer);
    let mut documents = 0;
    loop {
        budget.set(MAX_HELD);
        let Some(next) = parser.next_event() else { break };
        let held_too_much = budget.get() == 0;
        let (event, span) = match next {
            Ok(event) => event,
            Err(error) if held_too_much => {
                let at = Span::at(offsets.byte(error.marker().index()));
                return Err(builder.refuse(too_much(source, at)));
            }
            Err(error) => {
                let mistake = syntax_error(source, offsets, &error);
                return if builder.is_complete() {
                    Ok(Parsed { behind: Some(mistake), ..builder.finish() })
                } else {
                    Err(builder.refuse(mistake))
                };
            }
        };
        if held_too_much {
            let at = Span::at(offsets.byte(span.start.index()));
            return Err(builder.refuse(too_much(source, at)));
        }
        let span = Span::new(offsets.byte(span.start.index()), offsets.byte(span.end.index()));
        match event {
            Event::DocumentStart(_) => documents += 1,
            Event::StreamEnd => break,
            _ => {}
        }
        if documents > 1 {
            builder.report(second_document(source, span));
            break;
        }
        if let Err(diagnostic) = builder.event(event, span) {
            return Err(builder.refuse(*diagnostic));
        }
    }
    Ok(builder.finish())
}

fn empty(at: usize) -> Node {
    let span = Span::at(at);
    let scalar = Scalar { text: Arc::from(""), style: ScalarStyle::Plain, span, is_text: false };
    Node { span, value: Value::Scalar(scalar) }
}

fn second_document(source: &Arc<SourceFile>, span: Span) -> Diagnostic {
    let message = "the file holds a second document, which is ignored";
    Diagnostic::new("yaml/second-document", Severity::Warning, source, span, message)
        .help("move it to a file of its own")
}

fn never_read(source: &Arc<SourceFile>, mistake: &Diagnostic) -> Diagnostic {
    let message = "the document ends before this, and nothing that follows is read";
    Diagnostic::new("yaml/ignored", Severity::Bug, source, mistake.span, message)
        .note("Prometheus and Alertmanager read the first document of a file and say nothing")
        .help("begin each line as far left as the first one; nothing may stand behind `...`")
}

fn too_much(source: &Arc<SourceFile>, at: Span) -> Diagnostic {
    Diagnostic::error("yaml/limit", source, at, "a single value is too large")
        .help("write lists and mappings in block style, without brackets and braces")
}

fn syntax_error(source: &Arc<SourceFile>, offsets: &Offsets<'_>, error: &ScanError) -> Diagnostic {
    let start = offsets.byte(error.marker().index());
    if error.info().contains("recursion limit") {
        let message = "the nesting is too deep";
        return Diagnostic::error("yaml/limit", source, Span::at(start), message)
            .help(format!("at most {MAX_DEPTH} levels are read"));
    }
    not_yaml(source, character(source, start), error.info())
}

/// The character that begins at a place; nothing at the end of a line.
fn character(source: &SourceFile, start: usize) -> Span {
    let next = source.text().get(start..).and_then(|rest| rest.chars().next());
    Span::new(start, start + next.filter(|c| *c != '\n').map_or(0, char::len_utf8))
}

/// What is wrong at a place.
pub(super) fn not_yaml(source: &Arc<SourceFile>, span: Span, reason: &str) -> Diagnostic {
    let diagnostic =
        Diagnostic::error("yaml/syntax", source, span, "this is not valid YAML").caret(reason);
    match reason {
        info if info.contains("mapping values are not allowed") => diagnostic
            .help("a value with a colon and a blank in it needs quotes or a block scalar (`|`)"),
        info if info.contains("tab") => diagnostic.help("indent with spaces"),
        info if info.contains("unexpected character") => diagnostic.help("put the value in quotes"),
        _ => diagnostic,
    }
}

/// From the parser's count of characters to bytes of the file.
struct Offsets<'a> {
    text: &'a str,
    /// Where the text begins in the file.
    start: usize,
    /// The byte offset of every 64th character; empty where each character is one byte.
    marks: Vec<usize>,
    /// What was changed of the file's text, if this is not its own.
    repaired: Option<&'a Repaired>,
}

const STEP: usize = 64;

impl<'a> Offsets<'a> {
    fn new(text: &'a str, start: usize) -> Self {
        if text.is_ascii() {
            return Self { text, start, marks: Vec::new(), repaired: None };
        }
        let marks = text.char_indices().step_by(STEP).map(|(at, _)| at).collect();
        Self { text, start, marks, repaired: None }
    }

    fn byte(&self, chars: usize) -> usize {
        let at = self.inside(chars);
        self.start + self.repaired.map_or(at, |repaired| repaired.original(at))
    }

    fn inside(&self, chars: usize) -> usize {
        if self.marks.is_empty() {
            return chars.min(self.text.len());
        }
        let Some(mark) = self.marks.get(chars / STEP) else { return self.text.len() };
        let rest = self.text.get(*mark..).unwrap_or_default();
        rest.char_indices().nth(chars % STEP).map_or(self.text.len(), |(at, _)| mark + at)
    }
}
