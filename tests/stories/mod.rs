//! A night's records, made by the program's own dispatcher in virtual time: what fires, who is
//! held back, whose receiver is down.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use watchbell::alerting::{AlertInstance, AlertState, Transition, TransitionReason};
use watchbell::config::Config;
use watchbell::daemon::routing_setup;
use watchbell::engine::{Dispatcher, Observation};
use watchbell::model::{LabelSet, Monotonic, Now, RuleKey, Timestamp};
use watchbell::outbox::Outcome;
use watchbell::storage::{Change, SqliteStore, Store};

/// 2026-05-04 03:00 UTC.
const START: i64 = 1_777_863_600;

struct Night {
    dispatcher: Dispatcher,
    store: SqliteStore,
    now: Now,
    /// The receiver `ops` answers 503 until then, in seconds.
    ops_down_until: u64,
}

/// Makes the store of the configuration in a folder.
pub fn write(folder: &Path) {
    let config = Config::load(&folder.join("watchbell.yaml")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = SqliteStore::open(&config.storage.path).unwrap();
    let now = Now { wall: Timestamp::from_secs(START), mono: Monotonic::from_millis(1_000_000) };
    let dispatcher = Dispatcher::new(Arc::new(routing_setup(&config)));
    let mut night = Night { dispatcher, store, now, ops_down_until: 100 };
    runtime.block_on(night.pass_all());
}

impl Night {
    /// The night until 03:20:00.
    async fn pass_all(&mut self) {
        use TransitionReason::{Absent, BecameActive, HeldFor, Vanished};
        let down = |node| alert("ModelServerDown", &[("severity", "critical"), ("node", node)]);
        self.changes(&down("a"), AlertState::Pending, BecameActive).await;
        self.changes(&alert("Flapping", &[]), AlertState::Pending, BecameActive).await;
        self.until(40).await;
        self.changes(&alert("Flapping", &[]), AlertState::Inactive, Vanished).await;
        self.until(60).await;
        self.changes(&down("a"), AlertState::Firing, HeldFor).await;
        let slow = alert("HighModelLatency", &[("severity", "warning")]);
        self.changes(&slow, AlertState::Firing, BecameActive).await;
        self.changes(&alert("BatchLate", &[("team", "batch")]), AlertState::Firing, BecameActive)
            .await;
        let watchdog = alert("Watchdog", &[("team", "nobody")]);
        self.changes(&watchdog, AlertState::Firing, BecameActive).await;
        self.until(300).await;
        self.ops_down_until = 420;
        self.changes(&down("b"), AlertState::Firing, BecameActive).await;
        self.until(390).await;
        self.changes(&down("b"), AlertState::Inactive, Absent).await;
        self.until(1000).await;
        let paging = alert("PagerDown", &[("team", "pager")]);
        self.changes(&paging, AlertState::Firing, BecameActive).await;
        self.until(1140).await;
        self.changes(&alert("DiskAlmostFull", &[]), AlertState::Pending, BecameActive).await;
        self.until(1200).await;
        self.commit(vec![Change::Heartbeat(self.now.wall)]).await;
    }

    async fn commit(&self, changes: Vec<Change>) {
        self.store.commit(changes).await.unwrap();
    }

    async fn changes(&mut self, labels: &LabelSet, to: AlertState, reason: TransitionReason) {
        let (file, group) = ("rules/night.yaml".to_owned(), "night".to_owned());
        let rule = RuleKey::new(file, group, labels.alertname(), 0);
        let known = self.store.load().await.unwrap().alerts;
        let known = known.into_iter().find(|a| a.instance.labels == *labels).map(|a| a.instance);
        let from = known.as_ref().map_or(AlertState::Inactive, |known| known.state);
        let mut instance = known.unwrap_or_else(|| AlertInstance {
            labels: labels.clone(),
            annotations: LabelSet::from([("summary", "look at it")]),
            state: to,
            value: 0.5,
            active_at: self.now.wall,
            fired_at: None,
            keep_firing_since: None,
            resolved_at: None,
        });
        instance.state = to;
        match to {
            AlertState::Firing => instance.fired_at = Some(self.now.wall),
            AlertState::Inactive if from == AlertState::Firing => {
                instance.resolved_at = Some(self.now.wall);
            }
            _ => {}
        }
        let (fingerprint, at) = (instance.fingerprint(), self.now.wall);
        let transition = Transition { fingerprint, instance, from, to, reason, at };
        let observation = Observation { transitions: vec![transition], firing: Vec::new() };
        let changes =
            self.dispatcher.observe(&rule, "http://127.0.0.1/graph", observation, self.now);
        self.commit(changes).await;
    }

    /// Lets time pass until that second of the night; everything that is due happens in its time.
    async fn until(&mut self, second: u64) {
        let end = Monotonic::from_millis(1_000_000) + Duration::from_secs(second);
        loop {
            self.turn().await;
            let next = self.dispatcher.next_deadline(true).unwrap_or(end).min(end);
            let step = next.since(self.now.mono);
            self.now = Now { wall: self.now.wall + step, mono: self.now.mono + step };
            if self.now.mono >= end {
                self.turn().await;
                return;
            }
        }
    }

    async fn turn(&mut self) {
        let changes = self.dispatcher.on_time(self.now);
        self.commit(changes).await;
        for ticket in self.dispatcher.take_due(64, self.now) {
            let second = self.now.wall.since(Timestamp::from_secs(START)).as_secs();
            let failed = |status, error: &str| Outcome::Retry {
                after: None,
                error: error.to_owned(),
                status,
            };
            let outcome = match &*ticket.integration.receiver {
                "ops" if second < self.ops_down_until => failed(Some(503), "answered 503"),
                "pager" => failed(None, "connection refused"),
                _ => Outcome::delivered(Some(200)),
            };
            let changes = self.dispatcher.finished(&ticket, &outcome, self.now);
            self.commit(changes).await;
        }
    }
}

/// The labels of an alert before external ones.
fn alert(name: &str, labels: &[(&str, &str)]) -> LabelSet {
    labels.iter().copied().chain([("alertname", name)]).collect()
}
