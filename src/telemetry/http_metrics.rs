//! Metrics of the API.

use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::telemetry::labels::{HandlerLabels, HttpLabels, HttpRefusal, HttpRefusalLabels};
use crate::telemetry::table::Table;
use crate::telemetry::{Histograms, Seconds};

/// Metrics of the API.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    requests: Family<HttpLabels, Counter>,
    duration: Histograms<HandlerLabels>,
    refused: Family<HttpRefusalLabels, Counter>,
    /// Open connections.
    pub connections: Gauge,
    /// 1 where the last load of the web configuration succeeded.
    pub web_config_successful: Gauge,
    /// When our certificate ends; 0 without TLS.
    pub certificate_end: Seconds,
}

impl HttpMetrics {
    pub(super) fn new(t: &mut Table) -> Self {
        let metrics = Self {
            requests: t.add(
                "http_requests",
                &["code", "handler"],
                "Answered requests to the API, by status and address",
                Family::default(),
            ),
            duration: t.add(
                "http_request_duration_seconds",
                &["handler"],
                "How long a request to the API took",
                Family::new_with_constructor(buckets as fn() -> Histogram),
            ),
            refused: t.add(
                "http_requests_refused",
                &["reason"],
                "Requests and connections that the API has refused, by reason",
                Family::default(),
            ),
            connections: t.add(
                "http_connections",
                &[],
                "Open connections of the API",
                Gauge::default(),
            ),
            web_config_successful: t.add(
                "web_config_last_reload_successful",
                &[],
                "1 where the last load of the web configuration succeeded or there is none, else \
                 0: the former one is in use",
                Gauge::default(),
            ),
            certificate_end: t.add(
                "web_certificate_end_timestamp_seconds",
                &[],
                "When the API's certificate ends, in seconds since 1970; 0 without TLS",
                Seconds::default(),
            ),
        };
        for reason in HttpRefusal::ALL {
            let labels = HttpRefusalLabels { reason: *reason };
            drop(metrics.refused.get_or_create(&labels));
        }
        metrics.web_config_successful.set(1);
        metrics
    }

    /// Counts an answer.
    pub fn answered(&self, handler: &str, code: u16, took: Duration) {
        let handler = handler.to_string();
        let of_handler = HandlerLabels { handler: handler.clone() };
        self.duration.get_or_create(&of_handler).observe(took.as_secs_f64());
        self.requests.get_or_create(&HttpLabels { code: code.into(), handler }).inc();
    }

    /// Counts a refusal.
    pub fn refused(&self, reason: HttpRefusal) {
        self.refused.get_or_create(&HttpRefusalLabels { reason }).inc();
    }
}

/// From an answer out of memory to one at its limit.
fn buckets() -> Histogram {
    Histogram::new([0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0])
}
