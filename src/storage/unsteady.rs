//! A store for tests: it fails or takes its time when told to.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use crate::collect::Collected;
use crate::model::Timestamp;
use crate::storage::{
    CaseFilter, Change, Deliveries, DeliveryFilter, Dossier, History, HistoryFilter, MemoryStore,
    Snapshot, Store, StoreError,
};

/// A store in memory of which a test decides how it behaves.
#[derive(Default)]
pub struct UnsteadyStore {
    /// What has been committed.
    pub memory: MemoryStore,
    /// Whether commits, and readings of what is collected, fail.
    pub fails: AtomicBool,
    /// How long a commit takes, in milliseconds.
    pub millis: AtomicU64,
    /// How many commits have been tried.
    pub commits: AtomicUsize,
}

impl UnsteadyStore {
    fn check(&self) -> Result<(), StoreError> {
        match self.fails.load(Ordering::Relaxed) {
            true => Err(StoreError::Commit("the disk is full".to_string())),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Store for UnsteadyStore {
    async fn load(&self) -> Result<Snapshot, StoreError> {
        self.memory.load().await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        let millis = self.millis.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(millis)).await;
        self.check()?;
        self.memory.commit(changes).await
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<History, StoreError> {
        self.memory.history(filter).await
    }

    async fn dossier(&self, filter: &CaseFilter) -> Result<Dossier, StoreError> {
        self.memory.dossier(filter).await
    }

    async fn collected(&self) -> Result<Option<Collected>, StoreError> {
        self.check()?;
        self.memory.collected().await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Deliveries, StoreError> {
        self.memory.deliveries(filter).await
    }

    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.memory.prune(before).await
    }
}
