//! Alerts that somebody has silenced.

use std::sync::Arc;
use std::time::Duration;

use super::harness::{ROUTE, setup};
use super::*;
use crate::model::{LabelSet, SilenceDraft, SilenceId, parse_matchers};
use crate::storage::Change;

fn id(number: u8) -> SilenceId {
    SilenceId::from_random([number; 16])
}

impl Bench {
    /// Silences what matches for some seconds from now.
    fn silence(&mut self, number: u8, matchers: &str, secs: u64) -> &mut Self {
        self.silence_from(number, matchers, 0, secs)
    }

    fn silence_from(&mut self, number: u8, matchers: &str, after: u64, secs: u64) -> &mut Self {
        let starts_at = self.now.wall + Duration::from_secs(after);
        let draft = SilenceDraft {
            id: None,
            matchers: parse_matchers(matchers).unwrap(),
            starts_at,
            ends_at: starts_at + Duration::from_secs(secs),
            created_by: "ann".to_string(),
            comment: "disk swap".to_string(),
        };
        let (got, changes) = self.dispatcher.set_silence(draft, id(number), self.now).unwrap();
        assert_eq!(got, id(number));
        self.commit(changes);
        self
    }

    fn expire(&mut self, number: u8) -> &mut Self {
        let changes = self.dispatcher.expire_silence(id(number), self.now).unwrap();
        self.commit(changes);
        self
    }

    /// The details of all decisions with this reason.
    fn details(&self, reason: &str) -> Vec<String> {
        let decisions = self.history().decisions.into_iter();
        decisions.filter(|d| d.reason == reason).map(|d| d.detail.to_string()).collect()
    }

    fn suppressed(&self) -> (usize, usize) {
        let counts = self.dispatcher.counts(self.now);
        (counts.firing, counts.suppressed)
    }
}

#[test]
fn a_silence_set_before_the_first_message_holds_it_until_it_ends() {
    let mut bench = Bench::new();
    bench.silence(1, "alertname=A", 100).fire("A").fire("B").pass(11);
    assert_eq!(bench.sent(), ["10 r/webhook first_notification: B"]);
    assert_eq!(bench.suppressed(), (1, 1));
    assert!(bench.decided().contains(&"silenced".to_string()));
    // It ends at 100; the group's next flush after that is at 130.
    bench.pass(118);
    assert!(bench.sent().is_empty());
    bench.pass(2);
    assert_eq!(bench.sent(), ["130 r/webhook new_alerts_in_group: A B"]);
    assert_eq!(bench.suppressed(), (2, 0));
    assert!(bench.decided().contains(&"active".to_string()));
}

#[test]
fn a_silence_that_is_expired_by_hand_tells_at_the_next_flush() {
    let mut bench = Bench::new();
    bench.silence(1, "alertname=A", 10_000).fire("A").pass(100);
    assert!(bench.sent().is_empty());
    bench.expire(1).pass(29);
    assert!(bench.sent().is_empty(), "not before");
    bench.pass(2);
    assert_eq!(bench.sent(), ["130 r/webhook first_notification: A"]);
}

#[test]
fn a_silence_set_after_the_first_message_stops_repeats_but_not_the_end() {
    let mut bench = Bench::new();
    bench.fire("A").pass(11).sent();
    bench.silence(1, "alertname=A", 100_000).pass(2_000);
    assert!(bench.sent().is_empty(), "no repeats");
    bench.resolve("A").pass(60);
    assert_eq!(bench.sent(), ["2050 r/webhook all_alerts_resolved: -A"]);
    assert!(bench.dispatcher.alerts.is_empty() && bench.dispatcher.groups.is_empty());
}

#[test]
fn an_end_goes_out_through_a_silence_beside_others_that_fire() {
    let mut bench = Bench::new();
    bench.fire("A").fire("B").pass(11).sent();
    bench.silence(1, "alertname=A", 100_000).resolve("A").pass(60);
    assert_eq!(bench.sent(), ["70 r/webhook new_resolved_alerts: B -A"]);
}

#[test]
fn an_end_through_a_silence_survives_a_receiver_that_is_down_and_a_restart() {
    let mut bench = Bench::new();
    bench.fire("A").pass(11).sent();
    bench.answer = Answer::Down;
    bench.silence(1, "alertname=A", 100_000).resolve("A").pass(70).restart(5).pass(10);
    bench.answer = Answer::Works;
    bench.pass(120);
    let sent = bench.sent();
    assert!(sent.len() == 1 && sent[0].ends_with(" r/webhook all_alerts_resolved: -A"), "{sent:?}");
}

#[test]
fn an_alert_that_ends_in_silence_was_never_there_for_its_receiver() {
    let mut bench = Bench::new();
    bench.silence(1, "alertname=A", 1_000).fire("A").pass(30).resolve("A").pass(2_000);
    assert!(bench.sent().is_empty());
    assert!(bench.decided().contains(&"resolved_before_notification".to_string()));
}

#[test]
fn one_who_hears_of_no_ends_hears_of_none_through_a_silence() {
    let mut bench = Bench::with(setup(ROUTE, "", &["r/webhook!"]));
    bench.fire("A").pass(11).sent();
    bench.silence(1, "alertname=A", 1_000).resolve("A").pass(200);
    assert!(bench.sent().is_empty());
}

