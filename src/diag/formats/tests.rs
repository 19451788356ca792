//! Each form on one finding with everything that a finding can have.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::diag::{Diagnostic, Severity, SourceFile, Span, Style, render_text};

const TEXT: &str = "groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up{job=~\"é\"} == 0\n";

fn sample() -> Diagnostic {
    let source = Arc::new(SourceFile::new("rules/a, b.yaml", TEXT));
    let other = Arc::new(SourceFile::new("watchbell.yaml", "route:\n  receiver: x\n"));
    let at = TEXT.find("=~").unwrap();
    Diagnostic::new("promql/regex", Severity::Bug, &source, Span::new(at, at + 6), "100% a: \"b\"")
        .caret("here")
        .label(Span::new(10, 14), "in this group")
        .label_in(&other, Span::new(9, 17), "told here")
        .note("it matters")
        .help("do this")
        .rule("A")
        .fix("compare with `=`", Span::new(at, at + 2), "=")
}

#[test]
fn json_has_the_documented_fields_only() {
    let found: Value = serde_json::from_str(&render_findings_json(&[sample()])).unwrap();
    let expected = json!([{
        "id": "promql/regex",
        "severity": "bug",
        "message": "100% a: \"b\": here",
        "file": "rules/a, b.yaml",
        "line": 5, "column": 17, "end_line": 5, "end_column": 22,
        "rule": "A",
        "labels": [
            { "line": 2, "column": 3, "text": "in this group" },
            { "file": "watchbell.yaml", "line": 2, "column": 3, "text": "told here" },
        ],
        "note": "it matters\ndo this",
        "fix": {
            "message": "compare with `=`",
            "edits": [{ "line": 5, "column": 17, "end_line": 5, "end_column": 19, "text": "=" }],
        },
    }]);
    assert_eq!(found, expected);
    assert_eq!(render_findings_json(&[]), "[]\n");
}

#[test]
fn a_command_of_github_is_one_line() {
    let expected = "::error file=rules/a%2C b.yaml,line=5,endLine=5,col=17,endColumn=22,\
                    title=promql/regex (A)::100%25 a: \"b\": here%0Ait matters%0Ado this\n";
    assert_eq!(render_github(&[sample()]), expected);
}

#[test]
fn a_fingerprint_of_gitlab_outlives_moved_lines_and_tells_two_apart() {
    let moved = Arc::new(SourceFile::new("rules/a, b.yaml", format!("\n\n{TEXT}")));
    let mut second = sample();
    second.source = moved;
    let one: Value = serde_json::from_str(&render_gitlab(&[sample()])).unwrap();
    let two: Value = serde_json::from_str(&render_gitlab(&[second])).unwrap();
    assert_eq!(one[0]["fingerprint"], two[0]["fingerprint"]);
    let both: Value = serde_json::from_str(&render_gitlab(&[sample(), sample()])).unwrap();
    assert_ne!(both[0]["fingerprint"], both[1]["fingerprint"]);
    assert_eq!(one[0]["description"], "A: 100% a: \"b\": here");
    assert_eq!(one[0]["severity"], "major");
    assert_eq!(
        one[0]["location"],
        json!({"path": "rules/a, b.yaml", "lines": {"begin": 5, "end": 5}})
    );
}

#[test]
fn sarif_has_places_and_the_change() {
    let described = [Described {
        id: "promql/regex",
        severity: Severity::Bug,
        title: "a title",
        page: "# a page".to_string(),
    }];
    let log: Value = serde_json::from_str(&render_sarif(&[sample()], &described)).unwrap();
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"][0]["shortDescription"]["text"], "a title");
    let result = &run["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&json!("promql/regex"), &json!("error")));
    let region = json!({"startLine": 5, "startColumn": 17, "endLine": 5, "endColumn": 22});
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["region"], region);
    assert_eq!(place["artifactLocation"]["uri"], "rules/a,%20b.yaml");
    assert_eq!(result["relatedLocations"][1]["message"]["text"], "told here");
    let change = &result["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(change["insertedContent"]["text"], "=");
}

#[test]
fn junit_fails_what_counts_and_passes_a_clean_file() {
    let files = ["rules/a, b.yaml", "rules/clean.yaml"];
    let xml = render_junit(&files, &[sample()], &|_| true).unwrap();
    assert!(xml.contains("tests=\"2\" skipped=\"0\" failures=\"1\""), "{xml}");
    assert!(xml.contains("name=\"A: promql/regex at 5:17\""), "{xml}");
    assert!(xml.contains("type=\"bug\""), "{xml}");
    let xml = render_junit(&files, &[sample()], &|_| false).unwrap();
    assert!(xml.contains("failures=\"0\""), "{xml}");
    assert!(xml.contains("it matters"), "{xml}");
}

#[test]
fn text_shows_the_change_as_lines() {
    let text = render_text(&[sample()], Style::Plain);
    assert!(text.contains("help: compare with `=`\n"), "{text}");
    assert!(text.contains("up{job=~\"é\"} == 0") && text.contains("up{job=\"é\"} == 0"), "{text}");
}
