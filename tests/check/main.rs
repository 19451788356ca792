//! `watchbell check` as its user runs it: beside promtool, with standard input, manifests and Git.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test stops at the first surprise

#[path = "../support/mod.rs"]
mod support;
mod verdicts;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use support::{Part, TempDir, free_port, require, require_program, wait_until};

fn watchbell(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_watchbell"));
    command.arg("check").args(arguments).current_dir(folder).output().unwrap()
}

/// The ids of the findings, and the exit code.
fn ids(output: &Output) -> (Vec<String>, i32) {
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    });
    let ids = findings.as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap().to_owned());
    (ids.collect(), output.status.code().unwrap())
}

/// A rule file with this as its only rule, indented.
fn file(rule: &str) -> String {
    let lines: Vec<String> = rule.lines().map(|line| format!("    {line}")).collect();
    format!("groups:\n- name: g\n  rules:\n  - {}\n", lines.join("\n").trim_start())
}

#[test]
fn rules_come_from_standard_input_and_out_of_manifests() {
    let work = TempDir::new("check");
    let manifest = "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: x\n\
                    spec:\n  groups:\n  - name: g\n    rules:\n    - alert: A\n      expr: count(up) == 0\n";
    let mut child = Command::new(env!("CARGO_BIN_EXE_watchbell"))
        .args(["check", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
    let (found, code) = ids(&child.wait_with_output().unwrap());
    assert_eq!((found.contains(&"promql/never-true".to_owned()), code), (true, 1), "{found:?}");
    fs::write(work.path().join("config"), file("alert: A\nexpr: up == 0")).unwrap();
    let named = watchbell(work.path(), &["./config", "--format", "json"]);
    assert_eq!(named.status.code(), Some(0), "a path that is called like a subcommand");
    fs::write(work.path().join("a_test.yaml"), "rule_files: [a.yaml]\ntests: []\n").unwrap();
    let expanded = watchbell(work.path(), &["a_test.yaml", "./config", "--format", "json"]);
    assert_eq!(expanded.status.code(), Some(0), "unit tests among what a shell has expanded");
    let subcommand = watchbell(work.path(), &["config", "./config"]);
    assert_eq!(subcommand.status.code(), Some(1), "no configuration");
}

#[test]
fn only_what_has_changed_since_a_commit_is_reported() {
    if !require_program("git") {
        return;
    }
    let work = TempDir::new("check");
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let done = Command::new("git")
            .args(identity)
            .args(arguments)
            .current_dir(work.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    let write = |name: &str, rule: &str| fs::write(work.path().join(name), file(rule)).unwrap();
    git(&["init", "-q"]);
    write("old.yaml", "alert: Old\nexpr: a_total > 5");
    write("record.yaml", "record: job:x:sum\nexpr: sum by (job) (x)");
    write("uses.yaml", "alert: Uses\nexpr: job:x:sum > 5");
    git(&["add", "."]);
    git(&["commit", "-qm", "base"]);
    let rules = |found: &Output| -> Vec<String> {
        let findings: Value = serde_json::from_slice(&found.stdout).unwrap();
        let rules =
            findings.as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap().to_owned());
        let mut rules: Vec<String> = rules.collect();
        rules.dedup();
        rules
    };
    let diff = || watchbell(work.path(), &["--diff", "HEAD", "--format", "json", "."]);
    assert_eq!(rules(&diff()), Vec::<String>::new());
    write("new.yaml", "alert: New\nexpr: b_total > 5");
    assert_eq!(rules(&diff()), ["New"]);
    write("record.yaml", "record: job:x:sum\nexpr: sum by (job) (y)");
    assert_eq!(rules(&diff()), ["New", "Uses"]);
    fs::remove_file(work.path().join("record.yaml")).unwrap();
    assert_eq!(rules(&diff()), ["New", "Uses"], "what it used is gone");
    let unknown = watchbell(work.path(), &["--diff", "nothing", "."]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("is no commit"));
}

#[test]
fn safe_changes_keep_comments_and_layout() {
    let work = TempDir::new("check");
    let before = "# Kept.\ngroups:\n- name: g   # kept\n  rules:\n  - alert: A\n    expr: |\n      \
                  up{job=~\"^api$\"} == 0   # kept, too\n";
    let path = work.path().join("a.yaml");
    fs::write(&path, before).unwrap();
    let fixed = watchbell(work.path(), &["--fix", "a.yaml"]);
    assert_eq!(fixed.status.code(), Some(0));
    let after = fs::read_to_string(&path).unwrap();
    assert_eq!(after, before.replace("job=~\"^api$\"", "job=\"api\""));
    assert!(String::from_utf8_lossy(&fixed.stdout).contains("; 1 change made"));
}

/// What a link leads to is changed, its mode is kept, and a file that may not be written stays whole.
#[test]
fn a_change_replaces_a_file_whole_or_not_at_all() {
    let work = TempDir::new("check-replace");
    let text = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up{job=~\"^api$\"} == 0\n";
    work.write("real.yaml", text);
    let path = work.path().join("real.yaml");
    std::os::unix::fs::symlink("real.yaml", work.path().join("link.yaml")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    let refused = watchbell(work.path(), &["--fix", "link.yaml"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("cannot write link.yaml") && said.contains("read-only"), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(watchbell(work.path(), &["--fix", "link.yaml"]).status.code(), Some(0));
    assert!(fs::read_to_string(&path).unwrap().contains("job=\"api\""));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(work.path().join("link.yaml")).unwrap().is_symlink());
    let left = fs::read_dir(work.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut left: Vec<_> = left.collect();
    left.sort();
    assert_eq!(left, ["link.yaml", "real.yaml"]);
}

#[test]
fn a_comment_that_disables_nothing_goes_and_all_else_stays() {
    let work = TempDir::new("check-disable");
    let line = |text: &str| {
        format!(
            "groups: # all\n- name: g\n{text}  rules:\n  - alert: A\n    for: 1m\n    expr: up == 0"
        )
    };
    let unused = "# watchbell: disable promql/counter-raw it was one once";
    let before = format!("{}  {unused}\n", line(&format!("  {unused}\n")));
    work.write("rules.yaml", &before);
    let done = watchbell(work.path(), &["--fix", "rules.yaml"]);
    assert!(done.status.success());
    let after = fs::read_to_string(work.path().join("rules.yaml")).unwrap();
    assert_eq!(after, format!("{}\n", line("")));
    // Nobody has looked for what needs the configuration, a schema or a Prometheus.
    for id in ["rule/external-label", "schema/metric", "online/history"] {
        let kept = format!("{}  # watchbell: disable {id} why\n", line(""));
        work.write("rules.yaml", &kept);
        let done = watchbell(work.path(), &["--fix", "rules.yaml", "--format", "json"]);
        assert!(!ids(&done).0.contains(&"check/disable".to_owned()), "{id}");
        assert_eq!(fs::read_to_string(work.path().join("rules.yaml")).unwrap(), kept);
    }
    work.write("schema.txt", "up 1\n");
    work.write("rules.yaml", &format!("{}  # watchbell: disable schema/metric why\n", line("")));
    let done =
        watchbell(work.path(), &["rules.yaml", "--schema", "schema.txt", "--format", "json"]);
    assert!(ids(&done).0.contains(&"check/disable".to_owned()));
}

/// A configuration's routes are for all of its rules, and a file of it is asked about alone.
#[test]
fn what_the_other_files_of_a_configuration_give_is_known() {
    let work = TempDir::new("check-beside");
    let rule = |name: &str, severity: &str| {
        file(&format!(
            "alert: {name}\nexpr: up == 0\nfor: 5m\nlabels: {{severity: {severity}}}\nannotations: {{summary: x}}"
        ))
    };
    fs::create_dir(work.path().join("rules")).unwrap();
    work.write("rules/a.yaml", &rule("A", "warning"));
    work.write("rules/b.yaml", &rule("B", "critical"));
    work.write(
        "w.yaml",
        "rule_files: ['rules/*.yaml']\n\
         route: {receiver: a, routes: [{receiver: b, matchers: [severity=critical]}]}\n\
         receivers: [{name: a, webhook_configs: [{url: 'http://a/'}]}, {name: b, webhook_configs: [{url: 'http://a/'}]}]\n\
         inhibit_rules: [{source_matchers: [alertname=B], target_matchers: [alertname=A], equal: [job]}]\n",
    );
    let routes = |arguments: &[&str]| -> Vec<String> {
        let all = [arguments, &["--config", "w.yaml", "--format", "json"]].concat();
        let (ids, _) = ids(&watchbell(work.path(), &all));
        ids.into_iter().filter(|id| id.starts_with("inhibit/")).collect()
    };
    assert_eq!(routes(&[]), Vec::<String>::new());
    assert_eq!(routes(&["./rules/a.yaml"]), Vec::<String>::new());
    // What is wrong in the others is nobody's question here.
    work.write("rules/b.yaml", &rule("B", "critical").replace("5m", "5"));
    let done = watchbell(work.path(), &["rules/a.yaml", "--config", "w.yaml"]);
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(!said.contains("b.yaml") && said.contains("1 rule in 1 file"), "{said}");
    fs::remove_file(work.path().join("rules/b.yaml")).unwrap();
    assert_eq!(routes(&["rules/a.yaml"]), ["inhibit/never"]);
}

#[test]
fn rules_are_checked_against_a_real_prometheus() {
    let Some(prometheus) = require(Part::Prometheus) else { return };
    let work = TempDir::new("check");
    let port = free_port().to_string();
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n- job_name: self\n  \
         static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
    );
    let folder = work.path().join("prometheus");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("prometheus.yml"), config).unwrap();
    let _peer = prometheus.start(&["--dir", folder.to_str().unwrap(), "--port", &port]);
    let url = format!("http://127.0.0.1:{port}");
    let rules = [
        "alert: A\nexpr: rate(prometheus_http_request_total[5m]) > 1",
        "alert: B\nexpr: rate(prometheus_tsdb_head_series[5m]) > 1",
        "alert: C\nexpr: up{jbo=\"self\"} == 0",
        "alert: D\nexpr: sum by (handler) (rate(prometheus_http_requests_total[5m])) > 1e9",
        "alert: E\nexpr: up == 1\nfor: 0s",
    ];
    for (number, rule) in rules.iter().enumerate() {
        fs::write(work.path().join(format!("{number}.yaml")), file(rule)).unwrap();
    }
    let schema = work.path().join("schema.json");
    let save = || {
        let saved = Command::new(env!("CARGO_BIN_EXE_watchbell"))
            .args(["schema", "--prometheus", &url, "-o", schema.to_str().unwrap()])
            .output()
            .unwrap();
        assert!(saved.status.success(), "{saved:?}");
        fs::read_to_string(&schema).unwrap()
    };
    // `up` is written last. A Prometheus lists the names of a scrape that it is still writing, so
    // the schema that shows `up` first may lack others.
    wait_until("the first scrape", || {
        let text = save();
        (text.contains("\"up\"") && text.contains("\"self\": 1000")).then_some(())
    });
    save();
    let found = |arguments: &[&str]| {
        let all =
            [arguments, &["--format", "json", "0.yaml", "1.yaml", "2.yaml", "3.yaml", "4.yaml"]];
        let output = watchbell(work.path(), &all.concat());
        let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
        let interesting = |f: &&Value| {
            let id = f["id"].as_str().unwrap();
            id.starts_with("schema/") || id.starts_with("online/")
        };
        let named =
            |f: &Value| format!("{} {}", f["rule"].as_str().unwrap(), f["id"].as_str().unwrap());
        findings.as_array().unwrap().iter().filter(interesting).map(named).collect::<Vec<_>>()
    };
    let wrong = ["A schema/metric", "B schema/type", "C schema/label"];
    assert_eq!(found(&["--schema", schema.to_str().unwrap()]), wrong);
    let mut online = found(&["--prometheus", &url]);
    online.retain(|found| !found.ends_with("online/history"));
    assert_eq!(online, wrong);
    let text = watchbell(work.path(), &["--prometheus", &url, "4.yaml"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("info[online/history]: would have fired once in the last day"), "{text}");
}
