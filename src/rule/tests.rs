use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::diag::{Diagnostic, Severity, SourceFile, Span};

fn checked(text: &str) -> (Vec<RuleGroup>, Vec<Diagnostic>) {
    check(&Arc::new(SourceFile::new("r.yml", text)))
}

fn good(text: &str) -> Vec<RuleGroup> {
    let (groups, findings) = checked(text);
    assert!(findings.is_empty(), "{findings:?}");
    groups
}

fn found(findings: &[Diagnostic]) -> Vec<String> {
    let show = |d: &Diagnostic| {
        let (line, column) = d.line_column();
        format!("{line}:{column} {}", d.id)
    };
    findings.iter().map(show).collect()
}

const GOOD: &str = "\
groups:
- name: a
  interval: 30s
  query_offset: 0s
  limit: 5
  labels: {team: infra, severity: none}
  rules:
  - alert: Down
    expr: |
      up
        == 0
    for: 1m
    keep_firing_for: 1h30m
    labels:
      severity: critical
    annotations:
      summary: '{{ $labels.instance }} is down'
  - record: job:up:sum
    expr: sum by (job) (up)
    labels: {n: 1}
  - alert: Down
    expr: up == 2
- name: b
  interval: 0s
  rules:
";

#[test]
fn a_file_becomes_groups() {
    let groups = good(GOOD);
    let [a, b] = groups.as_slice() else { panic!("{groups:?}") };
    assert_eq!((a.name.as_str(), a.file.as_str(), a.limit), ("a", "r.yml", 5));
    assert_eq!(a.interval, Some(Duration::from_secs(30)));
    assert_eq!(a.query_offset, Some(Duration::ZERO));
    assert_eq!((b.interval, b.query_offset, b.limit, b.rules.len()), (None, None, 0, 0));
    let [Rule::Alerting(down), Rule::Recording(record), Rule::Alerting(second)] =
        a.rules.as_slice()
    else {
        panic!("{:?}", a.rules)
    };
    assert_eq!(down.key.to_string(), "r.yml;a;Down");
    assert_eq!(second.key.to_string(), "r.yml;a;Down;1");
    assert_eq!((down.query.as_str(), down.line), ("up\n  == 0\n", 8));
    assert_eq!(down.for_duration, Duration::from_secs(60));
    assert_eq!(down.keep_firing_for, Duration::from_secs(5400));
    let names = |rule: &AlertingRule| -> Vec<String> {
        rule.labels.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(down), ["severity", "team"]);
    let texts: Vec<_> = down.places.labels.iter().map(|l| (l.text(), l.from_group)).collect();
    assert_eq!(texts, [("critical", false), ("infra", true)], "the rule's label wins");
    assert_eq!(down.annotations.len(), 1);
    assert_eq!(record.name, "job:up:sum");
    let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
    let expected = [pair("n", "1"), pair("severity", "none"), pair("team", "infra")];
    assert_eq!(record.labels, expected, "a number is taken as it is written");
    // A place in the expression leads to the file.
    let span = a.rules[0].expr_span(Span::new(5, 7));
    assert_eq!(&GOOD[span.range()], "==");
}

/// Prometheus parses the labels of rules when it reads them, those of groups when it expands them.
#[test]
fn a_label_of_a_group_need_not_parse() {
    for own in ["", ", labels: {a: b}"] {
        let text = format!(
            "groups:\n- name: g\n  labels: {{a: '{{{{ foo }}}}'}}\n  rules: [{{alert: A, expr: up{own}}}]\n"
        );
        let groups = good(&text);
        let Some(alert) = groups[0].rules[0].as_alerting() else { panic!("{groups:?}") };
        let refusal = alert.labels[0].1.refusal().map(|error| error.message.as_str());
        assert_eq!(refusal, own.is_empty().then_some("unknown function `foo`"), "{own}");
    }
}

