//! The configuration changes under alerts that fire.

use std::sync::Arc;

use super::harness::{ROUTE, rule, setup};
use super::*;
use crate::engine::dispatcher::RoutingSetup;
use crate::model::LabelSet;

fn other_group_by() -> Arc<RoutingSetup> {
    setup(&ROUTE.replace("[team]", "[alertname]"), "", &["r/webhook"])
}

fn clustered(cluster: &str) -> Arc<RoutingSetup> {
    let mut setup = Arc::into_inner(setup(ROUTE, "", &["r/webhook"])).unwrap();
    setup.external_labels = LabelSet::from([("cluster", cluster)]);
    Arc::new(setup)
}

#[test]
fn a_changed_route_ends_alerts_under_the_old_key_and_announces_them_under_the_new() {
    let to_other = format!("{ROUTE}, routes: [{{receiver: other}}]");
    for restart in [false, true] {
        for (next, receiver) in [
            (setup(&to_other, "", &["r/webhook", "other/webhook"]), "other"),
            (other_group_by(), "r"),
        ] {
            let mut bench = Bench::new();
            bench.fire("A").pass(11).sent();
            if restart {
                bench.restart_with(next).pass(11);
            } else {
                bench.reload(next).pass(11);
            }
            let mut sent = bench.sent();
            sent.iter_mut().for_each(|t| *t = t.split_once(' ').unwrap().1.to_string());
            sent.sort();
            let mut expected = [
                "r/webhook route_changed: -A".to_string(),
                format!("{receiver}/webhook first_notification: A"),
            ];
            expected.sort();
            assert_eq!(sent, expected, "restart: {restart}");
            bench.resolve("A").pass(120).sent();
            bench.assert_empty();
        }
    }
}

#[test]
fn a_reload_that_changes_nothing_says_nothing() {
    let mut bench = Bench::new();
    bench.fire("A").pass(11).sent();
    bench.decided();
    bench.pass(20).reload(setup(ROUTE, "", &["r/webhook"])).pass(500);
    assert_eq!((bench.sent(), bench.decided()), (vec![], vec![]));
    bench.pass(100);
    assert_eq!(bench.sent().len(), 1, "the repeat interval runs on");
}

#[test]
fn an_alert_that_nobody_was_told_of_leaves_without_a_word() {
    let mut bench = Bench::new();
    bench.fire("A").pass(5).reload(other_group_by()).pass(60);
    assert_eq!(bench.sent().len(), 1, "announced under the new key only");
    bench.resolve("A").pass(60).sent();
    bench.assert_empty();
}

#[test]
fn a_route_that_comes_back_before_the_end_was_told_goes_on() {
    let mut bench = Bench::new();
    bench.fire("A").pass(11).sent();
    bench.answer = Answer::Down;
    bench.reload(other_group_by()).pass(3);
    bench.reload(setup(ROUTE, "", &["r/webhook"]));
    bench.answer = Answer::Works;
    bench.pass(120).sent();
    bench.resolve("A").pass(120);
    assert!(bench.sent().concat().contains("all_alerts_resolved: -A"));
    bench.assert_empty();
}

#[test]
fn the_end_under_a_lost_route_survives_a_restart() {
    let mut bench = Bench::new();
    bench.fire("A").pass(11).sent();
    bench.answer = Answer::Down;
    bench.reload(other_group_by()).pass(20).restart(1).pass(20);
    bench.answer = Answer::Works;
    bench.pass(60);
    assert!(bench.sent().concat().contains("route_changed: -A"));
}

#[test]
fn an_end_that_was_refused_survives_a_kill_before_the_next_flush() {
    for killed in [true, false] {
        let mut bench = Bench::with(clustered("one"));
        bench.fire("A").pass(11).sent();
        bench.answer = Answer::Refuses;
        bench.reload(clustered("two")).pass(1);
        if killed {
            bench.restart(1);
        }
        bench.answer = Answer::Works;
        bench.pass(61);
        assert!(bench.sent().concat().contains("-A"), "only the refused words had the former A");
        bench.resolve("A").pass(61).sent();
        bench.assert_empty();
    }
}

#[test]
fn an_integration_that_is_removed_is_told_nothing_more_and_a_new_one_is_told() {
    let mut bench = Bench::with(setup(ROUTE, "", &["r/webhook"]));
    bench.answer = Answer::Down;
    bench.fire("A").pass(15).decided();
    bench.answer = Answer::Works;
    bench.reload(setup(ROUTE, "", &["r/slack"]));
    assert!(bench.decided().contains(&"integration_removed".to_string()));
    bench.pass(60);
    assert_eq!(bench.sent(), ["70 r/slack first_notification: A"]);
    bench.resolve("A").pass(60).sent();
    bench.assert_empty();
}

#[test]
fn a_receiver_that_is_removed_leaves_nothing() {
    let mut bench = Bench::new();
    bench.fire("A").pass(11).resolve("A").reload(setup(ROUTE, "", &[])).pass(60);
    bench.sent();
    bench.assert_empty();
}

#[test]
fn changed_external_labels_make_another_alert() {
    for restart in [false, true] {
        let mut bench = Bench::with(clustered("one"));
        bench.fire("A").pass(11).sent();
        if restart {
            bench.restart_with(clustered("two"));
        } else {
            bench.reload(clustered("two"));
        }
        bench.pass(61);
        let sent = bench.sent().concat();
        assert!(sent.contains("-A"), "the former ends: {sent}");
        assert!(sent.contains("A -A") || sent.contains(": A"), "the other begins: {sent}");
        bench.resolve("A").pass(61);
        assert!(bench.sent().concat().contains("all_alerts_resolved: -A"), "{restart}");
        bench.assert_empty();
    }
}

#[test]
fn external_labels_fill_in_only_what_is_missing() {
    let mut bench = Bench::with(clustered("one"));
    bench.fire("A cluster=own").pass(11).sent();
    bench.reload(clustered("two")).pass(120);
    assert!(bench.sent().is_empty(), "the alert has its own value");
}

#[test]
fn rules_that_swap_keys_take_their_alerts_along() {
    let mut bench = Bench::new();
    bench.fire_by(0, "A", 0).fire_by(1, "B", 0).pass(11).sent();
    let swapped = vec![(rule(0), rule(1)), (rule(1), rule(0))];
    let changes = bench.dispatcher.rules_moved(swapped);
    bench.commit(changes);
    let stored = bench.snapshot().alerts;
    let names: Vec<(u32, &str)> =
        stored.iter().map(|a| (a.rule.nth, a.instance.labels.alertname())).collect();
    assert_eq!(names, [(0, "B"), (1, "A")]);
    bench.restart(1);
    // Each is resolved under its new key.
    bench.fire_by(1, "A", 20).resolve_by(1, "A").fire_by(0, "B", 20).resolve_by(0, "B").pass(60);
    assert!(bench.sent().concat().contains("-A -B"));
    bench.assert_empty();
}

#[test]
fn a_removed_inhibit_rule_frees_what_it_held() {
    let inhibit = "inhibit_rules:\n- {source_matchers: [severity = critical], \
                   target_matchers: [severity = warning]}\n";
    let mut bench = Bench::with(setup(ROUTE, inhibit, &["r/webhook"]));
    bench.fire("Big severity=critical").fire("Small severity=warning").pass(11).sent();
    bench.reload(setup(ROUTE, "", &["r/webhook"])).pass(60);
    assert_eq!(bench.sent(), ["70 r/webhook new_alerts_in_group: Big Small"]);
}
