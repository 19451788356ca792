//! The collector in virtual time, over a tracking server and a store that fail when told to.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;

use super::*;
use crate::alerting::{BuiltinAlert, BuiltinConfig, Look, RuleAlerts, evaluate_builtin};
use crate::clock::VirtualClock;
use crate::collect::{EndedRun, Experiment, RunStatus};
use crate::http::{HttpConfig, HttpError};
use crate::mlflow::RunPage;
use crate::model::{LabelSet, Secret};
use crate::storage::UnsteadyStore;
use crate::telemetry::BuildInfo;

const START: Timestamp = Timestamp::from_secs(1_000_000);
const UP: &str = r#"watchbell_collector_up{collector="mlflow"}"#;
const INTERVAL: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Mlflow {
    failed: Mutex<Vec<(String, Timestamp)>>,
    /// The status with which it answers, if not 200.
    status: Mutex<Option<u16>>,
    asked: AtomicUsize,
    hangs: AtomicBool,
}

#[async_trait]
impl Tracking for Mlflow {
    async fn experiments(
        &self,
        _: Option<&str>,
    ) -> Result<(Vec<Experiment>, Option<String>), TrackingError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let status = *self.status.lock().unwrap();
        if let Some(status) = status {
            let (origin, excerpt) = ("http://mlflow".to_string(), "no database".to_string());
            return Err(HttpError::Status { origin, status, excerpt }.into());
        }
        Ok((vec![Experiment { id: "1".into(), name: "churn".into() }], None))
    }

    async fn ended_runs(
        &self,
        _: &[Arc<str>],
        from: Timestamp,
        _: Option<&str>,
    ) -> Result<RunPage, TrackingError> {
        let failed = self.failed.lock().unwrap();
        let run = |(id, at): &(String, Timestamp)| EndedRun {
            id: id.as_str().into(),
            experiment: "1".into(),
            status: RunStatus::Failed,
            ended_at: *at,
        };
        let runs = failed.iter().filter(|(_, at)| *at >= from).map(run).collect();
        Ok(RunPage { runs, last_end: None, next: None })
    }
}

struct Bench {
    mlflow: Arc<Mlflow>,
    store: Arc<UnsteadyStore>,
    clock: Arc<VirtualClock>,
    metrics: Arc<Metrics>,
    facts: SharedFacts,
    collector: Collector,
}

impl Bench {
    async fn new() -> Self {
        let store = Arc::new(UnsteadyStore::default());
        Self::over(store, Arc::new(Mlflow::default())).await
    }

    /// After the first pass, and a second, so that no other begins while a test looks.
    async fn over(store: Arc<UnsteadyStore>, mlflow: Arc<Mlflow>) -> Self {
        let build = BuildInfo { version: String::new(), revision: String::new() };
        let metrics = Arc::new(Metrics::new(&build, START));
        let clock = Arc::new(VirtualClock::new(START));
        let facts = SharedFacts::default();
        let as_store: Arc<dyn Store> = Arc::clone(&store) as _;
        let as_clock: Arc<dyn Clock> = Arc::clone(&clock) as _;
        let mut collector = Collector::new(&as_store, &as_clock, &metrics, &facts);
        collector.apply(Some(to(&mlflow, "http://mlflow")));
        tokio::time::sleep(Duration::from_secs(1)).await;
        Self { mlflow, store, clock, metrics, facts, collector }
    }

    /// Waits for so many more passes.
    async fn passes(&self, number: u32) {
        tokio::time::sleep(INTERVAL * number).await;
    }

    fn fail(&self, id: &str) {
        self.mlflow.failed.lock().unwrap().push((id.to_string(), self.clock.now().wall));
    }

    fn answers(&self, status: Option<u16>) {
        *self.mlflow.status.lock().unwrap() = status;
    }

    /// The value of a series in `/metrics`.
    fn metric(&self, series: &str) -> Option<f64> {
        let text = self.metrics.encode();
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map(|value| value.parse().unwrap())
    }

