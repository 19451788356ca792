//! Findings as workflow commands of GitHub Actions, which show them at the lines of a change
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).

use std::fmt::Write;

use super::{advice, end, sentence};
use crate::diag::{Diagnostic, Severity};

/// Findings as workflow commands, one a line.
pub fn render_github(diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let command = match diagnostic.severity {
            Severity::Error | Severity::Bug => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let ((line, column), (end_line, end_column)) = (diagnostic.line_column(), end(diagnostic));
        let file = property(diagnostic.source.path());
        let _ = write!(out, "::{command} file={file},line={line},endLine={end_line}");
        // Columns are refused for a place of several lines.
        if line == end_line {
            let _ = write!(out, ",col={column},endColumn={end_column}");
        }
        let mut text = sentence(diagnostic);
        if let Some(advice) = advice(diagnostic) {
            text.push('\n');
            text.push_str(&advice);
        }
        let title = property(&title(diagnostic));
        let _ = writeln!(out, ",title={title}::{}", data(&text));
    }
    out
}

fn title(diagnostic: &Diagnostic) -> String {
    match &diagnostic.rule {
        Some(rule) => format!("{} ({rule})", diagnostic.id),
        None => diagnostic.id.to_string(),
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
