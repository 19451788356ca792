//! Receivers that are down, refuse, or take their time.

use super::harness::{ROUTE, setup};
use super::*;

#[test]
fn a_failure_is_tried_again_after_a_growing_wait_with_the_same_key() {
    let mut bench = Bench::new();
    bench.answer = Answer::Down;
    bench.fire("A").pass(40);
    let waits: Vec<f64> = bench.attempts.windows(2).map(|w| w[1] - w[0]).collect();
    assert!(waits.len() >= 4, "{waits:?}");
    for (wait, full) in waits.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0]) {
        assert!(*wait <= full && *wait > 0.74 * full, "{waits:?}");
    }
    assert!(bench.keys.iter().all(|key| *key == bench.keys[0]));
    bench.answer = Answer::Works;
    bench.pass(60);
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn retry_after_is_honoured() {
    let mut bench = Bench::new();
    bench.answer = Answer::RetryAfter(50);
    bench.fire("A").pass(10);
    bench.answer = Answer::Works;
    bench.pass(49);
    assert!(bench.sent().is_empty());
    bench.pass(2);
    assert_eq!(bench.sent(), ["60 r/webhook first_notification: A"]);
}

#[test]
fn a_newer_notification_supersedes_the_waiting_one_and_keeps_its_duties() {
    let mut bench = Bench::new();
    bench.answer = Answer::Down;
    bench.fire("A").pass(11).resolve("A").fire("B").pass(60);
    bench.answer = Answer::Works;
    bench.pass(60);
    let sent = bench.sent();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].ends_with("B ?A"), "{sent:?}");
    assert_eq!(bench.snapshot().entries, vec![]);
}

#[test]
fn what_fired_and_ended_while_the_receiver_was_down_is_told_as_missed() {
    for integration in ["r/webhook", "r/email!"] {
        let mut bench = Bench::with(setup(ROUTE, "", &[integration]));
        bench.answer = Answer::Down;
        bench.fire("A").pass(30).resolve("A").pass(3600);
        bench.answer = Answer::Works;
        bench.pass(61);
        let sent = bench.sent();
        assert_eq!(sent.len(), 1);
        assert!(sent[0].ends_with(": ?A"), "{sent:?}");
        bench.assert_empty();
    }
}

#[test]
fn after_a_days_outage_a_receiver_gets_one_message_per_group() {
    let mut bench = Bench::new();
    bench.answer = Answer::Down;
    bench.fire("A team=x").fire("B team=x").fire("C team=y").pass(3600);
    bench.resolve("A team=x").pass(82_800);
    bench.answer = Answer::Works;
    bench.pass(70);
    let mut sent = bench.sent();
    sent.iter_mut().for_each(|text| *text = text.split(": ").last().unwrap().to_string());
    sent.sort();
    assert_eq!(sent, ["B ?A", "C"]);
}

#[test]
fn a_permanent_failure_is_tried_again_by_the_next_flush() {
    let mut bench = Bench::new();
    bench.answer = Answer::Refuses;
    bench.fire("A").pass(69);
    assert_eq!(bench.attempts, [10.0], "not before");
    bench.answer = Answer::Works;
    bench.pass(2);
    assert_eq!(bench.sent(), ["70 r/webhook first_notification: A"]);
    assert_ne!(bench.keys[0], bench.keys[1], "a new message");
}

#[test]
fn a_repetition_that_is_refused_is_tried_again_by_the_next_flush() {
    let mut bench = Bench::new();
    bench.fire("A").pass(11).sent();
    bench.answer = Answer::Refuses;
    bench.pass(600);
    bench.answer = Answer::Works;
    bench.pass(60);
    assert_eq!(bench.sent(), ["670 r/webhook repeat_interval_elapsed: A"]);
}

