//! Findings as text with carets and as JSON.

use std::fmt::Write;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use serde::Serialize;

use crate::diag::{Diagnostic, Fix, Severity, SourceFile, Span};

/// Whether text is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For a file or a pipe.
    Plain,
    /// For a terminal.
    Coloured,
}

/// A line longer than this is not drawn: the place is named by line and column alone.
const MAX_DRAWN_LINE: usize = 1000;

/// Places further apart than so many lines are drawn each by itself: the renderer goes over all that lies
/// between places that are drawn together.
const MAX_LINES_TOGETHER: usize = 500;

/// Findings in the order given, each as a compiler would show it, with an empty line between.
pub fn render_text(diagnostics: &[Diagnostic], style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    }
    .decor_style(DecorStyle::Ascii);
    let mut out = String::new();
    for diagnostic in diagnostics {
        let _ = writeln!(out, "{}\n", render_one(diagnostic, &renderer));
    }
    out
}

fn render_one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Bug => Level::ERROR.with_name("bug"),
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let title = level.primary_title(&diagnostic.message).id(diagnostic.id);
    let mut group = Group::with_title(title);
    let mut drawn = Vec::new();
    for (source, places) in by_file(diagnostic) {
        match window(source, &places) {
            Some((text, line, places)) => drawn.push((source, text, line, places)),
            None => {
                let (line, column) = source.line_column(diagnostic.span.start);
                let place = format!("{}:{line}:{column}", source.path());
                group = group.element(Level::NOTE.message(place));
            }
        }
    }
    for (source, text, line, places) in &drawn {
        let mut snippet = Snippet::source(*text).line_start(*line).path(source.path());
        for place in places {
            let kind =
                if place.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(place.span.range());
            snippet = snippet.annotation(match place.text {
                "" => annotation,
                text => annotation.label(text),
            });
        }
        group = group.element(snippet);
    }
    if let Some(note) = &diagnostic.note {
        group = group.element(Level::NOTE.message(note));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help));
    }
    let change = diagnostic.fix.as_ref().and_then(|fix| change(&diagnostic.source, fix));
    let groups: Vec<Group<'_>> = std::iter::once(group).chain(change).collect();
    renderer.render(&groups)
}

/// A change as the lines that it removes and adds. `None` where they cannot be drawn.
fn change<'a>(source: &'a SourceFile, fix: &'a Fix) -> Option<Group<'a>> {
    let place = |span| Place { span, text: "", primary: true };
    let places: Vec<Place<'_>> = fix.edits.iter().map(|edit| place(edit.span)).collect();
    let (text, line, places) = window(source, &places)?;
    let edits = places.iter().zip(&fix.edits);
    let patches = edits.map(|(place, edit)| Patch::new(place.span.range(), edit.text.as_str()));
    let snippet = Snippet::source(text).line_start(line).path(source.path());
    let title = Level::HELP.secondary_title(fix.message.as_str());
    Some(title.element(snippet.patches(patches)))
}

#[derive(Clone, Copy)]
struct Place<'a> {
    span: Span,
    text: &'a str,
    primary: bool,
}

/// The places of a finding by file and part of it, the cause's first.
fn by_file(diagnostic: &Diagnostic) -> Vec<(&SourceFile, Vec<Place<'_>>)> {
    let primary = Place { span: diagnostic.span, text: &diagnostic.caret, primary: true };
    let mut files: Vec<(&Arc<SourceFile>, Vec<Place>)> = vec![(&diagnostic.source, vec![primary])];
    for label in &diagnostic.labels {
        let place = Place { span: label.span, text: &label.text, primary: false };
        let line = |span: Span| label.source.line_column(span.start).0;
        let is_near =
            |other: &Place| line(other.span).abs_diff(line(label.span)) <= MAX_LINES_TOGETHER;
        let is_here = |source: &Arc<SourceFile>, places: &[Place]| {
            Arc::ptr_eq(source, &label.source) && places.iter().all(is_near)
        };
        match files.iter_mut().find(|(source, places)| is_here(source, places)) {
            Some((_, places)) => places.push(place),
            None => files.push((&label.source, vec![place])),
        }
    }
    files.into_iter().map(|(source, places)| (source.as_ref(), places)).collect()
}

