//! The parts of the daemon put together: start, reload, stop.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::config::{ConfigError, Loaded};
use crate::daemon::collector::{self, Collector};
use crate::daemon::core::{Core, CoreSetup};
use crate::daemon::rules::RuleBoard;
use crate::daemon::setup::{notifiers, routing_setup, rule_settings};
use crate::daemon::state::{DaemonState, ReloadError};
use crate::daemon::watch::FileWatch;
use crate::engine::{DispatchHandle, SharedFacts};
use crate::http::HttpError;
use crate::model::IntegrationId;
use crate::storage::{Store, StoreError};
use crate::telemetry::Metrics;

/// How often old history is deleted.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// Why the daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration has mistakes.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The configuration names no datasource.
    #[error("{0} has no `datasource`, so there is nothing to evaluate rules against")]
    NoDatasource(PathBuf),
    /// The client for the datasource cannot be made.
    #[error("datasource: {0}")]
    Datasource(#[from] HttpError),
    /// The client for MLflow cannot be made.
    #[error("collectors.mlflow: {0}")]
    Collector(HttpError),
    /// The store cannot be opened or read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) type ReloadRequest = oneshot::Sender<Result<(), ReloadError>>;

/// The running daemon.
pub struct Daemon {
    path: PathBuf,
    loaded: Loaded,
    core: Core,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    facts: SharedFacts,
    state: Arc<DaemonState>,
    reloads: mpsc::Receiver<ReloadRequest>,
    watch: FileWatch,
    collector: Collector,
}

/// The way to the running daemon, for the API.
#[derive(Clone)]
pub struct DaemonHandle {
    /// The groups.
    pub board: RuleBoard,
    /// Whether it is ready, and how the last reload went.
    pub state: Arc<DaemonState>,
    /// Its metrics.
    pub metrics: Arc<Metrics>,
    /// The dispatch loop.
    pub dispatch: DispatchHandle,
    /// Where history is read.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    reloads: mpsc::Sender<ReloadRequest>,
}

impl DaemonHandle {
    /// The way to a core that runs without configuration files, as in the demo: it is ready, and
    /// cannot be reloaded.
    pub fn of_core(
        core: &Core,
        store: Arc<dyn Store>,
        metrics: Arc<Metrics>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let state = Arc::new(DaemonState::new(clock.now().wall));
        state.reload_succeeded(clock.now().wall);
        state.set_ready(true);
        let (reloads, _) = mpsc::channel(1);
        Self {
            board: core.board(),
            state,
            metrics,
            dispatch: core.dispatch(),
            store,
            clock,
            reloads,
        }
    }

    /// Reloads the configuration.
    ///
    /// # Errors
    /// Why the former configuration goes on.
    pub async fn reload(&self) -> Result<(), ReloadError> {
        let (request, answer) = oneshot::channel();
        self.reloads.send(request).await.map_err(|_| ReloadError::Stopping)?;
        answer.await.map_err(|_| ReloadError::Stopping)?
    }
}

impl Daemon {
    /// Starts everything: takes up the stored state, delivers what is owed, evaluates the rules. A
    /// stop waits for `drain` at most for deliveries that are in flight.
    ///
    /// # Errors
    /// When the configuration, the datasource's client or the store cannot be used. Nothing runs
    /// then.
    pub async fn start(
        path: PathBuf,
        loaded: Loaded,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        drain: Duration,
    ) -> Result<(Self, DaemonHandle), StartError> {
        let facts = SharedFacts::default();
        let setup = core_setup(&path, &loaded, &clock, &metrics, &facts)?;
        let client = collector::client(loaded.config.mlflow.as_ref())?;
        let core =
            Core::start(setup, Arc::clone(&store), Arc::clone(&clock), Arc::clone(&metrics), drain)
                .await?;
        let (sender, reloads) = mpsc::channel(16);
        let state = Arc::new(DaemonState::new(clock.now().wall));
        let handle = DaemonHandle {
            board: core.board(),
            state: Arc::clone(&state),
            metrics: Arc::clone(&metrics),
            dispatch: core.dispatch(),
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            reloads: sender,
        };
        let watch = FileWatch::new(&loaded);
        let collector = Collector::new(&store, &clock, &metrics, &facts);
        let mut daemon = Self {
            path,
            loaded,
            core,
            store,
            clock,
            metrics,
            facts,
            state,
            reloads,
            watch,
            collector,
        };
        daemon.took(&daemon.loaded);
        daemon.collector.apply(client);
        daemon.state.set_ready(true);
        Ok((daemon, handle))
    }

    /// Runs until `stop` completes, then finishes what has begun and returns. `hangup` gives an
    /// item for each request to reload.
    pub async fn run(mut self, stop: impl Future<Output = ()>, mut hangup: mpsc::Receiver<()>) {
        tokio::pin!(stop);
        let mut next_prune = self.clock.now().mono;
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(answer) = self.reloads.recv() => {
                    let result = self.reload("request").await;
                    // Whoever asked may have gone away.
                    let _ = answer.send(result);
                }
                Some(()) = hangup.recv() => drop(self.reload("SIGHUP").await),
                () = self.watch.changed() => {
                    if self.watch.differs(&self.loaded) {
                        drop(self.reload("changed files").await);
                    }
                }
                () = self.clock.sleep_until(next_prune) => {
                    next_prune = self.clock.now().mono + PRUNE_EVERY;
                    self.prune().await;
                }
            }
        }
        self.stop().await;
    }

    async fn stop(self) {
        self.state.set_ready(false);
        tracing::info!("stopping: finishing what has begun");
        drop(self.collector);
        self.core.stop().await;
        tracing::info!("stopped");
    }

    /// Puts the files' present content in place, or keeps what runs.
    async fn reload(&mut self, cause: &'static str) -> Result<(), ReloadError> {
        let result = self.try_reload().await;
        match &result {
            Ok(()) => {
                self.took(&self.loaded);
                tracing::info!(cause, "configuration reloaded");
            }
            Err(error) => {
                self.metrics.config.last_reload_successful.set(0);
                self.state.reload_failed(error.to_string(), self.clock.now().wall);
                self.facts.with(|facts| facts.reload_refused(&error.to_string()));
                tracing::error!(cause, %error, "reload refused, the former configuration goes on");
            }
        }
        result
    }

    async fn try_reload(&mut self) -> Result<(), ReloadError> {
        // What was there is remembered also when it is refused, so that it is not tried again
        // before it changes.
        self.watch.seen(&self.loaded);
        let loaded = Loaded::load(&self.path)?;
        let lost = |pattern: &&crate::rule::RulePattern| {
            let before = &self.loaded.rules.unmatched;
            !before.iter().any(|known| known.pattern == pattern.pattern)
        };
        if loaded.config.storage.path != self.loaded.config.storage.path {
            return Err(ReloadError::NeedsRestart("storage.path"));
        }
        if let Some(pattern) = loaded.rules.unmatched.iter().find(lost) {
            return Err(ReloadError::RulesGone(pattern.pattern.clone()));
        }
        let setup = core_setup(&self.path, &loaded, &self.clock, &self.metrics, &self.facts)
            .map_err(|error| ReloadError::Start(error.to_string()))?;
        let client = collector::client(loaded.config.mlflow.as_ref())
            .map_err(|error| ReloadError::Start(error.to_string()))?;
        self.core.reload(setup).await.map_err(|_| ReloadError::Stopping)?;
        self.collector.apply(client);
        self.watch = FileWatch::new(&loaded);
        self.loaded = loaded;
        Ok(())
    }

    /// Tells metrics and log what is in place now.
    fn took(&self, loaded: &Loaded) {
        let now = self.clock.now().wall;
        let config = &self.metrics.config;
        config.last_reload_successful.set(1);
        config.last_reload_success.set(now.as_secs_f64());
        // A gauge holds 53 bits exactly.
        config.hash.set(i64::try_from(loaded.hash >> 11).unwrap_or(0));
        self.metrics
            .set_integrations(loaded.receivers.iter().flat_map(|r| &r.integrations).map(|i| &i.id));
        self.state.reload_succeeded(now);
        self.state.set_external_url(&loaded.config.external_url);
        self.note(loaded);
        for warning in loaded.warnings() {
            tracing::warn!("{warning}");
        }
        for (integration, error) in loaded.unreadable_secrets() {
            tracing::warn!(%integration, %error, "nothing can be delivered until this is mended");
        }
        let skipped: Vec<&str> =
            loaded.rules.recording_rules().map(|rule| rule.name.as_str()).collect();
        if !skipped.is_empty() {
            tracing::warn!(
                rules = skipped.join(", "),
                "recording rules are skipped: nothing here can store series"
            );
        }
    }

    /// Notes what is in place now among the facts.
    fn note(&self, loaded: &Loaded) {
        let groups = loaded.rules.groups.iter();
        let groups: HashSet<String> =
            groups.map(|group| format!("{};{}", group.file, group.name)).collect();
        let integrations = loaded.receivers.iter().flat_map(|r| &r.integrations);
        let integrations: HashSet<&IntegrationId> = integrations.map(|i| &i.id).collect();
        self.facts.with(|facts| {
            facts.reloaded();
            facts.retain(|group| groups.contains(group), |id| integrations.contains(id));
        });
    }

    async fn prune(&self) {
        let before = self.clock.now().wall - self.loaded.config.storage.retention;
        // It fails only while everything stops.
        let _ = self.core.dispatch().prune_silences(before).await;
        match self.store.prune(before).await {
            Ok(0) => {}
            Ok(records) => tracing::debug!(records, "old history deleted"),
            Err(error) => tracing::warn!(%error, "old history could not be deleted"),
        }
    }
}

/// What the core runs, out of the loaded files.
fn core_setup(
    path: &Path,
    loaded: &Loaded,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
    facts: &SharedFacts,
) -> Result<CoreSetup, StartError> {
    Ok(CoreSetup {
        groups: loaded.rules.groups.clone(),
        rules: rule_settings(path, &loaded.config, clock, metrics, facts)?,
        routing: Arc::new(routing_setup(&loaded.config)),
        notifiers: Arc::new(notifiers(loaded)),
    })
}
