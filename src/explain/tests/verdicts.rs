//! The answer to "was someone told, and if not, why not".

use super::story::{Story, at};
use crate::explain::{Step, Told, Window, explain};

/// The answer at 10:01:40.
fn answer(story: &Story) -> (Told, String) {
    let explanation = explain(&story.dossier(), &Window::default(), at(100));
    let verdict = &explanation.alerts[0].verdict;
    (verdict.told, verdict.sentence.clone())
}

/// It fires at 10:01:00 and is looked at again at 10:02:10.
fn firing() -> Story {
    Story::new().fires(60).grouped(60).flushed_next(130)
}

#[test]
fn an_alert_that_fires() {
    for (story, told, sentence) in [
        (
            Story::new().pending(40),
            Told::NotYet,
            "Not yet: it is pending since 10:00:40 (1m) and nobody is told before it has been so \
             for the whole of the rule's `for`.",
        ),
        (Story::new().fires(60), Told::No, "No: it fired at 10:01:00 and no group took it."),
        (
            firing(),
            Told::NotYet,
            "Not yet: ops is told when its group is flushed, at 10:02:10 (in 30s).",
        ),
        (
            firing().held(70, "inhibited", "inhibit rule 1, by {a=\"b\"}"),
            Told::No,
            "No: ops is not told: it has been inhibited since 10:01:10 (inhibit rule 1, by \
             {a=\"b\"}); its group is looked at again at 10:02:10 (in 30s).",
        ),
        (
            firing().held(70, "silenced", "s").held(80, "active", ""),
            Told::NotYet,
            "Not yet: ops is told when its group is flushed, at 10:02:10 (in 30s).",
        ),
        (
            // What held it back before the restart is looked at again.
            firing().held(70, "inhibited", "by A").started(90, Some(80)),
            Told::NotYet,
            "Not yet: ops is told when its group is flushed, at 10:02:10 (in 30s).",
        ),
        (
            firing().waits(70, 1, 0, 100),
            Told::NotYet,
            "Not yet: ops/slack[0] is not told yet, the first attempt is due at 10:01:40 (now).",
        ),
        (
            firing().fails(70, 1, 1, 72).fails(72, 1, 2, 112),
            Told::NotYet,
            "Not yet: ops/slack[0] is not told yet, 2 attempts failed, the last with: answered \
             503; the next is due at 10:01:52 (in 12s).",
        ),
        (
            firing().refuses(71),
            Told::NotYet,
            "Not yet: ops/slack[0] refused it at 10:01:11: answered 400, tried anew at 10:02:10 \
             (in 30s).",
        ),
        (
            firing().delivers(71, 1, 1, false),
            Told::Yes,
            "Yes: ops/slack[0] was told at 10:01:11 that it fires.",
        ),
        (
            firing().delivers(71, 1, 1, false).held(80, "silenced", "s by ann"),
            Told::Yes,
            "Yes: ops/slack[0] was told at 10:01:11 that it fires, and is not told again: it has \
             been silenced since 10:01:20 (s by ann).",
        ),
        (
            firing().delivers(71, 1, 1, false).has_nobody(60),
            Told::Partly,
            "In part: ops/slack[0] was told at 10:01:11 that it fires; the receiver none has no \
             integrations.",
        ),
        (
            firing().delivers(71, 1, 1, false).delivers(81, 2, 1, false),
            Told::Yes,
            "Yes: ops/slack[0] was told at 10:01:11, and last at 10:01:21, that it fires.",
        ),
        (
            // It was over for a moment, which nobody was told.
            firing().delivers(71, 1, 1, false).resolves(80).fires(90),
            Told::Yes,
            "Yes: ops/slack[0] was told at 10:01:11 that it fires.",
        ),
    ] {
        assert_eq!(answer(&story), (told, sentence.to_string()));
    }
}

#[test]
fn an_alert_that_is_over() {
    for (story, told, sentence) in [
        (
            Story::new().pending(0).vanishes(40),
            Told::No,
            "No: it was pending for 40s and over before the rule's `for` was, so it never fired.",
        ),
        (
            firing().resolves(65).held(70, "resolved_before_notification", ""),
            Told::No,
            "No: it fired at 10:01:00 and was over at 10:01:05 before ops was to be told.",
        ),
        (
            firing().held(70, "in_mute_interval", "nights").resolves(80).held(
                90,
                "resolved_before_notification",
                "",
            ),
            Told::No,
            "No: ops was not told: it was in a mute time interval since 10:01:10 (nights) until \
             its end at 10:01:20.",
        ),
        (
            firing().delivers(71, 1, 1, false).resolves(80).delivers(90, 2, 1, true),
            Told::Yes,
            "Yes: ops/slack[0] was told at 10:01:11 that it fired and at 10:01:30 that it is over.",
        ),
        (
            firing().delivers(71, 1, 1, false).resolves(80).delivers(85, 2, 1, true).pending(90),
            Told::Yes,
            "Yes: ops/slack[0] was told at 10:01:11 that it fired and at 10:01:25 that it is over; \
             since then it is pending since 10:01:30 (10s) and nobody is told before it has been \
             so for the whole of the rule's `for`.",
        ),
        (
            firing().delivers(71, 1, 1, false).resolves(80).fails(90, 2, 1, 110),
            Told::Yes,
            "Yes: ops/slack[0] was told at 10:01:11 that it fired, not yet that it is over, one \
             attempt failed (answered 503); the next is due at 10:01:50 (in 10s).",
        ),
        (
            firing().delivers(71, 1, 1, false).resolves(80).decided(85, "send_resolved_off", ""),
            Told::Yes,
            "Yes: ops/slack[0] was told at 10:01:11 that it fired, not that it is over: \
             `send_resolved` is off.",
        ),
        (
            firing().fails(71, 1, 1, 72).resolves(80).delivers(90, 2, 2, true),
            Told::Yes,
            "Yes: ops/slack[0] was told at 10:01:30, when it was over, that it had fired.",
        ),
        (
            firing().resolves(80).fails(81, 1, 1, 112),
            Told::NotYet,
            "Not yet: it is over at 10:01:20, and ops/slack[0] is still to be told, one attempt \
             failed (answered 503); the next is due at 10:01:52 (in 12s).",
        ),
        (
            firing().decided(70, "integration_removed", "").resolves(80),
            Told::No,
            "No: ops/slack[0] left the configuration before it was told.",
        ),
    ] {
        assert_eq!(answer(&story), (told, sentence.to_string()));
    }
}

#[test]
fn what_comes_next_is_in_its_order() {
    let story = firing().fails(70, 1, 1, 105);
    let explanation = explain(&story.dossier(), &Window::default(), at(100));
    let next = &explanation.alerts[0].verdict.next;
    let steps: Vec<_> = next.iter().map(|next| (next.at, next.step)).collect();
    assert_eq!(steps, [(at(105), Step::Attempt), (at(130), Step::Flush)]);
    assert_eq!(next[0].integration.as_deref(), Some("slack[0]"));
}
