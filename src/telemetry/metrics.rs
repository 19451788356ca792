//! The program's own metrics: names, texts and labels, one table for each area.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::telemetry::labels::{
    BuildInfo, BuiltinLabels, DeliveryFailureLabels, GroupLabels, IntegrationLabels,
    QueryFailureLabels, SilenceLabels, StateLabels,
};
use crate::telemetry::table::Table;

/// A gauge of seconds.
pub type Seconds = Gauge<f64, AtomicU64>;
/// Histograms of one kind, one for each set of labels.
pub type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

const NONE: &[&str] = &[];
const GROUP: &[&str] = &["rule_group"];
const INTEGRATION: &[&str] = &["integration", "receiver"];

/// Metrics of the rules.
#[derive(Clone, Debug)]
pub struct RuleMetrics {
    /// Evaluated rules.
    pub evaluations: Family<GroupLabels, Counter>,
    /// Failed rules.
    pub evaluation_failures: Family<GroupLabels, Counter>,
    /// Rounds.
    pub iterations: Family<GroupLabels, Counter>,
    /// Skipped rounds.
    pub iterations_missed: Family<GroupLabels, Counter>,
    /// How long rounds took.
    pub duration: Histograms<GroupLabels>,
    /// When the last round began.
    pub last_evaluation: Family<GroupLabels, Seconds>,
    /// The interval.
    pub interval: Family<GroupLabels, Seconds>,
    /// Current alerts.
    pub alerts: Family<StateLabels, Gauge>,
    /// For how many things the conditions of built-in alerts hold.
    pub builtin_conditions: Family<BuiltinLabels, Gauge>,
    /// Silences.
    pub silences: Family<SilenceLabels, Gauge>,
}

impl RuleMetrics {
    pub(super) fn new(t: &mut Table) -> Self {
        Self {
            evaluations: t.add(
                "rule_evaluations",
                GROUP,
                "Rules evaluated, failures included",
                Family::default(),
            ),
            evaluation_failures: t.add(
                "rule_evaluation_failures",
                GROUP,
                "Rules whose evaluation failed: their alerts stay as they are",
                Family::default(),
            ),
            iterations: t.add(
                "rule_group_iterations",
                GROUP,
                "Rounds of a rule group that were due, the missed ones included",
                Family::default(),
            ),
            iterations_missed: t.add(
                "rule_group_iterations_missed",
                GROUP,
                "Rounds of a rule group that were skipped because the one before took too long",
                Family::default(),
            ),
            duration: t.add(
                "rule_group_duration_seconds",
                GROUP,
                "How long one round of a rule group took",
                Family::new_with_constructor(query_buckets as fn() -> Histogram),
            ),
            last_evaluation: t.add(
                "rule_group_last_evaluation_timestamp_seconds",
                GROUP,
                "When the last round of a rule group began, in seconds since 1970",
                Family::default(),
            ),
            interval: t.add(
                "rule_group_interval_seconds",
                GROUP,
                "The interval of a rule group",
                Family::default(),
            ),
            alerts: t.add(
                "alerts",
                &["state"],
                "Alerts by state: pending, firing (and to be told), suppressed (firing, but \
                 silenced, inhibited or muted)",
                Family::default(),
            ),
            builtin_conditions: t.add(
                "builtin_conditions",
                &["alertname"],
                "For how many things the condition of a built-in alert holds, before its `for`",
                Family::default(),
            ),
            silences: t.add(
                "silences",
                &["state"],
                "Silences by state: pending, active, expired",
                Family::default(),
            ),
        }
    }
}

/// Metrics of the queries.
#[derive(Clone, Debug)]
pub struct QueryMetrics {
    /// Queries.
    pub queries: Counter,
    /// Failed queries.
    pub failures: Family<QueryFailureLabels, Counter>,
    /// Queries answered with a warning.
    pub warnings: Counter,
    /// How long queries took.
    pub duration: Histogram,
}

impl QueryMetrics {
    pub(super) fn new(t: &mut Table) -> Self {
        Self {
            queries: t.add(
                "queries",
                NONE,
                "Queries to the datasource, failures included",
                Counter::default(),
            ),
            failures: t.add(
                "query_failures",
                &["kind"],
                "Queries without a whole answer, by the kind of error",
                Family::default(),
            ),
            warnings: t.add(
                "query_warnings",
                NONE,
                "Queries that were answered with a warning: the result may be partial",
                Counter::default(),
            ),
            duration: t.add(
                "query_duration_seconds",
                NONE,
                "How long a query took, the wait for a free place included",
                query_buckets(),
            ),
        }
    }
}

