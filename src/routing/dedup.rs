//! Whether a due group has anything to say that its receiver does not know yet.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::{Fingerprint, NotifyReason};

/// What the notification log holds about one group and one integration.
#[derive(Clone, Copy, Debug)]
pub struct LogView<'a> {
    /// The alerts that were told of as firing.
    pub firing: &'a BTreeSet<Fingerprint>,
    /// The alerts that were told of as resolved.
    pub resolved: &'a BTreeSet<Fingerprint>,
    /// How long ago that was, measured between the flushes.
    pub age: Duration,
}

/// What to do about one group and one integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dedup {
    /// Tell the receiver.
    Notify(NotifyReason),
    /// Say nothing, leave the log as it is.
    Hold(HoldReason),
    /// Say nothing, since the integration does not want resolved alerts, but empty the log, so
    /// that the next firing counts as new.
    ClearLog,
}

/// Why nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// The group fires no alert and the receiver knows of none that does.
    NothingToResolve,
    /// The receiver knows everything, and the repeat interval is not over.
    AlreadyNotified,
}

impl HoldReason {
    /// The name, as shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NothingToResolve => "nothing_to_resolve",
            Self::AlreadyNotified => "already_notified",
        }
    }
}

/// Decides in the order in which Alertmanager does. `firing` and `resolved` are the group's alerts
/// that nothing holds back.
///
/// A group is repeated as soon as the last notification is `repeat_interval` old, not first when it
/// is older: the intervals of a configuration are multiples of each other, and an exact clock must
/// not add one more `group_interval`.
pub fn decide(
    log: Option<&LogView<'_>>,
    firing: &BTreeSet<Fingerprint>,
    resolved: &BTreeSet<Fingerprint>,
    send_resolved: bool,
    repeat_interval: Duration,
) -> Dedup {
    let Some(log) = log else {
        return if firing.is_empty() {
            Dedup::Hold(HoldReason::NothingToResolve)
        } else {
            Dedup::Notify(NotifyReason::FirstNotification)
        };
    };
    if !firing.is_subset(log.firing) {
        // A log without firing alerts tells of an incident that is over: this is a new one.
        return Dedup::Notify(if log.firing.is_empty() {
            NotifyReason::FirstNotification
        } else {
            NotifyReason::NewAlertsInGroup
        });
    }
    if firing.is_empty() {
        return match (log.firing.is_empty(), send_resolved) {
            (true, _) => Dedup::Hold(HoldReason::NothingToResolve),
            (false, true) => Dedup::Notify(NotifyReason::AllAlertsResolved),
            (false, false) => Dedup::ClearLog,
        };
    }
    if send_resolved && !resolved.is_subset(log.resolved) {
        return Dedup::Notify(NotifyReason::NewResolvedAlerts);
    }
    if log.age >= repeat_interval {
        return Dedup::Notify(NotifyReason::RepeatIntervalElapsed);
    }
    Dedup::Hold(HoldReason::AlreadyNotified)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPEAT: Duration = Duration::from_secs(4 * 3600);

    fn set(ids: &[u64]) -> BTreeSet<Fingerprint> {
        ids.iter().map(|id| Fingerprint(*id)).collect()
    }

    /// `(firing, resolved, age in seconds)` of the log, if there is one.
    type Log<'a> = Option<(&'a [u64], &'a [u64], u64)>;
    /// The log, what fires, what is resolved, `send_resolved`, and the answer.
    type Case<'a> = (Log<'a>, &'a [u64], &'a [u64], bool, Dedup);

    #[test]
    fn the_first_question_that_applies_decides() {
        use NotifyReason::*;
        let notify = Dedup::Notify;
        let nothing = Dedup::Hold(HoldReason::NothingToResolve);
        let known = Dedup::Hold(HoldReason::AlreadyNotified);
        let cases: &[Case] = &[
            // Never told.
            (None, &[1], &[], true, notify(FirstNotification)),
            (None, &[], &[1], true, nothing),
            (None, &[], &[], true, nothing),
            // Told, and something new fires.
            (Some((&[1], &[], 0)), &[1, 2], &[], true, notify(NewAlertsInGroup)),
            (Some((&[1], &[], 0)), &[2], &[1], true, notify(NewAlertsInGroup)),
            (Some((&[], &[1], 0)), &[1], &[], true, notify(FirstNotification)),
            // Nothing fires any more.
            (Some((&[1], &[], 0)), &[], &[1], true, notify(AllAlertsResolved)),
            (Some((&[1], &[], 0)), &[], &[], true, notify(AllAlertsResolved)),
            (Some((&[1], &[], 0)), &[], &[1], false, Dedup::ClearLog),
            // It fired and was resolved between two flushes: nobody knows of it.
            (Some((&[], &[1], 0)), &[], &[1, 2], true, nothing),
            (Some((&[], &[1], 99_999)), &[], &[1], true, nothing),
            // Some are resolved.
            (Some((&[1, 2], &[], 0)), &[1], &[2], true, notify(NewResolvedAlerts)),
            (Some((&[1, 2], &[], 0)), &[1], &[2], false, known),
            (Some((&[1], &[2], 0)), &[1], &[2], true, known),
            // Nothing changed.
            (Some((&[1], &[], 14_399)), &[1], &[], true, known),
            (Some((&[1], &[], 14_400)), &[1], &[], true, notify(RepeatIntervalElapsed)),
            (Some((&[1, 2], &[], 14_400)), &[1], &[], false, notify(RepeatIntervalElapsed)),
        ];
        for (log, firing, resolved, send_resolved, expected) in cases {
            let sets = log.map(|(f, r, age)| (set(f), set(r), Duration::from_secs(age)));
            let view = sets.as_ref().map(|(firing, resolved, age)| LogView {
                firing,
                resolved,
                age: *age,
            });
            let got = decide(view.as_ref(), &set(firing), &set(resolved), *send_resolved, REPEAT);
            assert_eq!(got, *expected, "{log:?} {firing:?} {resolved:?} {send_resolved}");
        }
    }
}
