//! Tier 8: the HTTP API.
//!
//! `/-/healthy`, `/-/ready`, `/-/reload` and `/metrics` as Prometheus and Alertmanager have them,
//! `/api/v1` in Prometheus' shapes, `/api/v2` in Alertmanager's; `ui` has pages for people. `guard`
//! stands before all of it and says who is let in.

mod alert;
mod answer;
mod explain;
mod guard;
mod management;
mod params;
mod postable;
mod rules;
mod server;
mod silences;
mod status;
#[cfg(test)]
mod tests;
mod ui;
mod v2;
#[cfg(test)]
mod web_tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use tokio::net::TcpListener;

use crate::daemon::{DaemonHandle, DaemonState};
use crate::web::Web;

use answer::ApiError;
use guard::{Guard, MAX_BODY, guard};

/// What every handler sees.
#[derive(Clone)]
struct Shared {
    daemon: DaemonHandle,
    web: Arc<Web>,
}

/// Answers requests until `stop` completes. `web` says who is let in.
pub async fn serve(
    listener: TcpListener,
    daemon: DaemonHandle,
    web: Arc<Web>,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let state = Arc::clone(&daemon.state);
    let app = guarded(router(daemon, Arc::clone(&web)), &web, state);
    tokio::select! {
        () = server::serve(listener, app, Arc::clone(&web), stop) => {}
        () = web.watch() => {}
    }
}

/// Routes behind the guard.
fn guarded(routes: Router, web: &Arc<Web>, state: Arc<DaemonState>) -> Router {
    let state = Guard { web: Arc::clone(web), state };
    // The guard has bounded bodies already; what reads them has a limit of its own otherwise.
    routes
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(state, guard))
}

/// All routes.
fn router(daemon: DaemonHandle, web: Arc<Web>) -> Router {
    Router::new()
        .merge(management::routes())
        .merge(rules::routes())
        .merge(alert::routes())
        .merge(explain::routes())
        .merge(status::routes())
        .merge(silences::routes())
        .merge(v2::routes())
        .merge(ui::routes())
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::Method)
        .with_state(Shared { daemon, web })
}