    fn failed_runs(&self) -> Option<f64> {
        self.metric(r#"mlflow_runs_finished_total{status="FAILED",experiment="churn"}"#)
    }
}

fn to(mlflow: &Arc<Mlflow>, uri: &str) -> Client {
    let config = MlflowConfig {
        tracking_uri: Secret::new(uri),
        interval: INTERVAL,
        timeout: Duration::from_secs(5),
        http: HttpConfig::default(),
    };
    (config, Arc::clone(mlflow) as _)
}

#[tokio::test(start_paused = true)]
async fn failures_are_counted_once_also_over_a_restart() {
    let bench = Bench::new().await;
    bench.passes(1).await;
    assert_eq!(bench.failed_runs(), Some(0.0), "so that the first failure is an increase");
    assert_eq!(bench.metric(UP), Some(1.0));
    bench.fail("a");
    bench.passes(3).await;
    assert_eq!(bench.failed_runs(), Some(1.0));
    let commits = bench.store.commits.load(Ordering::Relaxed);
    bench.passes(100).await;
    assert_eq!(bench.store.commits.load(Ordering::Relaxed), commits, "nothing has changed");
    let (store, mlflow) = (Arc::clone(&bench.store), Arc::clone(&bench.mlflow));
    drop(bench);
    mlflow.hangs.store(true, Ordering::Relaxed);
    let bench = Bench::over(store, mlflow).await;
    bench.passes(1).await;
    assert_eq!(bench.failed_runs(), Some(1.0), "before mlflow has answered");
    assert_eq!(bench.metric(UP), None, "of which nothing is known yet");
}

#[tokio::test(start_paused = true)]
async fn an_mlflow_that_does_not_answer_is_noticed_and_loses_nothing() {
    let bench = Bench::new().await;
    bench.passes(1).await;
    let group = BuiltinConfig::default().group;
    let mut rules = group.rules.iter().filter_map(|rule| rule.as_alerting());
    let rule = rules.find(|r| r.name == BuiltinAlert::CollectorFailed.as_str()).unwrap();
    let mut alerts = RuleAlerts::default();
    let mut fires = |bench: &Bench| {
        let (facts, none) = (bench.facts.with(|facts| facts.clone()), LabelSet::new());
        let now = bench.clock.now();
        let look =
            Look { facts: &facts, before: now.mono, now, external_labels: &none, external_url: "" };
        assert_eq!(evaluate_builtin(rule, &mut alerts, &look).error, None);
        alerts.active().any(|(_, alert)| alert.state == crate::alerting::AlertState::Firing)
    };
    for status in [503, 401] {
        bench.answers(Some(status));
        bench.passes(1).await;
        assert!(!fires(&bench), "not at once");
        bench.fail(&status.to_string());
        bench.passes(11).await;
        assert!(fires(&bench), "{status}");
        assert_eq!(bench.metric(UP), Some(0.0));
        let count = if status == 503 { 0.0 } else { 1.0 };
        assert_eq!(bench.failed_runs(), Some(count), "what was counted stays");
        bench.answers(None);
        bench.passes(1).await;
        assert!(!fires(&bench));
        assert_eq!(bench.metric(UP), Some(1.0));
        assert_eq!(bench.failed_runs(), Some(count + 1.0), "it is made up for");
    }
    assert_eq!(
        bench.metric(r#"watchbell_collector_failures_total{collector="mlflow",kind="status"}"#),
        Some(24.0)
    );
    assert_eq!(bench.mlflow.asked.load(Ordering::Relaxed), 28, "one question each pass");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_stops_no_counting() {
    let bench = Bench::new().await;
    bench.passes(1).await;
    bench.store.fails.store(true, Ordering::Relaxed);
    bench.fail("a");
    bench.passes(2).await;
    assert_eq!(bench.failed_runs(), Some(1.0), "from memory");
    bench.store.fails.store(false, Ordering::Relaxed);
    bench.passes(1).await;
    let stored = bench.store.memory.collected().await.unwrap().unwrap();
    assert_eq!(stored.experiments[0].counts, [0, 1, 0], "with the next pass");

    // One that cannot be read at the start: counted from then on, then on from what it had.
    let (store, mlflow) = (Arc::clone(&bench.store), Arc::clone(&bench.mlflow));
    drop(bench);
    store.fails.store(true, Ordering::Relaxed);
    let bench = Bench::over(store, mlflow).await;
    bench.passes(1).await;
    bench.fail("b");
    bench.passes(1).await;
    assert_eq!(bench.failed_runs(), Some(1.0));
    bench.store.fails.store(false, Ordering::Relaxed);
    bench.passes(1).await;
    assert_eq!(bench.failed_runs(), Some(2.0));
}

#[tokio::test(start_paused = true)]
async fn a_reload_changes_the_collector_only_where_it_differs() {
    let mut bench = Bench::new().await;
    bench.passes(1).await;
    bench.fail("a");
    bench.passes(2).await;
    let asked = || bench.mlflow.asked.load(Ordering::Relaxed);
    let before = asked();
    let same = to(&bench.mlflow, "http://mlflow");
    bench.collector.apply(Some(same));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.mlflow.asked.load(Ordering::Relaxed), before, "it goes on as before");
    let mut slower = to(&bench.mlflow, "http://user:password@mlflow");
    slower.0.interval = INTERVAL * 2;
    bench.collector.apply(Some(slower));
    bench.passes(1).await;
    assert_eq!(bench.failed_runs(), Some(1.0), "it is the same server");
    let other = to(&bench.mlflow, "http://another");
    bench.collector.apply(Some(other));
    bench.passes(1).await;
    assert_eq!(bench.failed_runs(), Some(0.0), "another server's runs are not those");
    bench.collector.apply(None);
    bench.passes(1).await;
    assert_eq!((bench.failed_runs(), bench.metric(UP)), (None, None));
}
