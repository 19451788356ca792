//! Tier 8: the HTTP API.
//!
//! `/-/healthy`, `/-/ready`, `/-/reload` and `/metrics` as Prometheus and Alertmanager have them,
//! `/api/v1` in Prometheus' shapes, `/api/v2` in Alertmanager's.

mod alert;
mod answer;
mod explain;
mod management;
mod params;
mod postable;
mod rules;
mod server;
mod silences;
mod status;
#[cfg(test)]
mod tests;
mod v2;

use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

use crate::daemon::DaemonHandle;

use answer::ApiError;

/// The largest body of a request, in bytes. Only silences need one, and have a limit of their own.
const MAX_BODY: usize = 64 * 1024;
/// The longest time for an answer. A reload waits for the rounds that groups are in.
const TIMEOUT: Duration = Duration::from_secs(120);

/// What every handler sees.
#[derive(Clone)]
struct Shared {
    daemon: DaemonHandle,
}

/// Answers requests until `stop` completes.
pub async fn serve(
    listener: TcpListener,
    daemon: DaemonHandle,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    server::serve(listener, router(daemon), stop).await;
}

/// All routes.
fn router(daemon: DaemonHandle) -> Router {
    Router::new()
        .merge(management::routes())
        .merge(rules::routes())
        .merge(alert::routes())
        .merge(explain::routes())
        .merge(status::routes())
        .merge(silences::routes())
        .merge(v2::routes())
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::Method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(limit_time))
        .with_state(Shared { daemon })
}

async fn limit_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(TIMEOUT, next.run(request)).await;
    answer.unwrap_or_else(|_| ApiError::Timeout.into_response())
}