#[test]
fn every_mistake_is_found_at_once() {
    let text = "\
groups:
- name: a
  intervall: 30s
  interval: 30
  labels: {__name__: x, t: '{{ .Bad'}
  rules:
  - alert: A
    expr: |
      up ==
        )
    for: soon
    anotations: {}
    annotations:
      summary: |
        fine
        {{ $labels.x }
    labels:
      __name__: x
      '': y
  - record: b{c=\"d\"}
    expr: up
    for: 1m
    annotations: {x: y}
  - record: c
    alert: C
    expr: up
  - expr: up
  - alert: D
    alert: E
    expr: ''
  - nothing
- name: a
  rules: []
- rules: []
- name: c
  partial_response_strategy: warn
";
    let (_, findings) = checked(text);
    assert_eq!(
        found(&findings),
        [
            "3:3 yaml/unknown-key",
            "4:13 yaml/value",
            "5:12 rule/forbidden-label",
            "10:9 promql/syntax",
            "11:10 yaml/value",
            "12:5 yaml/unknown-key",
            "16:22 template/syntax",
            "18:7 rule/forbidden-label",
            "19:7 rule/label-name",
            "20:13 rule/metric-name",
            "22:5 rule/recording",
            "23:5 rule/recording",
            "25:12 rule/kind",
            "27:5 rule/kind",
            "29:5 yaml/duplicate-key",
            "30:11 yaml/value",
            "31:5 yaml/type",
            "32:9 rule/duplicate-group",
            "34:3 yaml/missing-key",
            "36:3 yaml/unknown-key",
        ]
    );
    assert_eq!(findings[0].help.as_deref(), None, "`interval` is there already");
    assert_eq!(findings[5].help, None, "`annotations` is there already");
    assert_eq!(findings[3].rule.as_deref(), Some("A"));
    assert_eq!(findings[18].rule, None);
}

#[test]
fn what_prometheus_accepts_is_accepted() {
    for text in [
        "",
        "# nothing\n",
        "groups:\n",
        "groups: []\n",
        "groups: [{name: a}]\n",
        // Recording rules may have what is empty or 0.
        "groups: [{name: a, rules: [{record: b, expr: 1, for: 0s, annotations: {}}]}]\n",
        // Prometheus 3 takes any UTF-8 name.
        "groups: [{name: é, rules: [{record: a.b, expr: up, labels: {a.b-c: d}}]}]\n",
        "groups: [{name: a, rules: [{alert: a b, expr: up, annotations: {'a b': ~, __name__: x}}]}]\n",
        "groups: [{name: a, limit: -1, rules: [{alert: A, expr: up, for: 0, labels: }]}]\n",
        // Anchors and merge keys.
        "groups: [{name: a, rules: [&r {alert: A, expr: up}, {<<: *r, alert: B}]}]\n",
    ] {
        good(text);
    }
    let (groups, findings) = checked("groups: [{name: a}]\n---\ngroups: 1\n");
    assert_eq!((groups.len(), findings.len()), (1, 1));
    assert_eq!(findings[0].severity, Severity::Warning);
    // Go leaves out items that are nothing.
    let (groups, findings) =
        checked("groups:\n- name: a\n  rules:\n  -\n  - {alert: A, expr: up}\n-\n");
    assert_eq!((groups.len(), groups[0].rules.len()), (1, 1));
    assert_eq!(found(&findings), ["4:4 yaml/value", "6:2 yaml/value"]);
    assert!(findings.iter().all(|finding| finding.severity == Severity::Warning));
}

#[test]
fn equality_is_of_meaning_not_of_place() {
    let groups = good(GOOD);
    let moved = good(&GOOD.replace("groups:\n", "# moved\ngroups:\n\n"));
    assert_eq!(groups, moved);
    for (from, to) in [
        ("interval: 30s", "interval: 31s"),
        ("limit: 5", "limit: 6"),
        ("query_offset: 0s", "query_offset: 1s"),
        ("team: infra", "team: web"),
        ("is down", "is off"),
        ("for: 1m", "for: 2m"),
        ("keep_firing_for: 1h30m", "keep_firing_for: 1h"),
        ("== 0", "== 1"),
        ("n: 1", "n: 2"),
        ("alert: Down", "alert: Off"),
    ] {
        assert_ne!(groups, good(&GOOD.replacen(from, to, 1)), "{from} to {to}");
    }
}

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("watchbell-{name}-{}", std::process::id()));
        std::fs::create_dir_all(path.join("rules")).unwrap();
        Self(path)
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(path), bytes).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn patterns(list: &[&str]) -> Vec<RulePattern> {
    list.iter().map(|pattern| RulePattern::argument(*pattern)).collect()
}

#[test]
fn patterns_become_files() {
    let folder = Folder::new("patterns [1]");
    folder.write("rules/b.yaml", "groups: [{name: b}]");
    folder.write("rules/a.yaml", "groups: [{name: a}]\n---\n");
    folder.write("rules/c.txt", "groups: [{name: c}]");
    std::fs::create_dir_all(folder.0.join("rules/..data")).unwrap();
    folder.write("rules/..data/a.yaml", "groups: [{name: a}]");
    let list = patterns(&["rules/*.yaml", "rules/*.none", "rules/c.txt", "**/a.y*"]);
    let set = load_files(&folder.0, &list).unwrap();
    let names: Vec<_> = set.groups.iter().map(|g| (g.file.as_str(), g.name.as_str())).collect();
    assert_eq!(names, [("rules/a.yaml", "a"), ("rules/b.yaml", "b"), ("rules/c.txt", "c")]);
    assert_eq!(set.files.len(), 3);
    assert_eq!(set.unmatched.len(), 1);
    assert_eq!(set.unmatched[0].pattern, "rules/*.none");
    assert_eq!(set.warnings.len(), 1, "the second document");
    let absolute = folder.0.join("rules/b.yaml").display().to_string();
    let pattern = glob::Pattern::escape(&absolute);
    let set = load_files(Path::new("elsewhere"), &patterns(&[&pattern])).unwrap();
    assert_eq!(set.groups[0].file, absolute);
}

