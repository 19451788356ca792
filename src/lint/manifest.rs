//! Rules inside of Kubernetes manifests: PrometheusRule, and ConfigMaps whose values are rule files.
//!
//! The rules are cut out by blanking everything else, so that every place in them is a place in the
//! file.

use std::sync::Arc;

use crate::diag::{SourceFile, Span};
use crate::yaml::{self, Node, Scalar, ScalarStyle};

/// The most documents of one file that are looked at.
const MAX_DOCUMENTS: usize = 10_000;

/// The rule files inside of a file, each as a file in which all else is blank. `None` where it holds
/// no manifests.
pub(super) fn rule_files(source: &Arc<SourceFile>) -> Option<Vec<Arc<SourceFile>>> {
    let text = source.text();
    if !text.contains("kind:") || !(text.contains("PrometheusRule") || text.contains("ConfigMap")) {
        return None;
    }
    let mut found = Vec::new();
    let mut is_manifest = false;
    for document in documents(text).into_iter().take(MAX_DOCUMENTS) {
        let alone = only(source, document);
        let Ok(parsed) = yaml::load(&alone) else { continue };
        let kind = parsed.root.get("kind").and_then(Node::as_scalar).map(Scalar::text);
        match kind {
            Some("PrometheusRule") => {
                is_manifest = true;
                found.extend(
                    parsed.root.get("spec").map(|spec| only(source, whole_lines(text, spec.span))),
                );
            }
            Some("ConfigMap") => {
                is_manifest = true;
                let data = parsed.root.get("data").and_then(Node::as_mapping).unwrap_or_default();
                let texts = data.iter().filter_map(|entry| entry.value.as_scalar());
                found.extend(
                    texts
                        .filter(|text| holds_rules(text))
                        .map(|value| only(source, whole_lines(text, value.span()))),
                );
            }
            // A list, as `kubectl get -o yaml` gives it, or something else.
            _ => {}
        }
    }
    is_manifest.then_some(found)
}

/// Whether a value of a ConfigMap is a rule file that can be cut out: a block, line for line.
fn holds_rules(value: &Scalar) -> bool {
    value.style() == ScalarStyle::Literal
        && value.text().lines().any(|line| line.starts_with("groups:"))
}

/// The places of a file's documents.
fn documents(text: &str) -> Vec<Span> {
    let mut documents = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" || line.starts_with("--- ") {
            documents.push(Span::new(start, at));
            start = at + line.len();
        }
        at += line.len();
    }
    documents.push(Span::new(start, at));
    documents
}

/// A place with the indentation of its first line.
fn whole_lines(text: &str, span: Span) -> Span {
    let before = text.get(..span.start).unwrap_or_default();
    Span::new(before.rfind('\n').map_or(0, |at| at + 1), span.end)
}

/// The file with everything blank but one place. It is drawn as it is.
fn only(source: &Arc<SourceFile>, keep: Span) -> Arc<SourceFile> {
    let text = source.text();
    let blank = |part: &str| -> String {
        // As many bytes as before, so that places stay.
        part.chars()
            .map(|c| if c == '\n' { "\n".to_string() } else { " ".repeat(c.len_utf8()) })
            .collect()
    };
    let before = blank(text.get(..keep.start).unwrap_or_default());
    let kept = text.get(keep.range()).unwrap_or_default();
    let behind = blank(text.get(keep.end..).unwrap_or_default());
    let cut = SourceFile::new(source.path(), format!("{before}{kept}{behind}"));
    Arc::new(cut.drawn_as(text.to_string()))
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
          expr: up ==
";

    #[test]
    fn rules_are_found_at_their_place_in_the_manifest() {
        let source = Arc::new(SourceFile::new("all.yaml", MANIFESTS));
        let files = rule_files(&source).unwrap();
        assert_eq!(files.len(), 2);
        let (groups, findings) = rule::check(&files[0]);
        assert!(findings.is_empty(), "{findings:?}");
        let rule = &groups[0].rules[0];
        assert_eq!((rule.name(), files[0].line_column(rule.places().name.start)), ("A", (10, 16)));
        let (_, findings) = rule::check(&files[1]);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].line_column(), (26, 22), "{}", findings[0]);
        assert_eq!(files[1].drawn(0..4), Some("apiV"));
    }

    #[test]
    fn other_files_are_no_manifests() {
        for text in ["groups: []\n", "kind: Deployment\n", "kind: [\n", "a: PrometheusRule kind:\n"]
        {
            assert!(rule_files(&Arc::new(SourceFile::new("f", text))).is_none(), "{text}");
        }
    }
}
