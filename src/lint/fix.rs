//! Safe changes of a file.

use crate::diag::{Diagnostic, Edit};

/// The text with the safe changes of its findings, and how many were made. Of changes that overlap
/// only the first is made; run again for the others.
pub fn fix(text: &str, findings: &[&Diagnostic]) -> (String, usize) {
    let fixes = findings.iter().filter_map(|finding| finding.fix.as_ref());
    let mut taken: Vec<&Edit> = Vec::new();
    let mut count = 0;
    for fix in fixes {
        let free = |edit: &Edit| {
            let apart = |t: &&Edit| edit.span.end <= t.span.start || t.span.end <= edit.span.start;
            taken.iter().all(apart) && text.get(edit.span.range()).is_some()
        };
        if fix.edits.iter().all(free) {
            taken.extend(&fix.edits);
            count += 1;
        }
    }
    taken.sort_by_key(|edit| edit.span.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in taken {
        out.push_str(text.get(at..edit.span.start).unwrap_or_default());
        out.push_str(&edit.text);
        at = edit.span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    (out, count)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diag::{Severity, SourceFile, Span};

    #[test]
    fn changes_are_made_once_and_nothing_else_changes() {
        let source = Arc::new(SourceFile::new("f", "a: b # keep\nc: d\n"));
        let change = |start, end, text: &str| {
            let span = Span::new(start, end);
            Diagnostic::new("x", Severity::Info, &source, span, "m").fix("do", span, text)
        };
        let findings = [change(15, 16, "dd"), change(3, 4, "bbb"), change(14, 16, "other")];
        let findings: Vec<&Diagnostic> = findings.iter().collect();
        let (text, count) = fix(source.text(), &findings);
        assert_eq!((text.as_str(), count), ("a: bbb # keep\nc: dd\n", 2));
        assert_eq!(fix("same", &[]), ("same".to_string(), 0));
    }
}
