//! What changed about an alert, and why.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::alerting::{AlertInstance, AlertState};
use crate::model::{Fingerprint, Timestamp};

/// Why an alert changed. The names are stored and shown, so they stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransitionReason {
    /// The expression began to return it: pending, or firing at once where `for` is 0.
    BecameActive,
    /// The expression has returned it for the whole of `for`: pending → firing.
    HeldFor,
    /// The expression no longer returns it before it fired: dropped.
    Vanished,
    /// The expression no longer returns it: firing → inactive.
    Absent,
    /// The expression no longer returns it, and `keep_firing_for` began to run.
    KeptFiring,
    /// The expression returns it again while `keep_firing_for` ran.
    Reappeared,
    /// `keep_firing_for` is over: firing → inactive.
    KeepFiringElapsed,
    /// The rule's `for` was raised past the time it has been active: firing → pending. For
    /// those who were told, this is the end of the alert.
    ForRaised,
    /// The rule returned more alerts than its `limit`, which clears them all.
    LimitExceeded,
    /// The rule is gone from the configuration.
    RuleRemoved,
    /// The wall clock was put forward or back, and the times that run moved along.
    ClockJumped,
    /// After a stop: nothing about it needed to change.
    RestoredKept,
    /// After a stop: the datasource shows that it was active all the time.
    RestoredContinuous,
    /// After a stop: the datasource shows a hole, `for` counts from the hole's end.
    RestoredInterrupted,
    /// After a stop: the time down is added to `active_at`.
    RestoredShifted,
    /// After a stop: it would fire within the grace period, and waits for its end.
    RestoredGrace,
    /// After a stop: dropped, as the datasource shows that it was not active at the end.
    RestoreEnded,
    /// After a stop: dropped, as the stop was longer than the outage tolerance.
    RestoreExpired,
    /// After a stop: dropped, as `for` is shorter than the grace period and starts anew.
    RestoreShortFor,
    /// The expression no longer returns it because its series have no data, and the rule's policy
    /// keeps it as it is.
    KeptNoData,
    /// It was kept without data, and the expression returns it again.
    DataReturned,
}

impl TransitionReason {
    /// Every reason.
    pub const ALL: [Self; 21] = [
        Self::BecameActive,
        Self::HeldFor,
        Self::Vanished,
        Self::Absent,
        Self::KeptFiring,
        Self::Reappeared,
        Self::KeepFiringElapsed,
        Self::ForRaised,
        Self::LimitExceeded,
        Self::RuleRemoved,
        Self::ClockJumped,
        Self::RestoredKept,
        Self::RestoredContinuous,
        Self::RestoredInterrupted,
        Self::RestoredShifted,
        Self::RestoredGrace,
        Self::RestoreEnded,
        Self::RestoreExpired,
        Self::RestoreShortFor,
        Self::KeptNoData,
        Self::DataReturned,
    ];

    /// The reason's name in the store, the log, the API and the UI.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BecameActive => "became_active",
            Self::HeldFor => "held_for",
            Self::Vanished => "vanished",
            Self::Absent => "absent",
            Self::KeptFiring => "kept_firing",
            Self::Reappeared => "reappeared",
            Self::KeepFiringElapsed => "keep_firing_elapsed",
            Self::ForRaised => "for_raised",
            Self::LimitExceeded => "limit_exceeded",
            Self::RuleRemoved => "rule_removed",
            Self::ClockJumped => "clock_jumped",
            Self::RestoredKept => "restored_kept",
            Self::RestoredContinuous => "restored_continuous",
            Self::RestoredInterrupted => "restored_interrupted",
            Self::RestoredShifted => "restored_shifted",
            Self::RestoredGrace => "restored_grace",
            Self::RestoreEnded => "restore_ended",
            Self::RestoreExpired => "restore_expired",
            Self::RestoreShortFor => "restore_short_for",
            Self::KeptNoData => "kept_no_data",
            Self::DataReturned => "data_returned",
        }
    }
}

impl fmt::Display for TransitionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no reason of a transition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown reason of a transition: {0:?}")]
pub struct UnknownReason(String);

impl FromStr for TransitionReason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or_else(|| UnknownReason(text.to_string()))
    }
}

/// A change of one alert that is worth storing.
///
/// It reaches people where it enters or leaves firing: see [`fires`](Self::fires) and
/// [`resolves`](Self::resolves).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// Which alert.
    pub fingerprint: Fingerprint,
    /// The alert after the change.
    pub instance: AlertInstance,
    /// Its state before.
    pub from: AlertState,
    /// Its state after.
    pub to: AlertState,
    /// Why.
    pub reason: TransitionReason,
    /// When: the time of the evaluation, of the reload or of the start.
    pub at: Timestamp,
}

impl Transition {
    /// Whether the alert began to fire.
    pub fn fires(&self) -> bool {
        self.from != AlertState::Firing && self.to == AlertState::Firing
    }

    /// Whether the alert ceased to fire.
    pub fn resolves(&self) -> bool {
        self.from == AlertState::Firing && self.to != AlertState::Firing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_has_one_name_everywhere() {
        for reason in TransitionReason::ALL {
            let json = serde_json::to_value(reason).unwrap();
            assert_eq!(json, reason.as_str());
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
        assert!("".parse::<TransitionReason>().is_err());
    }
}
