//! From the text of a file to checked groups.

use std::sync::Arc;

use crate::diag::{Diagnostic, SourceFile};
use crate::lint::manifest::{Manifests, manifests};
use crate::rule::{self, RuleGroup};
use crate::yaml::{self, Document};

/// A file with rules.
#[derive(Debug)]
pub struct RuleFile {
    /// Its text.
    pub source: Arc<SourceFile>,
    /// Its groups, without the rules that have a mistake.
    pub groups: Vec<RuleGroup>,
    /// The mistakes.
    pub findings: Vec<Diagnostic>,
    /// The trees that they were read from. To free those of thousands of rules takes time, so they go
    /// with the rest, which a process that ends need not free.
    pub documents: Vec<Document>,
}

/// Reads the rules of a file: one rule file, or those inside of Kubernetes manifests. A file of unit
/// tests gives nothing, since `rules/*.yaml` is often written out by a shell; nor does one that was
/// not `named` itself and holds no rules, such as a Helm value.
pub fn read(source: &Arc<SourceFile>, named: bool) -> Vec<RuleFile> {
    let read = match manifests(source, named) {
        Some(Manifests { rules, mistakes }) => Some((rules, mistakes)),
        None => rule_file(source, named),
    };
    let Some((documents, mistakes)) = read else { return Vec::new() };
    let (mut groups, mut findings) = (Vec::new(), Vec::new());
    for document in &documents {
        let (more, wrong) = rule::check_read(document);
        groups.extend(more);
        findings.extend(wrong);
    }
    findings.extend(mistakes);
    vec![RuleFile { source: Arc::clone(source), groups, findings, documents }]
}

/// The document of a rule file: one with `groups` on top, or one that was named and has no `tests`. One
/// that is no YAML gives its mistakes if it was named or a line says that it holds rules.
fn rule_file(source: &Arc<SourceFile>, named: bool) -> Option<(Vec<Document>, Vec<Diagnostic>)> {
    let says_so = source.text().starts_with("groups:") || source.says("\ngroups:");
    if !(named || says_so || source.says("groups")) {
        return None;
    }
    match yaml::load(source) {
        Ok(document) => {
            let has = |key| document.root.get(key).is_some();
            let is_meant =
                (says_so && !source.says("tests:")) || has("groups") || (named && !has("tests"));
            is_meant.then(|| (vec![document], Vec::new()))
        }
        Err(findings) => (named || says_so).then_some((Vec::new(), findings)),
    }
}
