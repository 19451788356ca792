//! Tier 8: the HTTP API.
//!
//! `/-/healthy`, `/-/ready`, `/-/reload` and `/metrics` as Prometheus and Alertmanager have them,
//! `/api/v1` in Prometheus' shapes.

mod management;

use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::daemon::DaemonHandle;

/// What every handler sees.
#[derive(Clone)]
struct Shared {
    daemon: DaemonHandle,
    clock: Arc<dyn Clock>,
}

/// Answers requests until `stop` completes.
pub async fn serve(
    listener: TcpListener,
    daemon: DaemonHandle,
    clock: Arc<dyn Clock>,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let app = router(daemon, clock);
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the API has failed");
    }
}

/// All routes.
fn router(daemon: DaemonHandle, clock: Arc<dyn Clock>) -> Router {
    Router::new().merge(management::routes()).with_state(Shared { daemon, clock })
}