#[test]
fn an_end_that_is_refused_is_tried_again_by_every_flush() {
    let mut bench = Bench::new();
    bench.fire("A").pass(11).sent();
    bench.answer = Answer::Refuses;
    bench.resolve("A").pass(600);
    assert_eq!(bench.attempts.len(), 11);
    bench.answer = Answer::Works;
    bench.pass(60);
    assert!(bench.sent()[0].ends_with("all_alerts_resolved: -A"));
    bench.assert_empty();
}

#[test]
fn one_delivery_is_in_flight_per_group_and_integration() {
    let mut bench = Bench::with(setup(ROUTE, "", &["r/webhook", "r/slack"]));
    bench.answer = Answer::Hangs;
    bench.fire("A team=x").fire("B team=y").pass(11);
    assert_eq!(bench.flying.len(), 4, "two groups, two integrations");
    bench.fire("C team=x").pass(120);
    assert_eq!(bench.flying.len(), 4);
    bench.land(Answer::Works).pass(0);
    assert_eq!(bench.flying.len(), 4, "the next message of that lane follows");
}

#[test]
fn a_message_in_flight_is_followed_by_the_end_of_what_it_tells() {
    let mut bench = Bench::new();
    bench.answer = Answer::Hangs;
    bench.fire("A").pass(11).resolve("A").pass(60);
    bench.answer = Answer::Works;
    bench.land(Answer::Works).pass(0);
    let sent = bench.sent();
    assert!(sent[0].ends_with("first_notification: A"));
    assert!(sent[1].ends_with("all_alerts_resolved: -A"));
    bench.assert_empty();
}

#[test]
fn without_send_resolved_a_beginning_that_arrives_late_needs_no_end() {
    let mut bench = Bench::with(setup(ROUTE, "", &["r/email!"]));
    bench.answer = Answer::Hangs;
    bench.fire("A").fire("B").pass(11).fire("C").pass(60);
    bench.resolve("A").pass(60);
    bench.answer = Answer::Works;
    bench.land(Answer::Works).pass(1);
    let sent = bench.sent();
    assert!(sent.len() == 2 && sent[1].ends_with(": B C"), "{sent:?}");
}

#[test]
fn a_refused_beginning_makes_the_end_that_waits_a_missed_one() {
    let mut bench = Bench::new();
    bench.answer = Answer::Hangs;
    bench.fire("A").pass(11).resolve("A").fire("B").pass(60);
    bench.answer = Answer::Works;
    bench.land(Answer::Refuses).pass(1);
    assert!(bench.sent()[0].ends_with(": B ?A"));
}

#[test]
fn the_outcome_of_a_former_life_is_not_taken_for_the_present_one() {
    let mut bench = Bench::with(setup(ROUTE, "", &["r/webhook"]));
    bench.answer = Answer::Hangs;
    bench.fire("A").pass(11);
    bench.reload(setup(ROUTE, "", &["r/slack!"])).reload(setup(ROUTE, "", &["r/webhook"]));
    bench.pass(60);
    let lanes = bench.flying.iter().filter(|t| &*t.integration.kind == "webhook").count();
    assert_eq!(lanes, 2, "the lane was dropped and is a new one");
    bench.land(Answer::Works);
    assert!(bench.snapshot().lanes[0].delivered.is_none());
}

#[test]
fn take_due_keeps_its_limit_and_takes_the_rest_later() {
    let mut bench = Bench::new();
    for team in 0..10 {
        bench.fire(&format!("A team={team}"));
    }
    bench.answer = Answer::Hangs;
    bench.now.mono = bench.now.mono + std::time::Duration::from_secs(10);
    let changes = bench.dispatcher.on_time(bench.now);
    bench.commit(changes);
    assert_eq!(bench.dispatcher.take_due(4, bench.now).len(), 4);
    assert_eq!(bench.dispatcher.next_deadline(true), Some(bench.now.mono), "more is due");
    assert!(bench.dispatcher.next_deadline(false) > Some(bench.now.mono), "attempts do not count");
    assert_eq!(bench.dispatcher.take_due(64, bench.now).len(), 6);
    assert_eq!(bench.dispatcher.take_due(64, bench.now).len(), 0);
}
