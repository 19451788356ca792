//! From the parser's events to the tree: aliases, merge keys, duplicate keys, caps.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, ScalarStyle as Style};

use crate::diag::{Diagnostic, SourceFile, Span};
use crate::yaml::load::{Parsed, not_yaml};
use crate::yaml::texts::Texts;
use crate::yaml::{
    Entry, MAX_DEPTH, MAX_EXPANDED_BYTES, MAX_FINDINGS, MAX_NODES, Node, Scalar, ScalarStyle,
    Value, place,
};

/// So many keys are looked for one by one.
const FEW: usize = 16;

/// How the tags of YAML itself begin.
const CORE: &str = "tag:yaml.org,2002:";
/// Of these tags, the text decides. A value with any other tag is a text to Go.
const RESOLVED: [&str; 6] = ["int", "float", "bool", "null", "timestamp", "merge"];

/// What a subtree costs, aliases followed.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
    /// How many collections stand inside one another.
    height: usize,
}

/// A mapping or sequence that is not complete yet.
struct Open {
    start: usize,
    anchor: usize,
    size: Size,
    content: Content,
}

enum Content {
    Items(Vec<Node>),
    Entries(Entries),
}

#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    /// Where each key stands in the list; empty while there are few.
    index: HashMap<Arc<str>, usize>,
    /// The key whose value comes next.
    key: Key,
    merges: Vec<Node>,
    /// Where the merge key stands.
    merge: Option<Span>,
}

#[derive(Default)]
enum Key {
    #[default]
    None,
    Plain(Scalar),
    Merge,
    /// A key that has been refused.
    Bad,
}

