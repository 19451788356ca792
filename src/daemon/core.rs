//! The core of the daemon: scheduler, evaluation, routing and outbox over a store, a datasource
//! and notifiers. It knows no file, no signal and no HTTP.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::daemon::restart::Leftover;
use crate::daemon::rules::{RuleBoard, RuleManager, RuleSettings};
use crate::engine::{DispatchHandle, DispatchLoop, Dispatcher, Notifiers, RoutingSetup, Stopped};
use crate::rule::RuleGroup;
use crate::storage::{Store, StoreError};
use crate::telemetry::Metrics;

/// The longest time between two heartbeats.
const MAX_HEARTBEAT: Duration = Duration::from_secs(60);
/// The shortest time between two heartbeats.
const MIN_HEARTBEAT: Duration = Duration::from_secs(1);
/// For how long repetitions wait at most for the first look at the rules.
const MAX_FIRST_LOOK: Duration = Duration::from_secs(5 * 60);

/// What the core runs: a configuration in the engine's terms.
#[derive(Clone)]
pub struct CoreSetup {
    /// The rule groups.
    pub groups: Vec<Arc<RuleGroup>>,
    /// How they are evaluated.
    pub rules: RuleSettings,
    /// Where alerts go.
    pub routing: Arc<RoutingSetup>,
    /// Who delivers.
    pub notifiers: Arc<Notifiers>,
}

impl CoreSetup {
    /// The time between two heartbeats: as often as the shortest interval, so that a restart knows
    /// how long it was away.
    fn heartbeat(&self) -> Duration {
        let default = self.rules.evaluation_interval;
        let intervals = self.groups.iter().map(|group| group.interval.unwrap_or(default));
        intervals.min().unwrap_or(default).clamp(MIN_HEARTBEAT, MAX_HEARTBEAT)
    }

    /// By when after a start every rule has been looked at, unless it is looked at very seldom.
    fn first_look(&self) -> Duration {
        let default = self.rules.evaluation_interval;
        let intervals = self.groups.iter().map(|group| group.interval.unwrap_or(default));
        intervals.max().unwrap_or(default).min(MAX_FIRST_LOOK)
    }
}

/// The running core. Its tasks end with the runtime, or by [`Core::stop`].
pub struct Core {
    rules: RuleManager,
    dispatch: DispatchHandle,
    dispatch_task: JoinHandle<()>,
}

impl Core {
    /// Takes up the stored state, delivers what is owed, evaluates the rules. A stop waits for
    /// `drain` at most for deliveries that are in flight.
    ///
    /// # Errors
    /// When the store cannot be read. Nothing runs then.
    pub async fn start(
        setup: CoreSetup,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        drain: Duration,
    ) -> Result<Self, StoreError> {
        let (heartbeat, first_look) = (setup.heartbeat(), setup.first_look());
        let snapshot = store.load().await?;
        let now = clock.now();
        let leftover = Leftover {
            alerts: snapshot.alerts.clone(),
            last_alive: snapshot.heartbeat.unwrap_or(now.wall),
        };
        let (mut dispatcher, changes) = Dispatcher::load(setup.routing, snapshot, now);
        dispatcher.wait_for_rules(now.mono + first_look);
        let (dispatch_loop, dispatch) = DispatchLoop::new(
            dispatcher,
            changes,
            setup.notifiers,
            store,
            Arc::clone(&clock),
            Arc::clone(&metrics),
            heartbeat,
        );
        let dispatch_loop = dispatch_loop.with_facts(setup.rules.facts.clone());
        let dispatch_task = tokio::spawn(dispatch_loop.run(drain));
        let mut rules = RuleManager::new(dispatch.clone(), clock, metrics);
        rules.apply(setup.groups, &setup.rules, Some(leftover)).await;
        Ok(Self { rules, dispatch, dispatch_task })
    }

    /// Puts another setup in place: first the routes, then the rules.
    ///
    /// # Errors
    /// When the dispatch loop has stopped.
    pub async fn reload(&mut self, setup: CoreSetup) -> Result<(), Stopped> {
        let heartbeat = setup.heartbeat();
        self.dispatch.reload(setup.routing, setup.notifiers, heartbeat).await?;
        self.rules.apply(setup.groups, &setup.rules, None).await;
        Ok(())
    }

    /// Finishes what has begun and ends.
    pub async fn stop(mut self) {
        self.rules.stop().await;
        if self.dispatch.stop().await.is_ok() {
            let _ = self.dispatch_task.await;
        }
    }

    /// The groups as others see them.
    pub fn board(&self) -> RuleBoard {
        self.rules.board()
    }

    /// The way to the dispatch loop.
    pub fn dispatch(&self) -> DispatchHandle {
        self.dispatch.clone()
    }
}
