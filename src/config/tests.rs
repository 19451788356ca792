//! The file as a whole: sections put together, names looked up, every mistake at once.

use std::sync::Arc;
use std::time::Duration;

use crate::config::{Config, ConfigError};
use crate::diag::{SourceFile, Style, render_text};
use crate::model::LabelSet;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(&Arc::new(crate::yaml::hide_secrets(&SourceFile::new(
        "etc/watchbell.yaml",
        text,
    ))))
}

/// Place and words of every finding, as in a log.
fn mistakes(text: &str) -> Vec<String> {
    match parse(text) {
        Err(ConfigError::Invalid(findings)) => findings.iter().map(ToString::to_string).collect(),
        Err(error) => vec![error.to_string()],
        Ok(_) => Vec::new(),
    }
}

const ROUTES: &str = "route: {receiver: a}\nreceivers:\n- name: a\n";

#[test]
fn what_is_left_out_has_the_defaults_of_prometheus_and_alertmanager() {
    let config = parse(ROUTES).unwrap();
    assert_eq!(config.global.evaluation_interval, Duration::from_secs(60));
    assert_eq!(config.global.resolve_timeout, Duration::from_secs(300));
    let root = config.tree.root();
    let timing = (root.group_wait, root.group_interval, root.repeat_interval);
    let seconds = Duration::from_secs;
    assert_eq!(timing, (seconds(30), seconds(300), seconds(14_400)));
    assert!(config.datasource.is_none() && config.rule_files.is_empty());
    assert_eq!(config.storage.retention, seconds(120 * 3600));
    assert_eq!(config.receivers[0].integrations.len(), 0);
}

#[test]
fn the_own_address_is_one_that_people_can_open() {
    let with = |url: &str| format!("{ROUTES}external_url: '{url}'\n");
    let config = parse(&with("https://bell.example.com/base/")).unwrap();
    assert_eq!(config.external_url, "https://bell.example.com/base");
    assert_eq!(parse(&with("")).unwrap().external_url, "");
    for url in
        ["bell.example.com", "javascript:alert(1)", "https://", "https://a/#/", "https://a/?b"]
    {
        let found = mistakes(&with(url));
        assert!(found.len() == 1 && found[0].contains("`external_url`: is no http"), "{found:?}");
    }
}

#[test]
fn relative_paths_begin_in_the_folder_of_the_file() {
    let text = format!("{ROUTES}storage: {{path: data}}\ntemplates: [t/*.hbs]\n");
    let config = parse(&text).unwrap();
    assert_eq!(config.storage.path.to_str(), Some("etc/data"));
    assert_eq!(config.directory.to_str(), Some("etc"));
    assert_eq!(config.templates[0].pattern, "t/*.hbs");
}

