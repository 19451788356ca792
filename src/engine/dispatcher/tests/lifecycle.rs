//! From the first firing to the last word.

use super::harness::{ROUTE, setup};
use super::*;

#[test]
fn the_end_is_told_where_ends_are_told_and_nothing_is_left() {
    let mut bench = Bench::with(setup(ROUTE, "", &["r/webhook", "r/email!"]));
    bench.fire("A").pass(11).sent();
    bench.resolve("A").pass(60);
    assert_eq!(bench.sent(), ["70 r/webhook all_alerts_resolved: -A"]);
    bench.assert_empty();
}

#[test]
fn without_send_resolved_a_second_firing_is_news() {
    let mut bench = Bench::with(setup(ROUTE, "", &["r/email!"]));
    bench.fire("A").fire("B").pass(11).sent();
    bench.resolve("A").pass(60);
    assert!(bench.sent().is_empty());
    bench.fire("A").pass(60);
    assert_eq!(bench.sent(), ["130 r/email new_alerts_in_group: B A"]);
    bench.resolve("A").resolve("B").decided();
    bench.pass(60);
    let expected = ["send_resolved_off", "send_resolved_off"];
    assert_eq!(bench.decided(), expected, "it was told of, so nobody missed it");
    bench.assert_empty();
}

#[test]
fn a_second_firing_is_news_although_another_integration_still_waits_for_the_end_of_the_first() {
    let mut bench = Bench::with(setup(ROUTE, "", &["r/webhook", "r/email!"]));
    bench.answer = Answer::Hangs;
    bench.fire("A").fire("B").pass(11).land(Answer::Works).land(Answer::Works).sent();
    bench.resolve("B").pass(60).land(Answer::Refuses);
    bench.fire("B").pass(60).land(Answer::Works);
    assert_eq!(bench.sent(), ["131 r/email new_alerts_in_group: A B"]);
}

#[test]
fn an_alert_that_ends_within_group_wait_is_not_told_and_says_why() {
    let mut bench = Bench::new();
    bench.fire("A").pass(5).resolve("A").pass(6);
    assert!(bench.sent().is_empty());
    assert_eq!(bench.decided(), ["grouped", "resolved_before_notification"]);
    bench.assert_empty();
}

#[test]
fn two_rules_with_the_same_labels_are_one_alert() {
    let mut bench = Bench::new();
    bench.fire_by(0, "A", 0).fire_by(1, "A", 0).pass(11);
    assert_eq!(bench.sent(), ["10 r/webhook first_notification: A"]);
    bench.resolve_by(0, "A").pass(120);
    assert!(bench.sent().is_empty(), "it fires while either fires");
    bench.restart(1).pass(60);
    assert!(bench.sent().is_empty(), "also after a restart");
    bench.resolve_by(1, "A").pass(60);
    assert_eq!(bench.sent().len(), 1);
    bench.assert_empty();
}

#[test]
fn an_alert_that_is_pending_again_still_owes_its_end() {
    for restart in [false, true] {
        let mut bench = Bench::new();
        bench.fire("A").pass(11).sent();
        bench.pending_again("A");
        assert_eq!(bench.snapshot().alerts.len(), 2, "pending, and resolved");
        if restart {
            bench.restart(1);
        }
        bench.pass(60);
        assert_eq!(bench.sent(), ["70 r/webhook all_alerts_resolved: -A"]);
        assert_eq!(bench.snapshot().alerts.len(), 1, "pending");
        bench.fire("A").pass(10);
        assert_eq!(bench.sent().len(), 1, "a new alert");
        bench.resolve("A").pass(60).sent();
        bench.assert_empty();
    }
}

#[test]
fn a_short_gap_between_two_looks_says_nothing() {
    let mut bench = Bench::new();
    bench.fire("A").pass(11).sent();
    bench.resolve("A").pass(5).fire("A").pass(120);
    assert!(bench.sent().is_empty());
}

#[test]
fn every_route_that_matches_has_its_group() {
    let route = format!(
        "{ROUTE}, routes: [{{matchers: [x = 1], receiver: other, continue: true}}, \
         {{matchers: [x = 1], group_by: [x]}}]"
    );
    let mut bench = Bench::with(setup(&route, "", &["r/webhook", "other/mail"]));
    bench.fire("A x=1").pass(11);
    let mut sent = bench.sent();
    sent.sort();
    assert_eq!(sent, ["10 other/mail first_notification: A", "10 r/webhook first_notification: A"]);
    bench.resolve("A x=1").pass(60).sent();
    bench.assert_empty();
}

#[test]
fn a_receiver_without_integrations_is_told_nothing_and_leaves_nothing() {
    let mut bench = Bench::with(setup(ROUTE, "", &[]));
    bench.fire("A").pass(100).resolve("A").pass(60);
    assert!(bench.sent().is_empty());
    bench.assert_empty();
}
