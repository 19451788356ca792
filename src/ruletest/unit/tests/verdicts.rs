//! Verdicts: what promtool says of the same files.

use super::{Folder, failures};

const RULES: &str = "
groups:
  - name: first
    interval: 7m
    rules:
      - {record: 'job:up:sum', expr: sum by (job) (up), labels: {kind: sum}}
      - alert: Down
        expr: up == 0
        for: 2m
        labels: {severity: page, empty: ''}
        annotations: {summary: '{{ $labels.job }} is {{ $value }} in {{ $externalLabels.cluster }}'}
  - name: second
    rules:
      - {alert: AnyDown, expr: 'count(ALERTS{alertname=\"Down\", alertstate=\"firing\"}) > 0'}
";

/// A file of tests for the rules.
fn file(tests: &str) -> Folder {
    Folder::new(&[
        ("rules.yaml", RULES),
        (
            "a_test.yaml",
            &format!("rule_files: [rules.yaml]\nevaluation_interval: 1m\ntests:\n{tests}"),
        ),
    ])
}

const DOWN: &str = "
  - interval: 1m
    external_labels: {cluster: eu}
    input_series: [{series: 'up{job=\"a\"}', values: '1 0 0 0 0 1 5'}]
";

#[test]
fn alerts_fire_at_the_times_that_promtool_says() {
    // Down from 1m, `for` 2m: fires from 3m until it is up again at 5m. The group's own interval of
    // 7m does not count. A check between two rounds looks at the earlier one.
    let report = file(&format!(
        "{DOWN}
    alert_rule_test:
      - {{alertname: Down, eval_time: 2m59s}}
      - alertname: Down
        eval_time: 3m
        exp_alerts: &fires
          - exp_labels: {{job: a, severity: page}}
            exp_annotations: {{summary: a is 0 in eu}}
      - {{alertname: Down, eval_time: 4m59s, exp_alerts: *fires}}
      - {{alertname: Down, eval_time: 5m}}
      # The second group sees what the first one has just written.
      - {{alertname: AnyDown, eval_time: 2m}}
      - {{alertname: AnyDown, eval_time: 3m, exp_alerts: [{{}}]}}
      - {{alertname: NoSuchAlert, eval_time: 3m}}
"
    ))
    .run("a_test.yaml");
    assert_eq!(failures(&report), Vec::<String>::new());
    let fired: Vec<_> = report.rules.iter().map(|rule| (rule.alert.as_str(), rule.fired)).collect();
    assert_eq!(fired, [("Down", true), ("AnyDown", true)]);
}

#[test]
fn what_differs_is_shown_line_by_line() {
    let report = file(&format!(
        "{DOWN}
    alert_rule_test:
      - alertname: Down
        eval_time: 3m
        exp_alerts: [{{exp_labels: {{job: b, severity: page}}, exp_annotations: {{summary: a is 0 in eu}}}}]
      - {{alertname: Down, eval_time: 1m, exp_alerts: [{{}}]}}
"
    ))
    .run("a_test.yaml");
    assert_eq!(report.counts(), (0, 1));
    let failures = &report.cases[0].failures;
    // In order of time.
    assert_eq!(failures[0].message, "Down at 1m: expected 1 firing alert, got 0");
    assert_eq!(
        failures[1].message,
        "Down at 3m: 1 firing alert as expected, with other labels or annotations"
    );
    let difference = failures[1].difference.as_ref().unwrap();
    assert_eq!(difference.expected.replace("job: b", "job: a"), difference.got);
    assert!(difference.got.contains("    alertname: Down\n"), "{}", difference.got);
    let line = report.source.line_column(failures[1].span.start).0;
    assert_eq!(report.source.text().lines().nth(line - 1).unwrap().trim(), "- alertname: Down");
}

