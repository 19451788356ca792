//! Timelines and verdicts out of records.

mod story;
mod verdicts;

use story::{Story, at};

use super::{Window, explain};
use crate::model::Timestamp;

fn lines(story: &Story, window: &Window) -> Vec<String> {
    let explanation = explain(&story.dossier(), window, at(3600));
    let [alert] = explanation.alerts.as_slice() else { panic!("{explanation:?}") };
    let line = |event: &super::Event| {
        let who = [&event.receiver, &event.integration].into_iter().flatten();
        let who: Vec<&str> = who.map(String::as_str).collect();
        let second = (event.at.millis() - at(0).millis()) / 1000;
        format!("{second} {} {}: {}", who.join("/"), event.reason, event.text)
    };
    alert.events.iter().map(line).collect()
}

fn told_late() -> Story {
    Story::new()
        .pending(0)
        .fires(60)
        .grouped(60)
        .decided(70, "first_notification", "notification 4")
        .fails(71, 4, 1, 72)
        .decided(75, "superseded", "notification 4 by 6")
        .fails(75, 4, 2, 77)
        .started(76, Some(74))
        .delivers(78, 6, 3, false)
        .resolves(100)
        .delivers(130, 7, 1, true)
}

#[test]
fn everything_is_told_in_its_order_and_in_plain_words() {
    assert_eq!(
        lines(&told_late(), &Window::default()),
        [
            "0  became_active: pending: the rule's expression began to return it; value 1",
            "60  held_for: firing: the expression has returned it for the whole of `for`; value 1",
            "60 ops grouped: joined a group ({}:{}, flushed at 10:01:10)",
            "70 ops/slack[0] first_notification: to be told: the first notification of its group \
             (notification 4)",
            "71 ops/slack[0] retry: failed: answered 503 (attempt 1, status 503), tried again at \
             10:01:12",
            "75 ops/slack[0] retry: failed: answered 503 (attempt 2, status 503), tried again at \
             10:01:17",
            "75 ops/slack[0] superseded: newer words replace those that waited (notification 4 by 6)",
            "76  restarted: watchbell started again, 2s after its last sign of life at 10:01:14",
            "78 ops/slack[0] delivered: delivered: told that it fires (attempt 3, status 200)",
            "100  absent: resolved: the expression no longer returns it",
            "130 ops/slack[0] delivered: delivered: told that it is over (attempt 1, status 200)",
        ]
    );
}

#[test]
fn a_window_leaves_out_events_and_says_how_many() {
    let explained = |since: Option<Timestamp>, until: Option<Timestamp>, limit: usize| {
        let window = Window { since, until, limit };
        let explanation = explain(&told_late().dossier(), &window, at(3600));
        let alert = &explanation.alerts[0];
        (alert.events.len(), alert.omitted, alert.verdict.sentence.clone())
    };
    let (events, omitted, sentence) = explained(None, None, 0);
    assert_eq!((events, omitted), (11, 0));
    for (since, until, limit, expected) in [
        (Some(at(75)), None, 0, (6, 5)),
        (None, Some(at(75)), 0, (7, 4)),
        (Some(at(60)), Some(at(70)), 2, (2, 9)),
        (None, None, 1, (1, 10)),
    ] {
        let (events, omitted, same) = explained(since, until, limit);
        assert_eq!((events, omitted), expected, "{since:?} {until:?} {limit}");
        assert_eq!(same, sentence, "the verdict does not depend on it");
    }
}

/// A restart looks at the same alerts anew and records what holds them back.
#[test]
fn what_a_restart_records_again_is_told_once() {
    let story = Story::new()
        .fires(60)
        .grouped(60)
        .held(70, "inhibited", "by A")
        .held(90, "inhibited", "by A")
        .held(100, "inhibited", "by B")
        .held(110, "active", "")
        .held(120, "inhibited", "by B");
    let told: Vec<String> =
        lines(&story, &Window::default()).iter().map(|l| l[..2].to_string()).collect();
    assert_eq!(told, ["60", "60", "70", "10", "11", "12"]);
}

#[test]
fn starts_before_the_alert_are_not_its_story() {
    let story = Story::new().started(10, None).fires(60).started(70, Some(65));
    let lines = lines(&story, &Window::default());
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].ends_with("and it has no `for`; value 1"), "{lines:?}");
}

#[test]
fn an_explanation_survives_json() {
    let explanation = explain(&told_late().dossier(), &Window::default(), at(3600));
    let json = serde_json::to_string(&explanation).unwrap();
    let back: super::Explanation = serde_json::from_str(&json).unwrap();
    assert_eq!(back, explanation);
    assert!(json.contains(r#""at":"2026-01-05T11:00:00.000Z""#), "{json}");
}

#[test]
fn a_program_that_has_stopped_is_named_first() {
    let warned = |alive: Option<i64>| {
        let mut dossier = told_late().dossier();
        dossier.heartbeat = alive.map(at);
        explain(&dossier, &Window::default(), at(3600)).warnings
    };
    assert_eq!(warned(None), Vec::<String>::new());
    assert_eq!(warned(Some(3500)), Vec::<String>::new());
    let stopped = "the store has had no sign of life of watchbell since 10:50:00 (10m): it is \
                   stopped and tells nothing, or its store fails and it goes on from memory";
    assert_eq!(warned(Some(3000)), [stopped]);
}
