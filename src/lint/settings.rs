//! What people decide about the checks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::diag::{Diagnostic, Severity, SourceFile, has_errors, nearest};
use crate::lint::{Feature, pages};
use crate::model::regexp::compile_anchored;
use crate::yaml::{self, Fields, Reader};

/// What people decide about the checks.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Other severities than a check has, by its id; `None` is off.
    pub severities: BTreeMap<String, Option<Severity>>,
    /// How often targets are scraped, if that is known.
    pub scrape_interval: Option<Duration>,
    /// How often groups are evaluated that do not say it themselves, if that is known.
    pub evaluation_interval: Option<Duration>,
    /// The features that are enabled in the Prometheus that is asked.
    pub features: Vec<Feature>,
    /// The longest time from the first bad sample to the page of a critical alert.
    pub page_within: Option<Duration>,
    /// What every alert must have.
    pub required: Vec<Required>,
}

/// A label or annotation that every alert must have.
#[derive(Clone, Debug)]
pub struct Required {
    /// Whether it is a label; else an annotation.
    pub is_label: bool,
    /// Its name.
    pub name: String,
    /// What its text must match as a whole. A template is not looked into.
    pub pattern: Option<regex::Regex>,
}

impl Settings {
    /// Reads a file of settings. It says what the command line may say too, and policies:
    ///
    /// ```yaml
    /// severities: {promql/counter-raw: bug, record/name: off}
    /// scrape_interval: 30s
    /// evaluation_interval: 1m
    /// page_within: 5m
    /// enable_features: [promql-experimental-functions]
    /// labels: {severity: critical|warning|info, team: .+}
    /// annotations: {runbook_url: https://.+}
    /// ```
    ///
    /// # Errors
    /// All mistakes, each with its place.
    pub fn read(source: &Arc<SourceFile>) -> Result<Self, Vec<Diagnostic>> {
        let document = yaml::load(source)?;
        let mut reader = Reader::new(&document);
        let mut settings = Self::default();
        if let Some(mut fields) = reader.mapping(&document.root, "the settings") {
            settings.severities = severities(&mut reader, &mut fields);
            settings.scrape_interval = fields.duration(&mut reader, "scrape_interval");
            settings.evaluation_interval = fields.duration(&mut reader, "evaluation_interval");
            settings.page_within = fields.duration(&mut reader, "page_within");
            settings.features = features(&mut reader, &mut fields);
            settings.required = required(&mut reader, &mut fields, "labels", true);
            settings.required.extend(required(&mut reader, &mut fields, "annotations", false));
            fields.finish(&mut reader);
        }
        let findings = reader.into_diagnostics();
        if has_errors(&findings) { Err(findings) } else { Ok(settings) }
    }
}

fn severities(reader: &mut Reader, fields: &mut Fields<'_>) -> BTreeMap<String, Option<Severity>> {
    let pages = pages();
    let known: BTreeSet<&str> = pages.iter().map(|page| page.id).collect();
    let mut severities = BTreeMap::new();
    for (id, node) in fields.string_map(reader, "severities").unwrap_or_default() {
        let text = node.as_scalar().map(yaml::Scalar::text).unwrap_or_default();
        let severity = Severity::ALL.into_iter().find(|s| s.as_str() == text);
        let refused = pages.iter().any(|p| p.id == id.text() && p.severity == Severity::Error);
        if !known.contains(id.text()) {
            let near = nearest(id.text(), known.iter().copied());
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            reader.error(
                "yaml/value",
                id.span(),
                format!("there is no check `{}`{near}", id.text()),
            );
        } else if refused {
            let message = "what Prometheus refuses is always an error";
            reader.error("yaml/value", id.span(), message);
        } else if matches!(severity, Some(Severity::Error)) || (severity.is_none() && text != "off")
        {
            let message = format!("`{text}` is none of info, warning, bug and off");
            reader.error("yaml/value", node.span, message);
        } else {
            severities.insert(id.text().to_string(), severity);
        }
    }
    severities
}

/// The features that are enabled.
fn features(reader: &mut Reader, fields: &mut Fields<'_>) -> Vec<Feature> {
    let mut enabled = Vec::new();
    for node in fields.list(reader, "enable_features").unwrap_or_default() {
        let Some(text) = reader.string(node, "an item of `enable_features`") else { continue };
        match Feature::from_name(text) {
            Some(feature) => enabled.push(feature),
            None => reader.wrong_value(node, "`enable_features`", Feature::known()),
        }
    }
    enabled
}

fn required(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    is_label: bool,
) -> Vec<Required> {
    let mut required = Vec::new();
    for (name, node) in fields.string_map(reader, key).unwrap_or_default() {
        let text =
            if node.is_null() { "" } else { node.as_scalar().map_or("", yaml::Scalar::text) };
        let pattern = match text {
            "" => None,
            text => match compile_anchored(text) {
                Ok(pattern) => Some(pattern),
                Err(error) => {
                    reader.wrong_value(node, &format!("`{}`", name.text()), error);
                    continue;
                }
            },
        };
        required.push(Required { is_label, name: name.text().to_string(), pattern });
    }
    required
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, Vec<String>> {
        let read = Settings::read(&Arc::new(SourceFile::new("check.yaml", text)));
        read.map_err(|all| all.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn settings_are_read() {
        let text = "severities: {promql/counter-raw: bug, record/name: off}\nscrape_interval: 30s\n\
                    page_within: 5m\nenable_features: [promql-experimental-functions]\n\
                    labels: {severity: a|b, team: }\nannotations: {runbook_url: 'https://.+'}\n";
        let settings = read(text).unwrap();
        assert_eq!(settings.severities["promql/counter-raw"], Some(Severity::Bug));
        assert_eq!(settings.severities["record/name"], None);
        assert_eq!(settings.scrape_interval, Some(Duration::from_secs(30)));
        assert_eq!(settings.page_within, Some(Duration::from_secs(300)));
        assert_eq!(settings.features, [Feature::Functions]);
        let named = |r: &Required| (r.name.clone(), r.is_label, r.pattern.is_some());
        let required: Vec<_> = settings.required.iter().map(named).collect();
        let expected =
            [("severity", true, true), ("team", true, false), ("runbook_url", false, true)];
        assert_eq!(required, expected.map(|(n, l, p)| (n.to_string(), l, p)));
    }

    #[test]
    fn mistakes_have_their_place() {
        for (text, expected) in [
            ("severities: {promql/counter-row: bug}", "check.yaml:1:14: there is no check"),
            ("severities: {record/name: loud}", "check.yaml:1:27: `loud` is none of"),
            ("severities: {record/name: error}", "check.yaml:1:27: `error` is none of"),
            ("severities: {promql/syntax: off}", "check.yaml:1:14: what Prometheus refuses"),
            ("enable_features: [agent]", "check.yaml:1:19: "),
            ("labels: {a: '('}", "check.yaml:1:13: `a`"),
            ("scrape: 1m", "check.yaml:1:1: unknown key"),
        ] {
            let mistakes = read(text).unwrap_err();
            assert!(mistakes.len() == 1 && mistakes[0].starts_with(expected), "{mistakes:?}");
        }
    }
}
