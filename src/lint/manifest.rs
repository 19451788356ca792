//! Rules inside of Kubernetes manifests: PrometheusRule, and ConfigMaps whose values are rule files.
//!
//! They are read where they stand, so that every place in them is a place in the file.

use std::sync::Arc;

use crate::diag::{Diagnostic, Severity, SourceFile, Span};
use crate::yaml::{self, Document, Node, Scalar, ScalarStyle};

/// The most documents of one file that are looked at.
const MAX_DOCUMENTS: usize = 10_000;

/// What a file of manifests holds.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    /// The rule files inside of it.
    pub(super) rules: Vec<Document>,
    /// What is wrong with what stands around them.
    pub(super) mistakes: Vec<Diagnostic>,
}

/// What a file holds that concerns rules. `None` where it holds no manifests.
///
/// Prometheus reads the first document of a file. Where that one has `groups` on top it is a rule
/// file, whatever follows; the manifests that follow are looked at all the same. A document that is no
/// YAML is a mistake where it may be one with rules, and in a file that was `named` itself.
pub(super) fn manifests(source: &Arc<SourceFile>, named: bool) -> Option<Manifests> {
    let text = source.text();
    if !source.says("kind") || !(source.says("PrometheusRule") || source.says("ConfigMap")) {
        return None;
    }
    let manifests = Manifests::default();
    let mut found = Found { source, manifests, is_manifest: false, rules_first: None };
    let mut broken = Vec::new();
    for (number, place) in documents(text).into_iter().take(MAX_DOCUMENTS).enumerate() {
        match yaml::load_part(source, place) {
            Ok(document) => found.document(document, place, number),
            Err(findings) => broken.push((place, findings)),
        }
    }
    let Found { manifests: Manifests { rules, mut mistakes }, is_manifest, rules_first, .. } =
        found;
    let is_all = rules.len() == 1 && mistakes.is_empty();
    if let Some(second) = rules_first {
        // Nothing else is there: it is read as any other rule file.
        if is_all {
            return None;
        }
        mistakes.push(ignored(source, second));
        return Some(Manifests { rules, mistakes });
    }
    let is_meant = named || !rules.is_empty() || !mistakes.is_empty();
    let broken = broken.into_iter().filter(|(span, _)| {
        is_meant || text.get(span.range()).is_some_and(says_that_it_holds_rules)
    });
    mistakes.extend(broken.flat_map(|(_, findings)| findings));
    let concerns_rules = is_manifest || !rules.is_empty() || !mistakes.is_empty();
    concerns_rules.then_some(Manifests { rules, mistakes })
}

/// What has been found so far.
struct Found<'a> {
    source: &'a Arc<SourceFile>,
    manifests: Manifests,
    is_manifest: bool,
    /// Where the second document begins, if the first one is a rule file.
    rules_first: Option<Span>,
}

impl Found<'_> {
    fn document(&mut self, mut document: Document, place: Span, number: usize) {
        let before = (self.manifests.rules.len(), self.manifests.mistakes.len());
        let findings = std::mem::take(&mut document.diagnostics);
        self.node(&document.root);
        let is_new =
            |found: &Self| before != (found.manifests.rules.len(), found.manifests.mistakes.len());
        if document.root.get("groups").is_some() && !is_new(self) {
            if number == 0 {
                self.rules_first = Some(Span::at(place.end));
            }
            if number == 0 || self.rules_first.is_none() {
                self.manifests.rules.push(document);
            }
        }
        if is_new(self) {
            self.manifests.mistakes.extend(findings);
        }
    }

    /// Looks at a manifest. A list, as `kubectl get -o yaml` gives it, has them as its items.
    fn node(&mut self, node: &Node) {
        let kind = node.get("kind").and_then(Node::as_scalar).map(Scalar::text);
        let rules_on_top = node.get("groups").is_some();
        match kind {
            Some("PrometheusRule") if !rules_on_top => {
                self.is_manifest = true;
                match node.get("spec") {
                    Some(spec) => self.rules(spec.clone()),
                    None => self.mistake(node, "the PrometheusRule needs `spec`"),
                }
            }
            Some("ConfigMap") if !rules_on_top => {
                self.is_manifest = true;
                let data = node.get("data").and_then(Node::as_mapping).unwrap_or_default();
                for value in data.iter().filter_map(|entry| entry.value.as_scalar()) {
                    self.value(value);
                }
            }
            Some("List" | "PrometheusRuleList" | "ConfigMapList") => {
                for item in node.get("items").and_then(Node::as_sequence).unwrap_or_default() {
                    self.node(item);
                }
            }
            _ => {}
        }
    }

    fn rules(&mut self, root: Node) {
        let source = Arc::clone(self.source);
        self.manifests.rules.push(Document { source, root, diagnostics: Vec::new() });
    }

    /// A value of a ConfigMap may be a rule file. In a block it can be read where it stands.
    fn value(&mut self, value: &Scalar) {
        if !value.text().lines().any(|line| line.starts_with("groups:")) {
            return;
        }
        let span = value.span();
        if value.style() == ScalarStyle::Literal {
            let before = self.source.text().get(..span.start).unwrap_or_default();
            let line = before.rfind('\n').map_or(0, |end| end + 1);
            return match yaml::load_part(self.source, Span::new(line, span.end)) {
                Ok(document) => self.manifests.rules.push(document),
                Err(findings) => self.manifests.mistakes.extend(findings),
            };
        }
        let message = "the rules in this value are not checked";
        let span = Span::new(span.start, span.start + 1);
        let finding =
            Diagnostic::new("yaml/unsupported", Severity::Warning, self.source, span, message)
                .help("write it as a block (`|`), line for line");
        self.manifests.mistakes.push(finding);
    }

    fn mistake(&mut self, node: &Node, message: &str) {
        let span = node.get("kind").map_or(node.span, |kind| kind.span);
        let finding = Diagnostic::error("yaml/missing-key", self.source, span, message);
        self.manifests.mistakes.push(finding);
    }
}

