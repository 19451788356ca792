//! What a ledger has in the store.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::collect::Counts;
use crate::model::Timestamp;

/// An experiment with its counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectedExperiment {
    /// Its id; empty for all that have no place of their own.
    pub id: Arc<str>,
    /// Its last known name.
    pub name: Arc<str>,
    /// How many of its runs have been counted.
    pub counts: Counts,
    /// When one failed last.
    pub last_failed: Option<Timestamp>,
}

/// A run that must not be counted again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectedRun {
    /// Its id.
    pub id: Arc<str>,
    /// When it ended, as was last seen.
    pub ended_at: Timestamp,
}

/// Everything that a ledger goes on from after a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Whose runs these are.
    pub source: String,
    /// The end up to which the source has been read.
    pub cursor: Timestamp,
    /// Ends before this are not counted any more.
    pub floor: Timestamp,
    /// The experiments, by their ids.
    pub experiments: Vec<CollectedExperiment>,
    /// The runs that are remembered, by their ids.
    pub runs: Vec<CollectedRun>,
}

/// What has changed since the last one was stored. All of it goes into one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectionChange {
    /// Whether what is stored is of another source, and goes.
    pub anew: bool,
    /// As in [`Collected`].
    pub source: String,
    /// As in [`Collected`].
    pub cursor: Timestamp,
    /// As in [`Collected`]. Runs that ended before it are forgotten.
    pub floor: Timestamp,
    /// Experiments to be inserted or replaced.
    pub experiments: Vec<CollectedExperiment>,
    /// Experiments to be deleted before that.
    pub gone: Vec<Arc<str>>,
    /// Runs to be inserted or replaced.
    pub runs: Vec<CollectedRun>,
}

impl CollectionChange {
    /// Makes the change in memory, as a store does it on its disk.
    pub fn apply(self, collected: &mut Option<Collected>) {
        let Self { anew, source, cursor, floor, experiments, gone, runs } = self;
        if anew {
            *collected = None;
        }
        let state = collected.get_or_insert_default();
        (state.source, state.cursor, state.floor) = (source, cursor, floor);
        let is_new = |id: &Arc<str>| experiments.iter().any(|experiment| experiment.id == *id);
        state.experiments.retain(|known| !gone.contains(&known.id) && !is_new(&known.id));
        state.experiments.extend(experiments);
        state.experiments.sort_by(|a, b| a.id.cmp(&b.id));
        let is_new: BTreeSet<Arc<str>> = runs.iter().map(|run| Arc::clone(&run.id)).collect();
        state.runs.retain(|known| !is_new.contains(&known.id));
        state.runs.extend(runs);
        state.runs.retain(|run| run.ended_at >= floor);
        state.runs.sort_by(|a, b| a.id.cmp(&b.id));
    }
}
