//! The configuration in effect as YAML: defaults and inherited values filled in, no secret shown.

use anyhow::Context;
use serde_yaml::{Mapping, Value};

use crate::alerting::{BuiltinAlert, BuiltinConfig, RulePolicies, RulePolicy};
use crate::config::{Config, GlobalConfig};
use crate::mlflow::MlflowConfig;
use crate::model::{LabelSet, Matchers, SecretSource, format_duration};
use crate::notify::{Globals, ReceiverConfig, SmtpGlobals};
use crate::query::DatasourceConfig;
use crate::routing::{GroupBy, InhibitRule, Range, Route, RoutingTree, TimeInterval, TimeSpec};
use crate::rule::RulePattern;

const REDACTED: &str = "<secret>";

/// The keys are those of the configuration file. What is set inside of an integration and in
/// `http_config` is left out, and a comment says so.
pub(super) fn yaml(config: &Config) -> anyhow::Result<String> {
    let mut top = Map::default();
    top.put("global", global(&config.global));
    top.put_some("datasource", config.datasource.as_ref().map(datasource));
    top.put_some("collectors", config.mlflow.as_ref().map(collectors));
    top.put("rule_files", patterns(&config.rule_files));
    let mut storage = Map::default();
    storage.put("path", config.storage.path.display().to_string());
    storage.put("retention", format_duration(config.storage.retention));
    top.put("storage", storage);
    top.put("templates", patterns(&config.templates));
    top.put_text("external_url", Some(&config.external_url));
    top.put("builtin_alerts", builtin_alerts(&config.builtin_alerts));
    top.put("rule_policies", rule_policies(&config.rule_policies));
    top.put("route", route(&config.tree, config.tree.root()));
    top.put("receivers", config.receivers.iter().map(receiver).collect::<Vec<_>>());
    top.put("inhibit_rules", config.inhibit_rules.iter().map(inhibit_rule).collect::<Vec<_>>());
    let intervals = config.intervals.names().filter_map(|name| config.intervals.get(name));
    top.put("time_intervals", intervals.map(time_interval).collect::<Vec<_>>());
    let text = serde_yaml::to_string(&top.0).context("cannot write YAML")?;
    Ok(format!(
        "# Left out: http_config, tokens, TLS settings, and all settings of integrations but send_resolved.\n{text}"
    ))
}

/// A mapping in the order in which it is filled.
#[derive(Default)]
struct Map(Mapping);

impl Map {
    fn put(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.into(), value.into());
    }

    fn put_some(&mut self, key: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    fn put_text(&mut self, key: &str, value: Option<&str>) {
        self.put_some(key, value.filter(|text| !text.is_empty()));
    }

    /// `key: <secret>`, or `key_file` with its path.
    fn put_secret(&mut self, key: &str, secret: Option<&SecretSource>) {
        match secret {
            Some(SecretSource::Inline(_)) => self.put(key, REDACTED),
            Some(SecretSource::File(path)) => {
                self.put(&format!("{key}_file"), path.display().to_string());
            }
            None => {}
        }
    }

    fn put_list(&mut self, key: &str, items: &[String]) {
        if !items.is_empty() {
            self.put(key, items.to_vec());
        }
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Mapping(map.0)
    }
}

fn global(config: &GlobalConfig) -> Map {
    let mut map = Map::default();
    map.put("evaluation_interval", format_duration(config.evaluation_interval));
    map.put("rule_query_offset", format_duration(config.rule_query_offset));
    map.put("external_labels", labels(&config.external_labels));
    map.put("resolve_timeout", format_duration(config.resolve_timeout));
    map.put_text("time_zone", config.time_zone.iana_name());
    let Globals { slack_api_url, slack_app_token, slack_app_url, pagerduty_url, smtp, .. } =
        &config.notify;
    put_smtp(&mut map, smtp);
    map.put_secret("slack_api_url", slack_api_url.as_ref());
    map.put_secret("slack_app_token", slack_app_token.as_ref());
    map.put_some("slack_app_url", slack_app_url.as_deref().map(without_password));
    map.put_some("pagerduty_url", pagerduty_url.as_deref().map(without_password));
    map
}

fn put_smtp(map: &mut Map, smtp: &SmtpGlobals) {
    map.put_text("smtp_from", smtp.from.as_deref());
    map.put_text("smtp_smarthost", smtp.smarthost.as_deref());
    map.put_text("smtp_hello", smtp.hello.as_deref());
    map.put_text("smtp_auth_username", smtp.auth_username.as_deref());
    map.put_secret("smtp_auth_password", smtp.auth_password.as_ref());
    map.put_text("smtp_auth_identity", smtp.auth_identity.as_deref());
    map.put_some("smtp_require_tls", smtp.require_tls);
    map.put_some("smtp_force_implicit_tls", smtp.force_implicit_tls);
}

fn collectors(config: &MlflowConfig) -> Map {
    let mut mlflow = Map::default();
    mlflow.put("tracking_uri", without_password(config.tracking_uri.expose()));
    mlflow.put("interval", format_duration(config.interval));
    mlflow.put("timeout", format_duration(config.timeout));
    let mut map = Map::default();
    map.put("mlflow", mlflow);
    map
}

fn datasource(config: &DatasourceConfig) -> Map {
    let mut map = Map::default();
    map.put("url", without_password(config.url.expose()));
    map.put("external_url", config.link_base());
    map.put("timeout", format_duration(config.timeout));
    map.put("max_concurrency", config.max_concurrency);
    if !config.params.is_empty() {
        // A gateway may take its key as a parameter.
        let mut params = Map::default();
        for (name, _) in &config.params {
            params.put(name, REDACTED);
        }
        map.put("params", params);
    }
    map
}

