use crate::diag::Span;
use crate::yaml::tests::{show, source};
use crate::yaml::{Node, load};

/// The tree in one line, or the first mistake.
fn read(text: &str) -> String {
    match load(&source(text)) {
        Ok(document) if document.diagnostics.is_empty() => show(&document.root),
        Ok(document) => format!("{} {}", document.diagnostics[0].id, document.diagnostics[0]),
        Err(findings) => format!("{} {}", findings[0].id, findings[0]),
    }
}

/// What go-yaml 3.0.1 reads in these texts.
#[test]
fn what_go_reads_is_read() {
    for (text, expected) in [
        // Brackets.
        ("a:\n  b: {\n    c: d\n  }\n", "{a={b={c=<d>}}}"),
        ("a:\n  b: [\n  c,\n d\n]\n  e: f\n", "{a={b=[<c> <d>] e=<f>}}"),
        ("a:\n  - {\n    b: c,\n  d: e\n  }\n  - f\n", "{a=[{b=<c> d=<e>} <f>]}"),
        ("a:\n  b: {c: d,\n\t\te: 'f'\n\t}\n", "{a={b={c=<d> e=<f>}}}"),
        ("a:\n  b: {c: d, # }\n# ]\ne: 'f\ng', h: i\nj}\n", "{a={b={c=<d> e=<f g> h=<i j>}}}"),
        ("a:\n  b: [\"c\n- ]\",\r\n\r\n'd'\r\n  ]\r\n", "{a={b=[<c - ]> <d>]}}"),
        ("{\n\t\"a\": [\n\t\t{\n\t\t\t\"b\": 1\n\t\t}\n\t]\n}\n", "{a=[{b=<1>}]}"),
        // Quotes.
        ("a:\n  b: \"c\n  d\"\n", "{a={b=<c d>}}"),
        ("a:\n  b: \"\n      c\n\n  d\n  \"\n  e: f\n", "{a={b=< c\nd > e=<f>}}"),
        ("a:\n  b: 'c\n\t\td''\n\n#e'\n", "{a={b=<c d'\n#e>}}"),
        ("a:\n  b: \"c \\\n\\\n d\\\"\n e\"\n", "{a={b=<c d\" e>}}"),
        ("a: \"it\\'s\"\n", "{a=<it's>}"),
        // A tab behind a colon.
        ("a:\tb\nc:\t- d\n", "yaml/syntax f.yml:2:4: this is not valid YAML: block sequence"),
        ("a:\tb c:d\ne:\t\"f:\tg\"\nh: |\n  i:\tj\n", "{a=<b c:d> e=<f:\tg> h=<i:\tj\n>}"),
        ("- a:\tb # c:\td\n  e: {f:\tg}\n", "[{a=<b> e={f=<g>}}]"),
        // A comment right behind something.
        ("a: \"x\"#c\nb: [c#d,#e\nf]#g\nh: |#i\n  j#k\n", "{a=<x> b=[<c#d> <f>] h=<j#k\n>}"),
        ("'a#b': c#d\ne: 'f'#'\n", "{a#b=<c#d> e=<f>}"),
        // Blocks that look like something else.
        ("a: |\n  {\n  b: \"\n\nc:\td\n", "{a=<{\nb: \"\n> c=<d>}"),
        ("a:\n- |2-\n    [\n   '\n- b:\tc\n", "{a=[<  [\n '> {b=<c>}]}"),
        ("a: >\n\n   {\n\n\n# }\nb:\tc\n", "{a=<\n{\n> b=<c>}"),
        // Plain texts.
        ("a: b{ 'c \"d [e\n  f #g\nh:\ti\n", "{a=<b{ 'c \"d [e f> h=<i>}"),
        ("? a\n: b\nc:\td\n", "{a=<b> c=<d>}"),
        ("&a b: !t c\nd: *a\ne:\tf\n", "{b=<c> d=<b> e=<f>}"),
        // Tabs where Go takes them.
        ("a:\t\n- b\t\n- \"c\"\t# d\n", "{a=[<b> <c>]}"),
        ("a: b\n  \tc\n   \t\nd: |\n  e\n  \tf\n", "{a=<b c> d=<e\n\tf\n>}"),
        ("# a\n\t# b\nc: d # e\n", "{c=<d>}"),
        ("a: b\n---\nc: d\n\t\n", "yaml/second-document"),
        ("# a\n%YAML 1.1\n%TAG ! x:\n---\na: b\n", "{a=<b>}"),
        // Both refuse: the place is that of the mistake, not of what only the parser refuses.
        ("a: [\n  b: c\nd: e\n", "yaml/syntax"),
        (
            "a:\n  b: \"c\n---\nd\"\n",
            "yaml/syntax f.yml:2:6: this is not valid YAML: while scanning a quoted",
        ),
        ("a:\n  b: {c: 'd',\n% e\n}\n", "yaml/syntax"),
    ] {
        let found = read(text);
        assert!(
            if expected.starts_with("yaml/") {
                found.starts_with(expected)
            } else {
                found == expected
            },
            "{text:?}\n{found}\n{expected}"
        );
    }
}

