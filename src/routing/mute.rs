//! Why an alert of a due group is not told of.

use serde::Serialize;

use crate::model::{SilenceId, Timestamp};
use crate::routing::{Inhibition, Route, TimeIntervals};

/// Why an alert is held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MuteReason {
    /// Another alert fires that an inhibit rule puts before it.
    Inhibited(Inhibition),
    /// The route has active time intervals and it is none of them.
    OutsideActiveInterval,
    /// It is one of the route's mute time intervals.
    InMuteInterval {
        /// The interval's name.
        name: String,
    },
    /// Somebody has silenced it.
    Silenced {
        /// The silences that hold it, at least one.
        ids: Vec<SilenceId>,
    },
}

impl MuteReason {
    /// The name, as shown everywhere.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Inhibited(_) => "inhibited",
            Self::OutsideActiveInterval => "outside_active_interval",
            Self::InMuteInterval { .. } => "in_mute_interval",
            Self::Silenced { .. } => "silenced",
        }
    }
}

/// Why a route tells of nothing at this time, in Alertmanager's order: its active intervals first,
/// then its mute intervals.
pub fn mute_reason(route: &Route, intervals: &TimeIntervals, at: Timestamp) -> Option<MuteReason> {
    let holds = |name: &String| intervals.contains(name, at);
    if !route.active_time_intervals.is_empty() && !route.active_time_intervals.iter().any(holds) {
        return Some(MuteReason::OutsideActiveInterval);
    }
    let name = route.mute_time_intervals.iter().find(|name| holds(name))?;
    Some(MuteReason::InMuteInterval { name: name.clone() })
}
