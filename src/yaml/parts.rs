//! Large files with one long list, such as rule files with thousands of rules, read on all
//! processors.
//!
//! The text is cut before items of the list, and each part is read as a document of its own. Whatever could
//! reach over a cut makes a mistake of its part: a quote or bracket that is not closed, an alias of an
//! anchor in another part. Then the file is read as a whole, as it is with any other mistake.

use std::sync::Arc;

use crate::diag::{SourceFile, Span};
use crate::model::parallel::{map_on, processors};
use crate::yaml::load::{Parsed, parse};
use crate::yaml::{Document, Entry, MAX_EXPANDED_BYTES, MAX_NODES, Node, Value};

/// Smaller files are not worth it, in bytes.
const LARGE: usize = 128 * 1024;
/// How many parts each processor has to read, so that none has long to wait for the others.
const PARTS: usize = 4;

/// Reads a large file in parts. `None` where it is not large, has another form or some mistake.
pub(super) fn load(source: &Arc<SourceFile>) -> Option<Document> {
    let threads = processors();
    if source.text().len() < LARGE || threads < 2 {
        return None;
    }
    load_in(source, threads, threads * PARTS)
}

fn load_in(source: &Arc<SourceFile>, threads: usize, count: usize) -> Option<Document> {
    let parts = cut(source.text(), count)?;
    let read = map_on(threads, &parts, |part| {
        // All but the first lack the mapping around them.
        let outer = usize::from(part.start > 0);
        parse(source, *part, outer).ok()
    });
    joined(source, read)
}

/// The parts of a text whose only key, on top, has a list under it.
fn cut(text: &str, count: usize) -> Option<Vec<Span>> {
    let mut lines = text.lines().filter(|line| {
        let line = line.trim_start_matches(' ');
        !line.is_empty() && !line.starts_with('#')
    });
    let key = lines.next()?.strip_suffix(':')?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let item = lines.next()?;
    let indent = item.len() - item.trim_start_matches(' ').len();
    let mark = format!("\n{}- ", item.get(..indent)?);
    if key.is_empty() || !key.chars().all(is_plain) || !item.get(indent..)?.starts_with("- ") {
        return None;
    }
    let mut parts = Vec::with_capacity(count);
    let mut start = 0;
    for number in 1..count {
        let mut from = (text.len() / count * number).max(start);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        let Some(at) = text.get(from..)?.find(&mark) else { break };
        let end = from + at + 1;
        parts.push(Span::new(start, end));
        start = end;
    }
    parts.push(Span::new(start, text.len()));
    Some(parts)
}

/// The document that has the items of all parts.
fn joined(source: &Arc<SourceFile>, parts: Vec<Option<Parsed>>) -> Option<Document> {
    let (mut nodes, mut bytes) = (0, 0);
    let mut items: Vec<Node> = Vec::new();
    let mut head: Option<(Span, Entry)> = None;
    for part in parts {
        let is_good = |part: &Parsed| part.diagnostics.is_empty() && part.behind.is_none();
        let part = part.filter(is_good)?;
        nodes += part.nodes;
        bytes += part.bytes;
        let root = part.root?;
        let list = match (&root.value, &head) {
            (Value::Mapping(entries), None) => {
                let [entry] = &**entries else { return None };
                head = Some((root.span, entry.clone()));
                entry.value.as_sequence()?
            }
            (Value::Sequence(list), Some(_)) => list,
            _ => return None,
        };
        items.extend_from_slice(list);
    }
    if nodes > MAX_NODES || bytes > MAX_EXPANDED_BYTES {
        return None;
    }
    let (mut span, mut entry) = head?;
    let end = items.iter().map(|item| item.span.end).max()?;
    (span.end, entry.value.span.end) = (end, end);
    entry.value.value = Value::Sequence(items.into());
    let root = Node { span, value: Value::Mapping([entry].into()) };
    Some(Document { source: Arc::clone(source), root, diagnostics: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Arc<SourceFile> {
        Arc::new(SourceFile::new("f", text))
    }

    /// Whether a text is read in parts, which must give what reading it as a whole gives.
    fn in_parts(text: &str, count: usize) -> bool {
        let source = source(text);
        let Some(document) = load_in(&source, 2, count) else { return false };
        let whole = parse(&source, Span::new(0, text.len()), 0).ok().unwrap();
        assert!(whole.diagnostics.is_empty(), "{text}");
        assert_eq!(format!("{:?}", document.root), format!("{:?}", whole.root.unwrap()), "{text}");
        true
    }

    #[test]
    fn parts_make_the_whole() {
        let list = |items: &[&str], indent: &str| {
            let items = items.iter().map(|item| item.replace('\n', &format!("\n{indent}  ")));
            let items: String = items.map(|item| format!("{indent}- {item}\n")).collect();
            format!("# rules\n\ngroups:\n# é\n{items}")
        };
        let items = [
            "name: a",
            "name: |\n  b\n  - c\n\n  # no comment\n\nrules:\n- x # a comment\n- y",
            "name: 'é\n\n - f'\nx: [1,\n 2]",
            "&a {b: &b c, d: *b}",
            "x: >-\n  folded\n  text\n\n# at the end",
            "plain\n text",
            "x: \"a\\\n b\"",
        ];
        for count in 2..9 {
            for indent in ["", "  ", "     "] {
                assert!(in_parts(&list(&items, indent), count), "{count} {indent:?}");
            }
        }
        assert!(in_parts(&list(&items, "  ").replace('\n', "\r\n"), 4));
    }

    #[test]
    fn what_reaches_over_a_cut_is_read_as_a_whole() {
        for text in [
            "groups:\n- name: 'a\n- b'\n- c\n",
            "groups:\n- [a,\n- b]\n- c\n",
            "groups:\n- &a b\n- c\n- *a\n",
            "groups:\n- a\n- b\nother: 1\n",
            "groups:\n- a\n- b\n---\n- c\n",
            "groups:\n  - a\n  - b\nother:\n  - c\n",
            "groups:\n- a\n- b: [\n",
            "groups: [a,\n- b\n]\n",
            "groups:\n  a:\n  - b\n  - c\n",
            "- a\n- b\n",
            "",
        ] {
            for count in 2..6 {
                assert!(!in_parts(text, count), "{text}");
            }
        }
    }

    #[test]
    fn a_part_is_as_deep_as_it_stands_in_the_whole() {
        let deep = |depth: usize| {
            let value = "[".repeat(depth) + &"]".repeat(depth);
            format!("groups:\n- a\n- b\n- {value}\n- c\n- {value}\n")
        };
        let most = crate::yaml::MAX_DEPTH - 2;
        assert!(in_parts(&deep(most), 3) && !in_parts(&deep(most + 1), 3));
    }
}