/// Takes events and gives the tree of one document. Nothing here recurses.
pub(super) struct Builder<'a> {
    source: &'a Arc<SourceFile>,
    /// How many collections stand around it.
    outer: usize,
    open: Vec<Open>,
    texts: Texts,
    anchors: HashMap<usize, (Node, Size)>,
    nodes: usize,
    bytes: usize,
    root: Option<Node>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(source: &'a Arc<SourceFile>, outer: usize) -> Self {
        Self {
            source,
            outer,
            open: Vec::new(),
            texts: Texts::new(),
            anchors: HashMap::new(),
            nodes: 0,
            bytes: 0,
            root: None,
            diagnostics: Vec::new(),
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MAX_FINDINGS {
            self.diagnostics.push(diagnostic);
        }
    }

    /// All findings, the one that ends the work last.
    pub(super) fn refuse(mut self, diagnostic: Diagnostic) -> Vec<Diagnostic> {
        self.diagnostics.push(diagnostic);
        self.diagnostics
    }

    pub(super) fn finish(self) -> Parsed {
        let Self { root, diagnostics, nodes, bytes, .. } = self;
        Parsed { root, diagnostics, behind: None, nodes, bytes }
    }

    /// Whether the whole document is there.
    pub(super) fn is_complete(&self) -> bool {
        self.root.is_some()
    }

    /// Takes one event. An error is a cap that is exceeded.
    pub(super) fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Box<Diagnostic>> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = convert(style);
                let has_properties = anchor > 0 || tag.is_some();
                let span = place::trim(self.source.text(), span, style, has_properties);
                // A `!` alone says nothing to Go.
                let tag = tag.map(|tag| format!("{}{}", tag.handle, tag.suffix));
                let tag = tag.filter(|tag| tag != "!");
                let tag = tag.as_deref().map(|tag| tag.strip_prefix(CORE).unwrap_or("str"));
                let is_text = tag.is_some_and(|tag| !RESOLVED.contains(&tag));
                // To the parser it is a text like any other.
                if style == ScalarStyle::Plain && text.starts_with(['|', '>']) {
                    let reason = "a block scalar cannot stand in brackets";
                    let finding = not_yaml(self.source, span, reason);
                    return Err(finding.help("put the value in quotes").into());
                }
                let scalar = Scalar { text: self.texts.shared(&text), style, span, is_text };
                if let Some(tag) = tag.filter(|tag| !scalar.may_have(tag)) {
                    let message = format!("this is not what the tag `!!{tag}` says");
                    self.report(Diagnostic::error("yaml/value", self.source, span, message));
                }
                let size = Size { nodes: 1, bytes: scalar.text.len(), height: 0 };
                self.charge(span, size)?;
                self.put(Node { span, value: Value::Scalar(scalar) }, size, anchor);
                Ok(())
            }
            Event::Alias(anchor) => {
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    let message = "an alias stands inside the value that it stands for";
                    return Err(Diagnostic::error("yaml/limit", self.source, span, message).into());
                };
                self.charge(span, size)?;
                self.put(node, size, 0);
                Ok(())
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(span, anchor, tag.is_some(), Content::Items(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.start(span, anchor, tag.is_some(), Content::Entries(Entries::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.end(span);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn start(
        &mut self,
        span: Span,
        anchor: usize,
        has_tag: bool,
        content: Content,
    ) -> Result<(), Box<Diagnostic>> {
        let start = if anchor > 0 || has_tag {
            place::skip_properties(self.source.text(), span.start)
        } else {
            span.start
        };
        let size = Size { nodes: 1, bytes: 0, height: 1 };
        self.charge(Span::at(start), size)?;
        self.open.push(Open { start, anchor, size, content });
        Ok(())
    }

    fn end(&mut self, end: Span) {
        let Some(open) = self.open.pop() else { return };
        let text = self.source.text();
        // Only a bracket ends with a token of its own. That the text begins with one says nothing: a
        // list without indentation begins where its first item does.
        let in_brackets = !end.is_empty()
            && text.get(end.start..).is_some_and(|rest| rest.starts_with([']', '}']));
        let (last, value) = match open.content {
            Content::Items(items) => {
                (items.iter().map(|node| node.span.end).max(), Value::Sequence(items.into()))
            }
            Content::Entries(entries) => {
                let ends = entries.list.iter().map(|e| e.value.span.end.max(e.key.span.end));
                (ends.max(), Value::Mapping(self.merge(entries).into()))
            }
        };
        // The parser ends a block where the next token begins, maybe many lines further down. What
        // an alias stands for lies before the alias, so it never makes the block longer.
        let end = if in_brackets { end.start + 1 } else { last.unwrap_or(open.start) };
        let span = Span::new(open.start, end.max(open.start));
        self.put(Node { span, value }, open.size, open.anchor);
    }

    /// Counts what comes in against the caps.
    fn charge(&mut self, span: Span, size: Size) -> Result<(), Box<Diagnostic>> {
        self.nodes += size.nodes;
        self.bytes += size.bytes;
        let (message, help) = if self.outer + self.open.len() + size.height > MAX_DEPTH {
            ("the nesting is too deep", format!("at most {MAX_DEPTH} levels are read"))
        } else if self.nodes > MAX_NODES {
            ("the file has too many values", format!("at most {MAX_NODES}, aliases followed"))
        } else if self.bytes > MAX_EXPANDED_BYTES {
            let help = format!("at most {MAX_EXPANDED_BYTES} bytes, aliases followed");
            ("the file has too much text", help)
        } else {
            return Ok(());
        };
        Err(Diagnostic::error("yaml/limit", self.source, span, message).help(help).into())
    }

    /// Puts a finished node where it belongs.
    fn put(&mut self, node: Node, size: Size, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        parent.size.nodes += size.nodes;
        parent.size.bytes += size.bytes;
        parent.size.height = parent.size.height.max(size.height + 1);
        let finding = match &mut parent.content {
            Content::Items(items) => {
                items.push(node);
                None
            }
            Content::Entries(entries) => match std::mem::take(&mut entries.key) {
                Key::None => entries.set_key(node, self.source),
                Key::Bad => None,
                Key::Merge => {
                    entries.merges.push(node);
                    None
                }
                Key::Plain(key) => entries.insert(key, node, self.source),
            },
        };
        if let Some(finding) = finding {
            self.report(finding);
        }
    }

    /// Adds what merge keys bring: keys that the mapping does not have itself, of several merged
    /// mappings the first that has it (the merge key of YAML 1.1). The merged mappings have been
    /// counted as a whole when they came in, so this is bounded too.
    fn merge(&mut self, mut entries: Entries) -> Vec<Entry> {
        let merges = std::mem::take(&mut entries.merges);
        for node in merges {
            let sources = match &node.value {
                Value::Sequence(items) => items.to_vec(),
                _ => vec![node.clone()],
            };
            for source in sources {
                let Value::Mapping(merged) = &source.value else {
                    let message = format!("a merge key needs a mapping, found {}", source.kind());
                    let span = source.span;
                    let finding = Diagnostic::error("yaml/merge", self.source, span, message);
                    self.report(finding.caret("not a mapping"));
                    continue;
                };
                for entry in merged.iter() {
                    if entries.place(&entry.key.text).is_none() {
                        entries.push(entry.clone());
                    }
                }
            }
        }
        entries.list
    }
}

impl Entries {
    fn set_key(&mut self, node: Node, source: &Arc<SourceFile>) -> Option<Diagnostic> {
        match node.value {
            Value::Scalar(scalar) if is_merge(&scalar) => {
                if let Some(first) = self.merge {
                    self.key = Key::Bad;
                    return Some(stands_twice(&scalar, first, source));
                }
                (self.key, self.merge) = (Key::Merge, Some(scalar.span));
                None
            }
            Value::Scalar(scalar) => {
                self.key = Key::Plain(scalar);
                None
            }
            _ => {
                self.key = Key::Bad;
                let message = format!("a key must be a string, found {}", node.kind());
                let help = "a value that begins with `{` or `[` needs quotes";
                Some(Diagnostic::error("yaml/type", source, node.span, message).help(help))
            }
        }
    }

    fn insert(&mut self, key: Scalar, value: Node, source: &Arc<SourceFile>) -> Option<Diagnostic> {
        if let Some(first) = self.place(&key.text).and_then(|i| self.list.get(i)) {
            return Some(stands_twice(&key, first.key.span, source));
        }
        self.push(Entry { key, value });
        None
    }

    /// Where a key stands in the list.
    fn place(&self, key: &str) -> Option<usize> {
        match self.list.len() {
            0..=FEW => self.list.iter().position(|entry| &*entry.key.text == key),
            _ => self.index.get(key).copied(),
        }
    }

    fn push(&mut self, entry: Entry) {
        self.list.push(entry);
        if self.list.len() > FEW {
            let new = self.list.iter().enumerate().skip(self.index.len());
            self.index.extend(new.map(|(index, entry)| (Arc::clone(&entry.key.text), index)));
        }
    }
}

fn stands_twice(key: &Scalar, first: Span, source: &Arc<SourceFile>) -> Diagnostic {
    let message = format!("the key `{}` stands twice in one mapping", key.text);
    Diagnostic::error("yaml/duplicate-key", source, key.span, message)
        .caret("the second")
        .label(first, "the first")
}

fn is_merge(key: &Scalar) -> bool {
    key.style == ScalarStyle::Plain && &*key.text == "<<" && !key.is_text
}

fn convert(style: Style) -> ScalarStyle {
    match style {
        Style::Plain => ScalarStyle::Plain,
        Style::SingleQuoted => ScalarStyle::SingleQuoted,
        Style::DoubleQuoted => ScalarStyle::DoubleQuoted,
        Style::Literal => ScalarStyle::Literal,
        Style::Folded => ScalarStyle::Folded,
    }
}
