//! What the section `builtin_alerts` may say.

use super::*;
use crate::diag::Diagnostic;
use crate::yaml::{Reader, load};

/// What a section makes: the rules as `name for labels`, and the findings.
fn read(text: &str) -> (Vec<String>, Vec<String>) {
    let document = load(&Arc::new(SourceFile::new("w.yaml", text))).unwrap();
    let mut reader = Reader::new(&document);
    let config = BuiltinConfig::read(&mut reader, &document.root);
    let rules = config.group.rules.iter().filter_map(|rule| rule.as_alerting()).map(|rule| {
        let labels = rule.labels.iter().map(|(n, t)| format!("{n}={}", t.text()));
        let labels: Vec<String> = labels.collect();
        format!("{} {} {}", rule.name, rule.for_duration.as_secs(), labels.join(","))
    });
    let show = |f: &Diagnostic| {
        let (line, column) = f.line_column();
        let help = f.help.as_ref().map_or(String::new(), |help| format!(" -> {help}"));
        format!("{line}:{column} {}{help}", f.message)
    };
    (rules.collect(), reader.into_diagnostics().iter().map(show).collect())
}

#[test]
fn the_section_turns_off_and_labels() {
    let names: Vec<String> =
        read("{}").0.iter().map(|r| r.split(' ').next().unwrap().into()).collect();
    let expected: Vec<&str> = BuiltinAlert::ALL.iter().map(|alert| alert.as_str()).collect();
    assert_eq!(names, expected[..expected.len() - 1], "all but the heartbeat");
    let (rules, findings) = read(
        "\
heartbeat: true
disable: [WatchbellReloadFailed, WatchbellEvaluationsMissed, WatchbellNotificationFailed,
  WatchbellNotificationDelayed, WatchbellRuleNoData, WatchbellRuleEvaluationFailed,
  WatchbellCollectorFailed]
labels: {team: sre, service: ''}
alerts:
  WatchbellStoreFailed: {for: 5m, labels: {severity: warning}}
  Watchdog: {labels: {team: '{{ $value }}'}}
",
    );
    assert_eq!(findings, Vec::<String>::new());
    assert_eq!(
        rules,
        [
            "WatchbellDatasourceUnreachable 120 service=,severity=critical,team=sre",
            "WatchbellStoreFailed 300 service=,severity=warning,team=sre",
            "Watchdog 0 service=,severity=none,team={{ $value }}",
        ]
    );
}

#[test]
fn mistakes_of_the_section_have_their_place() {
    let (rules, findings) = read(
        "\
heartbeat: maybe
disable: [WatchbellReloadFail, Watchdog, WatchbellStoreFailed]
labels: {alertname: x, a: '{{ nope }}'}
alerts:
  WatchbellStoreFailed: {for: 1m}
  WatchbellReloadFailed: {for: soon, fro: 1m}
  Other: {}
  Watchdog: {for: 1m}
",
    );
    assert_eq!(
        findings,
        [
            "1:12 `heartbeat` must be true or false, found a string",
            "2:11 `disable`: there is no built-in alert \"WatchbellReloadFail\" -> did you mean `WatchbellReloadFailed`?",
            "2:32 `disable`: the heartbeat is off unless `heartbeat` is true",
            "3:10 \"alertname\" cannot be set as a label of an alert",
            "3:31 unknown function `nope`",
            "5:3 `WatchbellStoreFailed` is off, so this has no effect",
            "6:32 `for`: not a valid duration: \"soon\" (write it like 30s, 5m or 1h30m)",
            "6:38 unknown key `fro` in `WatchbellReloadFailed`",
            "7:3 unknown key `Other` in `alerts`",
            "8:3 `Watchdog` is off, so this has no effect",
        ]
    );
    assert!(rules.iter().all(|rule| !rule.starts_with("WatchbellStoreFailed")));
    assert_eq!(read("[]").1, ["1:1 `builtin_alerts` must be a mapping, found a list"]);
}
