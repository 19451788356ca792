//! Findings in the Static Analysis Results Interchange Format, version 2.1.0
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).

use serde_json::{Value, json};

use super::{advice, sentence};
use crate::diag::{Diagnostic, Severity, SourceFile, Span};

/// What a kind of finding is about.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its id.
    pub id: &'static str,
    /// How much its findings matter.
    pub severity: Severity,
    /// One line.
    pub title: &'static str,
    /// Its page, in Markdown.
    pub page: String,
}

/// Findings as one run of the program. `described` are the kinds of which there is a page.
pub fn render_sarif(diagnostics: &[Diagnostic], described: &[Described]) -> String {
    let rules: Vec<Value> = described
        .iter()
        .map(|kind| {
            json!({
                "id": kind.id,
                "shortDescription": { "text": kind.title },
                "help": { "text": kind.page, "markdown": kind.page },
            })
        })
        .collect();
    let results: Vec<Value> = diagnostics.iter().map(result).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "watchbell",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let text = serde_json::to_string_pretty(&log).unwrap_or_default();
    format!("{text}\n")
}

fn result(diagnostic: &Diagnostic) -> Value {
    let mut text = sentence(diagnostic);
    if let Some(rule) = &diagnostic.rule {
        text = format!("{rule}: {text}");
    }
    if let Some(advice) = advice(diagnostic) {
        text.push('\n');
        text.push_str(&advice);
    }
    let related: Vec<Value> = diagnostic
        .labels
        .iter()
        .map(|label| {
            let mut place = location(&label.source, label.span);
            if let Some(object) = place.as_object_mut() {
                object.insert("message".to_string(), json!({ "text": label.text }));
            }
            place
        })
        .collect();
    let mut result = json!({
        "ruleId": diagnostic.id,
        "level": match diagnostic.severity {
            Severity::Error | Severity::Bug => "error",
            Severity::Warning => "warning",
            Severity::Info => "note",
        },
        "message": { "text": text },
        "locations": [location(&diagnostic.source, diagnostic.span)],
    });
    if let (false, Some(object)) = (related.is_empty(), result.as_object_mut()) {
        object.insert("relatedLocations".to_string(), Value::Array(related));
    }
    if let Some(fix) = &diagnostic.fix {
        let edits: Vec<Value> = fix
            .edits
            .iter()
            .map(|edit| {
                json!({
                    "deletedRegion": region(&diagnostic.source, edit.span),
                    "insertedContent": { "text": edit.text },
                })
            })
            .collect();
        let artifact = artifact(&diagnostic.source);
        let change = json!({ "artifactLocation": artifact, "replacements": edits });
        let fixes =
            json!([{ "description": { "text": fix.message }, "artifactChanges": [change] }]);
        if let Some(object) = result.as_object_mut() {
            object.insert("fixes".to_string(), fixes);
        }
    }
    result
}

fn artifact(source: &SourceFile) -> Value {
    json!({ "uri": source.path().trim_start_matches("./").replace(' ', "%20") })
}

fn location(source: &SourceFile, span: Span) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": artifact(source),
        "region": region(source, span),
    } })
}

fn region(source: &SourceFile, span: Span) -> Value {
    let (line, column) = source.line_column(span.start);
    let (end_line, end_column) = source.line_column(span.end.max(span.start));
    json!({
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": end_column,
    })
}
