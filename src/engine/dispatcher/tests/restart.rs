//! The process is killed and goes on from its store.

use super::harness::{ROUTE, setup};
use super::*;

#[test]
fn a_restart_in_the_middle_of_group_wait_keeps_the_timer() {
    let mut bench = Bench::new();
    bench.fire("A").pass(4).restart(2).fire("B").pass(3);
    assert!(bench.sent().is_empty());
    bench.pass(1);
    assert_eq!(bench.sent(), ["10 r/webhook first_notification: A B"]);
    let mut late = Bench::new();
    late.fire("A").pass(4).restart(60).pass(0);
    assert_eq!(late.sent(), ["64 r/webhook first_notification: A"], "at once when it is over");
}

#[test]
fn what_was_decided_and_not_yet_sent_is_sent_after_a_restart() {
    let mut bench = Bench::new();
    bench.fire("A").pass(9);
    bench.now.mono = bench.now.mono + std::time::Duration::from_secs(1);
    bench.now.wall = bench.now.wall + std::time::Duration::from_secs(1);
    let changes = bench.dispatcher.on_time(bench.now);
    bench.commit(changes);
    bench.restart(5).pass(0);
    assert_eq!(bench.sent(), ["15 r/webhook first_notification: A"]);
}

#[test]
fn what_was_in_flight_is_sent_again_with_the_same_key() {
    let mut bench = Bench::new();
    bench.answer = Answer::Hangs;
    bench.fire("A").pass(11);
    let key = bench.flying[0].delivery.idempotency_key.clone();
    bench.answer = Answer::Works;
    bench.restart(5).pass(1);
    assert_eq!(bench.keys, [key]);
    bench.pass(300);
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn an_end_before_its_delivery_survives() {
    let mut bench = Bench::new();
    bench.fire("A").pass(11).sent();
    bench.resolve("A").restart(1).pass(60);
    assert_eq!(bench.sent().len(), 1, "resolved, not flushed");
    bench.assert_empty();
    bench.fire("A").pass(11).sent();
    bench.answer = Answer::Down;
    bench.resolve("A").pass(65).restart(1);
    bench.answer = Answer::Works;
    bench.pass(60);
    assert!(bench.sent()[0].ends_with("all_alerts_resolved: -A"), "flushed, not delivered");
    bench.assert_empty();
}

#[test]
fn a_clean_restart_repeats_nothing_and_forgets_nothing() {
    let mut bench = Bench::new();
    bench.fire("A").fire("B").pass(11).sent();
    bench.decided();
    for _ in 0..20 {
        bench.restart(1).pass(2);
    }
    assert_eq!(bench.sent(), Vec::<String>::new());
    assert_eq!(bench.decided(), Vec::<String>::new(), "being in a group is no new decision");
    bench.resolve("A").pass(60);
    assert_eq!(bench.sent().len(), 1);
    bench.restart(1).pass(600).restart(1);
    assert_eq!(bench.sent().len(), 1, "the repeat interval runs on");
}

#[test]
fn a_restart_at_every_step_tells_the_same() {
    let story = |restarts: bool| {
        let mut bench = Bench::new();
        let step = |bench: &mut Bench, secs: u64| {
            for _ in 0..secs {
                if restarts {
                    bench.restart(0);
                }
                bench.pass(1);
            }
        };
        bench.fire("A");
        step(&mut bench, 15);
        bench.fire("B");
        step(&mut bench, 60);
        bench.answer = Answer::Down;
        bench.fire("C").resolve("A");
        step(&mut bench, 70);
        bench.resolve("C");
        step(&mut bench, 70);
        bench.answer = Answer::Works;
        step(&mut bench, 70);
        bench.resolve("B");
        step(&mut bench, 70);
        bench.assert_empty();
        let texts = bench.sent().into_iter();
        texts.map(|text| text.split_once(' ').unwrap().1.to_string()).collect::<Vec<_>>()
    };
    let told = story(false);
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(told, story(true));
}

#[test]
fn a_resolved_alert_that_one_group_has_settled_is_not_told_there_again() {
    let route = format!(
        "{ROUTE}, routes: [{{matchers: [x = 1], continue: true}}, \
         {{matchers: [x = 1], receiver: other}}]"
    );
    let mut bench = Bench::with(setup(&route, "", &["r/webhook", "other/webhook"]));
    bench.fire("A x=1").fire("B x=1").pass(11).sent();
    bench.resolve("A x=1").pass(60).sent();
    // One receiver cannot be told of the end; the other group goes on with B.
    bench.answer = Answer::Hangs;
    bench.resolve("B x=1").fire("C x=1").pass(60);
    let place = bench.flying.iter().position(|t| &*t.group.receiver == "r").unwrap();
    bench.flying.swap(0, place);
    bench.land(Answer::Works).restart(1);
    bench.sent();
    bench.answer = Answer::Works;
    bench.pass(600);
    let again: Vec<String> =
        bench.sent().into_iter().filter(|t| t.contains(" r/") && t.contains("-B")).collect();
    assert_eq!(again, Vec::<String>::new());
}