#[test]
fn expressions_see_inputs_recorded_series_and_alerts() {
    let report = file(&format!(
        "{DOWN}
    promql_expr_test:
      - expr: 'job:up:sum'
        eval_time: 4m
        exp_samples: [{{labels: 'job:up:sum{{job=\"a\", kind=\"sum\"}}', value: 0}}]
      - expr: ALERTS
        eval_time: 2m
        exp_samples:
          - labels: 'ALERTS{{alertname=\"Down\", alertstate=\"pending\", job=\"a\", severity=\"page\"}}'
            value: 1
      # Active since 1m.
      - expr: ALERTS_FOR_STATE{{alertname=\"Down\"}} > 0
        eval_time: 3m
        exp_samples: [{{labels: 'ALERTS_FOR_STATE{{alertname=\"Down\", job=\"a\", severity=\"page\"}}', value: 60}}]
      # The pending series has an end: nothing looks back over it.
      - {{expr: 'ALERTS{{alertname=\"Down\", alertstate=\"pending\"}}', eval_time: 3m}}
      - {{expr: 'ALERTS', eval_time: 5m}}
      - {{expr: 1 + 1, eval_time: 1m, exp_samples: [{{value: 2}}]}}
      - {{expr: 0 / 0, exp_samples: [{{value: .nan}}]}}
      # What lies ahead is not known: the sample at 6m is not there yet.
      - {{expr: up offset -1m, eval_time: 5m, exp_samples: [{{labels: 'up{{job=\"a\"}}', value: 1}}]}}
"
    ))
    .run("a_test.yaml");
    assert_eq!(failures(&report), Vec::<String>::new());
}

#[test]
fn an_expression_that_gives_something_else_fails() {
    let tests = "
  - input_series: [{series: a, values: 1+2x3}]
    promql_expr_test:
      - {expr: a, eval_time: 1m, exp_samples: [{labels: a, value: 3}]}
      - {expr: a, eval_time: 1m, exp_samples: [{labels: a, value: 4}]}
      - {expr: a, eval_time: 1m, exp_samples: [{labels: '{}', value: 3}]}
      - {expr: a, eval_time: 1m}
      - {expr: 'a + on () group_left () (a or b)', eval_time: 1m, exp_samples: [{value: 6}]}
      - {expr: \"'text'\"}
";
    let report = file(tests).run("a_test.yaml");
    let messages = failures(&report);
    let heads: Vec<&str> = messages.iter().map(|m| m.split(" gives").next().unwrap()).collect();
    assert_eq!(heads, ["`a` at 1m", "`a` at 1m", "`a` at 1m", "`'text'`"], "{messages:?}");
    let difference = report.cases[0].failures[0].difference.as_ref().unwrap();
    assert_eq!((difference.expected.as_str(), difference.got.as_str()), ("a 4\n", "a 3\n"));
}

#[test]
fn fuzzy_compare_forgives_one_unit_in_the_last_place() {
    let test = "tests:\n- promql_expr_test: [{expr: 0.1 + 0.2, exp_samples: [{value: 0.3}]}]\n";
    for (fuzzy, failed) in [("", 1), ("fuzzy_compare: true\n", 0)] {
        let report = Folder::new(&[("a.yaml", &format!("{fuzzy}{test}"))]).run("a.yaml");
        assert_eq!(report.counts().1, failed, "{fuzzy}");
    }
}

#[test]
fn a_rule_that_cannot_be_evaluated_fails_the_test() {
    let rules = "
groups:
  - name: g
    rules: [{alert: Twice, expr: a, labels: {x: ''}, annotations: {}}]
";
    let test = "
rule_files: [r.yaml]
tests:
  - input_series: [{series: 'a{x=\"1\"}', values: 1x3}, {series: 'a{x=\"2\"}', values: 1x3}]
    alert_rule_test: [{alertname: Twice, eval_time: 2m}]
";
    let report = Folder::new(&[("r.yaml", rules), ("a.yaml", test)]).run("a.yaml");
    let messages = failures(&report);
    assert_eq!(messages.len(), 1, "nothing is compared after it: {messages:?}");
    assert!(messages[0].contains("Twice cannot be evaluated at 0s"), "{messages:?}");
    assert!(messages[0].contains("same labelset after applying alert labels"), "{messages:?}");
}

#[test]
fn the_order_of_groups_can_be_set() {
    let rules = "
groups:
  - {name: reads, rules: [{record: copy, expr: original}]}
  - {name: writes, rules: [{record: original, expr: vector(7)}]}
";
    let test = |order: &str, samples: &str| {
        format!(
            "rule_files: [r.yaml]\n{order}\ntests:\n- promql_expr_test:\n  - {{expr: copy, \
             eval_time: 0s, exp_samples: {samples}}}\n"
        )
    };
    for (order, samples) in [
        ("", "[]"),
        ("group_eval_order: [writes, reads]", "[{labels: copy, value: 7}]"),
        ("group_eval_order: [reads, writes]", "[]"),
    ] {
        let text = test(order, samples);
        let report = Folder::new(&[("r.yaml", rules), ("a.yaml", &text)]).run("a.yaml");
        assert_eq!(failures(&report), Vec::<String>::new(), "{order}");
    }
    let text = test("group_eval_order: [reads, reads]", "[]");
    let report = Folder::new(&[("r.yaml", rules), ("a.yaml", &text)]).run("a.yaml");
    assert!(report.broken && report.findings[0].message.contains("reads"));
}

#[test]
fn time_begins_where_the_test_says() {
    for (start, minute) in
        [("", 0), ("start_timestamp: 1800", 30), ("start_timestamp: 2026-05-04T10:15:00Z", 15)]
    {
        let test = format!(
            "tests:\n- promql_expr_test: [{{expr: minute(), exp_samples: [{{value: {minute}}}]}}]\n  {start}\n"
        );
        let report = Folder::new(&[("a.yaml", &test)]).run("a.yaml");
        assert_eq!(failures(&report), Vec::<String>::new(), "{start}");
    }
}
