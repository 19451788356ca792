//! What promtool refuses and what it takes, judged by the real one.

use std::fs;
use std::process::Command;

use crate::support::{TempDir, require_program};
use crate::{file, watchbell};

/// Whole files and rules. Prometheus 3 takes a few of what promtool 2 refuses (names with any
/// character, new functions, `offset 5` for five seconds); these are not among them.
fn cases() -> Vec<String> {
    let rules = [
        "alert: A\nexpr: up == 0",
        "alert: A\nexpr: up == 0\nfor: 5m\nlabels: {a: b}\nannotations: {c: '{{ $value }}'}",
        "alert: A\nexpr: up ==",
        "alert: A\nexpr: up == bool 0",
        "alert: A\nexpr: sum(rate(a[5m])) by (x",
        "alert: A\nexpr: rate(up)",
        "alert: A\nexpr: ratee(up[5m])",
        "alert: A\nexpr: up[5m]",
        "alert: A\nexpr: up{a=~'('}",
        "alert: A\nexpr: '{}'",
        "alert: A\nexpr: '{a=\"\"}'",
        "alert: A\nexpr: '1'",
        "alert: A\nexpr: '\"text\"'",
        "alert: A\nexpr: count_values('x', up) > 1",
        "alert: A\nexpr: a and on () b",
        "alert: A\nexpr: a and 1",
        "alert: A\nexpr: a + on (x) group_left (x) b",
        "alert: A\nexpr: a / ignoring (x) group_right b",
        "alert: A\nexpr: label_replace(a, 'b', 'c', 'd', '(')",
        "alert: A\nexpr: a > 1 > 2",
        "alert: A\nexpr: 1 > 2",
        "alert: A\nexpr: 1 > bool 2",
        "alert: A\nexpr: rate(a[5m:1m])",
        "alert: A\nexpr: rate(sum(a)[5m:])",
        "alert: A\nexpr: a @ end() > 1",
        "alert: A\nexpr: topk(a, b)",
        "alert: A\nexpr: sum(a, b)",
        "alert: A\nexpr: ''",
        "alert: A",
        "expr: up",
        "alert: A\nrecord: b\nexpr: up",
        "alert: ''\nexpr: up",
        "record: a:b\nexpr: up\nfor: 5m",
        "record: a:b\nexpr: up\nannotations: {a: b}",
        "record: a:b\nexpr: up\nlabels: {a: b}",
        "record: a{b}\nexpr: up",
        "alert: A\nexpr: up\nfor: five",
        "alert: A\nexpr: up\nfor: 0",
        "alert: A\nexpr: up\nfor: -5m",
        "alert: A\nexpr: up\nunknown: x",
        "alert: A\nexpr: up\nlabels: {__name__: x}",
        "alert: A\nexpr: up\nlabels: {a: '{{ $labels.b'}",
        "alert: A\nexpr: up\nannotations: {a: '{{ nothing }}'}",
        "alert: A\nexpr: up\nannotations: {a: '{{ $nothing }}'}",
        "alert: A\nexpr: up\nannotations: {a: '{{ if $value }}'}",
        "alert: A\nexpr: up\nannotations: {a: '{{ $labels.x | humanize }}'}",
        "alert: A\nexpr: up\nannotations: {a: '{{ query \"up\" | first | value }}'}",
        "alert: A\nexpr: up\nannotations: {a: }",
        "alert: A\nexpr: up\nlabels: [a]",
        "alert: A\nexpr: up\nlabels: {a: 1}",
        "alert: A\nexpr: up\nlabels: {a: b, a: c}",
        "alert: A\nexpr: up\nexpr: down",
        "alert: 5\nexpr: up",
        "alert: A\nexpr: 5",
        "alert: A\nexpr: up > 1e400",
        "alert: A\nexpr: up > 0xffffffffffffffff",
        "alert: A\nexpr: up > 1_e5",
        "alert: A\nexpr: limitk(1, up) > 0",
        "alert: A\nexpr: first_over_time(up[5m]) > 0",
        "alert: A\nexpr: up + on (job) fill (0) down > 0",
        "alert: A\nexpr: up @ 1700000000000 > 0",
        "alert: A\nexpr: up @ 1e19 > 0",
        "alert: A\u{feff}B\u{feff} # c\u{feff}\nexpr: up > 1",
        "alert: A\nexpr: anchored > 1",
        "alert: A\nexpr: 'up{a=\"\\xff\"} > 1'",
        "alert: A\nexpr: up{__name__=~'u.*'} > 1",
        // What the linter finds and promtool takes.
        "alert: A\nexpr: count(up) == 0",
        "alert: A\nexpr: up{a='b', a='c'}",
        "alert: A\nexpr: sum(a) / sum by (x) (b)",
        "alert: A\nexpr: up\nlabels: {a: '{{ $value }}'}",
    ];
    let files = [
        "",
        "{}",
        "groups:",
        "groups: []",
        "groups: {}",
        "groups: [{name: a}]",
        "groups: [{rules: []}]",
        "groups: [{name: a, rules: []}, {name: a, rules: []}]",
        "groups: [{name: a, interval: 1m, limit: 5, rules: []}]",
        "groups: [{name: a, interval: x}]",
        "groups: [{name: a, limit: x}]",
        "groups: [{name: a, other: x}]",
        "other: x",
        "groups: [",
        "a: b: c",
        "- a",
        "groups: []\n---\ngroups: []",
        "groups: []\n---\nkind: ConfigMap\n",
        "groups: []\n---\nkind: ConfigMap\n---\na: [\n",
        "kind: PrometheusRule\ngroups: []",
        "groups:\n-\n-\n",
        "groups: [{name: a, rules: [~, ]}]",
        "groups: [{}]",
        "groups: [{name: a, rules: [{}]}]",
        "groups: [{name: a, limit: 1.5}]",
        "groups: [{name: a, limit: 1e3}]",
        "groups: [{name: a, limit: 0888}]",
        "groups: [{name: a, limit: .inf}]",
        "groups: [{name: a, limit: 1e19}]",
        "groups: [{name: a, limit: !foo 5}]",
        "groups: [{name: !!int a}]",
        "groups: [{name: !!bool yes}]",
        "groups: [{name: a, labels: !up }]",
        "groups: [\n{name: a, rules: [\n{alert: A,\n\texpr: 'up\n'}]\n}\n]\n",
        "groups:\n- name: g\n  rules: [\n  {alert: A, expr: up},#c\n# ]\n]\n",
        " groups:\n- name: g\n  rules: {\n",
        "groups: []\n...\n}\n",
        "{groups: []}# c\n",
    ];
    // What follows a good rule.
    let tails = [
        "    for:\t5m\n",
        "\t\n    for: 5m\n",
        "    \t\n    for: 5m\n",
        "\t# c\n",
        "    labels: {\n  a: b\n}\n",
        "    labels: {a: b,\n\t\tc: d}\n",
        "    labels: {a: b\n\t}\n",
        "    labels: {<<: {a: b}, <<: {c: d}}\n",
        "    labels: {a: 'b'}#c\n",
        "    labels:\n      a: \"x\n  y\n\"\n      c: 'd\n\n\te'#f\n",
        "    annotations: {a: \"http:\\/\\/b\", c: \"it\\'s\"}\n",
        "    annotations: {c: \"it\\'s\"}\n",
        "    annotations:\n      a: |\n        b\n\t\n",
        "    annotations:\n      a: |#c\n        b\tc\n",
        "    annotations:\n      a: b: c\n      d:\te\n",
        "    for: !up\n",
        "    labels: {a: |}\n",
        "    labels: {a: >-, b: c}\n",
        "  -\n",
        "  -\talert: B\n    expr: up\n",
    ];
    let good = file("alert: A\nexpr: up == 0");
    let tails = tails.iter().map(|tail| format!("{good}{tail}"));
    let templates = templates()
        .into_iter()
        .map(|template| file(&format!("alert: A\nexpr: up\nannotations:\n  a: |\n    {template}")));
    let rules = rules.iter().map(|rule| file(rule));
    rules.chain(files.map(str::to_owned)).chain(tails).chain(templates).collect()
}

