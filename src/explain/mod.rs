//! Tier 6: what happened to an alert, and whether someone was told.
//!
//! [`explain`] makes a timeline and a verdict out of what the store knows; [`list`] makes a list of
//! deliveries. Both are functions of the records and the time, and the command line and the API
//! show what they return.

mod answer;
mod deliveries;
mod hint;
mod places;
mod sentence;
#[cfg(test)]
mod tests;
mod timeline;
pub mod times;
mod words;

pub use answer::{Event, Explanation, Kind, Next, Step, Timeline, Told, Verdict};
pub use deliveries::{DeliveryList, DeliveryRow, Named, WaitingRow, list, parse_integration};
pub use hint::hint;
pub use words::phrase;

use std::time::Duration;

use crate::model::Timestamp;
use crate::storage::Dossier;

/// A program whose last sign of life is older counts as stopped: it gives one a minute at least.
const STOPPED_AFTER: Duration = Duration::from_secs(180);

/// Which events are wanted. The verdict does not depend on it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// Only from this time on.
    pub since: Option<Timestamp>,
    /// Only up to this time.
    pub until: Option<Timestamp>,
    /// At most this many for each alert, the newest; 0 for all.
    pub limit: usize,
}

/// Tells of every alert of a dossier what happened to it and whether someone was told, as of `now`.
pub fn explain(dossier: &Dossier, window: &Window, now: Timestamp) -> Explanation {
    let alerts = dossier.cases.iter().map(|case| {
        let (events, omitted) = timeline::events(case, &dossier.starts, window, now);
        timeline::timeline(case, events, omitted, verdict(case, dossier, now))
    });
    Explanation {
        at: now,
        last_alive: dossier.heartbeat,
        alerts: alerts.collect(),
        more: dossier.more,
        warnings: warnings(dossier.heartbeat, now),
        hint: None,
    }
}

/// What to know before anything else is believed.
fn warnings(heartbeat: Option<Timestamp>, now: Timestamp) -> Vec<String> {
    let stopped = heartbeat.filter(|at| now.since(*at) > STOPPED_AFTER);
    let told = stopped.map(|at| {
        let (away, at) = (times::rough(now.since(at)), times::clock(at, now));
        format!(
            "the store has had no sign of life of watchbell since {at} ({away}): it is stopped and \
             tells nothing, or its store fails and it goes on from memory"
        )
    });
    told.into_iter().collect()
}

fn verdict(case: &crate::storage::Case, dossier: &Dossier, now: Timestamp) -> Verdict {
    let last_start = dossier.starts.last().map(|start| start.at);
    let places = places::places(case, last_start);
    sentence::verdict(case, &places, now)
}
