//! All metrics together, and the series that exist from the start.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::{IntegrationId, Silence, SilenceState, Timestamp};
use crate::telemetry::collector_metrics::CollectorMetrics;
use crate::telemetry::http_metrics::HttpMetrics;
use crate::telemetry::labels::{
    AlertStateLabel, BuildInfo, BuiltinLabels, DeliveryFailure, DeliveryFailureLabels, GroupLabels,
    IntegrationLabels, SilenceLabels, StateLabels,
};
use crate::telemetry::metrics::{
    ConfigMetrics, DeliveryMetrics, QueryMetrics, RuleMetrics, StoreMetrics, register_process,
};
use crate::telemetry::table::{MetricDoc, Table};

/// Every metric of the program. Shared by reference; all handles count without locks.
#[derive(Debug)]
pub struct Metrics {
    table: Table,
    groups: Mutex<BTreeSet<GroupLabels>>,
    integrations: Mutex<BTreeSet<IntegrationLabels>>,
    /// Of the rules.
    pub rules: RuleMetrics,
    /// Of the queries.
    pub queries: QueryMetrics,
    /// Of the notifications.
    pub delivery: DeliveryMetrics,
    /// Of the store.
    pub store: StoreMetrics,
    /// Of the configuration.
    pub config: ConfigMetrics,
    /// Of the API.
    pub http: HttpMetrics,
    /// Of the collector.
    pub collector: CollectorMetrics,
}

impl Metrics {
    /// All metrics, at zero.
    pub fn new(build: &BuildInfo, process_start: Timestamp) -> Self {
        let mut table = Table::default();
        register_process(&mut table, build, process_start.as_secs_f64());
        let rules = RuleMetrics::new(&mut table);
        for state in AlertStateLabel::ALL {
            rules.alerts.get_or_create(&StateLabels { state: *state }).set(0);
        }
        for state in SilenceState::ALL {
            rules.silences.get_or_create(&SilenceLabels { state: state.as_str() }).set(0);
        }
        Self {
            rules,
            queries: QueryMetrics::new(&mut table),
            delivery: DeliveryMetrics::new(&mut table),
            store: StoreMetrics::new(&mut table),
            config: ConfigMetrics::new(&mut table),
            http: HttpMetrics::new(&mut table),
            collector: CollectorMetrics::new(&mut table),
            table,
            groups: Mutex::default(),
            integrations: Mutex::default(),
        }
    }

    /// Puts these built-in alerts in place of the former ones, at zero.
    pub fn set_builtin(&self, names: &[&'static str]) {
        self.rules.builtin_conditions.clear();
        for alertname in names.iter().copied() {
            self.rules.builtin_conditions.get_or_create(&BuiltinLabels { alertname }).set(0);
        }
    }

    /// Names, kinds and texts of all metrics, for the documentation.
    pub fn docs(&self) -> &[MetricDoc] {
        self.table.docs()
    }

    /// The text of `/metrics`; its media type is [`crate::telemetry::CONTENT_TYPE`].
    pub fn encode(&self) -> String {
        self.table.encode()
    }

    /// Counts silences by what they are at a time.
    pub fn set_silences<'a>(&self, all: impl Iterator<Item = &'a Silence> + Clone, now: Timestamp) {
        for state in SilenceState::ALL {
            let count = all.clone().filter(|silence| silence.state(now) == state).count();
            let labels = SilenceLabels { state: state.as_str() };
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.rules.silences.get_or_create(&labels).set(count);
        }
    }

    /// Says which rule groups there are. Their series exist from now on, so that the first
    /// failure is an increase; those of vanished groups are dropped.
    pub fn set_groups(&self, groups: &[(GroupLabels, Duration)]) {
        let rules = &self.rules;
        for (labels, interval) in groups {
            for family in [
                &rules.evaluations,
                &rules.evaluation_failures,
                &rules.iterations,
                &rules.iterations_missed,
            ] {
                drop(family.get_or_create(labels));
            }
            drop(rules.duration.get_or_create(labels));
            rules.interval.get_or_create(labels).set(interval.as_secs_f64());
        }
        let wanted = groups.iter().map(|(labels, _)| labels.clone()).collect();
        for labels in replace(&self.groups, wanted) {
            rules.evaluations.remove(&labels);
            rules.evaluation_failures.remove(&labels);
            rules.iterations.remove(&labels);
            rules.iterations_missed.remove(&labels);
            rules.duration.remove(&labels);
            rules.last_evaluation.remove(&labels);
            rules.interval.remove(&labels);
        }
    }

    /// Says which integrations there are, as [`Metrics::set_groups`] does for groups.
    pub fn set_integrations<'a>(&self, ids: impl IntoIterator<Item = &'a IntegrationId>) {
        let wanted: BTreeSet<IntegrationLabels> =
            ids.into_iter().map(IntegrationLabels::from).collect();
        let delivery = &self.delivery;
        let failures = |labels: &IntegrationLabels| {
            let labels = labels.clone();
            let reasons = DeliveryFailure::ALL.iter();
            reasons.map(move |reason| DeliveryFailureLabels::new(&labels, *reason))
        };
        for labels in &wanted {
            drop(delivery.notifications.get_or_create(labels));
            drop(delivery.latency.get_or_create(labels));
            failures(labels).for_each(|f| drop(delivery.failed.get_or_create(&f)));
        }
        for labels in replace(&self.integrations, wanted) {
            delivery.notifications.remove(&labels);
            delivery.latency.remove(&labels);
            failures(&labels).for_each(|f| {
                delivery.failed.remove(&f);
            });
        }
    }
}

/// Puts the wanted labels in place of the known ones and returns those that are gone.
fn replace<L: Ord + Clone>(known: &Mutex<BTreeSet<L>>, wanted: BTreeSet<L>) -> Vec<L> {
    let mut known: MutexGuard<'_, _> = known.lock().unwrap_or_else(PoisonError::into_inner);
    let gone = known.difference(&wanted).cloned().collect();
    *known = wanted;
    gone
}
