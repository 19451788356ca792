//! Findings as a report of GitLab's code quality
//! (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>).

use std::collections::HashMap;
use std::fmt::Write;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{end, sentence};
use crate::diag::{Diagnostic, Severity};

#[derive(Serialize)]
struct Finding<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: usize,
    end: usize,
}

/// Findings as a JSON array. A finding keeps its fingerprint when its lines move.
pub fn render_gitlab(diagnostics: &[Diagnostic]) -> String {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let list: Vec<Finding<'_>> = diagnostics
        .iter()
        .map(|diagnostic| {
            let path = diagnostic.source.path().trim_start_matches("./");
            let mut description = sentence(diagnostic);
            if let Some(rule) = &diagnostic.rule {
                description = format!("{rule}: {description}");
            }
            let same = seen.entry(format!("{path}\0{}\0{description}", diagnostic.id)).or_default();
            *same += 1;
            let fingerprint = fingerprint(&[path, diagnostic.id, &description, &same.to_string()]);
            let (begin, _) = diagnostic.line_column();
            let lines = Lines { begin, end: end(diagnostic).0 };
            Finding {
                description,
                check_name: diagnostic.id,
                fingerprint,
                severity: match diagnostic.severity {
                    Severity::Error => "blocker",
                    Severity::Bug => "major",
                    Severity::Warning => "minor",
                    Severity::Info => "info",
                },
                location: Location { path, lines },
            }
        })
        .collect();
    let text = serde_json::to_string_pretty(&list).unwrap_or_else(|_| "[]".to_string());
    format!("{text}\n")
}

fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
