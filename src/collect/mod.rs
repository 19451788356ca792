//! Tier 3: counting runs that have ended elsewhere, each of them once.
//!
//! A [`Ledger`] knows what has been counted and what to ask for next. It is told what an answer
//! held, and says what is to be stored and what is to be shown. It knows no network and no clock.

mod ledger;
mod stored;
#[cfg(test)]
mod tests;

pub use ledger::{Ledger, OTHERS, Pass, Progress};
pub use stored::{Collected, CollectedExperiment, CollectedRun, CollectionChange};

use std::sync::Arc;

use crate::model::Timestamp;

/// How a run ended, by MLflow's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RunStatus {
    /// It came to its end.
    Finished,
    /// It broke down.
    Failed,
    /// Somebody ended it.
    Killed,
}

impl RunStatus {
    /// Every status, in the order of [`Counts`].
    pub const ALL: [Self; 3] = [Self::Finished, Self::Failed, Self::Killed];

    /// MLflow's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }

    /// The status with that name; `None` for a run that has not ended, such as `RUNNING`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// How many runs ended in which way, in the order of [`RunStatus::ALL`].
pub type Counts = [u64; 3];

/// An experiment: what runs belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    /// Its number, as text.
    pub id: Arc<str>,
    /// Its name, which may change.
    pub name: Arc<str>,
}

/// A run that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRun {
    /// Its id, which no other run has.
    pub id: Arc<str>,
    /// The id of its experiment.
    pub experiment: Arc<str>,
    /// How it ended.
    pub status: RunStatus,
    /// When, by the clock of the machine that it ran on.
    pub ended_at: Timestamp,
}

/// What is shown of one experiment, or of several that share a name here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// How many runs have ended since the counting began.
    pub counts: Counts,
    /// When one failed last, where one has.
    pub last_failed: Option<Timestamp>,
}
