//! Showing findings and configuration errors to people.

use std::io::IsTerminal;
use std::path::Path;

use crate::config::{Config, ConfigError, Loaded};
use crate::diag::{self, Diagnostic, Severity, Style};
use crate::web::WebError;

/// Colour where a person looks at a terminal, and has not asked for none (`NO_COLOR`).
pub(super) fn style() -> Style {
    let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if wanted && std::io::stderr().is_terminal() { Style::Coloured } else { Style::Plain }
}

/// Loads a configuration with everything that it names; shows every finding on standard error.
pub(super) fn load(path: &Path) -> Option<Loaded> {
    load_beside(path, |_| {})
}

/// The same; `begin` hears of the configuration before its rules are read.
pub(super) fn load_beside(path: &Path, begin: impl FnOnce(&Config)) -> Option<Loaded> {
    match Loaded::load_beside(path, begin) {
        Ok(loaded) => {
            show_warnings(&loaded);
            Some(loaded)
        }
        Err(error) => {
            show_error(&error);
            None
        }
    }
}

/// Shows what is worth a warning.
pub(super) fn show_warnings(loaded: &Loaded) {
    show_all(&loaded.warnings().cloned().collect::<Vec<_>>());
}

/// Shows findings on standard error.
pub(super) fn show_all(findings: &[Diagnostic]) {
    eprint!("{}", diag::render_text(findings, style()));
}

/// Shows why there is no configuration.
pub(super) fn show_error(error: &ConfigError) {
    match error {
        ConfigError::File(error) => eprintln!("watchbell: {error}"),
        ConfigError::Invalid(findings) => {
            show_all(findings);
            eprintln!("watchbell: {}", counted(findings));
        }
    }
}

/// Shows why there is no web configuration.
pub(super) fn show_web_error(error: &WebError) {
    match error {
        WebError::File(error) => eprintln!("watchbell: {error}"),
        WebError::Invalid(findings) => {
            show_all(findings);
            eprintln!("watchbell: {}", counted(findings));
        }
    }
}

/// How many findings there are: `2 errors, 1 warning`.
pub(super) fn counted(findings: &[Diagnostic]) -> String {
    let count = |severity| findings.iter().filter(|d| d.severity == severity).count();
    let parts: Vec<String> = [
        (count(Severity::Error), "error"),
        (count(Severity::Bug), "bug"),
        (count(Severity::Warning), "warning"),
        (count(Severity::Info), "remark"),
    ]
    .into_iter()
    .filter(|(n, _)| *n > 0)
    .map(|(n, word)| format!("{n} {word}{}", if n == 1 { "" } else { "s" }))
    .collect();
    if parts.is_empty() { "no findings".to_string() } else { parts.join(", ") }
}
