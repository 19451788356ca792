//! Asks MLflow for runs that have ended, again and again, and keeps what has been counted.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::collect::{Ledger, Progress};
use crate::daemon::app::StartError;
use crate::engine::SharedFacts;
use crate::mlflow::{MlflowClient, MlflowConfig, Tracking, TrackingError, poll};
use crate::model::Timestamp;
use crate::storage::{Change, Store, StoreError};
use crate::telemetry::Metrics;

/// A store that answers no sooner counts as failed.
const STORE_TIMEOUT: Duration = Duration::from_secs(10);

/// A tracking server that is ready to be asked, and how.
pub(super) type Client = (MlflowConfig, Arc<dyn Tracking>);

/// The client of a configuration that has the collector.
///
/// # Errors
/// Where its settings cannot work.
pub(super) fn client(config: Option<&MlflowConfig>) -> Result<Option<Client>, StartError> {
    let Some(config) = config else { return Ok(None) };
    let client = MlflowClient::new(config).map_err(StartError::Collector)?;
    Ok(Some((config.clone(), Arc::new(client))))
}

/// The collector that the configuration asks for, if any. Its task ends with it.
pub(super) struct Collector {
    parts: Parts,
    running: Option<(MlflowConfig, JoinHandle<()>)>,
}

/// What a collector works with.
#[derive(Clone)]
struct Parts {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    facts: SharedFacts,
}

impl Collector {
    pub(super) fn new(
        store: &Arc<dyn Store>,
        clock: &Arc<dyn Clock>,
        metrics: &Arc<Metrics>,
        facts: &SharedFacts,
    ) -> Self {
        let parts = Parts {
            store: Arc::clone(store),
            clock: Arc::clone(clock),
            metrics: Arc::clone(metrics),
            facts: facts.clone(),
        };
        Self { parts, running: None }
    }

    /// Puts a collector in place of the former one. One with the same settings goes on.
    pub(super) fn apply(&mut self, client: Option<Client>) {
        if let (Some((running, _)), Some((wanted, _))) = (&self.running, &client)
            && running == wanted
        {
            return;
        }
        self.end();
        let Some((config, tracking)) = client else {
            self.parts.metrics.collector.clear();
            self.parts.facts.with(|facts| facts.collector_off());
            return;
        };
        let task = Task::new(self.parts.clone(), &config, tracking);
        let interval = config.interval;
        self.running = Some((config, tokio::spawn(task.run(interval))));
    }

    fn end(&mut self) {
        if let Some((_, task)) = self.running.take() {
            task.abort();
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.end();
    }
}

/// One collector at work.
struct Task {
    parts: Parts,
    tracking: Arc<dyn Tracking>,
    source: String,
    ledger: Ledger,
    /// Whether the ledger goes on from what the store has.
    is_loaded: bool,
    trouble: Trouble,
}

/// What was last said of troubles, so that each is logged once.
#[derive(Default)]
struct Trouble {
    tracking: Option<(&'static str, u16)>,
    store: bool,
    progress: Option<Progress>,
    left_out: bool,
}

impl Task {
    fn new(parts: Parts, config: &MlflowConfig, tracking: Arc<dyn Tracking>) -> Self {
        let source = config.source();
        let ledger = Ledger::new(&source, None);
        Self { parts, tracking, source, ledger, is_loaded: false, trouble: Trouble::default() }
    }

    async fn run(mut self, interval: Duration) {
        loop {
            self.load().await;
            self.pass().await;
            self.save().await;
            let (shown, merged) = self.ledger.shown();
            self.parts.metrics.collector.show(&shown, merged);
            let next = self.parts.clock.now().mono + interval;
            self.parts.clock.sleep_until(next).await;
        }
    }

    /// Goes on from what is stored. While that cannot be read, runs are counted from now on, in
    /// memory alone, and it is tried again with each pass.
    async fn load(&mut self) {
        if self.is_loaded {
            return;
        }
        let stored = within(self.parts.store.collected()).await;
        match stored {
            Ok(stored) => {
                self.ledger = Ledger::new(&self.source, stored);
                self.is_loaded = true;
                self.store_works();
                // Counts are there before the first answer, which may be long in coming.
                let (shown, merged) = self.ledger.shown();
                self.parts.metrics.collector.show(&shown, merged);
            }
            Err(error) => self.store_fails(&error),
        }
    }

    async fn pass(&mut self) {
        let now = self.parts.clock.now().wall;
        match poll(&*self.tracking, &mut self.ledger, now).await {
            Ok((progress, left_out)) => self.answered(now, progress, left_out),
            Err(error) => self.failed(&error),
        }
    }

    fn answered(&mut self, now: Timestamp, progress: Progress, left_out: bool) {
        self.parts.metrics.collector.answered(now, progress != Progress::Whole);
        self.parts.facts.with(|facts| facts.collector_answered());
        if self.trouble.tracking.take().is_some() {
            tracing::info!("mlflow's api answers again");
        }
        if self.trouble.progress.replace(progress) != Some(progress) {
            match progress {
                Progress::Whole => tracing::debug!("all runs that have ended are counted"),
                Progress::Behind => {
                    tracing::warn!("more runs have ended than one pass can read, going on there");
                }
                Progress::Skipped => tracing::error!(
                    "more runs ended in one millisecond than one pass can read, some are not counted"
                ),
            }
        }
        if left_out && !self.trouble.left_out {
            tracing::error!(
                "mlflow has more experiments than one pass can read, some are left out"
            );
        }
        self.trouble.left_out = left_out;
    }

    fn failed(&mut self, error: &TrackingError) {
        self.parts.metrics.collector.failed(error.kind());
        self.parts.facts.with(|facts| facts.collector_failed(&error.to_string()));
        let kind = error.same_as();
        if self.trouble.tracking.replace(kind) != Some(kind) {
            tracing::warn!(%error, "mlflow's api does not answer, failed runs go unnoticed");
        } else {
            tracing::debug!(%error, "mlflow's api still does not answer");
        }
    }

    /// Stores what has changed. What cannot be stored is tried again with the next pass.
    async fn save(&mut self) {
        let Some(change) = self.ledger.change().filter(|_| self.is_loaded) else { return };
        let commit = async {
            self.parts.store.revive().await?;
            self.parts.store.commit(vec![Change::Collect(change)]).await
        };
        match within(commit).await {
            Ok(()) => {
                self.ledger.stored();
                self.store_works();
            }
            Err(error) => self.store_fails(&error),
        }
    }

    fn store_works(&mut self) {
        if std::mem::take(&mut self.trouble.store) {
            tracing::info!("counted runs are stored again");
        }
    }

    fn store_fails(&mut self, error: &StoreError) {
        if !std::mem::replace(&mut self.trouble.store, true) {
            tracing::warn!(%error, "counted runs are in memory alone");
        }
    }
}

async fn within<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(STORE_TIMEOUT, answer).await.unwrap_or_else(|_| {
        let waited = format!("no answer within {} s", STORE_TIMEOUT.as_secs());
        Err(StoreError::Commit(waited))
    })
}

#[cfg(test)]
mod tests;
