mod refused;

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::diag::{Diagnostic, Severity, SourceFile, Span};

pub(super) fn source(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile::new("f.yml", text))
}

fn tree(text: &str) -> Document {
    load(&source(text)).unwrap()
}

/// The tree in one line, scalars in angle brackets.
pub(super) fn show(node: &Node) -> String {
    match &node.value {
        Value::Scalar(scalar) => format!("<{}>", scalar.text()),
        Value::Sequence(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" "))
        }
        Value::Mapping(entries) => {
            let entries = entries.iter().map(|e| format!("{}={}", e.key.text(), show(&e.value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(" "))
        }
    }
}

fn messages(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(|d| format!("{} {d}", d.id)).collect()
}

#[test]
fn trees() {
    for (text, expected) in [
        ("", "<>"),
        ("# only a comment\n", "<>"),
        ("a: 1\nb:\n- x\n- y: z\n", "{a=<1> b=[<x> {y=<z>}]}"),
        ("{a: [1, 2], b: {c: d}}", "{a=[<1> <2>] b={c=<d>}}"),
        ("a: |\n  x\n  y\nb: >\n  x\n  y\n", "{a=<x\ny\n> b=<x y\n>}"),
        ("a: &x {k: 1}\nb: *x\n", "{a={k=<1>} b={k=<1>}}"),
        // The merge key: own keys win, of a list the first one wins.
        (
            "d: &d {a: 1, b: 2}\ne: &e {b: 3, c: 4}\nf: {<<: [*d, *e], a: 0}\n",
            "{d={a=<1> b=<2>} e={b=<3> c=<4>} f={a=<0> b=<2> c=<4>}}",
        ),
        ("a: {'<<': 1}\n", "{a={<<=<1>}}"),
        ("---\na: b\n...\n", "{a=<b>}"),
        ("\u{feff}a: b\n", "{a=<b>}"),
    ] {
        let document = tree(text);
        assert_eq!(show(&document.root), expected, "{text:?}");
        assert!(document.diagnostics.is_empty(), "{text:?}");
    }
}

#[test]
fn nodes_know_their_place() {
    let text = "é: &a !!str \"x\\ty\" # c\nl: # c\n  - 'it''s' \n  - {a: [1, 2] }\n\n\nm: &b\n  k: v w  # c\n\nb: !t |-\n  é\n  ü \n\nz: *a\n";
    let document = tree(text);
    let at = |node: &Node| &text[node.span.range()];
    let get = |key| document.root.get(key).unwrap();
    assert_eq!(at(get("é")), "\"x\\ty\"");
    assert_eq!(at(get("l")), "- 'it''s' \n  - {a: [1, 2] }");
    let items = get("l").as_sequence().unwrap();
    assert_eq!(at(&items[0]), "'it''s'");
    assert_eq!(at(&items[1]), "{a: [1, 2] }");
    assert_eq!(at(get("m")), "k: v w");
    assert_eq!(at(get("m").get("k").unwrap()), "v w");
    assert_eq!(at(get("b")), "é\n  ü");
    assert_eq!(get("z").span, get("é").span, "an alias has the anchor's place");
    let aliased = tree("a: &a x\nb:\n  k: v\n  l: *a\nc: d\n");
    let block = aliased.root.get("b").unwrap().span;
    assert_eq!(
        &aliased.source.text()[block.range()],
        "k: v\n  l",
        "an alias does not cut it short"
    );
    let keys = document.root.as_mapping().unwrap().iter().map(|e| &text[e.key.span().range()]);
    assert_eq!(keys.collect::<Vec<_>>(), ["é", "l", "m", "b", "z"]);
}

