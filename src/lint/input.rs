//! From the text of a file to checked groups.

use std::sync::Arc;

use crate::diag::{Diagnostic, SourceFile};
use crate::rule::{self, RuleGroup};
use crate::yaml;

/// A file with rules.
#[derive(Debug)]
pub struct RuleFile {
    /// Its text.
    pub source: Arc<SourceFile>,
    /// Its groups, without the rules that have a mistake.
    pub groups: Vec<RuleGroup>,
    /// The mistakes.
    pub findings: Vec<Diagnostic>,
}

/// Reads the rules of a file. One that was not `named` itself and holds none, such as a file of
/// unit tests or a Helm value, gives nothing.
pub fn read(source: &Arc<SourceFile>, named: bool) -> Option<RuleFile> {
    if !named && !holds_rules(source) {
        return None;
    }
    let (groups, findings) = rule::check(source);
    Some(RuleFile { source: Arc::clone(source), groups, findings })
}

/// Whether a file holds rules: `groups` on top. One that is no YAML is taken for such a file if a
/// line says so, so that its mistake is shown.
fn holds_rules(source: &Arc<SourceFile>) -> bool {
    let text = source.text();
    let says_so = || text.lines().any(|line| line.starts_with("groups:"));
    // In all but a few files a line at the margin says it, and parsing twice costs.
    if says_so() && !text.contains("tests:") {
        return true;
    }
    if !text.contains("groups") {
        return false;
    }
    match yaml::load(source) {
        Ok(document) => document.root.get("groups").is_some(),
        Err(_) => says_so(),
    }
}