fn ignored(source: &Arc<SourceFile>, at: Span) -> Diagnostic {
    let message = "the file holds a second document, which Prometheus ignores";
    Diagnostic::new("yaml/second-document", Severity::Warning, source, at, message)
        .help("move it to a file of its own")
}

/// Whether a document that is no YAML is one with rules. The templates of Helm charts are no YAML
/// and need not be.
fn says_that_it_holds_rules(text: &str) -> bool {
    let is_template = [".Values", ".Release", ".Chart"].iter().any(|name| text.contains(name));
    let says_so = |line: &str| {
        let line = line.trim_end();
        line.starts_with("groups:") || line.ends_with("kind: PrometheusRule")
    };
    !is_template && text.lines().any(says_so)
}

/// The places of a file's documents. What stands before the first `---` is one if it has content.
fn documents(text: &str) -> Vec<Span> {
    let mut documents = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" || line.starts_with("--- ") || line.starts_with("---\t") {
            if start > 0 || has_content(text.get(..at).unwrap_or_default()) {
                documents.push(Span::new(start, at));
            }
            start = at + 3;
        }
        at += line.len();
    }
    documents.push(Span::new(start, at));
    documents
}

/// Whether there is more than comments and directives.
fn has_content(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| !line.is_empty() && !line.starts_with(['#', '%']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule;

    const MANIFESTS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: prometheus-rules}  # é
data:
  notes.txt: no rules
  a.yaml: |
    groups:
    - name: a
      rules:
      - alert: A
        expr: up == 0
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: x}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: b
spec:
  groups:
    - name: b
      rules:
        - alert: B
          expr: up == # c
