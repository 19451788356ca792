use super::*;

const NO_WAIT: RuleTiming =
    RuleTiming { for_duration: Duration::ZERO, keep_firing_for: Duration::ZERO, limit: 0 };

fn timing(for_secs: u64, keep_secs: u64, limit: u64) -> RuleTiming {
    let (for_duration, keep_firing_for) =
        (Duration::from_secs(for_secs), Duration::from_secs(keep_secs));
    RuleTiming { for_duration, keep_firing_for, limit }
}

fn sample(pod: &str, value: f64) -> ActiveSample {
    let labels = LabelSet::from([("alertname", "A"), ("pod", pod)]);
    ActiveSample {
        labels,
        annotations: LabelSet::from([("summary", value.to_string().as_str())]),
        value,
    }
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

/// Runs a step with the given pods and names its transitions: `pod from→to reason`.
fn run(alerts: &mut RuleAlerts, rule: &RuleTiming, pods: &[&str], secs: i64) -> Vec<String> {
    let vector = pods.iter().map(|pod| sample(pod, 1.0)).collect();
    let step = alerts.step(rule, vector, at(secs));
    assert_eq!(step.error, None);
    names(&step)
}

fn names(step: &Step) -> Vec<String> {
    let name = |t: &Transition| {
        assert_eq!(t.fingerprint, t.instance.fingerprint());
        assert_eq!(t.to, t.instance.state);
        format!("{} {}→{} {}", t.instance.labels.value("pod"), t.from, t.to, t.reason)
    };
    step.transitions.iter().map(name).collect()
}

#[test]
fn without_for_an_alert_fires_in_one_step() {
    let mut alerts = RuleAlerts::default();
    assert_eq!(run(&mut alerts, &NO_WAIT, &["a"], 10), ["a inactive→firing became_active"]);
    let (_, alert) = alerts.active().next().unwrap();
    assert_eq!((alert.active_at, alert.fired_at), (at(10), Some(at(10))));
    assert_eq!(run(&mut alerts, &NO_WAIT, &[], 20), ["a firing→inactive absent"]);
    assert_eq!(alerts.state(), AlertState::Inactive);
}

#[test]
fn an_alert_fires_when_for_has_passed_to_the_second() {
    let (mut alerts, rule) = (RuleAlerts::default(), timing(60, 0, 0));
    assert_eq!(run(&mut alerts, &rule, &["a"], 0), ["a inactive→pending became_active"]);
    assert!(run(&mut alerts, &rule, &["a"], 59).is_empty());
    assert_eq!(alerts.state(), AlertState::Pending);
    assert_eq!(run(&mut alerts, &rule, &["a"], 60), ["a pending→firing held_for"]);
    let (_, alert) = alerts.active().next().unwrap();
    assert_eq!((alert.active_at, alert.fired_at), (at(0), Some(at(60))));
}

#[test]
fn a_pending_alert_that_vanishes_is_forgotten_and_starts_anew() {
    let (mut alerts, rule) = (RuleAlerts::default(), timing(60, 0, 0));
    run(&mut alerts, &rule, &["a"], 0);
    let step = alerts.step(&rule, vec![], at(30));
    assert_eq!(names(&step), ["a pending→inactive vanished"]);
    assert_eq!(step.forgotten, [sample("a", 0.0).labels.fingerprint()]);
    assert_eq!(step.transitions[0].instance.resolved_at, None, "it never fired");
    assert_eq!(alerts, RuleAlerts::default());
    run(&mut alerts, &rule, &["a"], 45);
    assert!(run(&mut alerts, &rule, &["a"], 60).is_empty());
}

#[test]
fn a_known_alert_gets_value_and_annotations_without_a_transition() {
    let mut alerts = RuleAlerts::default();
    run(&mut alerts, &NO_WAIT, &["a"], 0);
    let step = alerts.step(&NO_WAIT, vec![sample("a", 7.5)], at(30));
    assert_eq!(step, Step::default());
    let (_, alert) = alerts.active().next().unwrap();
    assert_eq!((alert.value, alert.active_at, alert.fired_at), (7.5, at(0), Some(at(0))));
    assert_eq!(alert.annotations.value("summary"), "7.5");
}

#[test]
fn duplicates_change_nothing() {
    let mut alerts = RuleAlerts::default();
    run(&mut alerts, &NO_WAIT, &["a"], 0);
    let before = alerts.clone();
    let vector = vec![sample("b", 1.0), sample("c", 1.0), sample("b", 2.0)];
    let step = alerts.step(&NO_WAIT, vector, at(30));
    let text = step.error.unwrap().to_string();
    assert!(text.starts_with(
        "vector contains metrics with the same labelset after applying alert labels: "
    ));
    assert!(text.contains(r#"pod="b""#), "{text}");
    assert_eq!((step.transitions.len(), alerts), (0, before));
}

#[test]
fn a_resolved_alert_is_kept_for_15_minutes_and_comes_back_as_new() {
    let mut alerts = RuleAlerts::default();
    run(&mut alerts, &NO_WAIT, &["a", "b"], 0);
    run(&mut alerts, &NO_WAIT, &["b"], 10);
    assert_eq!(run(&mut alerts, &NO_WAIT, &["a", "b"], 20), ["a inactive→firing became_active"]);
    let fp = sample("a", 0.0).labels.fingerprint();
    assert_eq!(alerts.get(fp).unwrap().active_at, at(20));
    assert_eq!(alerts.get(fp).unwrap().resolved_at, None);
    run(&mut alerts, &NO_WAIT, &["b"], 30);
    assert_eq!(alerts.step(&NO_WAIT, vec![sample("b", 1.0)], at(930)), Step::default());
    assert_eq!(alerts.get(fp).unwrap().resolved_at, Some(at(30)));
    let step = alerts.step(&NO_WAIT, vec![sample("b", 1.0)], at(931));
    assert_eq!((step.transitions.len(), step.forgotten), (0, vec![fp]));
    assert_eq!(alerts.iter().count(), 1);
}

#[test]
fn keep_firing_for_bridges_a_gap() {
    let (mut alerts, rule) = (RuleAlerts::default(), timing(0, 60, 0));
    run(&mut alerts, &rule, &["a"], 0);
    assert_eq!(run(&mut alerts, &rule, &[], 30), ["a firing→firing kept_firing"]);
    assert!(run(&mut alerts, &rule, &[], 89).is_empty());
    assert_eq!(run(&mut alerts, &rule, &["a"], 89), ["a firing→firing reappeared"]);
    assert_eq!(run(&mut alerts, &rule, &[], 100), ["a firing→firing kept_firing"]);
    let (_, alert) = alerts.active().next().unwrap();
    assert_eq!((alert.keep_firing_since, alert.fired_at), (Some(at(100)), Some(at(0))));
    assert_eq!(run(&mut alerts, &rule, &[], 160), ["a firing→inactive keep_firing_elapsed"]);
}

#[test]
fn a_raised_for_makes_a_firing_alert_pending() {
    let mut alerts = RuleAlerts::default();
    run(&mut alerts, &timing(60, 0, 0), &["a"], 0);
    run(&mut alerts, &timing(60, 0, 0), &["a"], 60);
    assert!(run(&mut alerts, &timing(90, 0, 0), &["a"], 90).is_empty(), "already past");
    assert_eq!(run(&mut alerts, &timing(300, 0, 0), &["a"], 120), ["a firing→pending for_raised"]);
    assert_eq!(alerts.active().next().unwrap().1.fired_at, None);
    assert_eq!(run(&mut alerts, &timing(300, 0, 0), &["a"], 300), ["a pending→firing held_for"]);
    run(&mut alerts, &timing(300, 90, 0), &[], 330);
    let raised = timing(600, 90, 0);
    assert_eq!(run(&mut alerts, &raised, &["a"], 360), ["a firing→pending for_raised"], "and back");
}

#[test]
fn over_the_limit_all_alerts_are_cleared() {
    let mut alerts = RuleAlerts::default();
    let rule = timing(60, 0, 2);
    run(&mut alerts, &rule, &["a", "z"], 0);
    run(&mut alerts, &rule, &["a"], 60);
    run(&mut alerts, &rule, &["a", "b"], 90);
    let vector = ["a", "b", "c"].map(|pod| sample(pod, 1.0)).to_vec();
    let step = alerts.step(&rule, vector.clone(), at(120));
    assert_eq!(step.error, Some(StepError::LimitExceeded { limit: 2, count: 3 }));
    assert_eq!(step.error.as_ref().unwrap().to_string(), "exceeded limit of 2 with 3 alerts");
    let mut changes = names(&step);
    changes.sort();
    let ends = ["a firing→inactive limit_exceeded", "b pending→inactive limit_exceeded"];
    assert_eq!(changes, ends);
    assert_eq!(step.forgotten.len(), 2);
    assert_eq!(alerts, RuleAlerts::default());
    let again = alerts.step(&rule, vector, at(150));
    assert_eq!((again.transitions.len(), again.error.is_some()), (0, true));
}

#[test]
fn the_limit_counts_alerts_that_are_kept_firing() {
    let mut alerts = RuleAlerts::default();
    let rule = timing(0, 60, 2);
    run(&mut alerts, &rule, &["a"], 0);
    run(&mut alerts, &rule, &["b"], 10);
    let step = alerts.step(&rule, vec![sample("b", 1.0), sample("c", 1.0)], at(20));
    assert_eq!(step.error, Some(StepError::LimitExceeded { limit: 2, count: 3 }));
}

#[test]
fn a_clock_that_went_back_ends_nothing_and_delays_by_one_for() {
    let (mut alerts, rule) = (RuleAlerts::default(), timing(60, 60, 0));
    run(&mut alerts, &rule, &["a"], 10_000);
    run(&mut alerts, &rule, &["a", "b"], 10_060);
    assert!(run(&mut alerts, &rule, &["a", "b"], 5_000).is_empty());
    assert_eq!(run(&mut alerts, &rule, &["a", "b"], 5_060), ["b pending→firing held_for"]);
    assert_eq!(run(&mut alerts, &rule, &["a"], 5_060), ["b firing→firing kept_firing"]);
    run(&mut alerts, &rule, &["a"], 1_000);
    assert_eq!(run(&mut alerts, &rule, &["a"], 1_060), ["b firing→inactive keep_firing_elapsed"]);
}

#[test]
fn running_times_move_with_a_clock_jump() {
    let (mut alerts, rule) = (RuleAlerts::default(), timing(60, 60, 0));
    run(&mut alerts, &rule, &["a"], 0);
    let moved = alerts.clock_jumped(3_600_000, Timestamp::from_secs(3_610));
    let [moved] = moved.as_slice() else { panic!("{moved:?}") };
    assert_eq!((moved.from, moved.to), (AlertState::Pending, AlertState::Pending));
    assert_eq!(moved.instance.active_at, Timestamp::from_secs(3_600), "to be stored");
    assert!(run(&mut alerts, &rule, &["a"], 3_630).is_empty());
    assert_eq!(run(&mut alerts, &rule, &["a"], 3_660), ["a pending→firing held_for"]);
    assert_eq!(alerts.clock_jumped(0, Timestamp::from_secs(3_660)), [], "nothing runs");
    run(&mut alerts, &rule, &[], 3_690);
    let moved = alerts.clock_jumped(-3_600_000, Timestamp::from_secs(95));
    assert_eq!(moved[0].instance.keep_firing_since, Some(Timestamp::from_secs(90)));
    assert!(run(&mut alerts, &rule, &[], 149).is_empty());
    assert_eq!(run(&mut alerts, &rule, &[], 150), ["a firing→inactive keep_firing_elapsed"]);
}

#[test]
fn an_alert_that_goes_on_keeps_the_texts_that_it_has() {
    let mut alerts = RuleAlerts::default();
    run(&mut alerts, &NO_WAIT, &["a"], 0);
    let places = |alerts: &RuleAlerts| {
        let (_, alert) = alerts.active().next().unwrap();
        let place = |set: &LabelSet| set.iter().next().map(|(name, _)| name.as_ptr());
        [place(&alert.labels), place(&alert.annotations)]
    };
    let before = places(&alerts);
    run(&mut alerts, &NO_WAIT, &["a"], 10);
    assert_eq!(places(&alerts), before, "routing holds the same, so nothing is held twice");
    let step = alerts.step(&NO_WAIT, vec![sample("a", 2.0)], at(20));
    assert!(step.transitions.is_empty());
    let (_, alert) = alerts.active().next().unwrap();
    assert_eq!((alert.annotations.value("summary"), alert.value), ("2", 2.0));
}

#[test]
fn what_is_kept_stays_exactly_as_it_is() {
    let (mut alerts, rule) = (RuleAlerts::default(), timing(60, 0, 2));
    run(&mut alerts, &rule, &["a"], 0);
    run(&mut alerts, &rule, &["a", "b"], 60);
    let kept = alerts.active().map(|(fp, _)| fp).collect();
    let before = alerts.clone();
    let step = alerts.step_keeping(&rule, Vec::new(), &kept, at(300));
    assert_eq!((step, &alerts), (Step::default(), &before), "a fires on, b waits");
    // What is returned is not kept, and what is kept counts for the limit.
    let step = alerts.step_keeping(&rule, vec![sample("b", 1.0)], &kept, at(310));
    assert_eq!(names(&step), ["b pending→firing held_for"]);
    let step = alerts.step_keeping(&rule, vec![sample("c", 1.0)], &kept, at(320));
    assert_eq!(step.error, Some(StepError::LimitExceeded { limit: 2, count: 3 }));
}
