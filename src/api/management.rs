//! The process itself: health, readiness, reload, metrics.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};

use crate::api::Shared;
use crate::telemetry::{AlertStateLabel, CONTENT_TYPE, StateLabels};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/-/healthy", get(|| async { "Watchbell is healthy.\n" }))
        .route("/-/ready", get(ready))
        .route("/-/reload", post(reload).put(reload))
        .route("/metrics", get(metrics))
}

/// 503 until alerts are evaluated and delivered, while stopping, and while the store fails.
async fn ready(State(shared): State<Shared>) -> (StatusCode, &'static str) {
    if !shared.daemon.state.is_ready() {
        (StatusCode::SERVICE_UNAVAILABLE, "Watchbell is not ready: starting or stopping.\n")
    } else if !shared.daemon.dispatch.store_ok() {
        (StatusCode::SERVICE_UNAVAILABLE, "Watchbell is not ready: the store fails.\n")
    } else {
        (StatusCode::OK, "Watchbell is ready.\n")
    }
}

/// Reloads the configuration and the web configuration; 500 with the reason where one is refused.
/// The other one is in place then.
async fn reload(State(shared): State<Shared>) -> (StatusCode, String) {
    let mut text = String::new();
    if let Err(error) = shared.web.reload().await {
        text.push_str(&format!("failed to reload web config: {error}\n"));
    }
    if let Err(error) = shared.daemon.reload().await {
        text.push_str(&format!("failed to reload config: {error}\n"));
    }
    let failed = !text.is_empty();
    (if failed { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }, text)
}

async fn metrics(State(shared): State<Shared>) -> impl IntoResponse {
    let pending = StateLabels { state: AlertStateLabel::Pending };
    let count = i64::try_from(shared.daemon.board.pending()).unwrap_or(i64::MAX);
    shared.daemon.metrics.rules.alerts.get_or_create(&pending).set(count);
    let silences = shared.daemon.dispatch.silences();
    let silences_now = silences.iter().map(AsRef::as_ref);
    shared.daemon.metrics.set_silences(silences_now, shared.daemon.clock.now().wall);
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], shared.daemon.metrics.encode())
}