/// An address with what stands before its host hidden.
fn without_password(address: &str) -> String {
    let Ok(url) = url::Url::parse(address) else { return REDACTED.to_string() };
    if url.username().is_empty() && url.password().is_none() {
        return address.to_string();
    }
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{REDACTED}@{host}{port}{}", url.scheme(), url.path())
}

/// Every alert that is on, with all of its labels, and those that are off.
fn builtin_alerts(config: &BuiltinConfig) -> Map {
    let rules = config.group.rules.iter().filter_map(|rule| rule.as_alerting());
    let mut alerts = Map::default();
    for rule in rules {
        let mut labels = Map::default();
        for (name, text) in &rule.labels {
            labels.put(name, text.text());
        }
        let mut alert = Map::default();
        alert.put("for", format_duration(rule.for_duration));
        alert.put("labels", labels);
        alerts.put(&rule.name, alert);
    }
    let off = BuiltinAlert::ALL.map(BuiltinAlert::as_str).into_iter();
    let off = off.filter(|name| !alerts.0.contains_key(*name));
    let off = off.filter(|name| *name != BuiltinAlert::Watchdog.as_str());
    let off: Vec<String> = off.map(str::to_string).collect();
    let mut map = Map::default();
    map.put("heartbeat", config.heartbeat.is_some());
    map.put_list("disable", &off);
    map.put("alerts", alerts);
    map
}

fn rule_policies(policies: &RulePolicies) -> Vec<Map> {
    let policy = |policy: &RulePolicy| {
        let mut map = Map::default();
        map.put("matchers", matchers(&policy.matchers));
        map.put("no_data", policy.policy.no_data.as_str());
        map.put("on_error", policy.policy.on_error.as_str());
        map
    };
    policies.0.iter().map(policy).collect()
}

fn patterns(patterns: &[RulePattern]) -> Vec<String> {
    patterns.iter().map(|pattern| pattern.pattern.clone()).collect()
}

fn labels(labels: &LabelSet) -> Map {
    let mut map = Map::default();
    for (name, value) in labels.iter() {
        map.put(name, value);
    }
    map
}

fn matchers(matchers: &Matchers) -> Vec<String> {
    matchers.0.iter().map(ToString::to_string).collect()
}

/// A route with all below it; the depth of trees is bounded when they are read.
fn route(tree: &RoutingTree, node: &Route) -> Map {
    let mut map = Map::default();
    map.put("receiver", node.receiver.as_str());
    map.put_list("matchers", &matchers(&node.matchers));
    if node.continue_ {
        map.put("continue", true);
    }
    map.put(
        "group_by",
        match &node.group_by {
            GroupBy::All => vec!["...".to_string()],
            GroupBy::Labels(names) => names.clone(),
        },
    );
    map.put("group_wait", format_duration(node.group_wait));
    map.put("group_interval", format_duration(node.group_interval));
    map.put("repeat_interval", format_duration(node.repeat_interval));
    map.put_list("mute_time_intervals", &node.mute_time_intervals);
    map.put_list("active_time_intervals", &node.active_time_intervals);
    let below: Vec<Map> =
        node.children.iter().filter_map(|id| tree.get(*id)).map(|node| route(tree, node)).collect();
    if !below.is_empty() {
        map.put("routes", below);
    }
    map
}

fn receiver(config: &ReceiverConfig) -> Map {
    let mut map = Map::default();
    map.put("name", config.name.as_str());
    for (id, _, integration) in &config.integrations {
        let key = format!("{}_configs", id.kind);
        let mut item = Map::default();
        item.put("send_resolved", integration.send_resolved());
        match map.0.get_mut(key.as_str()) {
            Some(Value::Sequence(list)) => list.push(item.into()),
            _ => map.put(&key, vec![item]),
        }
    }
    map
}

fn inhibit_rule(rule: &InhibitRule) -> Map {
    let mut map = Map::default();
    map.put_text("name", Some(&rule.name));
    map.put("source_matchers", matchers(&rule.source));
    map.put("target_matchers", matchers(&rule.target));
    map.put_list("equal", &rule.equal);
    map
}

fn time_interval(interval: &TimeInterval) -> Map {
    let mut map = Map::default();
    map.put("name", interval.name.as_str());
    map.put("time_intervals", interval.specs.iter().map(time_spec).collect::<Vec<_>>());
    map
}

fn time_spec(spec: &TimeSpec) -> Map {
    let mut map = Map::default();
    let times = spec.times.iter().map(|range| {
        let mut time = Map::default();
        time.put("start_time", clock_time(range.first));
        // The last minute is inside.
        time.put("end_time", clock_time(range.last + 1));
        time
    });
    let times: Vec<Map> = times.collect();
    if !times.is_empty() {
        map.put("times", times);
    }
    let days = |n: i32| WEEKDAYS.get(usize::try_from(n).unwrap_or(0)).copied().unwrap_or_default();
    map.put_list("weekdays", &ranges(&spec.weekdays, |n| days(n).to_string()));
    let of_month: Vec<Range> = spec.days_of_month.iter().map(|days| days.0).collect();
    map.put_list("days_of_month", &ranges(&of_month, |n| n.to_string()));
    map.put_list("months", &ranges(&spec.months, |n| n.to_string()));
    map.put_list("years", &ranges(&spec.years, |n| n.to_string()));
    map.put_text("location", spec.location.as_ref().map(|location| location.name()));
    map
}

const WEEKDAYS: [&str; 7] =
    ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

fn clock_time(minute: i32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn ranges(ranges: &[Range], text: impl Fn(i32) -> String) -> Vec<String> {
    let range = |r: &Range| match r.first == r.last {
        true => text(r.first),
        false => format!("{}:{}", text(r.first), text(r.last)),
    };
    ranges.iter().map(range).collect()
}