";

    #[test]
    fn rules_are_found_at_their_place_in_the_manifest() {
        let source = Arc::new(SourceFile::new("all.yaml", MANIFESTS));
        let Manifests { rules, mistakes } = manifests(&source, false).unwrap();
        assert_eq!((rules.len(), mistakes.len()), (2, 0));
        let is_file = |document: &Document| Arc::ptr_eq(&document.source, &source);
        assert!(rules.iter().all(is_file), "no copies: there can be thousands");
        let (groups, findings) = rule::check_read(&rules[0]);
        assert!(findings.is_empty(), "{findings:?}");
        let rule = &groups[0].rules[0];
        assert_eq!((rule.name(), source.line_column(rule.places().name.start)), ("A", (10, 16)));
        let (_, findings) = rule::check_read(&rules[1]);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line_column(), (26, 22), "{}", findings[0]);
    }

    #[test]
    fn other_files_are_no_manifests() {
        for text in ["groups: []\n", "kind: Deployment\n", "kind: [\n", "a: PrometheusRule kind:\n"]
        {
            assert!(manifests(&Arc::new(SourceFile::new("f", text)), false).is_none(), "{text}");
        }
    }

    /// How many rules of a file are good, and the other findings by their lines.
    fn found(text: &str, named: bool) -> (usize, Vec<String>) {
        let files = crate::lint::read(&Arc::new(SourceFile::new("f", text)), named);
        let rules = files.iter().flat_map(|file| &file.groups).map(|group| group.rules.len());
        let findings = files.iter().flat_map(|file| &file.findings);
        let line = |finding: &Diagnostic| format!("{} {}", finding.line_column().0, finding.id);
        (rules.sum(), findings.map(line).collect())
    }

    const GOOD: &str = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: up}\n";

    #[test]
    fn no_rule_is_dropped_without_a_word() {
        let crd = "kind: PrometheusRule\nspec:\n  groups:\n  - name: g\n    rules:\n";
        let bad = "    - {alert: A, expr: up === 0}\n";
        let good = "    - {alert: A, expr: up}\n";
        for (text, rules, findings) in [
            (format!("{crd}{bad}"), 0, &["6 promql/syntax"] as &[_]),
            (format!("{crd}{}", bad.trim_end()), 0, &["6 promql/syntax"]),
            (format!("{crd}{good}x: y\n"), 1, &[]),
            (format!("{crd}{good}---\n{crd}{bad}"), 1, &["13 promql/syntax"]),
            (format!("{}{good}", crd.replace("- name: g", "- {name: g, rules: []}\n  - name: h")), 1, &[]),
            ("kind: PrometheusRule\nspec: {groups: [{name: g, rules: [{alert: A, expr: up}]}]}".into(), 1, &[]),
            ("--- {kind: PrometheusRule, spec: {groups: [{name: g, rules: [{alert: A, expr: up}]}]}}".into(), 1, &[]),
            ("{\"kind\": \"PrometheusRule\", \"spec\": {\"groups\": [{\"name\": \"\"}]}}".into(), 0, &["1 yaml/value"]),
            (format!("kind: List\nitems:\n- {}{}", crd.replace('\n', "\n  "), bad), 0, &["8 promql/syntax"]),
            // A document that is no YAML.
            (format!("{crd}{good}---\nfoo: [\n"), 1, &["9 yaml/syntax"]),
            (format!("foo: [\n---\n{crd}{good}"), 1, &["2 yaml/syntax"]),
            (format!("{crd}{good}    x: y: z\n"), 0, &["7 yaml/syntax"]),
            // A rule file comes first.
            (format!("kind: PrometheusRule\n{GOOD}"), 1, &["1 yaml/unknown-key"]),
            (format!("{GOOD}---\nkind: ConfigMap\n"), 1, &["5 yaml/second-document"]),
            (format!("{GOOD}---\n{crd}{bad}"), 1, &["11 promql/syntax", "5 yaml/second-document"]),
            (format!("{}---\nkind: ConfigMap\n", GOOD.replace("expr: up", "expr: up ===")), 0, &["4 promql/syntax", "5 yaml/second-document"]),
            (format!("kind: ConfigMap\n---\n{GOOD}"), 1, &[]),
            (format!("{GOOD}---\nkind: ConfigMap\n---\na: [\n"), 1, &["5 yaml/second-document"]),
            // What stands around the rules.
            (format!("{crd}{} # x\n---\nkind: ConfigMap\n", good.trim_end()), 1, &[]),
            (format!("{crd}{good}spec: {{}}\n"), 1, &["7 yaml/duplicate-key"]),
            ("kind: PrometheusRule\nspce: {}\n".into(), 0, &["1 yaml/missing-key"]),
            (format!("kind: ConfigMap\ndata: {{a: {:?}}}\n", GOOD), 0, &["2 yaml/unsupported"]),
        ] {
            assert_eq!(found(&text, false), (rules, findings.iter().map(|f| f.to_string()).collect()), "{text}");
        }
    }

    #[test]
    fn yaml_that_is_not_about_rules_is_nobodys_mistake() {
        for text in [
            "kind: ConfigMap\n---\nfoo: [\n",
            "kind: PrometheusRule\nspec:\n{{ .Values.rules }}\n",
            "kind: ConfigMap\ndata: {{ toYaml . }}\n",
            "a: b\n---\nkind: ConfigMap\n",
        ] {
            assert_eq!(found(text, false), (0, Vec::new()), "{text}");
        }
        let named = found("kind: ConfigMap\n---\nfoo: [\n", true);
        assert_eq!(named, (0, vec!["4 yaml/syntax".to_string()]));
    }
}