/// The part of a file that has to be drawn, the number of its first line, and the places in it.
/// `None` where a line is too long to be drawn. Only this part is handed to the renderer, so that
/// the cost of a finding does not grow with its file.
fn window<'a>(
    source: &'a SourceFile,
    places: &[Place<'a>],
) -> Option<(&'a str, usize, Vec<Place<'a>>)> {
    let lines = places.iter().flat_map(|p| {
        let last = p.span.end.saturating_sub(1).max(p.span.start);
        [source.line_column(p.span.start).0, source.line_column(last).0]
    });
    let (first, last) = lines.fold((usize::MAX, 1), |(a, b), line| (a.min(line), b.max(line)));
    let range = source.lines_range(first, last);
    let text = source.drawn(range.clone())?;
    if text.lines().any(|line| line.len() > MAX_DRAWN_LINE) {
        return None;
    }
    let moved = |offset: usize| source.floor(offset).clamp(range.start, range.end) - range.start;
    let places = places
        .iter()
        .map(|p| {
            let (start, end) = (moved(p.span.start), moved(p.span.end));
            Place { span: Span::new(start, end.max(start)), ..*p }
        })
        .collect();
    Some((text, first, places))
}

/// One finding in the JSON form.
#[derive(Serialize)]
struct Json<'a> {
    id: &'a str,
    severity: Severity,
    message: &'a str,
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    rule: Option<&'a str>,
    labels: Vec<JsonLabel<'a>>,
    note: Option<&'a str>,
    help: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonLabel<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    text: &'a str,
}

/// Findings as a JSON array, lines and columns from 1.
pub fn render_json(diagnostics: &[Diagnostic]) -> String {
    let list: Vec<Json> = diagnostics.iter().map(json).collect();
    serde_json::to_string_pretty(&list).unwrap_or_else(|_| "[]".to_string())
}

fn json(diagnostic: &Diagnostic) -> Json<'_> {
    let (line, column) = diagnostic.line_column();
    let (end_line, end_column) = diagnostic.source.line_column(diagnostic.span.end);
    Json {
        id: diagnostic.id,
        severity: diagnostic.severity,
        message: &diagnostic.message,
        file: diagnostic.source.path(),
        line,
        column,
        end_line,
        end_column,
        rule: diagnostic.rule.as_deref(),
        labels: diagnostic
            .labels
            .iter()
            .map(|l| {
                let (line, column) = l.source.line_column(l.span.start);
                JsonLabel { file: l.source.path(), line, column, text: &l.text }
            })
            .collect(),
        note: diagnostic.note.as_deref(),
        help: diagnostic.help.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Diagnostic {
        let text = "groups:\n- name: a\n  intervall: 30s\n";
        let source = Arc::new(SourceFile::new("rules/a.yaml", text));
        Diagnostic::error("yaml/unknown-key", &source, Span::new(20, 29), "unknown key `intervall`")
            .caret("not a key of a group")
            .label(Span::new(10, 14), "in this group")
            .help("did you mean `interval`?")
            .rule("A")
    }

    #[test]
    fn places_far_apart_are_drawn_each_by_itself() {
        let text = format!("a: b\n{}c: d\n", "\n".repeat(2 * MAX_LINES_TOGETHER));
        let source = Arc::new(SourceFile::new("f", text.as_str()));
        let last = text.len() - 5;
        let finding = Diagnostic::error("x/y", &source, Span::new(last, last + 1), "m")
            .label(Span::new(0, 1), "the first");
        let drawn = render_text(&[finding], Style::Plain);
        assert!(drawn.contains("--> f:1002:1\n"), "{drawn}");
        assert!(drawn.contains("::: f:1:1\n") && drawn.contains("- the first"), "{drawn}");
    }

    #[test]
    fn text_has_carets_under_cause_and_context() {
        let text = render_text(&[sample()], Style::Plain);
        let expected = "\
error[yaml/unknown-key]: unknown key `intervall`
 --> rules/a.yaml:3:3
  |
2 | - name: a
  |   ---- in this group
3 |   intervall: 30s
  |   ^^^^^^^^^ not a key of a group
  |
  = help: did you mean `interval`?

";
        assert_eq!(text, expected);
    }

    #[test]
    fn json_has_places_from_one() {
        let json: serde_json::Value = serde_json::from_str(&render_json(&[sample()])).unwrap();
        assert_eq!(json[0]["line"], 3);
        assert_eq!(json[0]["column"], 3);
        assert_eq!(json[0]["end_column"], 12);
        assert_eq!(json[0]["labels"][0]["line"], 2);
        assert_eq!(json[0]["rule"], "A");
    }

    #[test]
    fn any_span_and_any_line_length_is_drawn_or_named() {
        let source = Arc::new(SourceFile::new("f", "é".repeat(20)));
        for (start, end) in [(0, 0), (1, 1), (39, 40), (40, 40), (50, 90), (9, 3)] {
            let d = Diagnostic::error("x", &source, Span::new(start, end), "m");
            assert!(render_text(&[d], Style::Coloured).contains('m'));
        }
        let long = Arc::new(SourceFile::new("f", "x".repeat(100_000)));
        let d = Diagnostic::error("x", &long, Span::new(70_000, 70_001), "m");
        let text = render_text(&[d], Style::Plain);
        assert!(text.contains("f:1:70001") && text.len() < 500, "{text}");
    }
}
