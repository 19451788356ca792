//! The loop in virtual time, with a store that can fail and receivers that can hang.

mod silences;

use crate::engine::attempt::ATTEMPT_TIMEOUT;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::*;
use crate::alerting::{AlertInstance, AlertState, Transition, TransitionReason};
use crate::clock::VirtualClock;
use crate::engine::dispatcher::tests::harness::{ROUTE, labels, rule, setup};
use crate::model::{LabelSet, Timestamp};
use crate::notify::{Delivery, Preview, RenderError};
use crate::outbox::AttemptOutcome;
use crate::storage::{HistoryFilter, UnsteadyStore};
use crate::telemetry::BuildInfo;

/// Counts how often it is asked.
#[derive(Debug)]
struct CountingClock {
    clock: VirtualClock,
    reads: AtomicUsize,
}

#[async_trait]
impl Clock for CountingClock {
    fn now(&self) -> Now {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.clock.now()
    }

    async fn sleep_until(&self, at: Monotonic) {
        self.clock.sleep_until(at).await;
    }
}

/// Takes some time for each delivery.
struct TestNotifier {
    takes: Duration,
    store: Arc<UnsteadyStore>,
    running: AtomicUsize,
    most: AtomicUsize,
    /// Whether the next delivery panics.
    panics: AtomicBool,
    /// For each delivery, whether the store had it.
    stored: Mutex<Vec<bool>>,
}

impl TestNotifier {
    fn delivered(&self) -> Vec<bool> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Notifier for TestNotifier {
    async fn deliver(&self, delivery: &Delivery, _: Timestamp) -> Outcome {
        let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(running, Ordering::Relaxed);
        let entries = self.store.load().await.unwrap().entries;
        let stored = entries.iter().any(|e| e.idempotency_key == delivery.idempotency_key);
        self.stored.lock().unwrap_or_else(PoisonError::into_inner).push(stored);
        tokio::time::sleep(self.takes).await;
        assert!(!self.panics.swap(false, Ordering::Relaxed), "the test wants a panic here");
        self.running.fetch_sub(1, Ordering::Relaxed);
        Outcome::delivered(Some(200))
    }

    fn preview(&self, _: &Delivery, _: Timestamp) -> Result<Preview, RenderError> {
        Ok(Preview { parts: Vec::new() })
    }
}

struct Rig {
    clock: Arc<CountingClock>,
    store: Arc<UnsteadyStore>,
    notifier: Arc<TestNotifier>,
    handle: DispatchHandle,
    running: tokio::task::JoinHandle<()>,
}

/// How long the loop may drain.
const DRAIN: Duration = Duration::from_secs(20);

fn rig(takes: Duration) -> Rig {
    let start = Timestamp::from_secs(1_767_607_200);
    let clock = CountingClock { clock: VirtualClock::new(start), reads: AtomicUsize::new(0) };
    let clock = Arc::new(clock);
    let store = Arc::new(UnsteadyStore::default());
    let notifier = Arc::new(TestNotifier {
        takes,
        store: Arc::clone(&store),
        running: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
        panics: AtomicBool::new(false),
        stored: Mutex::default(),
    });
    let setup = setup(ROUTE, "", &["r/webhook"]);
    let id = setup.receivers.values().flatten().next().unwrap().0.clone();
    let delivering: Arc<dyn Notifier> = notifier.clone();
    let build = BuildInfo { version: "0".to_string(), revision: String::new() };
    let (this, handle) = DispatchLoop::new(
        Dispatcher::new(setup),
        Vec::new(),
        Arc::new(Notifiers::from([(id, delivering)])),
        store.clone(),
        clock.clone(),
        Arc::new(Metrics::new(&build, start)),
        Duration::from_secs(60),
    );
    Rig { clock, store, notifier, handle, running: tokio::spawn(this.run(DRAIN)) }
}

impl Rig {
    async fn fire(&self, alert: &str) {
        let at = self.clock.clock.now().wall;
        let instance = AlertInstance {
            labels: labels(alert),
            annotations: LabelSet::new(),
            state: AlertState::Firing,
            value: 1.0,
            active_at: at,
            fired_at: Some(at),
            keep_firing_since: None,
            resolved_at: None,
        };
        let transition = Transition {
            fingerprint: instance.fingerprint(),
            instance,
            from: AlertState::Inactive,
            to: AlertState::Firing,
            reason: TransitionReason::BecameActive,
            at,
        };
        let observation = Observation { transitions: vec![transition], firing: Vec::new() };
        self.handle.observe(&rule(0), &Arc::from("http://p"), observation).await.unwrap();
    }

