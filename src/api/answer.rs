//! The envelope of every answer under `/api`: Prometheus' `status`, `data`, `errorType`, `error`.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Serialize, Serializer};

use crate::model::Timestamp;
use crate::model::time::GO_ZERO_TIME;
use crate::storage::StoreError;

#[derive(Serialize)]
struct Success<T> {
    status: &'static str,
    data: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    status: &'static str,
    error_type: &'static str,
    error: &'a str,
}

/// A good answer.
pub(super) fn success<T: Serialize>(data: T) -> Response {
    Json(Success { status: "success", data }).into_response()
}

/// Why there is no good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ApiError {
    /// The request cannot be understood.
    BadData(String),
    /// The address does not exist.
    NotFound,
    /// The address exists, the method does not.
    Method,
    /// It took too long.
    Timeout,
    /// The store cannot be read.
    Store(String),
}

impl ApiError {
    /// What is wrong, in words.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::BadData(error) | Self::Store(error) => error,
            Self::NotFound => "there is no such address",
            Self::Method => "the address takes other methods",
            Self::Timeout => "the answer took too long",
        }
    }

    /// A parameter with a value that cannot be used, in Prometheus' words.
    pub(super) fn parameter(name: &str, reason: impl std::fmt::Display) -> Self {
        Self::BadData(format!("invalid parameter {name:?}: {reason}"))
    }

    /// The store has no answer.
    pub(super) fn store(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (code, error_type) = match &self {
            Self::BadData(_) => (StatusCode::BAD_REQUEST, "bad_data"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "bad_data"),
            Self::Timeout => (StatusCode::SERVICE_UNAVAILABLE, "timeout"),
            Self::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        };
        let failure = Failure { status: "error", error_type, error: self.text() };
        (code, Json(failure)).into_response()
    }
}

/// Writes a duration as seconds, a whole number without a point as Go does.
pub(super) fn seconds<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    if value.subsec_nanos() == 0 {
        serializer.serialize_u64(value.as_secs())
    } else {
        serializer.serialize_f64(value.as_secs_f64())
    }
}

/// Writes a time, or Go's zero time where there is none.
pub(super) fn time_or_never<S: Serializer>(
    value: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_str(GO_ZERO_TIME),
    }
}

/// Writes a time in RFC 3339.
pub(super) fn time<S: Serializer>(value: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
