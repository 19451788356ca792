//! Groups on schedule, over a reload and over a restart, in virtual time.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use crate::alerting::{BuiltinConfig, RulePolicies};
use crate::clock::{Clock, VirtualClock};
use crate::daemon::restart::Leftover;
use crate::daemon::rules::{RuleManager, RuleSettings};
use crate::diag::SourceFile;
use crate::engine::{DispatchLoop, Dispatcher, Evaluator, RoutingSetup, SharedFacts};
use crate::model::{LabelSet, Sample, Timestamp};
use crate::query::{
    ApiErrorKind, Querier, QueryError, QueryResult, QueryValue, RangeResult, Series,
};
use crate::routing::{KnownNames, RawRoute, RoutingTree, TimeIntervals};
use crate::rule::{RuleGroup, check};
use crate::storage::{HistoryFilter, MemoryStore, Store};
use crate::telemetry::{BuildInfo, Metrics};
use crate::yaml::{Reader, load};

mod away;
mod builtin;
mod policies;

const START: Timestamp = Timestamp::from_secs(1_000_000);

/// A datasource on which each expression holds or not, as a test says.
#[derive(Default)]
struct Datasource {
    holds: Mutex<HashMap<String, bool>>,
    slow: Mutex<Duration>,
    /// The query that it refuses.
    refuses: Mutex<String>,
}

impl Datasource {
    fn set(&self, query: &str, holds: bool) {
        self.holds.lock().unwrap().insert(query.to_string(), holds);
    }
}

#[async_trait]
impl Querier for Datasource {
    async fn instant(&self, query: &str, at: Timestamp) -> Result<QueryResult, QueryError> {
        let slow = *self.slow.lock().unwrap();
        tokio::time::sleep(slow).await;
        if *self.refuses.lock().unwrap() == query {
            let (kind, message) = (ApiErrorKind::BadData, "no such thing".to_string());
            return Err(QueryError::Api { kind, status: 400, message });
        }
        let holds = self.holds.lock().unwrap().get(query).copied().unwrap_or(false);
        let sample = Sample { labels: LabelSet::new(), timestamp: at, value: 1.0 };
        let value = QueryValue::Vector(if holds { vec![sample] } else { Vec::new() });
        Ok(QueryResult { value, warnings: Vec::new(), infos: Vec::new() })
    }

    /// Whatever holds now has held all the time.
    async fn range(
        &self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    ) -> Result<RangeResult, QueryError> {
        let holds = self.holds.lock().unwrap().get(query).copied().unwrap_or(false);
        let steps = std::iter::successors(Some(start), |at| Some(*at + step));
        let samples = steps.take_while(|at| *at <= end).map(|at| (at, 1.0)).collect();
        let series = Series { labels: LabelSet::new(), samples };
        let series = if holds { vec![series] } else { Vec::new() };
        Ok(RangeResult { series, ..RangeResult::default() })
    }
}

/// A rule manager over a dispatch loop without receivers.
struct Bench {
    rules: RuleManager,
    datasource: Arc<Datasource>,
    store: Arc<MemoryStore>,
    clock: Arc<VirtualClock>,
    metrics: Arc<Metrics>,
    facts: SharedFacts,
}

impl Bench {
    async fn new(store: MemoryStore, clock: VirtualClock) -> Self {
        let (store, clock) = (Arc::new(store), Arc::new(clock));
        let build = BuildInfo { version: String::new(), revision: String::new() };
        let metrics = Arc::new(Metrics::new(&build, START));
        let snapshot = store.load().await.unwrap();
        let (dispatcher, changes) = Dispatcher::load(setup(), snapshot, clock.now());
        let (dispatch, handle) = DispatchLoop::new(
            dispatcher,
            changes,
            Arc::new(HashMap::new()),
            Arc::clone(&store) as Arc<dyn Store>,
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::clone(&metrics),
            Duration::from_secs(10),
        );
        let facts = SharedFacts::default();
        tokio::spawn(dispatch.with_facts(facts.clone()).run(Duration::ZERO));
        let rules = RuleManager::new(handle, Arc::clone(&clock) as _, Arc::clone(&metrics));
        Self { rules, datasource: Arc::default(), store, clock, metrics, facts }
    }

    fn settings(&self) -> RuleSettings {
        let evaluator = Evaluator {
            querier: Arc::clone(&self.datasource) as Arc<dyn Querier>,
            external_labels: LabelSet::new(),
            external_url: "http://prom".to_string(),
        };
        RuleSettings {
            evaluator,
            evaluation_interval: Duration::from_secs(60),
            query_offset: Duration::ZERO,
            fingerprint: "f".to_string(),
            builtin: BuiltinConfig::default().group,
            policies: RulePolicies::default(),
            facts: self.facts.clone(),
        }
    }

    async fn apply(&mut self, rules: &str) {
        let settings = self.settings();
        self.rules.apply(groups(rules), &settings, None).await;
    }

    async fn wait(&self, seconds: u64) {
        self.clock.sleep_until(self.clock.now().mono + Duration::from_secs(seconds)).await;
    }

    /// What happened: the time since the start in seconds, the new state, the reason.
    async fn history(&self) -> Vec<(i64, &'static str, &'static str)> {
        let history = self.store.history(&HistoryFilter::default()).await.unwrap();
        let entry = |t: &crate::alerting::Transition| {
            ((t.at.millis() - START.millis()) / 1000, t.to.as_str(), t.reason.as_str())
        };
        history.transitions.iter().map(|recorded| entry(&recorded.transition)).collect()
    }
}