#[test]
fn what_go_refuses_is_refused() {
    const TAB: &str = "a tab cannot indent";
    const TOKEN: &str = "a tab cannot stand here";
    for (text, line_column, reason) in [
        ("a:\n  b: c\n\t\n  d: e\n", (3, 1), TAB),
        ("a:\n  b: c\n \t# d\n  e: f\n", (3, 2), TAB),
        ("a:\n  b: c\n\t", (3, 1), TAB),
        ("a:\n  b: 'c'\n    \t\n  d: e\n", (3, 5), TOKEN),
        ("\t\na: b\n", (1, 1), TOKEN),
        ("a: # b\n\t# c\n- d\n", (2, 1), TOKEN),
        ("-\ta: b\n", (1, 2), TOKEN),
        ("a:\n- \t- b\n", (2, 4), ""),
        ("a: |\n  b\n\t\n  c\n", (4, 3), ""),
        ("a: |\n  b\n\t\nc: d\n", (3, 1), TAB),
        ("a: >-\n   \tb\n", (2, 4), TAB),
        ("a: {b: c\n\t}\n", (1, 8), ""),
        ("%YAML 1.2\n---\na: b\n", (1, 1), "no such directive"),
        ("a: \"http:\\/\\/b\"\n", (1, 10), "there is no such escape"),
    ] {
        let found = load(&source(text)).err().unwrap_or_else(|| panic!("{text:?}"));
        assert_eq!(found.len(), 1, "{text:?}");
        assert_eq!((found[0].line_column(), found[0].id), (line_column, "yaml/syntax"), "{text:?}");
        assert!(found[0].caret.contains(reason), "{text:?} {}", found[0]);
    }
}

#[test]
fn places_are_those_of_the_file() {
    let text = "é: {\nà: \"b\n c\",\n\td:\tü}\ne: \"f\"#g\nh:\t'i\n j'\n";
    let document = load(&source(text)).unwrap();
    let root = &document.root;
    let at = |node: &Node| &text[node.span.range()];
    let flow = root.get("é").unwrap();
    assert_eq!(at(flow), "{\nà: \"b\n c\",\n\td:\tü}");
    assert_eq!(at(flow.get("à").unwrap()), "\"b\n c\"");
    assert_eq!(at(flow.get("d").unwrap()), "ü");
    assert_eq!(at(root.get("e").unwrap()), "\"f\"");
    let keys = root.as_mapping().unwrap().iter().map(|entry| &text[entry.key.span().range()]);
    assert_eq!(keys.collect::<Vec<_>>(), ["é", "e", "h"]);
    let scalar = root.get("h").unwrap().as_scalar().unwrap();
    let part = scalar.span_of(Span::new(2, 3), &document.source);
    assert_eq!(&text[part.range()], "j");
}

#[test]
fn a_text_cannot_be_made_to_grow_without_end() {
    // Each of the lines would be indented by nearly a million.
    let wide = format!("{}a: [\n{}]\n", " ".repeat(900_000), "b,\n".repeat(1000));
    assert!(read(&wide).starts_with("yaml/syntax"));
    assert_eq!(
        read(&wide.replace(&" ".repeat(899_000), "")),
        format!("{{a=[{}]}}", ["<b>"; 1000].join(" "))
    );
}
