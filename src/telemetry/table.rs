//! The table of metrics: one line registers a metric and describes it.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::{Metric, Registry};

/// The media type of [`Metrics::encode`](crate::telemetry::Metrics::encode)'s text, as Prometheus asks for it since 2.5.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Goes up; its series end in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts in buckets.
    Histogram,
}

/// What the documentation says of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricDoc {
    /// The name as queries use it; of a histogram, the name without `_bucket`, `_sum`, `_count`.
    pub name: String,
    /// The kind.
    pub kind: MetricKind,
    /// What it counts or measures.
    pub help: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
}

/// Registered metrics and their descriptions.
#[derive(Debug, Default)]
pub(super) struct Table {
    registry: Registry,
    docs: Vec<MetricDoc>,
}

impl Table {
    /// Registers a metric by its name without prefix and without `_total`, and hands it back.
    pub(super) fn add<M: Metric + Clone + TypedMetric>(
        &mut self,
        name: &str,
        labels: &'static [&'static str],
        help: &'static str,
        metric: M,
    ) -> M {
        self.add_plain(&format!("watchbell_{name}"), labels, help, metric)
    }

    /// As [`Table::add`], for a name that has no prefix because everybody's metrics share it.
    pub(super) fn add_plain<M: Metric + Clone + TypedMetric>(
        &mut self,
        name: &str,
        labels: &'static [&'static str],
        help: &'static str,
        metric: M,
    ) -> M {
        self.registry.register(name, help, metric.clone());
        let (kind, suffix) = match M::TYPE {
            MetricType::Counter => (MetricKind::Counter, "_total"),
            MetricType::Histogram => (MetricKind::Histogram, ""),
            MetricType::Gauge | MetricType::Info | MetricType::Unknown => (MetricKind::Gauge, ""),
        };
        self.docs.push(MetricDoc { name: format!("{name}{suffix}"), kind, help, labels });
        metric
    }

    pub(super) fn docs(&self) -> &[MetricDoc] {
        &self.docs
    }

    /// All metrics as OpenMetrics text.
    pub(super) fn encode(&self) -> String {
        let mut text = String::new();
        // Writing to a String does not fail, so that a part is never lost.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
