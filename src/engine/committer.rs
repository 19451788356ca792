//! Commits what has changed, and keeps it while the store fails.
//!
//! A store that fails or hangs stops nobody: its changes wait in order, and everyone may see why.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::clock::Clock;
use crate::engine::backlog::Backlog;
use crate::model::Monotonic;
use crate::storage::{Change, Store, StoreError};
use crate::telemetry::Metrics;

/// A store that answers no sooner counts as failed: paging goes on from memory, and the commit
/// goes on behind it.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a store that has failed is left alone.
const TRY_AGAIN: Duration = Duration::from_secs(2);

type Answer = BoxFuture<'static, Result<(), StoreError>>;

/// Whether state is being stored, for everyone to see.
#[derive(Clone, Default)]
pub(super) struct StoreHealth(Arc<RwLock<Option<Arc<str>>>>);

impl StoreHealth {
    /// Why nothing can be stored at present.
    pub(super) fn problem(&self) -> Option<Arc<str>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns whether there was a problem before.
    fn set(&self, problem: Option<String>) -> bool {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *held, problem.map(Arc::from)).is_some()
    }
}

/// Takes changes and brings them into the store, one transaction at a time.
pub(super) struct Committer {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    backlog: Backlog,
    /// The commit that had no answer in time.
    pending: Option<Answer>,
    health: StoreHealth,
    next_try: Monotonic,
}

impl Committer {
    pub(super) fn new(
        store: Arc<dyn Store>,
        changes: Vec<Change>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (health, next_try) = (StoreHealth::default(), clock.now().mono);
        let backlog = Backlog::new(changes);
        let this = Self { store, clock, metrics, backlog, pending: None, health, next_try };
        // A store that could not be opened is no news: who opened it has said so.
        this.tell(this.store.problem());
        this
    }

    pub(super) fn health(&self) -> StoreHealth {
        self.health.clone()
    }

    pub(super) fn add(&mut self, changes: Vec<Change>) {
        self.backlog.add(changes);
    }

    /// Whether anything waits to be committed.
    pub(super) fn has_changes(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// When a store that has failed is tried next; its answer is waited for otherwise.
    pub(super) fn next_try(&self) -> Option<Monotonic> {
        (self.pending.is_none() && self.has_changes()).then_some(self.next_try)
    }

    /// Waits for the answer that had not come in time, for ever where there is none.
    pub(super) async fn answered(&mut self) {
        let Some(pending) = &mut self.pending else { return std::future::pending().await };
        let result = pending.await;
        self.pending = None;
        self.settle(result);
    }

    /// Commits everything, unless the store has just failed or still is at the last commit.
    /// Returns once that is done, or has failed.
    pub(super) async fn commit(&mut self) {
        let now = self.clock.now().mono;
        let is_due = self.health.problem().is_none() || now >= self.next_try;
        if self.has_changes() && self.pending.is_none() && is_due {
            let answer = self.begin();
            self.wait_for(answer).await;
            let took = self.clock.now().mono.since(now);
            self.metrics.store.commit_duration.observe(took.as_secs_f64());
        }
        self.measure();
    }

    /// The last chance. What cannot be stored now is lost, which is said.
    pub(super) async fn finish(&mut self) {
        if let Some(answer) = self.pending.take() {
            self.wait_for(answer).await;
        }
        if self.has_changes() && self.pending.is_none() {
            let answer = self.begin();
            self.wait_for(answer).await;
        }
        if self.has_changes() {
            tracing::error!(
                changes = self.backlog.len(),
                "stopped without storing what has changed: after the next start it may be told again"
            );
        }
    }

    fn begin(&mut self) -> Answer {
        self.metrics.store.commits.inc();
        let (store, changes) = (Arc::clone(&self.store), self.backlog.offer());
        async move {
            store.revive().await?;
            store.commit_kept(&changes).await
        }
        .boxed()
    }

    async fn wait_for(&mut self, mut answer: Answer) {
        match tokio::time::timeout(COMMIT_TIMEOUT, &mut answer).await {
            Ok(result) => self.settle(result),
            Err(_) => {
                let waited = format!("no answer within {} s", COMMIT_TIMEOUT.as_secs());
                self.failed(&StoreError::Commit(waited));
                self.pending = Some(answer);
            }
        }
    }

    fn settle(&mut self, result: Result<(), StoreError>) {
        match result {
            Ok(()) => {
                let dropped = self.backlog.committed();
                if self.tell(None) {
                    tracing::info!("the store commits again");
                }
                if dropped > 0 {
                    self.metrics.store.dropped_records.inc_by(dropped);
                    tracing::warn!(
                        dropped,
                        "the history has a gap: too much has waited for the store"
                    );
                }
            }
            Err(error) => {
                self.backlog.refused();
                self.failed(&error);
            }
        }
    }

    fn failed(&mut self, error: &StoreError) {
        self.next_try = self.clock.now().mono + TRY_AGAIN;
        self.metrics.store.commit_failures.inc();
        if !self.tell(Some(error.to_string())) {
            tracing::error!(%error, "the store failed, going on from memory");
        }
    }

    /// Returns whether there was a problem before.
    fn tell(&self, problem: Option<String>) -> bool {
        self.metrics.store.up.set(i64::from(problem.is_none()));
        self.health.set(problem)
    }

    fn measure(&self) {
        let waiting = i64::try_from(self.backlog.len()).unwrap_or(i64::MAX);
        self.metrics.store.uncommitted_changes.set(waiting);
    }
}