    async fn attempts(&self) -> Vec<crate::outbox::Attempt> {
        self.store.history(&HistoryFilter::default()).await.unwrap().attempts
    }
}

async fn pass(secs: u64) {
    tokio::time::sleep(Duration::from_secs(secs)).await;
}

#[tokio::test(start_paused = true)]
async fn it_commits_before_it_delivers() {
    let rig = rig(Duration::from_millis(50));
    rig.store.millis.store(300, Ordering::Relaxed);
    rig.fire("A").await;
    pass(12).await;
    assert_eq!(rig.notifier.delivered(), [true]);
    assert_eq!(rig.attempts().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_notifier_that_panics_is_tried_again() {
    let rig = rig(Duration::ZERO);
    rig.notifier.panics.store(true, Ordering::Relaxed);
    rig.fire("A").await;
    pass(15).await;
    let outcomes: Vec<&str> = rig.attempts().await.iter().map(|a| a.outcome.as_str()).collect();
    assert_eq!(outcomes, ["retry", "delivered"]);
}

#[tokio::test(start_paused = true)]
async fn a_reload_brings_its_own_heartbeat() {
    let rig = rig(Duration::ZERO);
    let setup = || setup(ROUTE, "", &["r/webhook"]);
    pass(1).await;
    rig.handle.reload(setup(), Arc::default(), Duration::from_secs(5)).await.unwrap();
    let heartbeat = async || rig.store.load().await.unwrap().heartbeat.unwrap();
    let before = heartbeat().await;
    // Two of the new ones fit in; the former was a minute.
    pass(12).await;
    let after = heartbeat().await;
    let waited = after.since(before);
    assert!((Duration::from_secs(9)..=Duration::from_secs(12)).contains(&waited), "{waited:?}");
}

/// A restart asks the store when the program was last there: however long it ran, and however quietly.
#[tokio::test(start_paused = true)]
async fn heartbeats_go_on_while_nothing_happens() {
    let rig = rig(Duration::ZERO);
    for _ in 0..24 {
        pass(3600).await;
        let heartbeat = rig.store.load().await.unwrap().heartbeat.unwrap();
        let ago = rig.clock.clock.now().wall.since(heartbeat);
        assert!(ago <= Duration::from_secs(60), "{ago:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn observe_returns_when_the_changes_are_committed() {
    let rig = rig(Duration::ZERO);
    rig.store.millis.store(3_000, Ordering::Relaxed);
    let before = tokio::time::Instant::now();
    rig.fire("A").await;
    assert!(before.elapsed() >= Duration::from_secs(3));
    assert_eq!(rig.store.load().await.unwrap().alerts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_does_not_stop_the_paging_and_is_caught_up() {
    let rig = rig(Duration::from_millis(50));
    rig.store.fails.store(true, Ordering::Relaxed);
    rig.fire("A").await;
    pass(12).await;
    assert_eq!(rig.notifier.delivered(), [false], "told from memory");
    assert!(!rig.handle.store_ok());
    assert!(rig.store.load().await.unwrap().alerts.is_empty());
    rig.store.fails.store(false, Ordering::Relaxed);
    pass(61).await;
    assert!(rig.handle.store_ok());
    let stored = rig.store.load().await.unwrap();
    assert_eq!((stored.alerts.len(), stored.groups.len(), stored.lanes.len()), (1, 1, 1));
    assert!(stored.lanes[0].delivered.is_some() && stored.entries.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_waited_for_once_and_caught_up() {
    let rig = rig(Duration::from_millis(50));
    rig.store.millis.store(100_000, Ordering::Relaxed);
    let before = tokio::time::Instant::now();
    rig.fire("A").await;
    let waited = before.elapsed();
    assert!((Duration::from_secs(5)..Duration::from_secs(15)).contains(&waited), "{waited:?}");
    assert!(rig.handle.store_problem().unwrap().contains("no answer"));
    rig.fire("B").await;
    assert_eq!(before.elapsed(), waited, "the store is known to hang");
    pass(20).await;
    assert_eq!(rig.notifier.delivered(), [false], "told from memory");
    assert_eq!(rig.store.commits.load(Ordering::Relaxed), 1, "the one that hangs");
    rig.store.millis.store(0, Ordering::Relaxed);
    pass(100).await;
    assert!(rig.handle.store_ok());
    let stored = rig.store.load().await.unwrap();
    assert_eq!((stored.alerts.len(), stored.lanes.len()), (2, 1));
    assert!(stored.lanes[0].delivered.is_some() && stored.entries.is_empty());
    let history = rig.store.history(&HistoryFilter::default()).await.unwrap();
    let told = rig.notifier.delivered().len();
    assert_eq!(
        (history.transitions.len(), history.attempts.len()),
        (2, told),
        "nothing is doubled"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_tries_once_more_to_store_what_waits() {
    let rig = rig(Duration::from_millis(50));
    rig.store.fails.store(true, Ordering::Relaxed);
    rig.fire("A").await;
    assert!(!rig.handle.store_ok());
    rig.store.fails.store(false, Ordering::Relaxed);
    rig.handle.stop().await.unwrap();
    rig.running.await.unwrap();
    assert_eq!(rig.store.load().await.unwrap().alerts.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn stop_waits_for_what_is_in_flight() {
    let rig = rig(Duration::from_secs(8));
    rig.fire("A").await;
    pass(12).await;
    let before = tokio::time::Instant::now();
    rig.handle.stop().await.unwrap();
    rig.running.await.unwrap();
    let took = before.elapsed();
    assert!(took > Duration::from_secs(5) && took < Duration::from_secs(8), "{took:?}");
    let stored = rig.store.load().await.unwrap();
    assert!(stored.entries.is_empty() && stored.lanes[0].delivered.is_some());
    assert!(rig.handle.stop().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn stop_does_not_wait_longer_than_it_may() {
    let rig = rig(Duration::from_secs(100));
    rig.fire("A").await;
    pass(12).await;
    let before = tokio::time::Instant::now();
    rig.handle.stop().await.unwrap();
    rig.running.await.unwrap();
    let took = before.elapsed();
    assert!(took >= DRAIN && took < DRAIN + Duration::from_secs(1), "{took:?}");
    assert_eq!(rig.store.load().await.unwrap().entries.len(), 1, "it is owed still");
}

#[tokio::test(start_paused = true)]
async fn a_full_house_waits_without_spinning() {
    let rig = rig(Duration::from_secs(90));
    for team in 0..200 {
        rig.fire(&format!("A team={team}")).await;
    }
    pass(20).await;
    assert_eq!(rig.notifier.most.load(Ordering::Relaxed), MAX_IN_FLIGHT);
    let (reads, commits) =
        (rig.clock.reads.load(Ordering::Relaxed), rig.store.commits.load(Ordering::Relaxed));
    pass(40).await;
    let reads = rig.clock.reads.load(Ordering::Relaxed) - reads;
    let commits = rig.store.commits.load(Ordering::Relaxed) - commits;
    assert!(reads < 20 && commits < 5, "{reads} reads, {commits} commits while nothing happens");
    pass(400).await;
    assert!(rig.notifier.delivered().len() >= 200, "in the end everyone has his turn");
}

#[tokio::test(start_paused = true)]
async fn a_notifier_that_hangs_is_cut_off() {
    let rig = rig(Duration::from_secs(1_000_000));
    rig.fire("A").await;
    pass(10 + ATTEMPT_TIMEOUT.as_secs() + 1).await;
    let attempts = rig.attempts().await;
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].outcome, AttemptOutcome::Retry);
    assert_eq!(attempts[0].error.as_deref(), Some("no outcome within 120 s"));
    pass(3).await;
    assert_eq!(rig.notifier.delivered().len(), 2, "tried again");
}
