//! What is no YAML, or more of it than is read.

use super::*;

#[test]
fn what_is_no_yaml_or_too_large_is_refused() {
    let deep_flow = format!("a: {}", "[".repeat(100_000));
    let deep_block = format!("{}x", "- ".repeat(100_000));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_string();
    for i in 1..20 {
        bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", "));
    }
    let mut merges = "m0: &m0 {".to_string();
    merges.extend((0..3000).map(|i| format!("k{i}: , ")));
    merges += "}\nl:\n";
    merges.extend((0..3000).map(|_| "- <<: *m0\n"));
    let aliases = format!("a: &a {}\nl: [{}]\n", "x".repeat(900_000), "*a, ".repeat(200));
    let chain: String = (0..70)
        .map(|i| {
            format!("a{i}: &a{i} [{}]\n", if i == 0 { "x".into() } else { format!("*a{}", i - 1) })
        })
        .collect();
    for (text, expected) in [
        ("a: b: c\n".to_string(), "yaml/syntax f.yml:1:5: this is not valid YAML: mapping values"),
        ("a: [1\n".to_string(), "yaml/syntax"),
        (
            "a: [b: |]\n".to_string(),
            "yaml/syntax f.yml:1:8: this is not valid YAML: a block scalar",
        ),
        ("a: *x\n".to_string(), "yaml/syntax f.yml:1:4"),
        ("é: b: c\n".to_string(), "yaml/syntax f.yml:1:5"),
        ("a: &a [*a]\n".to_string(), "yaml/limit f.yml:1:8: an alias stands inside"),
        ("a: \0b\n".to_string(), "yaml/syntax f.yml:1:4: the control character U+0000"),
        (deep_flow, "yaml/limit"),
        (deep_block, "yaml/limit f.yml:1:129: the nesting is too deep"),
        (bomb, "yaml/limit f.yml:6:"),
        (chain, "yaml/limit f.yml:64:"),
        (merges, "yaml/limit"),
        (aliases, "yaml/limit"),
        (format!("a: {}", "x".repeat(MAX_LINE)), "yaml/limit f.yml:1:1: the line is too long"),
        (" \n".repeat(MAX_TEXT), "yaml/limit f.yml:1:1: the file is too large"),
        (format!("[{}]", "1,\n".repeat(300_000)), "yaml/limit"),
    ] {
        let found = messages(&load(&source(&text)).unwrap_err());
        let short: String = text.chars().take(60).collect();
        assert!(found[0].starts_with(expected), "{short:?}: {found:?}");
    }
}

#[test]
fn findings_are_capped() {
    let document = tree(&"a: 1\n".repeat(MAX_FINDINGS + 10));
    assert_eq!(document.diagnostics.len(), MAX_FINDINGS);
    let mut reader = Reader::new(&document);
    reader.error("yaml/type", Span::at(0), "one more");
    assert!(reader.has_errors());
    let findings = reader.into_diagnostics();
    assert_eq!(findings.len(), MAX_FINDINGS + 1);
    assert!(findings[MAX_FINDINGS].message.contains("not shown"));
}
