//! Files that cannot be used: each mistake with its place.

use super::Folder;

/// `line:column: message` of every finding; the file cannot be used.
fn findings(text: &str) -> Vec<String> {
    let folder = Folder::new(&[("r.yaml", "groups: []\n"), ("a.yaml", text)]);
    let report = folder.run("a.yaml");
    assert!(report.broken, "{text}");
    assert_eq!(report.counts(), (0, 1));
    let findings = report.findings.iter().map(|finding| {
        let (line, column) = finding.line_column();
        let help = finding.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{line}:{column}: {}{help}", finding.message)
    });
    findings.collect()
}

fn first(text: &str) -> String {
    findings(text).into_iter().next().unwrap()
}

#[test]
fn a_mistake_names_its_place() {
    assert_eq!(
        first("rule_file: [r.yaml]\n"),
        "1:1: unknown key `rule_file` in the test file (did you mean `rule_files`?)"
    );
    assert_eq!(
        first("tests:\n- alert_rule_tests: []\n"),
        "2:3: unknown key `alert_rule_tests` in a test (did you mean `alert_rule_test`?)"
    );
    assert_eq!(
        first("tests:\n- alert_rule_test: [{eval_time: 1m}]\n"),
        "2:21: an item of `alert_rule_test` needs `alertname`"
    );
    let text = first("tests:\n- promql_expr_test: [{expr: 'sum(up) +'}]\n");
    assert!(text.starts_with("2:39: the expression ends"), "{text}");
    let text = first("tests:\n- input_series: [{series: 'up{job=a}', values: '1'}]\n");
    assert!(text.starts_with("2:"), "{text}");
    let text = first("tests:\n- input_series: [{series: up, values: '1 2 threee'}]\n");
    assert!(text.starts_with("2:44: "), "{text}");
    let text = first("tests:\n- interval: 0s\n");
    assert_eq!(text, "2:13: `interval`: must be more than zero");
    let text = first("evaluation_interval: soon\n");
    assert!(text.starts_with("1:22: `evaluation_interval`"), "{text}");
    let text = first("tests:\n- start_timestamp: yesterday\n");
    assert!(text.starts_with("2:20: `start_timestamp`: expected seconds since 1970"), "{text}");
    let text = first("tests:\n- {notification_test: [{exp_notifications: []}]}\n");
    assert!(text.contains("needs `config_file`"), "{text}");
    let text = first("config_file: no.yaml\ntests:\n- {notification_test: [{exp_held: []}]}\n");
    assert!(text.starts_with("1:14: ") && text.contains("no.yaml"), "{text}");
    assert!(first("tests: [").starts_with("1:"), "no YAML");
}

#[test]
fn all_mistakes_come_at_once() {
    let found = findings("a: 1\ntests:\n- {name: x, b: 2}\n- {promql_expr_test: [{expr: '('}]}\n");
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn a_broken_rule_file_is_named() {
    let folder = Folder::new(&[
        ("r.yaml", "groups: [{name: g, rules: [{alert: A, expr: 'up =='}]}]\n"),
        ("a.yaml", "rule_files: [r.yaml]\ntests: []\n"),
    ]);
    let report = folder.run("a.yaml");
    assert!(report.broken);
    assert!(report.findings[0].source.path().ends_with("r.yaml"), "{}", report.findings[0]);
    let report = Folder::new(&[("a.yaml", "rule_files: [gone.yaml]\n")]).run("a.yaml");
    assert!(report.broken && report.findings[0].message.contains("gone.yaml"));
    let report =
        Folder::new(&[("a.yaml", "rule_files: ['gone*.yaml']\ntests: []\n")]).run("a.yaml");
    assert!(!report.broken, "as promtool, which only warns");
    assert_eq!(report.findings[0].message, "no file matches `gone*.yaml`");
}

#[test]
fn a_test_that_would_never_end_is_refused() {
    let text =
        "evaluation_interval: 1ms\ntests:\n- promql_expr_test: [{expr: '1', eval_time: 10y}]\n";
    let report = Folder::new(&[("a.yaml", text)]).run("a.yaml");
    assert!(report.cases[0].failures[0].message.contains("2000000 evaluation intervals"));
}
