//! What every named reason means, in plain words. Names are stored and shown as they are; whoever
//! shows one to people takes its words from here.

/// Names and words.
const WORDS: &[(&str, &str)] = &[
    // Changes of the alert in its rule.
    ("became_active", "the rule's expression began to return it"),
    ("held_for", "the expression has returned it for the whole of `for`"),
    ("vanished", "the expression no longer returns it; `for` was not over, so it never fired"),
    ("absent", "the expression no longer returns it"),
    ("kept_firing", "the expression no longer returns it, `keep_firing_for` runs"),
    ("kept_no_data", "there is no data for it any more, and its policy keeps it"),
    ("data_returned", "there is data for it again"),
    ("reappeared", "the expression returns it again while `keep_firing_for` ran"),
    ("keep_firing_elapsed", "`keep_firing_for` is over"),
    ("for_raised", "the rule's `for` was raised past the time it has been active"),
    ("limit_exceeded", "the rule returned more alerts than its `limit`, which ends them all"),
    ("rule_removed", "its rule is gone from the configuration"),
    ("clock_jumped", "the wall clock was put forward or back, the times that run moved along"),
    ("restored_kept", "taken up after a restart, nothing had to change"),
    ("restored_continuous", "taken up after a restart: the datasource shows that it went on"),
    ("restored_interrupted", "taken up after a restart: it was interrupted, `for` starts anew"),
    ("restored_shifted", "taken up after a restart: the time down does not count for `for`"),
    ("restored_grace", "taken up after a restart: it waits for the end of the grace period"),
    ("restore_ended", "dropped after a restart: the datasource shows that it was over"),
    ("restore_expired", "dropped after a restart: the stop was too long, `for` starts anew"),
    ("restore_short_for", "dropped after a restart: its short `for` starts anew"),
    // Whether a group tells of it.
    ("grouped", "joined a group"),
    ("left_group", "left the group, as its route or its labels have changed"),
    ("no_integrations", "nobody is told: the receiver has no integrations"),
    ("inhibited", "held back: another alert inhibits it"),
    ("silenced", "held back: it is silenced"),
    ("in_mute_interval", "held back: in a mute time interval of the route"),
    ("outside_active_interval", "held back: outside the active time intervals of the route"),
    ("active", "nothing holds it back any more"),
    ("resolved_before_notification", "over before anybody was told of it"),
    // Whether an integration is told.
    ("first_notification", "to be told: the first notification of its group"),
    ("new_alerts_in_group", "to be told: something new fires in its group"),
    ("new_resolved_alerts", "to be told: something in its group is over"),
    ("all_alerts_resolved", "to be told: nothing in its group fires any more"),
    ("repeat_interval_elapsed", "to be told again: the repeat interval is over"),
    ("route_changed", "to be told as over here, because its route has changed"),
    ("already_notified", "not told: the receiver knows already that it fires"),
    ("nothing_to_resolve", "not told: the receiver knows of nothing that fires"),
    ("send_resolved_off", "its end is not told: `send_resolved` is off"),
    ("superseded", "newer words replace those that waited"),
    ("withdrawn", "what waited is not said any more"),
    ("integration_removed", "not told any more: this integration left the configuration"),
    // How attempts ended.
    ("delivered", "delivered"),
    ("retry", "failed"),
    ("permanent", "refused for good"),
    // The program itself.
    ("started", "watchbell started"),
    ("restarted", "watchbell started again"),
];

/// What a named reason means. A name that is not known, such as one of a newer version, stands for
/// itself.
pub fn phrase(reason: &str) -> &str {
    WORDS.iter().find(|(name, _)| *name == reason).map_or(reason, |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::alerting::TransitionReason;
    use crate::model::NotifyReason;
    use crate::outbox::AttemptOutcome;
    use crate::routing::{HoldReason, MuteReason};

    #[test]
    fn every_reason_has_words_once() {
        let names: BTreeSet<&str> = WORDS.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), WORDS.len());
        let mut reasons: Vec<&str> = TransitionReason::ALL.map(TransitionReason::as_str).to_vec();
        reasons.extend(
            [
                NotifyReason::FirstNotification,
                NotifyReason::NewAlertsInGroup,
                NotifyReason::NewResolvedAlerts,
                NotifyReason::AllAlertsResolved,
                NotifyReason::RepeatIntervalElapsed,
                NotifyReason::RouteChanged,
            ]
            .map(NotifyReason::as_str),
        );
        reasons.extend(
            [AttemptOutcome::Delivered, AttemptOutcome::Retry, AttemptOutcome::Permanent]
                .map(AttemptOutcome::as_str),
        );
        reasons.extend(
            [HoldReason::NothingToResolve, HoldReason::AlreadyNotified].map(HoldReason::as_str),
        );
        let muted = MuteReason::InMuteInterval { name: String::new() };
        let silenced = MuteReason::Silenced { ids: Vec::new() };
        reasons.extend(
            [MuteReason::OutsideActiveInterval, muted, silenced].iter().map(MuteReason::as_str),
        );
        for reason in reasons {
            assert!(names.contains(reason), "{reason} has no words");
        }
        assert_eq!(phrase("of_a_newer_version"), "of_a_newer_version");
    }
}
