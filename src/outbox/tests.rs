//! The lane, step by step; `model` tries random sequences.

mod model;
mod sim;

use std::time::Duration;

use crate::model::{NotificationStatus, Timestamp};
use crate::outbox::{AttemptOutcome, MAX_BACKOFF, Outcome};
use sim::{Sim, fp};

fn delivered() -> Outcome {
    Outcome::delivered(Some(200))
}

fn retry() -> Outcome {
    Outcome::retry("answered 503")
}

/// What waits, as `name` for a firing alert, `-name` for a resolved and `?name` for a missed one.
fn waiting(sim: &Sim) -> String {
    let Some(entry) = sim.lane.entries().last() else { return "nothing".into() };
    let word = |a: &crate::model::NotifiedAlert| {
        let mark = match (a.missed, a.status()) {
            (true, _) => "?",
            (false, NotificationStatus::Resolved) => "-",
            (false, NotificationStatus::Firing) => "",
        };
        format!("{mark}{}", a.alert.labels.alertname())
    };
    entry.notification.alerts.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// A lane of which the first alert, `a`, waits and has failed once.
fn failed_once(send_resolved: bool) -> Sim {
    let mut sim = Sim::new(send_resolved);
    sim.fire("a").flush();
    sim.attempt(&retry());
    sim
}

/// A lane that has told of `a`.
fn told_of_a(send_resolved: bool) -> Sim {
    let mut sim = Sim::new(send_resolved);
    sim.fire("a").flush();
    sim.attempt(&delivered());
    sim
}

#[test]
fn a_newer_notification_replaces_the_words_and_keeps_the_duties() {
    let mut sim = failed_once(true);
    let old = sim.entry();
    sim.fire("b").resolve("a").flush();
    let new = sim.entry();
    assert_eq!(waiting(&sim), "b ?a", "both are owed, one of them is over");
    assert_eq!(new.untold, [fp("a"), fp("b")].into());
    assert_ne!(new.id, old.id);
    assert_ne!(new.idempotency_key, old.idempotency_key, "other words, other key");
    assert_eq!((new.attempts, new.next_attempt), (1, old.next_attempt), "no way past the backoff");
    assert_eq!(new.last_error.as_deref(), Some("answered 503"));
}

#[test]
fn a_failure_waits_longer_each_time_and_keeps_its_key() {
    let mut sim = Sim::new(true);
    sim.fire("a").flush();
    let key = sim.entry().idempotency_key;
    let mut last = Duration::ZERO;
    for attempt in 1..=10 {
        let finished = sim.attempt(&retry()).unwrap();
        assert_eq!(finished.attempt.number, attempt);
        assert_eq!(finished.attempt.outcome, AttemptOutcome::Retry);
        assert_eq!(finished.attempt.alerts, [fp("a")]);
        let entry = sim.entry();
        let wait = entry.next_attempt.since(sim.now());
        assert!(wait > last || wait > MAX_BACKOFF / 2, "{attempt}: {wait:?} after {last:?}");
        assert_eq!(sim.lane.due(), Some(entry.next_attempt));
        assert_eq!(entry.idempotency_key, key);
        last = wait;
    }
    let asked = Outcome::Retry {
        after: Some(Duration::from_secs(300)),
        error: "answered 429".into(),
        status: Some(429),
    };
    let finished = sim.attempt(&asked).unwrap();
    assert_eq!(finished.attempt.status, Some(429));
    assert_eq!(sim.entry().next_attempt, sim.now() + Duration::from_secs(300));
}

#[test]
fn a_failed_attempt_merges_into_the_newer_entry_that_waits() {
    let mut sim = Sim::new(true);
    sim.fire("a").flush();
    sim.take();
    sim.fire("b").resolve("a").flush();
    assert_eq!(sim.lane.due(), None, "one in flight at a time");
    assert!(sim.lane.take().is_none());
    assert_eq!(waiting(&sim), "b -a", "the attempt in flight may tell of a");
    let first = sim.lane.entries().next().unwrap().id;
    let finished = sim.finish(&retry()).unwrap();
    assert_eq!(finished.removed, [first]);
    assert_eq!(waiting(&sim), "b ?a", "it did not");
    assert_eq!(sim.entry().attempts, 1);
    assert!(sim.entry().next_attempt > sim.now());
}

#[test]
fn a_delivery_fulfils_the_duties_of_what_waits() {
    let mut sim = Sim::new(true);
    sim.fire("a").flush();
    sim.take();
    sim.fire("b").flush();
    sim.resolve("a").flush();
    assert_eq!(waiting(&sim), "b ?a");
    sim.finish(&delivered());
    assert_eq!(waiting(&sim), "b -a", "a was told in time");
    assert_eq!(sim.entry().untold, [fp("b")].into());
}

#[test]
fn what_fired_and_ended_while_the_receiver_was_down_is_told_as_missed() {
    for send_resolved in [true, false] {
        let mut sim = failed_once(send_resolved);
        sim.resolve("a").flush();
        assert_eq!(waiting(&sim), "?a", "{send_resolved}");
        sim.attempt(&retry());
        assert_eq!(waiting(&sim), "?a", "it is wanted although nothing fires");
        sim.attempt(&delivered());
        assert!(sim.lane.is_idle() && !sim.lane.announced());
        sim.flush();
        assert!(sim.lane.is_idle(), "and that was all");
    }
}

#[test]
fn without_send_resolved_the_waiting_words_are_brought_up_to_date() {
    let mut sim = told_of_a(false);
    sim.fire("b").flush();
    sim.attempt(&retry());
    let old = sim.entry();
    assert_eq!(waiting(&sim), "a b");
    sim.resolve("a").flush();
    assert_eq!(waiting(&sim), "b", "a's end is not for this receiver");
    sim.resolve("b").flush();
    assert_eq!(waiting(&sim), "?b");
    assert_ne!(sim.entry().idempotency_key, old.idempotency_key);

    let mut sim = told_of_a(false);
    sim.repeat();
    sim.resolve("a").flush();
    assert_eq!(waiting(&sim), "nothing", "a repeat of what is over");
    sim.fire("a").flush();
    assert_eq!(waiting(&sim), "a", "a new firing is news");

    // The group goes on, with an alert that is held: the log is not emptied.
    let mut sim = told_of_a(false);
    sim.fire("c").flush();
    sim.attempt(&delivered());
    sim.hold("c");
    sim.repeat();
    sim.resolve("a").flush();
    assert_eq!(waiting(&sim), "nothing");
    assert_eq!(sim.lane.enqueued, sim.lane.delivered, "what was never said is not in the log");
}

#[test]
fn a_permanent_failure_puts_the_log_back_to_what_was_delivered() {
    let mut sim = told_of_a(true);
    let known = sim.lane.delivered.clone();
    sim.fire("b").flush();
    let finished = sim.attempt(&Outcome::permanent("answered 403")).unwrap();
    assert_eq!(finished.removed.len(), 1);
    assert_eq!(finished.attempt.error.as_deref(), Some("answered 403"));
    assert!(sim.lane.is_idle());
    assert_eq!(sim.lane.enqueued, known);
    sim.flush();
    assert_eq!(waiting(&sim), "a b", "the next flush tries again");

    let mut sim = Sim::new(true);
    sim.fire("a").flush();
    sim.take();
    sim.fire("b").flush();
    sim.finish(&Outcome::permanent("answered 403"));
    assert_eq!(waiting(&sim), "a b", "what waits keeps its words");
    assert_eq!(sim.lane.enqueued.as_ref().unwrap().firing.len(), 2);
}

#[test]
fn what_was_in_flight_waits_after_a_crash_with_its_key() {
    let mut sim = failed_once(true);
    let before = sim.entry();
    sim.take();
    sim.crash();
    assert_eq!(sim.entry(), before);

    sim.take();
    sim.fire("b").resolve("a").flush();
    sim.crash();
    let merged = sim.entry();
    assert_eq!(sim.lane.entries().count(), 1);
    assert_eq!(waiting(&sim), "b ?a", "the newest words, with the duties of what was in flight");
    assert_ne!(merged.idempotency_key, before.idempotency_key);
}

#[test]
fn a_suppressed_alert_is_neither_told_as_over_nor_forgotten() {
    let mut sim = failed_once(true);
    sim.hold("a").fire("b").flush();
    assert_eq!(waiting(&sim), "b", "a fires, but nobody is to hear of it now");
    sim.attempt(&delivered());
    sim.release("a").flush();
    assert_eq!(waiting(&sim), "a b", "now it is news");

    let mut sim = told_of_a(true);
    sim.hold("a").fire("b").flush();
    assert_eq!(waiting(&sim), "b");
    sim.attempt(&delivered());
    assert!(sim.lane.delivered.as_ref().unwrap().firing.contains(&fp("a")), "still known");
    sim.resolve("a").flush();
    assert_eq!(waiting(&sim), "b -a", "its end is told, suppressed or not");
}

#[test]
fn a_repeat_that_fails_is_dropped_when_all_is_over() {
    let mut sim = told_of_a(true);
    sim.repeat();
    sim.take();
    sim.resolve("a");
    let finished = sim.finish(&retry()).unwrap();
    assert!(finished.unwanted && finished.removed.len() == 1);
    assert!(sim.lane.is_idle());
    sim.flush();
    assert_eq!(waiting(&sim), "-a", "the end is told");

    let mut sim = told_of_a(true);
    sim.repeat();
    assert!(!sim.attempt(&retry()).unwrap().unwanted, "it still fires");
    assert_eq!(waiting(&sim), "a");
}

#[test]
fn an_announced_end_is_tried_for_as_long_as_it_takes() {
    let mut sim = told_of_a(true);
    sim.resolve("a").flush();
    for _ in 0..100 {
        assert!(!sim.attempt(&retry()).unwrap().unwanted);
    }
    assert_eq!(waiting(&sim), "-a");
    sim.attempt(&delivered());
    assert!(!sim.lane.announced() && sim.lane.is_idle());
}

#[test]
fn a_second_firing_is_owed_beside_the_first() {
    let mut sim = told_of_a(true);
    sim.resolve("a").flush();
    sim.attempt(&retry());
    sim.fire("a").flush();
    assert_eq!(sim.entry().untold, [fp("a")].into(), "the receiver knows of the first only");
    sim.resolve("a").flush();
    assert_eq!(waiting(&sim), "?a");
}

#[test]
fn the_integrations_memory_is_kept_until_it_gives_a_newer_one() {
    let mut sim = Sim::new(true);
    let remembering = |state: Option<&str>| Outcome::Delivered {
        receiver_state: state.map(Into::into),
        status: None,
    };
    for (name, gives, expected) in [
        ("a", None, None),
        ("b", Some("x"), Some("x")),
        ("c", None, Some("x")),
        ("d", Some("y"), Some("y")),
    ] {
        sim.fire(name).flush();
        sim.attempt(&remembering(gives));
        assert_eq!(sim.lane.receiver_state, expected.map(Into::into), "{name}");
    }
}

#[test]
fn nothing_in_flight_has_no_outcome() {
    let mut sim = failed_once(true);
    assert_eq!(sim.lane.finish(&delivered(), &sim.current, Timestamp::from_secs(9)), None);
    assert!(sim.lane.take().is_some());
}
