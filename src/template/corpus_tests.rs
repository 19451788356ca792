//! Real rules and arbitrary texts. The corpora lie beside the repository where they exist.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;

use super::data::tests::data;
use super::*;
use crate::model::{LabelSet, Sample, Timestamp};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "yml" || e == "yaml") {
            found.push(path);
        }
    }
}

/// The texts under `labels` and `annotations` anywhere in a file.
fn texts(yaml: &serde_yaml::Value, found: &mut Vec<String>) {
    match yaml {
        serde_yaml::Value::Mapping(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    (Some("labels" | "annotations"), serde_yaml::Value::Mapping(map)) => {
                        found.extend(map.values().filter_map(|v| v.as_str().map(str::to_string)));
                    }
                    _ => texts(value, found),
                }
            }
        }
        serde_yaml::Value::Sequence(items) => items.iter().for_each(|item| texts(item, found)),
        _ => {}
    }
}

/// Expands with an answer to every query, so that whatever is asked goes on.
fn expand(template: &RuleTemplate, value: f64) -> Result<String, ExpandError> {
    let labels = LabelSet::from([("__name__", "up"), ("instance", "a:9100"), ("job", "node")]);
    let none = LabelSet::new();
    let data = RuleData {
        labels: &labels,
        value,
        external_labels: &none,
        external_url: "http://prom:9090",
        now: Timestamp::from_secs(1_700_000_000),
    };
    let mut answers = QueryAnswers::new();
    for _ in 0..50 {
        match template.expand(&data, &answers)? {
            Expansion::Text(text) => return Ok(text.into_owned()),
            Expansion::NeedsQuery(query) => {
                let timestamp = Timestamp::from_secs(0);
                answers
                    .insert(query, Ok(vec![Sample { labels: labels.clone(), timestamp, value }]));
            }
        }
    }
    Ok(String::new())
}

#[test]
fn every_template_of_the_corpora_parses_and_expands() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    for corpus in ["awesome-prometheus-alerts", "wikimedia-alerts"] {
        let mut paths = Vec::new();
        files(&shared.join(corpus), &mut paths);
        if paths.is_empty() {
            // What a test writes is shown with `--nocapture`.
            let _ = writeln!(std::io::stderr(), "skipped: no corpus {corpus}");
            continue;
        }
        let mut count = 0;
        for path in paths {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let mut found = Vec::new();
            for document in serde_yaml::Deserializer::from_str(&text) {
                if let Ok(yaml) = serde::Deserialize::deserialize(document) {
                    texts(&yaml, &mut found);
                }
            }
            for text in found {
                let template = RuleTemplate::parse(&text)
                    .unwrap_or_else(|e| panic!("{}: {text}: {e} at {:?}", path.display(), e.span));
                let expanded = expand(&template, 12.5)
                    .unwrap_or_else(|e| panic!("{}: {text}: {e}", path.display()));
                assert!(!expanded.contains("<no value>") && !expanded.contains("%!"), "{expanded}");
                count += 1;
            }
        }
        assert!(count > 500, "{corpus}: only {count} templates");
    }
}

/// Texts that look like templates, mistakes among them.
fn template_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{{ "),
        Just(" }}"),
        Just("{{- "),
        Just(" -}}"),
        Just("{{/* "),
        Just(" */}}"),
        Just("if "),
        Just("range "),
        Just("with "),
        Just("else "),
        Just("end "),
        Just("define "),
        Just("block "),
        Just("template "),
        Just("break "),
        Just("\"t\" "),
        Just("$x := "),
        Just("$x "),
        Just("$labels.job "),
        Just(".Labels "),
        Just(".Value "),
        Just(". "),
        Just("( "),
        Just(") "),
        Just("| "),
        Just("printf \"%5.2f\" "),
        Just("humanize "),
        Just("query \"up\" "),
        Just("first "),
        Just("len "),
        Just("index "),
        Just("slice "),
        Just("1 "),
        Just("-0x1p-2 "),
        Just("1e400 "),
        Just("'a' "),
        Just("é"),
        Just("#"),
        Just("= "),
        Just(", "),
        Just("reReplaceAll \"(a\" "),
        Just("args "),
        Just("true "),
        Just("nil "),
        Just("stripDomain "),
        Just("toTime "),
        Just("eq "),
        Just(".Alerts.Firing "),
        Just("toJson "),
        Just("> "),
        Just("#if "),
        Just("/if "),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

static TEMPLATES: LazyLock<GoTemplates> = LazyLock::new(|| GoTemplates::new(&[]).unwrap());

fn render_everything(text: &str, value: f64) {
    if let Ok(template) = RuleTemplate::parse(text) {
        let _ = expand(&template, value);
    }
    if let Err(error) = RuleTemplate::parse(text) {
        assert!(text.get(error.span.range()).is_some(), "{error:?}");
    }
    let (data, now) = (data(None), Timestamp::from_secs(0));
    for parsed in [GoText::parse(text, &TEMPLATES), GoText::parse_html(text, &TEMPLATES)] {
        let _ = parsed.map(|t| t.render(&data, now));
    }
    for name in ["t.html.hbs", "t.json.hbs", "t.txt.hbs"] {
        let _ =
            NotificationTemplates::load([(name, text)]).map(|set| set.render(name, data.as_json()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,80}", value in proptest::num::f64::ANY) {
        render_everything(&text, value);
    }

    #[test]
    fn no_template_is_a_panic(text in template_like(), value in proptest::num::f64::ANY) {
        render_everything(&text, value);
    }

    #[test]
    fn no_action_is_a_panic(inside in "[ .|()$a-z\"0-9%:=\\-]{0,40}", value in proptest::num::f64::ANY) {
        render_everything(&format!("{{{{ {inside} }}}}"), value);
    }

    #[test]
    fn every_number_function_takes_every_number(value in proptest::num::f64::ANY) {
        for function in [
            "humanize", "humanize1024", "humanizeDuration", "humanizePercentage",
            "humanizeTimestamp", "toTime", "toDuration", "printf \"%.3e %g %08.2f\" 1.0 2.0", "len",
        ] {
            render_everything(&format!("{{{{ $value | {function} }}}}"), value);
        }
    }
}
