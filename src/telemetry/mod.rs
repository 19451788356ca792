//! Tier 4: what the program tells of itself: metrics and logs.
//!
//! `metrics` holds one line for each metric: name, labels, help. Every label's value comes from
//! the configuration or from a closed set, but for the names of experiments, whose number is bounded.

mod collector_metrics;
mod http_metrics;
mod labels;
mod logging;
mod metrics;
mod registry;
mod table;

pub use http_metrics::HttpMetrics;
pub use labels::{
    AlertStateLabel, BuildInfo, BuiltinLabels, DeliveryFailure, DeliveryFailureLabels, GroupLabels,
    HandlerLabels, HttpLabels, HttpRefusal, HttpRefusalLabels, IntegrationLabels,
    QueryFailureLabels, SilenceLabels, StateLabels,
};
pub use logging::{LogFormat, LoggingError, init};
pub use metrics::{
    ConfigMetrics, DeliveryMetrics, Histograms, QueryMetrics, RuleMetrics, Seconds, StoreMetrics,
};
pub use registry::Metrics;
pub use table::{CONTENT_TYPE, MetricDoc, MetricKind};

#[cfg(test)]
mod tests;
