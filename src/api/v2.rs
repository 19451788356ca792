//! What the addresses under `/api/v2` share: Alertmanager's shapes of refusals.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use crate::api::Shared;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/api/v2/status", get(status))
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The request does not have the form that the address takes: the code of the mistake, and what
    /// is wrong. A code of 600 and more is answered with 422.
    Form(u16, String),
    /// It has the form, but what it asks cannot be done.
    Text(StatusCode, String),
    /// What the address names is not there.
    NotFound,
}

impl Refusal {
    /// What is asked cannot be done as it is asked.
    pub(super) fn bad_request(reason: impl std::fmt::Display) -> Self {
        Self::Text(StatusCode::BAD_REQUEST, reason.to_string())
    }
}

#[derive(Serialize)]
struct Form<'a> {
    code: u16,
    message: &'a str,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Form(code, message) => {
                let status = if code >= 600 { 422 } else { code };
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
                (status, Json(Form { code, message: &message })).into_response()
            }
            Self::Text(status, text) => (status, Json(text)).into_response(),
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    cluster: Cluster,
    config: Config,
    uptime: String,
    version_info: VersionInfo,
}

#[derive(Serialize)]
struct Cluster {
    peers: [(); 0],
    status: &'static str,
}

#[derive(Serialize)]
struct Config {
    original: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionInfo {
    branch: &'static str,
    build_date: &'static str,
    build_user: &'static str,
    go_version: &'static str,
    revision: &'static str,
    version: &'static str,
}

/// The program in Alertmanager's words. The configuration is left out: it may hold secrets.
async fn status(State(shared): State<Shared>) -> Response {
    let status = Status {
        cluster: Cluster { peers: [], status: "disabled" },
        config: Config { original: "" },
        uptime: shared.daemon.state.started_at().rfc3339(),
        version_info: VersionInfo {
            branch: "",
            build_date: "",
            build_user: "",
            go_version: "",
            revision: "",
            version: env!("CARGO_PKG_VERSION"),
        },
    };
    Json(status).into_response()
}
