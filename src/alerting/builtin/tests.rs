//! When each condition holds.

use std::sync::Arc;
use std::time::Duration;

use super::{BUILTIN_FILE, BuiltinAlert, BuiltinConfig, Facts, HOLD_FAILED, Look, evaluate};
use crate::alerting::{AlertState, RuleAlerts};
use crate::diag::SourceFile;
use crate::model::{IntegrationId, LabelSet, Monotonic, Now, Timestamp};
use crate::rule::AlertingRule;

mod rules;
mod section;

/// The facts and the alerts of one built-in rule, looked at every 15 s.
struct Bench {
    rule: AlertingRule,
    facts: Facts,
    alerts: RuleAlerts,
    seconds: i64,
}

impl Bench {
    fn new(alert: BuiltinAlert) -> Self {
        let group = BuiltinConfig::shipped().group;
        let mut rules = group.rules.iter().filter_map(|rule| rule.as_alerting());
        let rule = rules.find(|rule| rule.name == alert.as_str()).unwrap().clone();
        Self { rule, facts: Facts::default(), alerts: RuleAlerts::default(), seconds: 0 }
    }

    fn mono(&self) -> Monotonic {
        Monotonic::from_millis(self.seconds * 1000)
    }

    /// Looks after 15 more seconds; gives the states of the alerts.
    fn look(&mut self) -> Vec<AlertState> {
        let before = self.mono();
        self.seconds += 15;
        let now = Now { wall: Timestamp::from_secs(1_000_000 + self.seconds), mono: self.mono() };
        let external_labels = LabelSet::new();
        let external_url = "";
        let look = Look {
            facts: &self.facts,
            before,
            now,
            external_labels: &external_labels,
            external_url,
        };
        let step = evaluate(&self.rule, &mut self.alerts, &look);
        assert_eq!(step.error, None);
        self.alerts.active().map(|(_, alert)| alert.state).collect()
    }

    fn looks(&mut self, seconds: i64) -> Vec<AlertState> {
        (0..seconds / 15).map(|_| self.look()).last().unwrap()
    }

    fn annotation(&self, name: &str) -> String {
        let (_, alert) = self.alerts.active().next().unwrap();
        alert.annotations.value(name).to_string()
    }
}

const FIRING: &[AlertState] = &[AlertState::Firing];
const PENDING: &[AlertState] = &[AlertState::Pending];
const NONE: &[AlertState] = &[];

fn integration(receiver: &str) -> IntegrationId {
    IntegrationId { receiver: receiver.into(), kind: "webhook".into(), index: 1 }
}

