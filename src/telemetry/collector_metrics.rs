//! The metrics of the collector, and what it has counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::collect::{RunStatus, Shown};
use crate::model::Timestamp;
use crate::telemetry::metrics::Seconds;
use crate::telemetry::table::Table;

/// A collector.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CollectorLabels {
    collector: &'static str,
}

/// The one that there is.
const MLFLOW: CollectorLabels = CollectorLabels { collector: "mlflow" };

/// A pass that failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    collector: &'static str,
    /// The kind of error, from the closed set of `TrackingError::kind`.
    kind: &'static str,
}

/// An experiment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExperimentLabels {
    experiment: String,
}

/// Runs that ended in one way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RunLabels {
    status: &'static str,
    experiment: String,
}

/// Metrics of the collector. There are none where nothing is collected.
#[derive(Clone, Debug)]
pub struct CollectorMetrics {
    runs: Family<RunLabels, Counter>,
    last_failed: Family<ExperimentLabels, Seconds>,
    up: Family<CollectorLabels, Gauge>,
    passes: Family<CollectorLabels, Counter>,
    failures: Family<FailureLabels, Counter>,
    last_success: Family<CollectorLabels, Seconds>,
    behind: Family<CollectorLabels, Gauge>,
    experiments_merged: Family<CollectorLabels, Gauge>,
    shown: Arc<Mutex<BTreeSet<String>>>,
}

impl CollectorMetrics {
    pub(super) fn new(t: &mut Table) -> Self {
        const EXPERIMENT: &[&str] = &["experiment"];
        const COLLECTOR: &[&str] = &["collector"];
        Self {
            runs: t.add_plain(
                "mlflow_runs_finished",
                &["status", "experiment"],
                "Runs of MLflow that have ended since the collector first saw the server, by how \
                 they ended",
                Family::default(),
            ),
            last_failed: t.add_plain(
                "mlflow_last_failed_run_timestamp_seconds",
                EXPERIMENT,
                "When a run of the experiment failed last, in seconds since 1970",
                Family::default(),
            ),
            up: t.add(
                "collector_up",
                COLLECTOR,
                "1 where MLflow's API, which needs its database, has answered all of the last \
                 pass, else 0",
                Family::default(),
            ),
            passes: t.add(
                "collector_passes",
                COLLECTOR,
                "Readings of MLflow's API, failures included",
                Family::default(),
            ),
            failures: t.add(
                "collector_failures",
                &["collector", "kind"],
                "Readings of MLflow's API that failed, by the kind of error",
                Family::default(),
            ),
            last_success: t.add(
                "collector_last_success_timestamp_seconds",
                COLLECTOR,
                "When MLflow's API last answered all of a pass, in seconds since 1970",
                Family::default(),
            ),
            behind: t.add(
                "collector_behind",
                COLLECTOR,
                "1 where more has ended than one pass can read: the next goes on there",
                Family::default(),
            ),
            experiments_merged: t.add(
                "collector_experiments_merged",
                COLLECTOR,
                "Experiments without series of their own: together they are \"(others)\"",
                Family::default(),
            ),
            shown: Arc::default(),
        }
    }

    /// A pass had all its answers.
    pub fn answered(&self, at: Timestamp, is_behind: bool) {
        self.passes.get_or_create(&MLFLOW).inc();
        self.up.get_or_create(&MLFLOW).set(1);
        self.last_success.get_or_create(&MLFLOW).set(at.as_secs_f64());
        self.behind.get_or_create(&MLFLOW).set(i64::from(is_behind));
    }

    /// A pass failed, by the kind of error.
    pub fn failed(&self, kind: &'static str) {
        self.passes.get_or_create(&MLFLOW).inc();
        self.up.get_or_create(&MLFLOW).set(0);
        self.failures.get_or_create(&FailureLabels { collector: MLFLOW.collector, kind }).inc();
    }

    /// Shows these experiments in place of the former ones; `merged` of them have no series of
    /// their own. Every status is there from the start, so that the first failure is an increase.
    pub fn show(&self, experiments: &BTreeMap<String, Shown>, merged: usize) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in shown.iter().filter(|name| !experiments.contains_key(*name)) {
            self.remove(gone);
        }
        for (name, what) in experiments {
            for (status, count) in RunStatus::ALL.iter().zip(what.counts) {
                self.set(RunLabels { status: status.as_str(), experiment: name.clone() }, count);
            }
            let labels = ExperimentLabels { experiment: name.clone() };
            match what.last_failed {
                Some(at) => {
                    self.last_failed.get_or_create(&labels).set(at.as_secs_f64());
                }
                None => drop(self.last_failed.remove(&labels)),
            }
        }
        *shown = experiments.keys().cloned().collect();
        let merged = i64::try_from(merged).unwrap_or(i64::MAX);
        self.experiments_merged.get_or_create(&MLFLOW).set(merged);
    }

    /// Nothing is collected any more.
    pub fn clear(&self) {
        self.show(&BTreeMap::new(), 0);
        self.up.clear();
        self.passes.clear();
        self.failures.clear();
        self.last_success.clear();
        self.behind.clear();
        self.experiments_merged.clear();
    }

    /// A counter only goes up; one that must be lower begins anew.
    fn set(&self, labels: RunLabels, count: u64) {
        let known = self.runs.get_or_create(&labels).get();
        if count < known {
            self.runs.remove(&labels);
        }
        let counter = self.runs.get_or_create(&labels);
        counter.inc_by(count.saturating_sub(counter.get()));
    }

    fn remove(&self, name: &str) {
        for status in RunStatus::ALL {
            self.runs.remove(&RunLabels { status: status.as_str(), experiment: name.to_string() });
        }
        self.last_failed.remove(&ExperimentLabels { experiment: name.to_string() });
    }
}