/// Templates that Go's parser takes or refuses where one might not think so.
fn templates() -> Vec<String> {
    let odd = [
        "{{ template \"nowhere\" . }}",
        "{{ $value | }}",
        "{{ \"x\" | $value }}",
        "{{ \"x\" | . }}",
        "{{ humanize.x }}",
        "{{ nil.x }}",
        "{{ ($x := 1) }}",
        "{{ $x = 1 }}",
        "{{ $x := $x }}",
        "{{ $x=1 }}",
        "{{ with . }}{{ $x := 1 }}{{ else }}{{ $x }}{{ end }}",
        "{{ with . }}{{ $x := 1 }}{{ end }}{{ $x }}",
        "{{ with . }}{{ else if $value }}{{ end }}",
        "{{ range $value, $labels }}{{ end }}",
        "{{ range $x, := . }}{{ end }}",
        "{{ block \"x\" . }}{{ end }}",
        "{{ block \"x\" }}{{ end }}",
        "{{- /* c */ -}}",
        "{{-  /* c */ -}}",
        "{{/*/}}",
        "{{ 1i }}",
        "{{ 0x1p4 }}",
        "{{ 1_0 }}",
        "{{ 1__0 }}",
        "{{ .Labels.x² }}",
    ];
    let chain = format!("{{{{ if 0 }}}}{}{{{{ end }}}}", "{{ else if 0 }}".repeat(300));
    let deep = format!("{}{}", "{{ if 1 }}".repeat(60), "{{ end }}".repeat(60));
    let long = "{{ 1 }}".repeat(20_000);
    odd.map(str::to_owned).into_iter().chain([chain, deep, long]).collect()
}

#[test]
fn what_promtool_refuses_is_an_error_and_nothing_else_is() {
    if !require_program("promtool") {
        return;
    }
    let work = TempDir::new("check");
    let mut refused = 0;
    for (number, text) in cases().into_iter().enumerate() {
        let name = format!("{number}.yaml");
        fs::write(work.path().join(&name), &text).unwrap();
        let promtool = Command::new("promtool")
            .args(["check", "rules", "--lint=none", &name])
            .current_dir(work.path())
            .output()
            .unwrap();
        let ours = watchbell(work.path(), &["--fail-on", "error", &name]);
        let said = format!(
            "{text}\npromtool: {}\nwatchbell: {}",
            String::from_utf8_lossy(&promtool.stderr),
            String::from_utf8_lossy(&ours.stdout)
        );
        assert!(matches!(ours.status.code(), Some(0 | 1)), "{said}");
        assert_eq!(promtool.status.success(), ours.status.success(), "{said}");
        refused += usize::from(!promtool.status.success());
    }
    assert!(refused > 30, "{refused}");
}
