//! When a group speaks.

use std::time::Duration;

use super::harness::{ROUTE, setup};
use super::*;
use crate::model::Now;

#[test]
fn the_first_notification_comes_after_group_wait_with_all_that_fired_meanwhile() {
    let mut bench = Bench::new();
    bench.fire("A").pass(4).fire("B").pass(5);
    assert!(bench.sent().is_empty());
    bench.pass(1);
    assert_eq!(bench.sent(), ["10 r/webhook first_notification: A B"]);
}

#[test]
fn an_alert_older_than_group_wait_flushes_at_once() {
    let mut bench = Bench::new();
    bench.fire_by(0, "A", 11).pass(0);
    assert_eq!(bench.sent(), ["0 r/webhook first_notification: A"]);
    bench.fire_by(0, "B", 600).pass(59);
    assert!(bench.sent().is_empty(), "a group that has spoken waits for its interval");
}

#[test]
fn a_change_is_told_after_group_interval() {
    let mut bench = Bench::new();
    bench.fire("A").pass(11).sent();
    bench.fire("B").pass(58);
    assert!(bench.sent().is_empty());
    bench.pass(1).resolve("A").pass(60);
    assert_eq!(
        bench.sent(),
        ["70 r/webhook new_alerts_in_group: A B", "130 r/webhook new_resolved_alerts: B -A"]
    );
}

#[test]
fn an_unchanged_group_is_repeated_after_repeat_interval_again_and_again() {
    let mut bench = Bench::new();
    bench.fire("A").pass(11).sent();
    bench.pass(1800);
    let repeats = [610, 1210, 1810].map(|at| format!("{at} r/webhook repeat_interval_elapsed: A"));
    assert_eq!(bench.sent(), repeats);
}

#[test]
fn the_repeat_interval_counts_from_the_last_notification_of_any_kind() {
    let mut bench = Bench::new();
    bench.fire("A").pass(301).fire("B").pass(30).sent();
    bench.pass(630);
    assert_eq!(bench.sent(), ["910 r/webhook repeat_interval_elapsed: A B"], "B was told at 310");
}

#[test]
fn a_loop_that_is_a_little_late_does_not_put_a_repetition_off() {
    let mut bench = Bench::new();
    bench.fire("A").pass(9);
    // The flush of second 10 is late by 50 ms, the later ones are in time.
    let late = Duration::from_millis(1_050);
    bench.now = Now { wall: bench.now.wall + late, mono: bench.now.mono + late };
    bench.pass(0).sent();
    bench.pass(610);
    assert_eq!(bench.sent(), ["610 r/webhook repeat_interval_elapsed: A"]);
}

#[test]
fn a_wall_clock_that_jumps_neither_silences_nor_floods() {
    for jump in [-86_400, 86_400] {
        let mut bench = Bench::new();
        bench.fire("A").pass(11).sent();
        let jumped = bench.now.wall.millis() + jump * 1000;
        bench.now.wall = crate::model::Timestamp::from_millis(jumped);
        bench.pass(598);
        assert!(bench.sent().is_empty(), "{jump}");
        bench.pass(1);
        assert_eq!(bench.sent().len(), 1, "{jump}: repeated when its time has come");
    }
}

#[test]
fn a_retry_is_not_put_off_by_a_clock_that_is_set_back() {
    let mut bench = Bench::new();
    bench.answer = Answer::Down;
    bench.fire("A").pass(200);
    bench.now.wall = bench.now.wall - Duration::from_secs(7200);
    bench.fire("B");
    bench.answer = Answer::Works;
    // The flush at the next interval supersedes the words, not the place in the backoff.
    bench.pass(121);
    assert_eq!(bench.sent().len(), 2, "within a minute of backoff, and the news of B");
}

#[test]
fn a_restored_timer_is_at_most_one_interval_away() {
    let mut bench = Bench::new();
    bench.fire("A").pass(11).sent();
    bench.fire("B");
    // The wall clock went back by a day while the process was down.
    bench.now.wall = bench.now.wall - Duration::from_secs(86_400);
    bench.restart(0).pass(60);
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn a_restart_after_a_jump_repeats_when_its_time_has_come() {
    for jump in [-3_600_000, 3_600_000] {
        let mut bench = Bench::new();
        bench.fire("A").pass(11).sent();
        bench.now.wall = bench.now.wall.moved(jump);
        let changes = bench.dispatcher.clock_jumped(jump, bench.now);
        bench.commit(changes);
        bench.restart(9).pass(589);
        assert!(bench.sent().is_empty(), "{jump}");
        bench.pass(1);
        assert_eq!(bench.sent().len(), 1, "{jump}");
    }
}

#[test]
fn what_arrived_late_is_repeated_one_interval_after_its_arrival() {
    for restarted in [false, true] {
        let mut bench = Bench::new();
        bench.answer = Answer::Down;
        bench.fire("A").pass(300);
        bench.answer = Answer::Works;
        bench.pass(60);
        assert_eq!(bench.sent().len(), 1);
        if restarted {
            bench.restart(0);
        }
        bench.pass(540);
        assert!(bench.sent().is_empty(), "decided at second 10, and known since 300 at least");
        bench.pass(120);
        assert_eq!(bench.sent().len(), 1);
    }
}

#[test]
fn what_is_to_be_repeated_after_a_stop_waits_for_the_rules_and_news_does_not() {
    let mut bench = Bench::with(setup(ROUTE, "", &["r/webhook"]));
    bench.fire("A team=x").fire("B team=y").fire("C team=z").pass(11).sent();
    bench.fire("D team=z").restart(900);
    bench.dispatcher.wait_for_rules(bench.now.mono + Duration::from_secs(30));
    bench.pass(1);
    assert_eq!(bench.sent(), ["911 r/webhook new_alerts_in_group: C D"]);
    bench.resolve("A team=x").pass(70);
    let sent = bench.sent().concat();
    assert!(sent.contains("all_alerts_resolved: -A") && !sent.contains(": A"), "{sent}");
    assert!(sent.contains("repeat_interval_elapsed: B"), "{sent}");
}

#[test]
fn groups_that_do_not_fit_into_a_transaction_stay_due() {
    let mut bench = Bench::with(setup(&ROUTE.replace("[team]", "['...']"), "", &["r/webhook"]));
    bench.fire("A").fire("B").fire("C");
    let due = bench.dispatcher.next_deadline(false).unwrap();
    bench.now = Now { wall: bench.now.wall + Duration::from_secs(10), mono: due };
    let mut told = Vec::new();
    for _ in 0..3 {
        assert_eq!(bench.dispatcher.next_deadline(false), Some(due), "something is still due");
        let mut changes = Vec::new();
        bench.dispatcher.flush_due(bench.now, 1, &mut changes);
        bench.commit(changes);
        told.push(bench.snapshot().entries.len());
    }
    assert_eq!(told, [1, 2, 3]);
    assert!(bench.dispatcher.next_deadline(false) > Some(due));
}
