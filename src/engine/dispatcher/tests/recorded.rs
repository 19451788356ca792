//! What is recorded for `explain`.

use super::harness::{ROUTE, setup};
use super::*;
use crate::model::LabelSet;
use crate::storage::{Change, Decision, Start};

/// The decisions about the alert A: reason and detail.
fn decided(bench: &Bench) -> Vec<String> {
    let dossier = bench.dossier("alertname=A");
    let decisions = dossier.cases.iter().flat_map(|case| &case.history.decisions);
    let text = |d: &Decision| format!("{} {}", d.reason, d.detail);
    decisions.map(|decision| text(decision).trim_end().to_string()).collect()
}

#[test]
fn a_group_says_by_which_route_and_when_it_is_flushed() {
    let mut bench = Bench::new();
    bench.fire("A");
    assert_eq!(decided(&bench), ["grouped route {}, flushed at 2026-01-05T10:00:10.000Z"]);
    bench.pass(15);
    assert_eq!(decided(&bench)[1..], ["first_notification notification 1"]);
    bench.fire("B").pass(0);
    let dossier = bench.dossier("alertname=B");
    let grouped = &dossier.cases[0].history.decisions[0];
    assert_eq!(
        &*grouped.detail, "route {}, flushed at 2026-01-05T10:01:10.000Z",
        "a running group"
    );
}

#[test]
fn replaced_words_name_what_replaced_them() {
    let mut bench = Bench::new();
    bench.answer = Answer::Down;
    bench.fire("A").pass(11).fire("B").pass(60);
    let decided = decided(&bench);
    assert_eq!(decided[1], "first_notification notification 1");
    assert_eq!(decided[2], "new_alerts_in_group notification 2");
    assert_eq!(decided[3], "superseded notification 1 by 2");
    bench.answer = Answer::Works;
    bench.pass(60);
    assert_eq!(self::decided(&bench).len(), 4, "what is delivered is not replaced");
}

#[test]
fn an_attempt_that_fails_while_newer_words_wait_is_replaced() {
    let mut bench = Bench::new();
    bench.answer = Answer::Hangs;
    bench.fire("A").pass(11).fire("B").pass(60);
    assert!(!decided(&bench).concat().contains("superseded"), "it is in flight");
    bench.land(Answer::Down);
    assert_eq!(decided(&bench).last().unwrap(), "superseded notification 1 by 2");
    let attempts = &bench.dossier("alertname=A").cases[0].history.attempts;
    let waiting = &bench.snapshot().entries[0];
    assert_eq!(attempts[0].next_attempt, Some(waiting.next_attempt));
}

#[test]
fn words_that_nobody_needs_any_more_are_withdrawn() {
    let mut bench = Bench::new();
    bench.fire("A").fire("B").pass(11).sent();
    bench.answer = Answer::Down;
    bench.resolve("B").pass(61).fire("B").pass(60);
    assert!(decided(&bench).contains(&"superseded notification 2 by 3".to_string()));
    // With the newer words B is held back and A is as it was told.
    let mut bench = Bench::with(setup(ROUTE, "", &["r/email!"]));
    bench.fire("A").pass(11).sent();
    bench.answer = Answer::Down;
    bench.pass(600);
    bench.resolve("A").pass(60);
    let last = decided(&bench).pop().unwrap();
    assert!(last.starts_with("withdrawn notification "), "{:?}", decided(&bench));
    bench.assert_empty();
}

#[test]
fn a_firing_that_is_known_already_is_recorded_once() {
    let mut bench = Bench::new();
    bench.fire("A").pass(200).decided();
    assert_eq!(decided(&bench).len(), 2, "going on firing is no decision");
    bench.resolve("A").pass(5).fire("A").pass(200);
    assert_eq!(bench.decided(), ["already_notified"]);
    bench.restart(1).pass(200);
    assert_eq!(bench.decided(), Vec::<String>::new());
}

#[test]
fn an_end_that_is_not_told_is_recorded_once() {
    let mut bench = Bench::with(setup(ROUTE, "", &["r/email!"]));
    bench.fire("A").fire("B").pass(11).decided();
    bench.resolve("A").pass(300);
    assert_eq!(bench.decided(), ["send_resolved_off"]);
    assert_eq!(decided(&bench).last().unwrap(), "send_resolved_off");
}

#[test]
fn a_receiver_without_integrations_is_named() {
    let mut bench = Bench::with(setup(ROUTE, "", &[]));
    bench.fire("A").pass(300).restart(1).pass(300);
    assert_eq!(bench.decided(), ["grouped", "no_integrations"]);
    let mut bench = Bench::new();
    bench.fire("A").pass(11).decided();
    bench.reload(setup(ROUTE, "", &[])).pass(300);
    assert_eq!(bench.decided(), ["integration_removed", "no_integrations"]);
}

#[test]
fn who_leaves_a_group_is_recorded() {
    let to_other = format!("{ROUTE}, routes: [{{receiver: other}}]");
    let to_other = setup(&to_other, "", &["r/webhook", "other/webhook"]);
    let mut bench = Bench::new();
    bench.fire("A").pass(11).reload(std::sync::Arc::clone(&to_other)).pass(1);
    assert_eq!(decided(&bench)[2], "left_group its end is told there");
    let mut bench = Bench::new();
    bench.fire("A").pass(5).reload(to_other).pass(1);
    assert_eq!(decided(&bench)[1], "left_group nobody was told of it there");
}

/// By the labels that people know, through attempts, after it is gone, and under new ones.
#[test]
fn an_alert_is_known_by_its_labels_in_routing() {
    let clustered = |cluster: &str| {
        let mut setup = std::sync::Arc::into_inner(setup(ROUTE, "", &["r/webhook"])).unwrap();
        setup.external_labels = LabelSet::from([("cluster", cluster)]);
        std::sync::Arc::new(setup)
    };
    for restart in [false, true] {
        let mut bench = Bench::with(clustered("one"));
        bench.fire("A").pass(11);
        if restart {
            bench.restart_with(clustered("two"));
        } else {
            bench.reload(clustered("two"));
        }
        bench.pass(60).resolve("A").pass(60);
        bench.assert_empty();
        for (cluster, reason) in [("one", "left_group"), ("two", "grouped")] {
            let dossier = bench.dossier(&format!("cluster={cluster}"));
            let [case] = dossier.cases.as_slice() else { panic!("{cluster}: {dossier:?}") };
            assert_eq!(case.history.transitions.len(), 2, "the rule's alert is one");
            assert!(case.history.decisions.iter().any(|decision| decision.reason == reason));
            assert_eq!(case.history.attempts.len(), 2);
            let ends = case
                .history
                .attempts
                .iter()
                .map(|attempt| attempt.resolved.contains(&case.labels.fingerprint()));
            assert_eq!(ends.collect::<Vec<_>>(), [false, true], "{cluster}");
        }
    }
}

#[test]
fn a_start_is_recorded() {
    let mut bench = Bench::new();
    bench.commit(vec![Change::Heartbeat(bench.now.wall)]);
    let last_alive = Some(bench.now.wall);
    bench.restart(7);
    let starts = bench.dossier("alertname=A").starts;
    assert_eq!(starts, [Start { at: bench.now.wall, last_alive }]);
}
