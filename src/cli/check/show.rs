//! Findings in the form that was asked for.

use crate::cli::check::Checked;
use crate::cli::findings::counted;
use crate::cli::output::{Paint, count};
use crate::diag::{
    Diagnostic, Severity, render_findings_json, render_github, render_gitlab, render_junit,
    render_sarif, render_text,
};
use crate::lint::pages;
use crate::model::parallel::{map_on, processors};

/// How many findings one thread draws, until it takes the next.
const DRAWN_AT_ONCE: usize = 50;

/// The form of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// Annotations of GitHub Actions
    Github,
    /// GitLab's code quality report
    Gitlab,
    /// SARIF 2.1.0
    Sarif,
    /// JUnit's XML
    Junit,
}

/// What is printed.
pub(super) fn findings(
    format: Format,
    checked: &Checked,
    fail_on: Severity,
    paint: Paint,
) -> anyhow::Result<String> {
    let findings = checked.findings.as_slice();
    Ok(match format {
        Format::Text => text(checked, fail_on, paint),
        Format::Json => render_findings_json(findings),
        Format::Github => render_github(findings),
        Format::Gitlab => render_gitlab(findings),
        Format::Sarif => render_sarif(findings, &pages()),
        Format::Junit => {
            let mut files: Vec<&str> =
                checked.project.files.iter().map(|file| file.source.path()).collect();
            files.dedup();
            render_junit(&files, findings, &|finding: &Diagnostic| finding.severity >= fail_on)?
        }
    })
}

fn text(checked: &Checked, fail_on: Severity, paint: Paint) -> String {
    let findings = checked.findings.as_slice();
    let project = &checked.project;
    let bad = findings.iter().any(|finding| finding.severity >= fail_on);
    let verdict = if bad { paint.red("failed") } else { paint.green("good") };
    let rules = count(project.checked_rules().count(), "rule");
    let files = count(project.files.len(), "file");
    let fixed = match checked.fixed {
        0 => String::new(),
        n => format!("; {} made", count(n, "change")),
    };
    let explain = match findings.first() {
        Some(first) => format!("`watchbell check --explain {}` says more\n", first.id),
        None => String::new(),
    };
    // Each is drawn by itself, so that they can be drawn side by side.
    let parts: Vec<&[Diagnostic]> = findings.chunks(DRAWN_AT_ONCE).collect();
    let drawn = map_on(processors(), &parts, |part| render_text(part, paint.style()));
    format!(
        "{}{verdict}: {rules} in {files}: {}{fixed}\n{}",
        drawn.concat(),
        counted(findings),
        paint.dim(&explain),
    )
}