#[test]
fn mistakes_of_all_files_come_together() {
    let folder = Folder::new("mistakes");
    folder.write("rules/a.yaml", "groups: [{nam: a}]");
    folder.write("rules/b.yaml", "groups: [{name: b, rules: [{}]}]");
    folder.write("rules/c.yaml", b"groups: \xff");
    let list = patterns(&["rules/*.yaml", "missing.yaml", "rules/[.yaml"]);
    let findings = load_files(&folder.0, &list).unwrap_err();
    assert_eq!(
        found(&findings),
        [
            "1:10 yaml/missing-key",
            "1:11 yaml/unknown-key",
            "1:28 rule/kind",
            "1:28 yaml/missing-key",
            "1:1 rule/file",
            "1:1 rule/file",
            "1:1 rule/file",
        ]
    );
    assert!(findings[4].message.contains("c.yaml is not UTF-8: line 1"), "{findings:?}");
    assert!(findings[5].message.starts_with("cannot read "), "{findings:?}");
    assert!(findings[6].message.starts_with("not a valid pattern"), "{findings:?}");
}

fn rule_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.display().to_string();
        if path.is_dir() {
            rule_files(&path, files);
        } else if [".yaml", ".yml"].iter().any(|end| name.ends_with(end)) {
            files.push(path);
        }
    }
}

/// Every rule file of two public collections loads; promtool 2.42 accepts all of them but the
/// files of rule tests. The collections lie beside the repository where they are there at all.
#[test]
fn public_rule_collections_load() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(corpus) =
        root.ancestors().map(|a| a.join("shared/corpus")).find(|corpus| corpus.is_dir())
    else {
        // Written past the test runner, which would keep it to itself.
        let skipped = "public_rule_collections_load skipped: no folder shared/corpus";
        let _ = writeln!(std::io::stderr(), "{skipped} beside the repository");
        return;
    };
    let mut files = Vec::new();
    for collection in ["awesome-prometheus-alerts", "wikimedia-alerts"] {
        rule_files(&corpus.join(collection), &mut files);
    }
    let is_test = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().ends_with("_test");
    files.retain(|path| !is_test(path));
    assert!(files.len() > 200, "{} files", files.len());
    let mut rules = 0;
    let mut bad = String::new();
    for path in files {
        let source = crate::yaml::read_file(&path).unwrap();
        let (groups, findings) = check(&source);
        for rule in groups.iter().flat_map(|g| &g.rules) {
            // Letters have no escapes, so each stands in the file as it is in the text.
            let query = rule.query();
            let first = query.find(|c: char| c.is_ascii_alphanumeric()).unwrap();
            let last = query.rfind(|c: char| c.is_ascii_alphanumeric()).unwrap();
            for at in [first, last] {
                let span = rule.expr_span(Span::new(at, at + 1));
                assert_eq!(source.text()[span.range()], query[at..=at], "{}", rule.name());
            }
        }
        rules += groups.iter().map(|g| g.rules.len()).sum::<usize>();
        let style = crate::diag::Style::Plain;
        bad += &crate::diag::render_text(&findings, style);
    }
    assert!(bad.is_empty(), "{bad}");
    assert_eq!(rules, 1315, "promtool counts as many");
}

/// A good file with some of its characters replaced or removed.
fn damaged() -> impl Strategy<Value = String> {
    let change = (0..GOOD.len(), 0..4_usize, "[ \\-:{}\\[\\]\"'|>&*a0é\n\t(]{0,3}");
    prop::collection::vec(change, 1..6).prop_map(|changes| {
        let mut text = GOOD.to_string();
        for (at, len, insert) in changes {
            let at = text.floor_char_boundary(at);
            let end = text.floor_char_boundary(at + len);
            text.replace_range(at..end.max(at), &insert);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in prop_oneof![damaged(), any::<String>()]) {
        let (_, findings) = checked(&text);
        for finding in &findings {
            prop_assert!(text.get(finding.span.range()).is_some(), "{:?}", finding);
        }
        crate::diag::render_text(&findings, crate::diag::Style::Plain);
    }
}
