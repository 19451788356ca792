//! What the program says of itself: `/api/v1/status/buildinfo`, `/api/watchbell/status`.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;

use crate::alerting::AlertState;
use crate::api::Shared;
use crate::api::answer::success;
use crate::daemon::{GroupView, Health, is_builtin_group};
use crate::rule::Rule;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/v1/status/buildinfo", get(build_info))
        .route("/api/watchbell/status", get(status))
}

/// Prometheus' keys. What this program does not know of its build is empty.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BuildInfo {
    application: &'static str,
    version: &'static str,
    revision: &'static str,
    branch: &'static str,
    build_user: &'static str,
    build_date: &'static str,
    go_version: &'static str,
}

async fn build_info() -> Response {
    success(BuildInfo {
        application: "watchbell",
        version: VERSION,
        revision: "",
        branch: "",
        build_user: "",
        build_date: "",
        go_version: "",
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    version: &'static str,
    /// Whether alerts are evaluated and delivered, and their state is stored.
    ready: bool,
    store_ok: bool,
    /// Why state is in memory alone; null where it is stored.
    store_problem: Option<String>,
    last_reload: LastReload,
    /// Why the newest web configuration was refused; null where it is in use.
    web_config_refused: Option<String>,
    counts: Counts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LastReload {
    /// When the configuration in use was loaded.
    succeeded_at: Option<String>,
    /// A newer configuration that was refused; null where the newest is in use.
    refused: Option<Refused>,
}

#[derive(Serialize)]
struct Refused {
    at: String,
    error: String,
}

/// Rules are those of the configuration; alerts are all, the built-in ones among them.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    groups: usize,
    alerting_rules: usize,
    recording_rules: usize,
    /// Rules whose last evaluation failed.
    failing_rules: usize,
    pending: usize,
    firing: usize,
}

impl Counts {
    fn of(groups: &[GroupView]) -> Self {
        let mut counts = Self::default();
        for view in groups {
            let configured = usize::from(!is_builtin_group(&view.group));
            counts.groups += configured;
            for (rule, state) in view.group.rules.iter().zip(&view.rules) {
                match rule {
                    Rule::Alerting(_) => counts.alerting_rules += configured,
                    Rule::Recording(_) => counts.recording_rules += configured,
                }
                counts.failing_rules += usize::from(state.health == Health::Err);
                counts.pending += state.alerts.count(AlertState::Pending);
                counts.firing += state.alerts.count(AlertState::Firing);
            }
        }
        counts
    }
}

async fn status(State(shared): State<Shared>) -> Response {
    let daemon = &shared.daemon;
    let (reload, problem) = (daemon.state.last_reload(), daemon.dispatch.store_problem());
    let store_ok = problem.is_none();
    success(Status {
        version: VERSION,
        ready: daemon.state.is_ready() && store_ok,
        store_ok,
        store_problem: problem.map(|problem| problem.to_string()),
        last_reload: LastReload {
            succeeded_at: reload.succeeded_at.map(|at| at.rfc3339()),
            refused: reload.refused.map(|(at, error)| Refused { at: at.rfc3339(), error }),
        },
        web_config_refused: shared.web.refused(),
        counts: Counts::of(&daemon.board.groups()),
    })
}
