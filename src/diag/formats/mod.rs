//! Findings in the forms that other programs read.

mod github;
mod gitlab;
mod json;
mod junit;
mod sarif;

#[cfg(test)]
mod tests;

pub use github::render_github;
pub use gitlab::render_gitlab;
pub use json::render_findings_json;
pub use junit::render_junit;
pub use sarif::{Described, render_sarif};

use crate::diag::Diagnostic;

/// Message and words at the carets in one line.
fn sentence(diagnostic: &Diagnostic) -> String {
    match diagnostic.caret.as_str() {
        "" => diagnostic.message.clone(),
        caret => format!("{}: {caret}", diagnostic.message),
    }
}

/// Why it matters and what to do, each on a line of its own.
fn advice(diagnostic: &Diagnostic) -> Option<String> {
    let parts: Vec<&str> =
        diagnostic.note.iter().chain(&diagnostic.help).map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

/// Line and column of the end of the cause, from 1, the column behind the last character.
fn end(diagnostic: &Diagnostic) -> (usize, usize) {
    diagnostic.source.line_column(diagnostic.span.end.max(diagnostic.span.start))
}
