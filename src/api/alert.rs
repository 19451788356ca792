//! One alert in the shape of Prometheus' API, and the list of all: `/api/v1/alerts`.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use crate::alerting::AlertInstance;
use crate::api::Shared;
use crate::api::answer::{success, time};
use crate::model::{LabelSet, Timestamp};

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/api/v1/alerts", get(alerts))
}

/// An alert that is pending or fires.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Alert {
    labels: LabelSet,
    annotations: LabelSet,
    state: &'static str,
    #[serde(serialize_with = "time")]
    active_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_time")]
    keep_firing_since: Option<Timestamp>,
    value: String,
}

impl Alert {
    pub(super) fn new(alert: &AlertInstance) -> Self {
        Self {
            labels: alert.labels.clone(),
            annotations: alert.annotations.clone(),
            state: alert.state.as_str(),
            active_at: alert.active_at,
            keep_firing_since: alert.keep_firing_since,
            value: go_exponent(alert.value),
        }
    }
}

fn some_time<S: serde::Serializer>(
    value: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(at) => time(at, serializer),
        None => serializer.serialize_none(),
    }
}

#[derive(Serialize)]
struct Alerts {
    alerts: Vec<Alert>,
}

/// All alerts that are pending or fire, in the order of the rules.
async fn alerts(State(shared): State<Shared>) -> Response {
    let groups = shared.daemon.board.groups();
    let rules = groups.iter().flat_map(|group| &group.rules);
    let alerts = rules.flat_map(|rule| rule.alerts.active()).map(|(_, alert)| Alert::new(alert));
    success(Alerts { alerts: alerts.collect() })
}

/// A float as Go's `strconv.FormatFloat(value, 'e', -1, 64)` writes it: the fewest digits that
/// give the value again, and at least two digits of exponent.
fn go_exponent(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_string();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_string();
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::go_exponent;

    #[test]
    fn values_are_written_as_go_writes_them() {
        for (value, text) in [
            (0.0, "0e+00"),
            (-0.0, "-0e+00"),
            (1.0, "1e+00"),
            (0.05, "5e-02"),
            (92.5, "9.25e+01"),
            (-1e300, "-1e+300"),
            (5e-324, "5e-324"),
            (0.1 + 0.2, "3.0000000000000004e-01"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(go_exponent(value), text);
        }
    }
}