#[test]
fn sections_of_prometheus_and_alertmanager_are_taken_as_they_are() {
    let text = "\
global:
  scrape_interval: 15s
  evaluation_interval: 30s
  external_labels: {cluster: c1, region: 7}
  resolve_timeout: 10m
  time_zone: Europe/Berlin
  http_config: {follow_redirects: false}
datasource: {url: 'http://prometheus:9090', timeout: 20s}
rule_files: [rules/*.yaml]
route:
  receiver: a
  group_by: ['...']
  routes:
  - match: {severity: critical}
    match_re: {team: 'x|y'}
    receiver: b
    mute_time_intervals: [nights]
receivers:
- name: a
- name: b
  webhook_configs: [{url: 'http://h/x', http_config: {basic_auth: {username: u, password: p}}}]
inhibit_rules:
- source_match: {severity: critical}
  target_match: {severity: warning}
  equal: [instance]
mute_time_intervals:
- name: nights
  time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}]}]
";
    let config = parse(text).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    let labels = LabelSet::from([("cluster", "c1"), ("region", "7")]);
    assert_eq!(config.global.external_labels, labels);
    assert_eq!(config.global.time_zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(config.inhibit_rules.len(), 1);
    let critical = LabelSet::from([("severity", "critical"), ("team", "y")]);
    let ends = config.tree.matches(&critical);
    assert_eq!(config.tree.get(ends[0]).map(|route| route.receiver.as_str()), Some("b"));
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let text = "\
global:
  evaluation_interval: 0s
  time_zone: Mars/Olympus
  external_labels: {__name__: x}
  opsgenie_api_key: k
datasource: {timeout: 5s}
tracing: {}
route:
  receiver: oncal
  group_wait: 30
  group_wiat: 30s
receivers:
- name: oncall
- name: oncall
  telegram_configs: []
  webhook_configs: [{url: 'ftp://h'}, {}]
";
    let expected = [
        (2, "`evaluation_interval`"),
        (3, "no time zone"),
        (4, "__name__"),
        (5, "opsgenie_api_key"),
        (6, "url"),
        (7, "tracing"),
        (9, "oncal"),
        (10, "duration"),
        (11, "group_wiat"),
        (14, "two receivers named"),
        (15, "telegram_configs"),
        (16, "http or https"),
        (16, "needs `url`"),
    ];
    let mistakes = mistakes(text);
    for (line, words) in expected {
        let place = format!("etc/watchbell.yaml:{line}:");
        assert!(
            mistakes.iter().any(|m| m.starts_with(&place) && m.contains(words)),
            "line {line}, {words}: {mistakes:#?}"
        );
    }
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
}

#[test]
fn without_routes_or_receivers_there_is_no_configuration() {
    let all = mistakes("global: {}\n");
    assert!(all.iter().any(|m| m.contains("`route`")), "{all:?}");
    assert!(all.iter().any(|m| m.contains("`receivers`")), "{all:?}");
    assert!(!mistakes("").is_empty());
    assert!(!mistakes("- a\n").is_empty());
}

#[test]
fn a_secret_is_in_no_finding_and_no_debug_text() {
    let text = format!("{ROUTES}  webhook_configs: [{{url: 'http://user:hunter2@h/hunter2'}}]\n");
    let config = parse(&text).unwrap();
    assert!(!format!("{:?}", config.receivers).contains("hunter2"));
    let broken = text.replace("http://", "ftp://");
    let Err(ConfigError::Invalid(findings)) = parse(&broken) else { panic!("it is refused") };
    // The line with the address is drawn, its value is not.
    let drawn = render_text(&findings, Style::Plain);
    assert!(drawn.contains("webhook_configs: [{url: 'ftp://***"), "{drawn}");
    assert!(!drawn.contains("hunter2"), "{drawn}");
    // The same in a file that is no YAML.
    let Err(ConfigError::Invalid(findings)) = parse("a: 'x\nsmtp_auth_password: hunter2 ]: }\n")
    else {
        panic!("it is refused")
    };
    assert!(!render_text(&findings, Style::Plain).contains("hunter2"));
}

#[test]
fn mistakes_of_the_rule_files_stand_beside_those_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("rules.yaml", "groups:\n- name: g\n  rules: [{alert: A, expr: 'up ==', fro: 1m}]\n");
    write("watchbell.yaml", &format!("{ROUTES}rule_files: [rules.yaml]\nrute: {{}}\n"));
    let loaded = crate::config::Loaded::load(&folder.path().join("watchbell.yaml"));
    let Err(ConfigError::Invalid(findings)) = loaded else { panic!("it is refused") };
    let ids: Vec<&str> = findings.iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["yaml/unknown-key", "promql/syntax", "yaml/unknown-key"]);
}

#[test]
fn the_collector_says_where_mlflow_is_and_who_we_are() {
    let with = |text: &str| format!("{ROUTES}collectors: {{mlflow: {{{text}}}}}\n");
    assert!(parse(ROUTES).unwrap().mlflow.is_none());
    let config = parse(&with("tracking_uri: 'http://mlflow:5000/base/'")).unwrap().mlflow.unwrap();
    assert_eq!((config.interval.as_secs(), config.timeout.as_secs()), (30, 10));
    let with_user = parse(&with("tracking_uri: 'http://u:p@mlflow:5000/base'")).unwrap();
    assert_eq!(with_user.mlflow.unwrap().source(), config.source(), "it is the same server");
    let other = parse(&with("tracking_uri: 'http://mlflow:5000'")).unwrap().mlflow.unwrap();
    assert_ne!(other.source(), config.source());
    let token = "tracking_uri: 'http://m', token_file: t, interval: 1m, timeout: 5s";
    let config = parse(&with(token)).unwrap().mlflow.unwrap();
    assert!(format!("{:?}", config.http.auth).contains("etc/t"), "{config:?}");
    for (text, says) in [
        ("", "`mlflow` needs `tracking_uri`"),
        ("tracking_uri: sqlite:///m.db", "scheme is neither http nor https"),
        ("tracking_uri: 'http://m/?a'", "neither a query nor a fragment"),
        ("tracking_uri: 'http://m', interval: 10ms", "one second at least"),
        ("tracking_uri: 'http://m', timeout: 0s", "more than zero"),
        ("tracking_uri: 'http://m', token: a, token_file: b", "exclude each other"),
        ("tracking_uri: 'http://m', token: a, http_config: {bearer_token: b}", "leave one of them"),
        ("tracking_uri: 'http://m', url: a", "unknown"),
    ] {
        let found = mistakes(&with(text));
        assert!(found.len() == 1 && found[0].contains(says), "{text}: {found:?}");
        assert!(!found[0].contains("sqlite"), "an address is not quoted: {found:?}");
    }
}
