//! Tier 5: the durable store.
//!
//! The engine keeps its state in memory and hands every change to the store as a list that is
//! committed as one transaction, before anything that follows from it leaves the process. The
//! current state is read once, at start; history is read by `explain` and the API.

mod change;
#[cfg(test)]
mod contract;
mod lookup;
mod memory;
mod sqlite;
#[cfg(test)]
mod unsteady;

pub use change::{
    Change, Decision, GroupId, KnownAlert, Snapshot, Start, StoredAlert, StoredGroup, StoredLane,
};
pub use lookup::{
    Case, CaseFilter, Deliveries, DeliveryFilter, Dossier, MAX_CASES, MAX_NEARBY, MAX_RECORDS,
    MAX_STARTS,
};
pub use memory::MemoryStore;
pub use sqlite::{LateStore, Opening, SqliteStore};
#[cfg(test)]
pub(crate) use unsteady::UnsteadyStore;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use crate::alerting::Transition;
use crate::collect::Collected;
use crate::model::{Fingerprint, RuleKey, Timestamp};
use crate::outbox::Attempt;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process owns the folder.
    #[error("the store {path} is in use by another process: {owner}")]
    Locked {
        /// The folder.
        path: PathBuf,
        /// What is known of the owner, such as its process number.
        owner: String,
    },
    /// The folder or file cannot be opened.
    #[error("cannot open the store {path}: {reason}")]
    Open {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A newer version of this program wrote the file.
    #[error(
        "the store {path} has format {found}, this program knows formats up to {known}: \
         run the newer version, or choose another storage path"
    )]
    Newer {
        /// The folder.
        path: PathBuf,
        /// The format of the file.
        found: u32,
        /// The newest format that is known here.
        known: u32,
    },
    /// The file is damaged.
    #[error(
        "the store {path} is damaged: {reason}; it is left as it is: \
         move it away with its -wal file, and a new one is begun"
    )]
    Corrupt {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The store has not been opened, and paging goes on from memory.
    #[error("{0}")]
    NotOpen(String),
    /// A transaction failed; nothing of it is stored.
    #[error("the store did not commit: {0}")]
    Commit(String),
    /// A query failed.
    #[error("the store did not answer: {0}")]
    Read(String),
}

/// The most records of each kind that [`Store::history`] returns.
pub const MAX_HISTORY: usize = 10_000;

/// Which part of the history is wanted.
#[derive(Clone, Debug, Default)]
pub struct HistoryFilter {
    /// Only these alerts; empty for all.
    pub alerts: Vec<Fingerprint>,
    /// Only from this time on.
    pub since: Option<Timestamp>,
    /// At most this many records of each kind, the newest; 0 for [`MAX_HISTORY`], which is never
    /// exceeded.
    pub limit: usize,
}

impl HistoryFilter {
    /// The most records of each kind that this filter asks for.
    fn bound(&self) -> usize {
        match self.limit {
            0 => MAX_HISTORY,
            limit => limit.min(MAX_HISTORY),
        }
    }
}

/// A transition with the rule that it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedTransition {
    /// The rule.
    pub rule: RuleKey,
    /// What happened.
    pub transition: Transition,
}

/// What has happened, oldest first; records of one time in the order in which they were committed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Changes of alerts.
    pub transitions: Vec<RecordedTransition>,
    /// Changes of routing decisions.
    pub decisions: Vec<Decision>,
    /// Attempts at delivery.
    pub attempts: Vec<Attempt>,
}

/// The durable store. Every implementation passes the same suite of tests.
#[async_trait]
pub trait Store: Send + Sync {
    /// Reads the current state as of one moment, every list in the order of its keys.
    async fn load(&self) -> Result<Snapshot, StoreError>;

    /// Why nothing can be stored at present, where the store knows that by itself.
    fn problem(&self) -> Option<String> {
        None
    }

    /// Asked before a commit: a store that could not be opened tries that again.
    async fn revive(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Commits all changes, or none. When this returns `Ok`, they survive a crash.
    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError>;

    /// The same for changes that the caller keeps, to commit them again where this fails.
    async fn commit_kept(&self, changes: &Arc<Vec<Change>>) -> Result<(), StoreError> {
        self.commit(Vec::clone(changes)).await
    }

    /// Reads history.
    async fn history(&self, filter: &HistoryFilter) -> Result<History, StoreError>;

    /// Reads everything about the alerts that match, as of one moment.
    async fn dossier(&self, filter: &CaseFilter) -> Result<Dossier, StoreError>;

    /// Reads what a collector has counted; `None` where none ever has.
    async fn collected(&self) -> Result<Option<Collected>, StoreError>;

    /// Reads attempts at delivery, or what waits to be delivered.
    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Deliveries, StoreError>;

    /// Deletes all history older than `before`; returns how many records went. Current state stays,
    /// and so do the changes and the routing of alerts that are not over.
    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError>;
}