#[test]
fn a_block_that_begins_or_ends_with_a_bracket_ends_with_its_last_item() {
    for (text, expected) in [
        ("k:\n- {a: b}", "{a: b}"),
        ("k:\n- {a: b}\n", "{a: b}"),
        ("k:\n- {a: b}\n- c # d\nx: y\n", "{a: b}\n- c"),
        ("k:\n- [a]\n\nx: y\n", "[a]"),
        ("k:\n  - {a: b}\nx: {}\n", "- {a: b}"),
        ("k:\n  a: {b: c}\nx: {}\n", "a: {b: c}"),
        ("k: {a: [b]} # c\n", "{a: [b]}"),
        ("k: &x !t [a,\n b\n ]\n", "[a,\n b\n ]"),
        ("k: [{a: b}: c, d]", "[{a: b}: c, d]"),
    ] {
        let document = tree(text);
        assert_eq!(&text[document.root.get("k").unwrap().span.range()], expected, "{text:?}");
    }
    let document = tree("k: [a: b, c]");
    let items = document.root.get("k").unwrap().as_sequence().unwrap();
    assert_eq!(items[0].span, Span::new(4, 8), "a pair without braces");
}

#[test]
fn characters_lead_back_to_the_file() {
    // The scalar at `k`; a part of its text; what stands in the file for it, and on which line.
    for (text, part, expected, line) in [
        ("k: sum(up) == 0\n", "up", "up", 1),
        ("k: sum(up)\n   by (job)\n", "job", "job", 2),
        ("k: sum(up)\n   by (job)\n", "(up) by", "(up)\n   by", 1),
        ("k: sum(up)\n\n  by (job)\n", "\nby", "\n\n  by", 1),
        ("k: 'it''s up'\n", "up", "up", 1),
        ("k: 'it''s up'\n", "'s", "''s", 1),
        ("k: \"a\\\"b\\u00e9 up\"\n", "up", "up", 1),
        ("k: \"a\\\"b\\u00e9 up\"\n", "é", "\\u00e9", 1),
        ("k: \"a \\\n   up\\\n\n   b\"\n", "up", "up", 2),
        ("k: |\n  sum(\n    up\n  )\n", "up", "up", 3),
        ("k: |\n  é\n\n\n  up\n", "up", "up", 5),
        ("k: |\n\n\n  x\n  up\n", "up", "up", 5),
        ("k: |2\n     x\n    up\n", "up", "up", 3),
        ("k: |-\r\n  x\r\n  up\r\n", "up", "up", 3),
        ("k: >-\n  sum(\n    up\n  )\n", "up", "up", 3),
        ("k: >-\n  a\n  b\n\n  c\n  up\n", "b\nc up", "b\n\n  c\n  up", 3),
        ("k: > # c\n  a\n\n    b\n    c\n\n  up\n", "up", "up", 7),
        ("k: &x |\n    a\n    up\n", "up", "up", 3),
    ] {
        let document = tree(text);
        let scalar = document.root.get("k").unwrap().as_scalar().unwrap();
        let start = scalar.text().find(part).unwrap_or_else(|| panic!("{scalar:?}"));
        let span = scalar.span_of(Span::new(start, start + part.len()), &document.source);
        assert_eq!(&text[span.range()], expected, "{text:?}");
        assert_eq!(document.source.line_column(span.start).0, line, "{text:?}");
    }
}

#[test]
fn a_range_behind_the_text_is_at_its_end() {
    for (text, end) in [("k: ab\n", 5), ("k: |\n  ab\n\n", 9), ("k: 'ab' \n", 6)] {
        let document = tree(text);
        let scalar = document.root.get("k").unwrap().as_scalar().unwrap();
        let len = scalar.text().len();
        assert_eq!(scalar.span_of(Span::at(len), &document.source), Span::at(end), "{text:?}");
        let behind = scalar.span_of(Span::new(len, len + 9), &document.source);
        assert_eq!(behind, Span::at(end), "{text:?}");
    }
}