/// Metrics of the notifications.
#[derive(Clone, Debug)]
pub struct DeliveryMetrics {
    /// Attempts.
    pub notifications: Family<IntegrationLabels, Counter>,
    /// Failed attempts.
    pub failed: Family<DeliveryFailureLabels, Counter>,
    /// How long attempts took.
    pub latency: Histograms<IntegrationLabels>,
    /// Waiting notifications.
    pub outbox_entries: Gauge,
    /// The age of the oldest waiting notification.
    pub outbox_oldest_age: Seconds,
}

impl DeliveryMetrics {
    pub(super) fn new(t: &mut Table) -> Self {
        Self {
            notifications: t.add(
                "notifications",
                INTEGRATION,
                "Attempts to deliver a notification, failures included",
                Family::default(),
            ),
            failed: t.add(
                "notifications_failed",
                &["integration", "receiver", "reason"],
                "Attempts to deliver a notification that failed, by reason",
                Family::default(),
            ),
            latency: t.add(
                "notification_latency_seconds",
                INTEGRATION,
                "How long one attempt to deliver a notification took",
                Family::new_with_constructor(delivery_buckets as fn() -> Histogram),
            ),
            outbox_entries: t.add(
                "outbox_entries",
                NONE,
                "Notifications that wait for their delivery",
                Gauge::default(),
            ),
            outbox_oldest_age: t.add(
                "outbox_oldest_entry_age_seconds",
                NONE,
                "For how long the oldest notification has been waiting; 0 where none is",
                Seconds::default(),
            ),
        }
    }
}

/// Metrics of the store.
#[derive(Clone, Debug)]
pub struct StoreMetrics {
    /// Transactions.
    pub commits: Counter,
    /// Failed transactions.
    pub commit_failures: Counter,
    /// How long transactions took.
    pub commit_duration: Histogram,
}

impl StoreMetrics {
    pub(super) fn new(t: &mut Table) -> Self {
        Self {
            commits: t.add(
                "store_commits",
                NONE,
                "Transactions of the store, failures included",
                Counter::default(),
            ),
            commit_failures: t.add(
                "store_commit_failures",
                NONE,
                "Transactions of the store that failed: notifications may be repeated",
                Counter::default(),
            ),
            commit_duration: t.add(
                "store_commit_duration_seconds",
                NONE,
                "How long a transaction of the store took until it was on the disk",
                commit_buckets(),
            ),
        }
    }
}

/// Metrics of the configuration.
#[derive(Clone, Debug)]
pub struct ConfigMetrics {
    /// 1 where the last load succeeded.
    pub last_reload_successful: Gauge,
    /// When the configuration in use was loaded.
    pub last_reload_success: Seconds,
    /// A hash of the configuration in use.
    pub hash: Gauge,
}

impl ConfigMetrics {
    pub(super) fn new(t: &mut Table) -> Self {
        Self {
            last_reload_successful: t.add(
                "config_last_reload_successful",
                NONE,
                "1 where the last load of the configuration succeeded, else 0: the former one is \
                 in use",
                Gauge::default(),
            ),
            last_reload_success: t.add(
                "config_last_reload_success_timestamp_seconds",
                NONE,
                "When the configuration in use was loaded, in seconds since 1970",
                Seconds::default(),
            ),
            hash: t.add(
                "config_hash",
                NONE,
                "A hash of configuration and rules in use: replicas with one hash agree",
                Gauge::default(),
            ),
        }
    }
}

/// Metrics of the program as such.
pub(super) fn register_process(t: &mut Table, build: &BuildInfo, process_start_seconds: f64) {
    let info: Family<BuildInfo, Gauge> = t.add(
        "build_info",
        &["version", "revision"],
        "Always 1; the labels tell what was built",
        Family::default(),
    );
    info.get_or_create(build).set(1);
    // The name that every client library uses, so that common dashboards find it.
    let start: Seconds = t.add_plain(
        "process_start_time_seconds",
        NONE,
        "When the process started, in seconds since 1970",
        Seconds::default(),
    );
    start.set(process_start_seconds);
}

/// From a quick query to one at its limit.
fn query_buckets() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

/// From a quick web service to one at its limit.
fn delivery_buckets() -> Histogram {
    Histogram::new([0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

/// From a commit on a fast disk to a disk in trouble.
fn commit_buckets() -> Histogram {
    Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0])
}
