//! The section `builtin_alerts`.

use std::sync::Arc;
use std::time::Duration;

use crate::alerting::builtin::{BUILTIN_FILE, BuiltinAlert};
use crate::diag::{Diagnostic, Severity, SourceFile, Span, nearest};
use crate::model::label::{ALERT_NAME, METRIC_NAME};
use crate::rule::{AlertingRule, Rule, RuleGroup, check};
use crate::template::RuleTemplate;
use crate::yaml::{Fields, Node, Reader, Scalar};

/// The rules with the defaults of everything.
const RULES: &str = include_str!("rules.yaml");

/// Labels to set: name and text, which is a template as in a rule.
type Labels = Vec<(String, RuleTemplate)>;

/// Which built-in alerts there are, and with which labels.
#[derive(Clone, Debug)]
pub struct BuiltinConfig {
    /// The rules that are on, as one group.
    pub group: RuleGroup,
    /// Where the configuration turns the heartbeat on; `None` where it is off.
    pub heartbeat: Option<Span>,
}

impl Default for BuiltinConfig {
    /// Everything but the heartbeat.
    fn default() -> Self {
        let mut config = Self::shipped();
        config.retain(|alert| alert != BuiltinAlert::Watchdog);
        config
    }
}

/// What the configuration says of one alert.
struct Override {
    alert: BuiltinAlert,
    for_duration: Option<Duration>,
    labels: Labels,
    span: Span,
}

impl BuiltinConfig {
    /// Every rule.
    pub(super) fn shipped() -> Self {
        let source = Arc::new(SourceFile::new(BUILTIN_FILE, RULES));
        // There is one group, and no mistake in it: a test reads it too.
        let group = check(&source).0.pop().unwrap_or_else(|| RuleGroup {
            file: BUILTIN_FILE.to_string(),
            name: "watchbell".to_string(),
            interval: None,
            query_offset: None,
            limit: 0,
            rules: Vec::new(),
            name_span: Span::at(0),
            source,
        });
        Self { group, heartbeat: None }
    }

    /// Reads the section.
    pub fn read(reader: &mut Reader, node: &Node) -> Self {
        let Some(mut fields) = reader.mapping(node, "`builtin_alerts`") else {
            return Self::default();
        };
        let mut config = Self::shipped();
        let heartbeat = fields.get("heartbeat");
        if heartbeat.and_then(|node| reader.bool(node, "`heartbeat`")) == Some(true) {
            config.heartbeat = heartbeat.map(|node| node.span);
        }
        let disabled = disabled(reader, &mut fields);
        let labels = labels(reader, &mut fields);
        let overrides = overrides(reader, &mut fields);
        fields.finish(reader);
        let on = |alert| match alert {
            BuiltinAlert::Watchdog => config.heartbeat.is_some(),
            alert => !disabled.contains(&alert),
        };
        for settings in overrides.iter().filter(|settings| !on(settings.alert)) {
            let message = format!("`{}` is off, so this has no effect", settings.alert.as_str());
            let (id, source) = ("config/no-effect", reader.source());
            reader.report(Diagnostic::new(id, Severity::Warning, source, settings.span, message));
        }
        let off: Vec<BuiltinAlert> = BuiltinAlert::ALL.into_iter().filter(|a| !on(*a)).collect();
        config.retain(|alert| !off.contains(&alert));
        for (alert, rule) in config.rules_mut() {
            set(&mut rule.labels, &labels);
            for settings in overrides.iter().filter(|settings| settings.alert == alert) {
                set(&mut rule.labels, &settings.labels);
                rule.for_duration = settings.for_duration.unwrap_or(rule.for_duration);
            }
        }
        config
    }

    fn retain(&mut self, keep: impl Fn(BuiltinAlert) -> bool) {
        self.group.rules.retain(|rule| BuiltinAlert::from_name(rule.name()).is_some_and(&keep));
    }

    fn rules_mut(&mut self) -> impl Iterator<Item = (BuiltinAlert, &mut AlertingRule)> {
        self.group.rules.iter_mut().filter_map(|rule| match rule {
            Rule::Alerting(rule) => Some((BuiltinAlert::from_name(&rule.name)?, rule)),
            Rule::Recording(_) => None,
        })
    }
}

/// The alerts of `disable`.
fn disabled(reader: &mut Reader, fields: &mut Fields<'_>) -> Vec<BuiltinAlert> {
    let mut disabled = Vec::new();
    for node in fields.list(reader, "disable").unwrap_or_default() {
        let Some(name) = reader.string(node, "an item of `disable`") else { continue };
        match BuiltinAlert::from_name(name) {
            Some(BuiltinAlert::Watchdog) => {
                let reason = "the heartbeat is off unless `heartbeat` is true";
                reader.wrong_value(node, "`disable`", reason);
            }
            Some(alert) => disabled.push(alert),
            None => {
                let message = format!("`disable`: there is no built-in alert {name:?}");
                let mut finding =
                    Diagnostic::error("yaml/value", reader.source(), node.span, message);
                let known = BuiltinAlert::ALL.map(BuiltinAlert::as_str);
                if let Some(near) = nearest(name, known) {
                    finding = finding.help(format!("did you mean `{near}`?"));
                }
                reader.report(finding);
            }
        }
    }
    disabled
}

/// The settings by alert under `alerts`.
fn overrides(reader: &mut Reader, fields: &mut Fields<'_>) -> Vec<Override> {
    let Some(mut by_name) = fields.mapping(reader, "alerts") else { return Vec::new() };
    let mut overrides = Vec::new();
    for alert in BuiltinAlert::ALL {
        let name = alert.as_str();
        let Some(node) = by_name.get(name) else { continue };
        let span = by_name.key_span(name).unwrap_or(node.span);
        let Some(mut fields) = reader.mapping(node, &format!("`{name}`")) else { continue };
        let for_duration = fields.duration(reader, "for");
        let labels = labels(reader, &mut fields);
        fields.finish(reader);
        overrides.push(Override { alert, for_duration, labels, span });
    }
    by_name.finish(reader);
    overrides
}

/// Labels as a rule has them.
fn labels(reader: &mut Reader, fields: &mut Fields<'_>) -> Labels {
    let mut labels = Vec::new();
    for (name, value) in fields.string_map(reader, "labels").unwrap_or_default() {
        if ["", ALERT_NAME, METRIC_NAME].contains(&name.text()) {
            let message = format!("{:?} cannot be set as a label of an alert", name.text());
            reader.error("yaml/value", name.span(), message);
            continue;
        }
        let Some(text) = value.as_scalar() else { continue };
        if let Some(template) = template(reader, text) {
            labels.push((name.text().to_string(), template));
        }
    }
    labels
}

fn template(reader: &mut Reader, text: &Scalar) -> Option<RuleTemplate> {
    match RuleTemplate::parse(if text.is_null() { "" } else { text.text() }) {
        Ok(template) => Some(template),
        Err(error) => {
            let span = text.span_of(error.span, reader.source());
            reader.error("template/syntax", span, error.message);
            None
        }
    }
}

/// Sets labels over those that are there.
fn set(labels: &mut Labels, new: &Labels) {
    for (name, template) in new {
        labels.retain(|(known, _)| known != name);
        labels.push((name.clone(), template.clone()));
    }
    labels.sort_by(|(a, _), (b, _)| a.cmp(b));
}