#[test]
fn scalars_mean_what_go_makes_of_them() {
    for (text, expected) in [
        ("~", Resolved::Null),
        ("null", Resolved::Null),
        ("'null'", Resolved::Text),
        ("yes", Resolved::Bool(true)),
        ("Off", Resolved::Bool(false)),
        ("\"true\"", Resolved::Text),
        ("12", Resolved::Integer(12)),
        ("-1_000", Resolved::Integer(-1000)),
        ("0x1f", Resolved::Integer(31)),
        ("010", Resolved::Integer(8)),
        ("0o10", Resolved::Integer(8)),
        ("+-5", Resolved::Text),
        ("!!str 12", Resolved::Text),
        ("!up", Resolved::Text),
        ("!foo 5", Resolved::Text),
        ("! 5", Resolved::Integer(5)),
        ("!!int 0x1f", Resolved::Integer(31)),
        ("!!float 12", Resolved::Integer(12)),
        ("!!bool True", Resolved::Bool(true)),
        ("!!null", Resolved::Null),
        ("1.5", Resolved::Float(1.5)),
        ("1e3", Resolved::Float(1000.0)),
        ("-.inf", Resolved::Float(f64::NEG_INFINITY)),
        ("5m", Resolved::Text),
        ("1.2.3", Resolved::Text),
        ("nan", Resolved::Text),
    ] {
        assert_eq!(tree(text).root.as_scalar().unwrap().resolve(), expected, "{text}");
    }
}

#[test]
fn mistakes_that_leave_a_tree() {
    for (text, expected) in [
        (
            "a: 1\nb: 2\na: 3\n",
            "yaml/duplicate-key f.yml:3:1: the key `a` stands twice in one mapping: the second",
        ),
        (
            "a: {<<: 1}",
            "yaml/merge f.yml:1:9: a merge key needs a mapping, found a number: not a mapping",
        ),
        (
            "a: {<<: {b: c}, <<: {d: e}}",
            "yaml/duplicate-key f.yml:1:17: the key `<<` stands twice in one mapping: the second",
        ),
        ("a: !!int b", "yaml/value f.yml:1:10: this is not what the tag `!!int` says"),
        ("!!bool yes", "yaml/value f.yml:1:8: this is not what the tag `!!bool` says"),
        ("!!int", "yaml/value f.yml:1:6: this is not what the tag `!!int` says"),
        ("!!null x", "yaml/value f.yml:1:8: this is not what the tag `!!null` says"),
        ("!!float 1.2.3", "yaml/value f.yml:1:9: this is not what the tag `!!float` says"),
        ("a: {{x}: 1}", "yaml/type f.yml:1:5: a key must be a string, found a mapping"),
        (
            "a: 1\n---\nb: 2\n",
            "yaml/second-document f.yml:2:1: the file holds a second document, which is ignored",
        ),
        (
            " a: 1\nb: 2\n",
            "yaml/ignored f.yml:2:1: the document ends before this, and nothing that follows is read",
        ),
        (
            "a: 1\n...\n}\n",
            "yaml/ignored f.yml:3:1: the document ends before this, and nothing that follows is read",
        ),
    ] {
        let document = tree(text);
        assert_eq!(messages(&document.diagnostics), [expected], "{text:?}");
    }
    let duplicate = tree("a: 1\na: 3\n").diagnostics.remove(0);
    assert_eq!(duplicate.labels[0].span, Span::new(0, 1), "the first place is shown too");
    assert_eq!(tree("a: 1\n---\n").diagnostics[0].severity, Severity::Warning);
}

