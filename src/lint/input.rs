//! From the text of a file to checked groups.

use std::sync::Arc;

use crate::diag::{Diagnostic, SourceFile};
use crate::lint::manifest::{Manifests, manifests};
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

/// Reads the rules of a file: one rule file, or those inside of Kubernetes manifests. A file of unit
/// tests gives nothing, since `rules/*.yaml` is often written out by a shell; nor does one that was
/// not `named` itself and holds no rules, such as a Helm value.
pub fn read(source: &Arc<SourceFile>, named: bool) -> Vec<RuleFile> {
    if let Some(Manifests { rules, mistakes }) = manifests(source, named) {
        let (mut groups, mut findings) = (Vec::new(), Vec::new());
        for document in &rules {
            let (more, wrong) = rule::check_inside(document);
            groups.extend(more);
            findings.extend(wrong);
        }
        findings.extend(mistakes);
        return vec![RuleFile { source: Arc::clone(source), groups, findings }];
    }
    if holds_rules(source) || (named && !is_unit_test(source)) {
        let (groups, findings) = rule::check(source);
        return vec![RuleFile { source: Arc::clone(source), groups, findings }];
    }
    Vec::new()
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

/// Whether a file holds unit tests: `tests`, and no `groups`.
fn is_unit_test(source: &Arc<SourceFile>) -> bool {
    let tests = |document: yaml::Document| document.root.get("tests").is_some();
    source.text().contains("tests:") && yaml::load(source).is_ok_and(tests)
}
