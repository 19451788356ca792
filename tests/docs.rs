//! The documents that are made from the program say what the program says.

// A test that cannot go on has failed.
#![allow(clippy::expect_used)]

use std::fmt::Write;
use std::path::Path;

use watchbell::model::Timestamp;
use watchbell::telemetry::{BuildInfo, MetricKind, Metrics};

/// `docs/metrics.md` as the table of metrics gives it.
fn metrics_page() -> String {
    let build = BuildInfo { version: String::new(), revision: String::new() };
    let metrics = Metrics::new(&build, Timestamp::default());
    let mut page = String::from(
        "# Metrics\n\nWhat `/metrics` holds, in the OpenMetrics text format. This page is made from \
         the table of metrics in the\nprogram: `WATCHBELL_WRITE_DOCS=1 cargo test --test docs` \
         writes it anew.\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n",
    );
    for doc in metrics.docs() {
        let kind = match doc.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        let labels: Vec<String> = doc.labels.iter().map(|l| format!("`{l}`")).collect();
        let _ =
            writeln!(page, "| `{}` | {kind} | {} | {} |", doc.name, labels.join(", "), doc.help);
    }
    page
}

#[test]
fn every_metric_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let page = metrics_page();
    if std::env::var_os("WATCHBELL_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).expect("docs/metrics.md is there");
    assert!(page.lines().count() > 20, "the table has shrunk: {page}");
    assert_eq!(written, page, "write docs/metrics.md anew: WATCHBELL_WRITE_DOCS=1");
}

/// The files of `docs/checks/` by name, as the checks give them.
fn check_pages() -> Vec<(String, String)> {
    let pages = watchbell::lint::pages();
    let mut index = String::from(
        "# Checks\n\nWhat `watchbell check` finds. These pages are made from the checks themselves: \
         `WATCHBELL_WRITE_DOCS=1 cargo test --test docs`\nwrites them anew; `watchbell check \
         --explain ID` prints them.\n\n| id | severity | finds |\n|---|---|---|\n",
    );
    let mut files = Vec::new();
    for page in pages {
        let file = format!("{}.md", page.id.replace('/', "-"));
        let severity = page.severity.as_str();
        let _ = writeln!(index, "| [{}]({file}) | {severity} | {} |", page.id, page.title);
        files.push((file, page.page));
    }
    files.push(("README.md".to_string(), index));
    files.sort();
    files
}

#[test]
fn every_check_has_its_page() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checks");
    let pages = check_pages();
    if std::env::var_os("WATCHBELL_WRITE_DOCS").is_some() {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        for (file, page) in &pages {
            std::fs::write(folder.join(file), page).expect("a page can be written");
        }
    }
    let entries = std::fs::read_dir(&folder).expect("docs/checks is there");
    let mut written: Vec<(String, String)> = entries
        .map(|entry| {
            let entry = entry.expect("an entry can be read");
            let text = std::fs::read_to_string(entry.path()).expect("a page can be read");
            (entry.file_name().to_string_lossy().into_owned(), text)
        })
        .collect();
    written.sort();
    assert!(pages.len() > 30, "the table has shrunk");
    assert!(written == pages, "write docs/checks anew: WATCHBELL_WRITE_DOCS=1");
}

#[test]
fn the_shipped_rules_have_a_runbook_each() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/runbooks.md")).expect("it is there");
    let pattern = watchbell::rule::RulePattern::argument("rules/*.yaml");
    let rules = watchbell::rule::load_files(root, &[pattern]).expect("the shipped rules are good");
    let names: std::collections::BTreeSet<&str> =
        rules.groups.iter().flat_map(|group| &group.rules).map(|rule| rule.name()).collect();
    assert_eq!(names.len(), 7, "{names:?}");
    for name in names {
        assert!(page.contains(&format!("\n## {name}\n")), "docs/runbooks.md lacks {name}");
    }
}

#[test]
fn the_built_in_alerts_are_documented() {
    use watchbell::alerting::{BuiltinAlert, BuiltinConfig};
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/builtin-alerts.md")).expect("it is there");
    for alert in BuiltinAlert::ALL {
        let title = format!("\n## {}\n", alert.as_str());
        assert!(page.contains(&title), "docs/builtin-alerts.md lacks {}", alert.as_str());
    }
    for rule in &BuiltinConfig::default().group.rules {
        let rule = rule.as_alerting().expect("they are alerts");
        let label = |name: &str| {
            let label = rule.labels.iter().find(|(known, _)| known == name);
            label.map(|(_, text)| text.text()).unwrap_or_default()
        };
        let hold = watchbell::model::format_duration(rule.for_duration);
        let row = format!(
            "| [{0}](#{1}) | {2} | {hold} |",
            rule.name,
            rule.name.to_lowercase(),
            label("severity")
        );
        assert!(page.contains(&row), "docs/builtin-alerts.md lacks the row {row}");
    }
}

#[test]
fn the_shipped_configurations_are_good_and_tell_of_every_end() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = [
        ("deploy/local.yaml", 1),
        ("deploy/watchbell.yaml", 2),
        ("deploy/local-stack/watchbell.yaml", 2),
    ];
    for (file, receivers) in shipped {
        let loaded = watchbell::config::Loaded::load(&root.join(file))
            .unwrap_or_else(|error| panic!("{file}: {error}"));
        let warnings: Vec<String> = loaded.warnings().map(ToString::to_string).collect();
        assert!(warnings.is_empty(), "{file}: {warnings:?}");
        assert_eq!(loaded.rules.groups.len(), 2, "{file}");
        assert_eq!(loaded.receivers.len(), receivers, "{file}");
        for integration in loaded.receivers.iter().flat_map(|r| &r.integrations) {
            assert!(integration.send_resolved, "{file}: {}", integration.id);
        }
    }
}

#[test]
fn nothing_is_to_be_said_about_what_is_shipped() {
    use watchbell::lint::{Project, Routes, Settings, lint, read};
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = |name: &str| watchbell::yaml::read_file(&root.join(name)).expect("it is there");
    let rules = ["rules/mlflow.yaml", "rules/mlflow_training.yaml"];
    let files = rules.iter().flat_map(|name| read(&file(name), true)).collect();
    let config = watchbell::config::Config::load(&root.join("deploy/watchbell.yaml"));
    let config = config.expect("it is good");
    let project = Project::new(files, Settings::default()).with_routes(Routes::new(config));
    let findings = lint(&project, 1);
    let grave = |f: &&watchbell::diag::Diagnostic| f.severity > watchbell::diag::Severity::Info;
    let grave: Vec<String> = findings.iter().filter(grave).map(ToString::to_string).collect();
    assert!(grave.is_empty(), "{grave:?}");
}

#[test]
fn the_web_configurations_of_the_documents_are_good() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(root.join(file)).expect("it is there");
    let page = read("docs/web.md");
    let examples = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let examples: Vec<&str> = examples
        .filter(|e| e.contains("basic_auth_users") || e.contains("anonymous_role"))
        .collect();
    assert_eq!(examples.len(), 2, "{examples:?}");
    let deployed = read("deploy/web.yaml");
    for text in examples.into_iter().chain([deployed.as_str()]) {
        let source = std::sync::Arc::new(watchbell::diag::SourceFile::new("web.yaml", text));
        let parsed = watchbell::web::WebConfig::parse(&source);
        let (_, warnings) = parsed.unwrap_or_else(|findings| panic!("{text}: {findings:?}"));
        assert!(warnings.is_empty(), "{text}: {warnings:?}");
    }
}