#[test]
fn the_reader_collects_all_mistakes() {
    let text = "name: [x]\nbool: 'true'\nint: -1\nfor: 5\nlist: x\nmap: {a: 1, b: [1]}\nnmae: x\nnull:\nnot: {}\nnothing: ~\n";
    let document = tree(text);
    let mut reader = Reader::new(&document);
    let mut fields = reader.mapping(&document.root, "the group").unwrap();
    assert_eq!(fields.string(&mut reader, "name"), None);
    assert_eq!(fields.bool(&mut reader, "bool"), None);
    assert_eq!(fields.unsigned(&mut reader, "int"), None);
    assert_eq!(fields.duration(&mut reader, "for"), None);
    assert!(fields.list(&mut reader, "list").is_none());
    assert_eq!(fields.string_map(&mut reader, "map").unwrap().len(), 1);
    assert_eq!(fields.bool(&mut reader, "absent"), None);
    assert_eq!(fields.bool(&mut reader, "nothing"), None);
    assert!(fields.require(&mut reader, "needed").is_none());
    fields.unsupported(&mut reader, "not", "because");
    fields.finish(&mut reader);
    assert_eq!(
        messages(&reader.into_diagnostics()),
        [
            "yaml/missing-key f.yml:1:1: the group needs `needed`",
            "yaml/type f.yml:1:7: `name` must be a string, found a list: expected a string",
            "yaml/type f.yml:2:7: `bool` must be true or false, found a string: expected true or false",
            "yaml/value f.yml:3:6: `int`: must not be negative",
            "yaml/value f.yml:4:6: `for`: not a valid duration: \"5\" (write it like 30s, 5m or 1h30m)",
            "yaml/type f.yml:5:7: `list` must be a list, found a string: expected a list",
            "yaml/type f.yml:6:16: `b` in `map` must be a string, found a list: expected a string",
            "yaml/unknown-key f.yml:7:1: unknown key `nmae` in the group",
            "yaml/unknown-key f.yml:8:1: unknown key `null` in the group",
            "yaml/unsupported f.yml:9:1: `not` in the group is not supported yet",
        ]
    );
}

/// Pieces of YAML that meet in odd ways.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "é",
        "- ",
        ": ",
        "\n",
        "  ",
        "\n  ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "'",
        "\"",
        "|",
        ">",
        "|2-",
        "&x ",
        "*x",
        "<<: ",
        "!!str ",
        "# ",
        "\t",
        "\r\n",
        "\\",
        "\\x41",
        "---\n",
        "...\n",
        "? ",
        "~",
        "''",
        "%TAG",
        "\u{feff}",
        "x: |\n   y\n",
        "\r",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Walks a tree and asks for every place.
fn walk(node: &Node, source: &Arc<SourceFile>) {
    assert!(source.text().get(node.span.range()).is_some(), "{node:?}");
    match &node.value {
        Value::Scalar(scalar) => {
            for (at, c) in scalar.text().char_indices() {
                let span = scalar.span_of(Span::new(at, at + c.len_utf8()), source);
                assert!(source.text().get(span.range()).is_some(), "{node:?} {at}");
            }
        }
        Value::Sequence(items) => items.iter().for_each(|item| walk(item, source)),
        Value::Mapping(entries) => entries.iter().for_each(|entry| walk(&entry.value, source)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in prop_oneof![yaml_like(), any::<String>()]) {
        let source = source(&text);
        if let Ok(document) = load(&source) {
            walk(&document.root, &source);
        }
    }

    /// A plain text written as a block scalar at any depth is found again, character by character.
    #[test]
    fn block_scalars_lead_back_exactly(
        lines in prop::collection::vec("[a-zé(){}][a-zé (){}]{0,9}", 1..6),
        depth in 1_usize..6,
    ) {
        let pad = " ".repeat(depth);
        let text = format!("k: |\n{pad}{}\n", lines.join(&format!("\n{pad}")));
        let document = tree(&text);
        let scalar = document.root.get("k").unwrap().as_scalar().unwrap();
        for (at, c) in scalar.text().char_indices().filter(|(_, c)| *c != '\n') {
            let span = scalar.span_of(Span::new(at, at + c.len_utf8()), &document.source);
            // Blanks behind the scalar's last character count as its end.
            if at < scalar.text().trim_end().len() {
                prop_assert_eq!(&text[span.range()], c.to_string());
            }
        }
    }
}