#[test]
fn the_rules_are_good_and_each_has_a_condition() {
    let source = Arc::new(SourceFile::new(BUILTIN_FILE, include_str!("rules.yaml")));
    let (groups, findings) = crate::rule::check(&source);
    assert!(findings.is_empty(), "{findings:?}");
    let [group] = groups.as_slice() else { panic!("{groups:?}") };
    let names: Vec<&str> = group.rules.iter().map(|rule| rule.name()).collect();
    assert_eq!(names, BuiltinAlert::ALL.map(BuiltinAlert::as_str));
    for rule in &group.rules {
        let rule = rule.as_alerting().unwrap();
        let query = format!(r#"watchbell_builtin_conditions{{alertname="{}"}} > 0"#, rule.name);
        assert_eq!(rule.query, query);
        let label = |name: &str| rule.labels.iter().find(|(n, _)| n == name).unwrap().1.text();
        assert!(["critical", "warning", "none"].contains(&label("severity")), "{}", rule.name);
        let of_rules = rule.name.starts_with("WatchbellRule");
        let service = r#"{{ or $labels.service "watchbell" }}"#;
        assert_eq!(label("service"), if of_rules { service } else { "watchbell" });
        for annotation in ["summary", "description"] {
            assert!(rule.annotations.iter().any(|(name, _)| name == annotation), "{}", rule.name);
        }
    }
}

#[test]
fn a_datasource_is_unreachable_after_two_minutes_without_any_answer() {
    let mut bench = Bench::new(BuiltinAlert::DatasourceUnreachable);
    assert_eq!(bench.look(), NONE, "nothing is known");
    bench.facts.datasource_failed("no route", bench.mono());
    assert_eq!(bench.look(), PENDING);
    assert_eq!(bench.looks(105), PENDING);
    assert_eq!(bench.look(), FIRING);
    assert!(bench.annotation("description").ends_with("The last error: no route"));
    bench.facts.datasource_answered(bench.mono());
    assert_eq!(bench.look(), NONE);
}

#[test]
fn one_slow_query_among_good_ones_is_no_trouble_of_the_datasource() {
    let mut bench = Bench::new(BuiltinAlert::DatasourceUnreachable);
    for _ in 0..100 {
        let begin = bench.mono();
        bench.facts.datasource_answered(begin + Duration::from_secs(1));
        bench.facts.datasource_failed("too slow", begin + Duration::from_secs(2));
        assert_eq!(bench.look(), NONE);
    }
    // A lasting failure is asked about, and so is a silence.
    assert!(bench.facts.wants_probe(bench.mono()));
    let at = bench.mono();
    bench.facts.datasource_answered(at);
    assert!(!bench.facts.wants_probe(at + Duration::from_secs(59)));
    assert!(bench.facts.wants_probe(at + Duration::from_secs(60)));
}

#[test]
fn what_is_not_known_yet_after_a_restart_stays_as_it_is() {
    for alert in [BuiltinAlert::DatasourceUnreachable, BuiltinAlert::StoreFailed] {
        let mut bench = Bench::new(alert);
        bench.facts.datasource_failed("gone", bench.mono());
        bench.facts.store_failed("disk full");
        assert_eq!(bench.looks(180), FIRING);
        bench.facts = Facts::default();
        assert_eq!(bench.looks(600), FIRING, "{alert:?}");
        bench.facts.datasource_answered(bench.mono() + Duration::from_secs(1));
        bench.facts.store_committed();
        assert_eq!(bench.look(), NONE, "{alert:?}");
    }
}

#[test]
fn one_commit_that_fails_tells_nobody() {
    let mut bench = Bench::new(BuiltinAlert::StoreFailed);
    bench.facts.store_failed("disk full");
    assert_eq!(bench.looks(60), PENDING);
    bench.facts.store_committed();
    assert_eq!(bench.look(), NONE);
    bench.facts.store_failed("disk full");
    assert_eq!(bench.looks(75), FIRING);
    assert!(bench.annotation("description").ends_with("disk full"));
}

#[test]
fn a_refused_configuration_is_told_after_a_minute_until_a_good_one_comes() {
    let mut bench = Bench::new(BuiltinAlert::ReloadFailed);
    bench.facts.reload_refused("line 3 is wrong");
    assert_eq!(bench.looks(60), PENDING);
    assert_eq!(bench.look(), FIRING);
    assert_eq!(bench.annotation("description"), "line 3 is wrong");
    bench.facts.reloaded();
    assert_eq!(bench.look(), NONE);
}

#[test]
fn two_overrun_rounds_in_a_short_time_are_told_one_is_not() {
    let mut bench = Bench::new(BuiltinAlert::EvaluationsMissed);
    let minute = Duration::from_secs(60);
    bench.facts.rounds_missed("f;g", minute, 100, bench.mono());
    assert_eq!(bench.looks(660), NONE, "one stall of the machine");
    bench.facts.rounds_missed("f;g", minute, 1, bench.mono());
    assert_eq!(bench.look(), NONE, "long after the first");
    bench.facts.rounds_missed("f;g", minute, 2, bench.mono());
    assert_eq!(bench.look(), FIRING);
    let (_, alert) = bench.alerts.active().next().unwrap();
    assert_eq!((alert.labels.value("rule_group"), alert.value), ("f;g", 3.0));
    assert_eq!(bench.looks(570), FIRING);
    assert_eq!(bench.looks(30), NONE, "10 minutes after the first of the two");
    // A group with a long interval has a longer time.
    for _ in 0..2 {
        bench.facts.rounds_missed("f;slow", Duration::from_secs(300), 1, bench.mono());
        bench.looks(600);
    }
    assert_eq!(bench.look(), FIRING);
    bench.facts.retain(|_| false, |_| true);
    assert_eq!(bench.look(), NONE, "the group is gone");
}

#[test]
fn a_refusal_is_told_at_once_for_each_integration_and_once() {
    let mut bench = Bench::new(BuiltinAlert::NotificationFailed);
    let (one, other) = (integration("one"), integration("other"));
    for group in ["a", "b"] {
        bench.facts.refused(&one, group, "400 Bad Request", bench.mono());
    }
    bench.facts.refused(&other, "a", "no key", bench.mono());
    assert_eq!(bench.look(), [AlertState::Firing; 2]);
    bench.facts.retain(|_| true, |id| &*id.receiver == "one");
    assert_eq!(bench.look(), FIRING);
    let (_, alert) = bench.alerts.active().next().unwrap();
    let label = |name: &str| alert.labels.value(name);
    assert_eq!((label("receiver"), label("integration")), ("one", "webhook[1]"));
    assert_eq!((alert.value, label("error")), (2.0, ""));
    assert!(bench.annotation("description").ends_with("400 Bad Request"));
    // What one group of alerts says of the receiver does not hide what another says.
    bench.facts.delivered(&one, "a");
    assert_eq!(bench.look(), FIRING);
    bench.facts.delivered(&one, "b");
    assert_eq!(bench.look(), NONE);
    // A group that ended is never tried again: that counts for an hour.
    bench.facts.refused(&one, "a", "400", bench.mono());
    assert_eq!(bench.looks(3585), FIRING);
    assert_eq!(bench.look(), NONE);
}

#[test]
fn a_receiver_that_is_away_is_told_of_after_ten_minutes() {
    let mut bench = Bench::new(BuiltinAlert::NotificationDelayed);
    let one = integration("one");
    let mut states = Vec::new();
    for _ in 0..11 {
        bench.facts.delayed(&one, "a", "refused", None, bench.mono());
        states = bench.looks(60);
    }
    assert_eq!(states, FIRING);
    let asked = Some(Duration::from_secs(1800));
    bench.facts.delayed(&one, "a", "slow down", asked, bench.mono());
    assert_eq!(bench.looks(1800), FIRING, "it waits as long as it was asked to");
    assert_eq!(bench.looks(300), NONE, "nothing is tried any more");
    bench.facts.delayed(&one, "a", "refused", None, bench.mono());
    bench.facts.refused(&one, "a", "refused", bench.mono());
    assert_eq!(bench.look(), NONE, "that is the other alert's");
}

#[test]
fn restored_alerts_go_on_until_they_are_observed_anew() {
    let one = integration("one");
    for (alert, ends) in [
        (BuiltinAlert::NotificationFailed, HOLD_FAILED),
        (BuiltinAlert::NotificationDelayed, Duration::from_secs(300)),
        (BuiltinAlert::EvaluationsMissed, Duration::from_secs(600)),
    ] {
        let mut bench = Bench::new(alert);
        for _ in 0..12 {
            match alert {
                BuiltinAlert::NotificationFailed => {
                    bench.facts.refused(&one, "a", "x", bench.mono())
                }
                BuiltinAlert::EvaluationsMissed => {
                    let interval = Duration::from_secs(30);
                    bench.facts.rounds_missed("f;g", interval, 1, bench.mono());
                }
                _ => bench.facts.delayed(&one, "a", "x", None, bench.mono()),
            }
            bench.looks(60);
        }
        bench.facts = Facts::default();
        let (_, restored) = bench.alerts.active().next().unwrap();
        let (restored, at) = (restored.clone(), bench.mono());
        super::remember(&mut bench.facts, &bench.rule.key, &restored, at);
        let seconds = i64::try_from(ends.as_secs()).unwrap();
        assert_eq!(bench.looks(seconds - 15), FIRING, "{alert:?}");
        if alert == BuiltinAlert::NotificationFailed {
            bench.facts.delivered(&one, "whatever");
            assert_eq!(bench.look(), NONE, "it takes messages again");
        } else {
            assert_eq!(bench.looks(30), NONE, "{alert:?}");
        }
    }
}

#[test]
fn an_error_is_shortened_and_no_template() {
    let mut bench = Bench::new(BuiltinAlert::ReloadFailed);
    bench.facts.reload_refused(&format!("{{{{ $value }}}} {}", "ä".repeat(1000)));
    bench.look();
    let description = bench.annotation("description");
    assert!(description.starts_with("{{ $value }} ä"), "{description}");
    assert_eq!(description.chars().count(), 501);
}

#[test]
fn a_collector_without_answers_is_told_after_five_minutes() {
    let mut bench = Bench::new(BuiltinAlert::CollectorFailed);
    assert_eq!(bench.looks(60), NONE, "nothing is known yet");
    bench.facts.collector_failed("http://mlflow answered 503: no database");
    assert_eq!(bench.looks(300), PENDING);
    assert_eq!(bench.look(), FIRING);
    assert!(bench.annotation("description").ends_with("answered 503: no database"));
    bench.facts.collector_answered();
    assert_eq!(bench.look(), NONE);
    bench.facts.collector_failed("no connection");
    assert_eq!(bench.looks(315), FIRING);
    bench.facts.collector_off();
    assert_eq!(bench.look(), NONE, "nothing is collected any more");
}