fn setup() -> Arc<RoutingSetup> {
    let source = Arc::new(SourceFile::new("c.yaml", "{}"));
    let mut reader = Reader::new(&load(&source).unwrap());
    let receiver =
        Some(crate::routing::Located { value: "nobody".to_string(), ..Default::default() });
    let root = RawRoute { receiver, ..RawRoute::default() };
    let (receivers, intervals) = (["nobody"].into(), TimeIntervals::default());
    let known = KnownNames { receivers: &receivers, intervals: &intervals };
    let tree = RoutingTree::build(&root, known, &mut reader).unwrap();
    Arc::new(RoutingSetup {
        tree,
        external_labels: LabelSet::new(),
        inhibit_rules: Vec::new(),
        intervals,
        receivers: BTreeMap::from([("nobody".to_string(), Vec::new())]),
    })
}

fn groups(rules: &str) -> Vec<Arc<RuleGroup>> {
    let text = format!("groups:\n- name: g\n  interval: 30s\n  rules:\n{rules}");
    let (groups, findings) = check(&Arc::new(SourceFile::new("r.yaml", text)));
    assert!(findings.is_empty(), "{findings:?}");
    groups.into_iter().map(Arc::new).collect()
}

const DOWN: &str = "  - alert: Down\n    expr: up == 0\n    for: 1m\n";

#[tokio::test(start_paused = true)]
async fn an_alert_is_pending_for_its_time_then_fires_then_resolves() {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    bench.datasource.set("up == 0", true);
    bench.apply(DOWN).await;
    bench.wait(125).await;
    bench.datasource.set("up == 0", false);
    bench.wait(35).await;
    let history = bench.history().await;
    let first = history[0].0;
    assert!((0..30).contains(&first), "{history:?}");
    let expected = [(first, "pending", "became_active"), (first + 60, "firing", "held_for")];
    assert_eq!(&history[..2], expected, "one evaluation every 30 s");
    assert_eq!((history[2].1, history[2].2, history.len()), ("inactive", "absent", 3));
}

#[tokio::test(start_paused = true)]
async fn a_reload_leaves_equal_groups_alone_and_carries_state_into_changed_ones() {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    bench.datasource.set("up == 0", true);
    bench.datasource.set("up == 0 or x", true);
    bench.apply(DOWN).await;
    bench.wait(40).await;
    bench.apply(DOWN).await;
    // The expression changes, the rule stays: its clock goes on.
    bench.apply(&DOWN.replace("up == 0", "up == 0 or x")).await;
    bench.wait(60).await;
    let history = bench.history().await;
    assert_eq!(history.len(), 2, "{history:?}");
    assert_eq!((history[1].0 - history[0].0, history[1].2), (60, "held_for"));
    // A rule that is gone ends its alerts.
    bench.apply("  - alert: Other\n    expr: y\n").await;
    bench.wait(1).await;
    let history = bench.history().await;
    assert_eq!((history[2].1, history[2].2), ("inactive", "rule_removed"));
    assert_eq!(bench.rules.board().pending(), 0);
}

#[tokio::test(start_paused = true)]
async fn evaluations_that_were_run_over_are_counted() {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    *bench.datasource.slow.lock().unwrap() = Duration::from_secs(70);
    bench.apply(DOWN).await;
    bench.wait(240).await;
    let text = bench.metrics.encode();
    let missed = "watchbell_rule_group_iterations_missed_total{rule_group=\"r.yaml;g\"} ";
    let line = text.lines().find(|line| line.starts_with(missed)).unwrap();
    // Each round takes 70 s: it covers two slots that follow it.
    let count: u64 = line.trim_start_matches(missed).parse().unwrap();
    assert!((4..=6).contains(&count), "{line}");
}

/// Runs until the alert is pending, stops for `gap`, goes on, and gives the history after that.
async fn over_a_stop(gap: u64, holds: bool) -> Vec<(i64, &'static str, &'static str)> {
    let mut bench = Bench::new(MemoryStore::new(), VirtualClock::new(START)).await;
    bench.datasource.set("up == 0", true);
    bench.datasource.set("count(up)", true);
    bench.apply(DOWN).await;
    bench.wait(31).await;
    bench.rules.stop().await;
    let snapshot = bench.store.load().await.unwrap();
    let leftover = Leftover { alerts: snapshot.alerts, last_alive: bench.clock.now().wall };
    bench.wait(gap).await;
    bench.datasource.set("up == 0", holds);
    let before = bench.history().await.len();
    let settings = bench.settings();
    bench.rules.apply(groups(DOWN), &settings, Some(leftover)).await;
    bench.wait(31).await;
    bench.history().await.split_off(before)
}

#[tokio::test(start_paused = true)]
async fn a_short_stop_keeps_the_clock() {
    // 31 s before it, 20 s of it, and at most 30 s after: a minute has passed.
    let history = over_a_stop(20, true).await;
    assert_eq!(history.len(), 1, "{history:?}");
    assert_eq!((history[0].1, history[0].2), ("firing", "held_for"));
}

#[tokio::test(start_paused = true)]
async fn a_long_stop_is_settled_by_what_the_datasource_saw() {
    let history = over_a_stop(7200, true).await;
    assert_eq!(history.len(), 1, "{history:?}");
    assert_eq!((history[0].1, history[0].2), ("firing", "held_for"));
    let history = over_a_stop(7200, false).await;
    assert_eq!(history.len(), 1, "{history:?}");
    assert_eq!((history[0].1, history[0].2), ("inactive", "restore_ended"));
}
