use super::*;
use crate::alerting::RuleTiming;
use crate::model::LabelSet;

const MINUTE: i64 = 60;
/// When the program stopped.
const DOWN: i64 = 1_000_000;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

fn alert(state: AlertState, active_at: i64) -> AlertInstance {
    AlertInstance {
        labels: LabelSet::from([("alertname", "A")]),
        annotations: LabelSet::new(),
        state,
        value: 1.0,
        active_at: at(active_at),
        fired_at: (state != AlertState::Pending).then(|| at(active_at + 10)),
        keep_firing_since: None,
        resolved_at: (state == AlertState::Inactive).then(|| at(active_at + 20)),
    }
}

/// A stop of so many minutes of a rule with so long a `for`; the interval is one minute.
fn stop(gap_minutes: i64, for_minutes: u64) -> Stop<'static> {
    Stop {
        last_alive: at(DOWN),
        now: at(DOWN + gap_minutes * MINUTE),
        interval: minutes(1),
        for_duration: minutes(for_minutes),
        evidence: None,
    }
}

/// The reason for one pending alert, and its new `active_at` in minutes from the stop.
fn pending(active_minutes: i64, stop: &Stop<'_>) -> (&'static str, Option<i64>) {
    let before = alert(AlertState::Pending, DOWN + active_minutes * MINUTE);
    let restored = restore(vec![before.clone()], stop);
    let fp = before.fingerprint();
    let reason = *restored.reasons.get(&fp).unwrap();
    let after = restored.alerts.get(fp);
    assert_eq!(restored.forgotten, if after.is_some() { vec![] } else { vec![fp] });
    assert_eq!(restored.transitions.is_empty(), after == Some(&before), "{reason}");
    for change in &restored.transitions {
        assert_eq!((change.reason, change.from, change.at), (reason, before.state, stop.now));
        let to = if after.is_some() { AlertState::Pending } else { AlertState::Inactive };
        assert_eq!((change.to, change.instance.state), (to, to));
    }
    (reason.as_str(), after.map(|a| (a.active_at.millis() / 1000 - DOWN) / MINUTE))
}

#[test]
fn without_evidence_prometheus_rule_holds() {
    for (name, gap, for_minutes, active, expected) in [
        ("two intervals change nothing", 2, 5, -3, ("restored_kept", Some(-3))),
        ("two intervals, due at once", 2, 5, -5, ("restored_kept", Some(-5))),
        ("for below the grace period", 3, 9, -3, ("restore_short_for", None)),
        ("for of the grace period, 9 left", 3, 10, -1, ("restored_grace", Some(3))),
        ("15 m left: time down is added", 30, 20, -5, ("restored_shifted", Some(25))),
        ("10 m left is not below the grace", 30, 20, -10, ("restored_shifted", Some(20))),
        ("9 m left: fires 10 m after the start", 30, 20, -11, ("restored_grace", Some(20))),
        ("due when it stopped", 30, 20, -20, ("restored_kept", Some(-20))),
        ("outage at the tolerance", 60, 20, -5, ("restored_shifted", Some(55))),
        ("outage past the tolerance", 61, 20, -5, ("restore_expired", None)),
    ] {
        assert_eq!(pending(active, &stop(gap, for_minutes)), expected, "{name}");
    }
}

/// What the datasource saw each minute after the stop: `#` active, `.` not active, `?` no data.
fn evidence(minutes_seen: &str) -> RangeEvidence {
    let mut evidence = RangeEvidence { step: minutes(1), ..RangeEvidence::default() };
    let active = evidence.active.entry(alert(AlertState::Pending, 0).fingerprint()).or_default();
    for (minute, seen) in (0..).zip(minutes_seen.chars()) {
        let step = at(DOWN + minute * MINUTE);
        if seen != '?' {
            evidence.observed.insert(step);
        }
        if seen == '#' {
            active.insert(step);
        }
    }
    evidence
}

#[test]
fn evidence_settles_it_for_any_for_and_any_outage() {
    for (seen, expected) in [
        ("###########", ("restored_continuous", Some(-2))),
        ("#####?#####", ("restored_continuous", Some(-2))),
        ("#####.#####", ("restored_interrupted", Some(6))),
        ("..........#", ("restored_interrupted", Some(10))),
        (".?..##.??##", ("restored_interrupted", Some(9))),
        ("##########.", ("restore_ended", None)),
        ("..........?", ("restore_ended", None)),
        // Too little was seen to say that it was active all the time: Prometheus' rule.
        ("####??#####", ("restore_short_for", None)),
        ("??????????#", ("restore_short_for", None)),
        ("########???", ("restore_short_for", None)),
        ("???????????", ("restore_short_for", None)),
    ] {
        let evidence = evidence(seen);
        let stop = Stop { evidence: Some(&evidence), ..stop(10, 5) };
        assert_eq!(pending(-2, &stop), expected, "{seen}");
    }
    let long = evidence(&"#".repeat(301));
    let stop = Stop { evidence: Some(&long), ..stop(300, 5) };
    assert_eq!(pending(-2, &stop), ("restored_continuous", Some(-2)));
}

#[test]
fn evidence_never_makes_an_alert_older() {
    // The last heartbeat can be older than the last evaluation.
    let evidence = evidence(".##########");
    let stop = Stop { evidence: Some(&evidence), ..stop(10, 5) };
    assert_eq!(pending(0, &stop), ("restored_interrupted", Some(1)));
    let before = alert(AlertState::Pending, DOWN + 2 * MINUTE);
    let restored = restore(vec![before.clone()], &stop);
    assert_eq!(restored.alerts.get(before.fingerprint()), Some(&before));
}

#[test]
fn an_alert_that_the_evidence_does_not_name_has_ended() {
    let nothing = RangeEvidence { active: BTreeMap::new(), ..evidence("###########") };
    let stop = Stop { evidence: Some(&nothing), ..stop(10, 5) };
    assert_eq!(pending(-2, &stop), ("restore_ended", None));
}

#[test]
fn a_firing_alert_fires_on_until_an_evaluation_ends_it() {
    let rule = RuleTiming { for_duration: minutes(5), ..RuleTiming::default() };
    let gone = evidence("..........................");
    for evidence in [None, Some(&gone)] {
        let stop = Stop { evidence, ..stop(24 * 60, 5) };
        let firing = alert(AlertState::Firing, DOWN - 600);
        let mut restored = restore(vec![firing.clone()], &stop);
        assert_eq!(restored.transitions, []);
        assert_eq!(restored.reasons.values().next(), Some(&TransitionReason::RestoredKept));
        assert_eq!(restored.alerts.get(firing.fingerprint()), Some(&firing));
        let step = restored.alerts.step(&rule, vec![], stop.now);
        assert_eq!(step.transitions[0].reason, TransitionReason::Absent);
    }
}

#[test]
fn resolved_alerts_come_back_without_a_word() {
    let resolved = alert(AlertState::Inactive, DOWN - 600);
    let restored = restore(vec![resolved.clone()], &stop(5, 5));
    assert_eq!(restored.alerts.get(resolved.fingerprint()), Some(&resolved));
    assert_eq!((restored.reasons.len(), restored.transitions.len()), (0, 0));
}

#[test]
fn a_clock_that_went_back_over_the_stop_changes_nothing() {
    assert_eq!(pending(-3, &stop(-500, 5)), ("restored_kept", Some(-3)));
}
