//! Alerts that are held back: inhibited, or outside of the route's hours.

use super::harness::{ROUTE, setup};
use super::*;

const INHIBIT: &str = "inhibit_rules:\n- {source_matchers: [severity = critical], \
                       target_matchers: [severity = warning], equal: [pod]}\n";

/// Everything in one group; the critical alert holds back the warning.
fn inhibiting() -> Bench {
    Bench::with(setup(ROUTE, INHIBIT, &["r/webhook"]))
}

#[test]
fn an_inhibited_alert_is_held_with_one_decision_and_told_when_inhibition_ends() {
    let mut bench = inhibiting();
    bench.fire("Big severity=critical").fire("Small severity=warning").pass(11);
    assert_eq!(bench.sent(), ["10 r/webhook first_notification: Big"]);
    let held = |reasons: Vec<String>| reasons.iter().filter(|r| *r == "inhibited").count();
    assert_eq!(held(bench.decided()), 1);
    bench.pass(300);
    assert_eq!(bench.decided(), Vec::<String>::new(), "only a change is a decision");
    bench.resolve("Big severity=critical").pass(60);
    assert_eq!(bench.sent(), ["370 r/webhook new_alerts_in_group: Small -Big"]);
    assert!(bench.decided().contains(&"active".to_string()));
}

#[test]
fn an_end_is_told_although_its_alert_is_inhibited_meanwhile() {
    let mut bench = inhibiting();
    bench.fire("Small severity=warning").pass(11).sent();
    bench.fire("Big severity=critical").pass(60);
    assert_eq!(bench.sent(), ["70 r/webhook new_alerts_in_group: Big"]);
    bench.resolve("Small severity=warning").pass(60);
    assert_eq!(bench.sent(), ["130 r/webhook new_resolved_alerts: Big -Small"]);
}

#[test]
fn a_known_alert_that_is_held_back_does_not_turn_the_message_to_resolved() {
    let route = format!("{ROUTE}, routes: [{{matchers: [severity = critical], receiver: other}}]");
    let mut bench = Bench::with(setup(&route, INHIBIT, &["r/webhook"]));
    bench.fire("Small severity=warning").fire("Third").pass(11).sent();
    bench.fire("Big severity=critical").resolve("Third").pass(60);
    assert_eq!(bench.sent(), ["70 r/webhook new_resolved_alerts: Small -Third"]);
    bench.pass(1200);
    assert!(bench.sent().is_empty(), "what is held back is not repeated");
    bench.resolve("Small severity=warning").pass(60);
    assert_eq!(bench.sent().len(), 1, "its end is told");
}

#[test]
fn an_inhibited_alert_that_nobody_was_told_of_ends_in_silence() {
    let mut bench = inhibiting();
    bench.fire("Big severity=critical").fire("Small severity=warning").pass(11).sent();
    bench.resolve("Small severity=warning").pass(60);
    assert!(bench.sent().is_empty());
    assert!(bench.decided().contains(&"resolved_before_notification".to_string()));
}

#[test]
fn what_waited_to_be_told_and_is_held_back_now_is_news_again_later() {
    let mut bench = inhibiting();
    bench.answer = Answer::Down;
    bench.fire("Small severity=warning").pass(15);
    bench.fire("Big severity=critical").pass(60);
    bench.answer = Answer::Works;
    bench.pass(60);
    let sent = bench.sent();
    assert!(sent.len() == 1 && sent[0].ends_with(": Big"), "{sent:?}");
    bench.resolve("Big severity=critical").pass(60);
    assert!(bench.sent().concat().contains("new_alerts_in_group: Small -Big"));
}

#[test]
fn an_end_that_waits_is_not_lost_when_its_alert_is_inhibited() {
    let mut bench = inhibiting();
    bench.fire("Small severity=warning").fire("Third").pass(11).sent();
    bench.answer = Answer::Down;
    bench.resolve("Small severity=warning").pass(61);
    bench.fire("Big severity=critical").pass(60);
    bench.answer = Answer::Works;
    bench.pass(60);
    assert!(bench.sent().concat().contains("Third Big -Small"), "{:?}", bench.sent());
}