#[test]
fn what_waited_to_be_told_and_is_silenced_now_is_told_when_the_silence_ends() {
    let mut bench = Bench::new();
    bench.answer = Answer::Down;
    bench.fire("A").fire("B").pass(15).silence(1, "alertname=A", 200);
    bench.fire("C").pass(60);
    bench.answer = Answer::Works;
    bench.pass(60);
    let sent = bench.sent();
    assert!(sent.len() == 1 && sent[0].ends_with(": B C"), "{sent:?}");
    bench.pass(200);
    assert!(bench.sent().concat().contains("new_alerts_in_group: A B C"));
}

#[test]
fn a_silence_holds_over_a_restart_and_a_reload() {
    let mut bench = Bench::new();
    bench.silence(1, "alertname=A", 1_000).fire("A").pass(100).restart(30).pass(100);
    bench.reload(setup(ROUTE, "", &["r/webhook"])).pass(100);
    let regrouped = setup(&ROUTE.replace("[team]", "[alertname]"), "", &["r/webhook"]);
    bench.reload(regrouped).pass(100);
    assert!(bench.sent().is_empty());
    assert_eq!(bench.snapshot().silences.len(), 1);
    bench.pass(700);
    let sent = bench.sent();
    assert!(sent.len() == 1 && sent[0].ends_with("first_notification: A"), "{sent:?}");
}

#[test]
fn a_silence_that_begins_later_holds_from_then_on() {
    let mut bench = Bench::new();
    bench.silence_from(1, "alertname=~\"A|B\"", 60, 1_000).fire("A").pass(11);
    assert_eq!(bench.sent().len(), 1);
    bench.pass(55).fire("B").pass(300);
    assert!(bench.sent().is_empty());
    assert_eq!(bench.suppressed(), (0, 2));
}

#[test]
fn inhibition_and_intervals_come_before_silences() {
    let sections = "inhibit_rules:\n- {source_matchers: [alertname = Big], target_matchers: \
                    [alertname = A]}\ntime_intervals:\n- {name: now, time_intervals: [{times: \
                    [{start_time: '10:00', end_time: '10:05'}]}]}\n";
    let route = format!(
        "{ROUTE}, routes: [{{matchers: [team = x], mute_time_intervals: [now], receiver: r}}]"
    );
    let mut bench = Bench::with(setup(&route, sections, &["r/webhook"]));
    bench.silence(1, "alertname=~\"A|M\"", 10_000);
    bench.fire("Big").fire("A").fire("M team=x").pass(11);
    let held = |bench: &mut Bench| {
        let mut held = bench.decided();
        held.retain(|reason| !matches!(reason.as_str(), "grouped" | "first_notification"));
        held
    };
    let mut first = held(&mut bench);
    first.sort();
    assert_eq!(first, ["in_mute_interval", "inhibited"]);
    bench.resolve("Big").pass(400);
    let then = held(&mut bench);
    assert_eq!(then.iter().filter(|reason| *reason == "silenced").count(), 2, "{then:?}");
}

#[test]
fn the_record_names_the_silence_its_author_and_comment() {
    let mut bench = Bench::new();
    bench.silence(1, "alertname=A", 100).fire("A").pass(11);
    bench.silence(2, "alertname=~\"A.*\"", 1_000).pass(60).pass(240);
    let details: Vec<String> = bench.details("silenced");
    let (one, two) = (id(1), id(2));
    let said = |id| format!("silence {id} by ann: disk swap");
    assert_eq!(details, [said(one), format!("{}; {}", said(one), said(two)), said(two)]);
}

#[test]
fn a_long_comment_and_many_silences_are_cut_short_in_the_record() {
    let mut bench = Bench::new();
    for number in 1..=8 {
        bench.silence(number, "alertname=A", 100);
    }
    let silence = bench.dispatcher.silences().get(id(1)).unwrap().clone();
    let draft = SilenceDraft {
        id: Some(silence.id),
        matchers: silence.matchers.clone(),
        starts_at: silence.starts_at,
        ends_at: silence.ends_at,
        created_by: "ann".to_string(),
        comment: "é".repeat(300),
    };
    let (_, changes) = bench.dispatcher.set_silence(draft, id(99), bench.now).unwrap();
    bench.commit(changes);
    bench.fire("A").pass(11);
    let detail = bench.details("silenced").concat();
    assert!(detail.contains(&format!("by ann: {}…; silence", "é".repeat(200))), "{detail}");
    assert!(detail.ends_with("; and 3 more"), "{detail}");
}

#[test]
fn old_silences_are_forgotten_in_memory_and_store() {
    let mut bench = Bench::new();
    bench.silence(1, "alertname=A", 100).silence(2, "alertname=A", 1_000).pass(200);
    let changes = bench.dispatcher.prune_silences(bench.now.wall);
    assert_eq!(changes, [Change::DeleteSilence(id(1))]);
    bench.commit(changes);
    let left: Vec<SilenceId> = bench.snapshot().silences.iter().map(|s| s.id).collect();
    assert_eq!(left, [id(2)]);
    assert_eq!(bench.dispatcher.silences().iter().len(), 1);
}

#[test]
fn a_silence_is_found_by_external_labels_too() {
    let mut setup = Arc::into_inner(setup(ROUTE, "", &["r/webhook"])).unwrap();
    setup.external_labels = LabelSet::from([("cluster", "c1")]);
    let mut bench = Bench::with(Arc::new(setup));
    bench.silence(1, "cluster=c1", 100).fire("A").pass(30);
    assert!(bench.sent().is_empty());
}
