//! Findings of `watchbell check` as a JSON array.

use std::sync::Arc;

use serde::Serialize;

use super::{advice, end, sentence};
use crate::diag::{Diagnostic, Fix, Severity, SourceFile};

#[derive(Serialize)]
struct Finding<'a> {
    id: &'a str,
    severity: Severity,
    message: String,
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    rule: Option<&'a str>,
    labels: Vec<Place<'a>>,
    note: Option<String>,
    fix: Option<Change<'a>>,
}

/// A further place; `file` only where it is another one than the finding's.
#[derive(Serialize)]
struct Place<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    line: usize,
    column: usize,
    text: &'a str,
}

#[derive(Serialize)]
struct Change<'a> {
    message: &'a str,
    edits: Vec<Replacement<'a>>,
}

#[derive(Serialize)]
struct Replacement<'a> {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    text: &'a str,
}

/// Findings as a JSON array: lines and columns from 1, columns count characters, ends lie behind
/// the last character.
pub fn render_findings_json(diagnostics: &[Diagnostic]) -> String {
    let list: Vec<Finding<'_>> = diagnostics.iter().map(finding).collect();
    let text = serde_json::to_string_pretty(&list).unwrap_or_else(|_| "[]".to_string());
    format!("{text}\n")
}

fn finding(diagnostic: &Diagnostic) -> Finding<'_> {
    let (line, column) = diagnostic.line_column();
    let (end_line, end_column) = end(diagnostic);
    Finding {
        id: diagnostic.id,
        severity: diagnostic.severity,
        message: sentence(diagnostic),
        file: diagnostic.source.path(),
        line,
        column,
        end_line,
        end_column,
        rule: diagnostic.rule.as_deref(),
        labels: diagnostic
            .labels
            .iter()
            .map(|label| {
                let (line, column) = label.source.line_column(label.span.start);
                let other = label.source.path() != diagnostic.source.path();
                let file = other.then(|| label.source.path());
                Place { file, line, column, text: &label.text }
            })
            .collect(),
        note: advice(diagnostic),
        fix: diagnostic.fix.as_ref().map(|fix| change(fix, &diagnostic.source)),
    }
}

fn change<'a>(fix: &'a Fix, source: &Arc<SourceFile>) -> Change<'a> {
    let edits = fix.edits.iter().map(|edit| {
        let (line, column) = source.line_column(edit.span.start);
        let (end_line, end_column) = source.line_column(edit.span.end);
        Replacement { line, column, end_line, end_column, text: &edit.text }
    });
    Change { message: &fix.message, edits: edits.collect() }
}