#[test]
fn a_mute_interval_holds_back_and_what_still_fires_is_told_after_it() {
    let intervals = "time_intervals:\n- {name: now, time_intervals: \
                     [{times: [{start_time: '10:00', end_time: '10:05'}]}]}\n";
    let route = format!("{ROUTE}, routes: [{{mute_time_intervals: [now]}}]");
    let mut bench = Bench::with(setup(&route, intervals, &["r/webhook"]));
    bench.fire("A").fire("B").pass(11);
    assert!(bench.sent().is_empty());
    assert_eq!(bench.decided().iter().filter(|r| *r == "in_mute_interval").count(), 2);
    bench.resolve("B").pass(300);
    assert_eq!(bench.sent(), ["310 r/webhook first_notification: A"]);
}

#[test]
fn an_end_goes_out_through_a_mute_interval_where_its_beginning_was_told() {
    let intervals = "time_intervals:\n- {name: later, time_intervals: \
                     [{times: [{start_time: '10:02', end_time: '23:00'}]}]}\n";
    let route = format!("{ROUTE}, routes: [{{mute_time_intervals: [later]}}]");
    let mut bench = Bench::with(setup(&route, intervals, &["r/webhook"]));
    bench.fire("A").fire("B").pass(11).sent();
    bench.pass(150).fire("C").pass(60);
    assert!(bench.sent().is_empty(), "muted by now");
    bench.resolve("A").resolve("C").pass(60);
    assert_eq!(bench.sent(), ["250 r/webhook new_resolved_alerts: B -A"]);
    bench.resolve("B").pass(60);
    assert_eq!(bench.sent(), ["310 r/webhook all_alerts_resolved: -B"]);
}

#[test]
fn outside_its_active_interval_a_route_is_silent_but_tells_ends() {
    let intervals = "time_intervals:\n- {name: now, time_intervals: \
                     [{times: [{start_time: '10:00', end_time: '10:05'}]}]}\n";
    let route = format!("{ROUTE}, routes: [{{active_time_intervals: [now]}}]");
    let mut bench = Bench::with(setup(&route, intervals, &["r/webhook"]));
    bench.fire("A").pass(11);
    assert_eq!(bench.sent().len(), 1);
    bench.pass(300).fire("B").pass(60);
    assert!(bench.sent().is_empty());
    assert!(bench.decided().contains(&"outside_active_interval".to_string()));
    bench.resolve("A").pass(60);
    assert!(bench.sent().concat().ends_with("all_alerts_resolved: -A"));
}

#[test]
fn the_end_of_what_may_have_been_told_is_told_although_it_is_inhibited() {
    for killed in [true, false] {
        let mut bench = inhibiting();
        bench.answer = Answer::Hangs;
        bench.fire("Small severity=warning").pass(11);
        // It may have arrived.
        bench.answer = Answer::Works;
        if killed {
            bench.fire("Big severity=critical").restart(60).pass(1);
        } else {
            bench.land(Answer::Down);
            bench.answer = Answer::RetryAfter(100);
            bench.pass(5).fire("Big severity=critical");
            bench.answer = Answer::Works;
            bench.pass(110);
        }
        let sent = bench.sent();
        assert!(sent.len() == 1 && sent[0].ends_with(": Big"), "{sent:?}");
        bench.restart(1).resolve("Small severity=warning").pass(61);
        let sent = bench.sent();
        assert!(
            sent.len() == 1 && sent[0].ends_with("new_resolved_alerts: Big ?Small"),
            "{sent:?}"
        );
        bench.pass(120).resolve("Big severity=critical").pass(61);
        assert_eq!(bench.sent().len(), 1, "its end is told once");
        bench.assert_empty();
    }
}
