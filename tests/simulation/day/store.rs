//! The store: it keeps what a process commits, and fails as the plan says.

use std::sync::Arc;

use async_trait::async_trait;

use watchbell::collect::Collected;
use watchbell::model::Timestamp;
use watchbell::storage::{
    CaseFilter, Change, Deliveries, DeliveryFilter, Dossier, History, HistoryFilter, MemoryStore,
    Snapshot, Store, StoreError,
};

use super::plan::{Effect, StoreFault};
use super::world::World;

/// A store in memory with faults before and after it.
pub struct FaultyStore {
    world: Arc<World>,
    disk: Arc<MemoryStore>,
}

impl FaultyStore {
    pub fn new(world: &Arc<World>, disk: &Arc<MemoryStore>) -> Self {
        Self { world: Arc::clone(world), disk: Arc::clone(disk) }
    }

    async fn apply(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        {
            let mut state = self.world.state();
            state.rules.committed(&changes);
            state.duties.committed(&changes);
        }
        self.disk.commit(changes).await
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn load(&self) -> Result<Snapshot, StoreError> {
        if self.world.plan.store_fault(self.world.now()) == Some(StoreFault::Unreadable) {
            return Err(StoreError::Read("the disk does not answer".to_string()));
        }
        self.world.effect(Effect::Loaded).await;
        self.disk.load().await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let matters = changes.iter().any(|change| !matches!(change, Change::Heartbeat(_)));
        if matters {
            self.world.effect(Effect::CommitBegun).await;
        }
        let told = {
            let mut state = self.world.state();
            let state = &mut *state;
            state.rules.told(&self.world.plan, &changes, state.offset)
        };
        self.world.check(told);
        let fault = self.world.plan.store_fault(self.world.now());
        if let Some(fault) = fault {
            self.world.state().note(|| format!("commit of {}: {fault:?}", changes.len()));
        }
        match fault {
            Some(StoreFault::Full | StoreFault::Unreadable) => {
                return Err(StoreError::Commit("the disk is full".to_string()));
            }
            Some(StoreFault::Hangs) => {
                tokio::time::sleep(self.world.plan.store_fault_left(self.world.now())).await;
                self.apply(changes).await?;
            }
            Some(StoreFault::LosesAnswers) => {
                self.apply(changes).await?;
                return Err(StoreError::Commit("the answer is lost".to_string()));
            }
            None => self.apply(changes).await?,
        }
        if matters {
            self.world.effect(Effect::Committed).await;
        }
        Ok(())
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<History, StoreError> {
        self.disk.history(filter).await
    }

    async fn dossier(&self, filter: &CaseFilter) -> Result<Dossier, StoreError> {
        self.disk.dossier(filter).await
    }

    async fn collected(&self) -> Result<Option<Collected>, StoreError> {
        self.disk.collected().await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Deliveries, StoreError> {
        self.disk.deliveries(filter).await
    }

    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.disk.prune(before).await
    }
}
