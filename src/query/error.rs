//! Why a query has no answer.

use std::time::Duration;

use crate::http::HttpError;
use crate::model::format_duration;

/// What the datasource itself says is wrong: `errorType` of Prometheus' HTTP API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApiErrorKind {
    /// The query or its parameters are wrong.
    BadData,
    /// The query cannot be evaluated, for instance because of a many-to-many match.
    Execution,
    /// The server's own limit of time is reached.
    Timeout,
    /// The server gave up, for instance because it stops.
    Canceled,
    /// The server is not ready.
    Unavailable,
    /// A fault inside the server.
    Internal,
    /// Any other kind.
    Other,
}

impl ApiErrorKind {
    /// The kind from its name in the API.
    pub fn from_name(name: &str) -> Self {
        match name {
            "bad_data" => Self::BadData,
            "execution" => Self::Execution,
            "timeout" => Self::Timeout,
            "canceled" => Self::Canceled,
            "unavailable" => Self::Unavailable,
            "internal" => Self::Internal,
            _ => Self::Other,
        }
    }

    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadData => "bad_data",
            Self::Execution => "execution",
            Self::Timeout => "timeout",
            Self::Canceled => "canceled",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
            Self::Other => "other",
        }
    }
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The server could not be asked, or answered with something else than its API's form.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The server refuses or fails the query.
    #[error("{}: {message}", kind.as_str())]
    Api {
        /// The kind.
        kind: ApiErrorKind,
        /// The HTTP status.
        status: u16,
        /// What the server says.
        message: String,
    },
    /// The answer is not what Prometheus' API promises.
    #[error("unexpected answer: {reason}")]
    Decode {
        /// What is unexpected.
        reason: String,
    },
    /// The answer has more samples than one query may bring.
    #[error("the answer has more than {limit} samples")]
    TooManySamples {
        /// The limit.
        limit: usize,
    },
    /// Too many queries were on the way for too long; this one was not sent.
    #[error("waited {} behind other queries, {limit} may run at once", format_duration(*waited))]
    Busy {
        /// How long it waited.
        waited: Duration,
        /// How many queries may run at once.
        limit: usize,
    },
    /// Start, end and step make no range.
    #[error("invalid range: {reason}")]
    Range {
        /// What is wrong.
        reason: &'static str,
    },
}

impl QueryError {
    /// Whether the same query may succeed later without any change of query or configuration.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Http(error) => error.is_transient(),
            Self::Api { kind, status, .. } => match kind {
                ApiErrorKind::BadData | ApiErrorKind::Execution => false,
                ApiErrorKind::Other => matches!(status, 408 | 429 | 500..),
                ApiErrorKind::Timeout
                | ApiErrorKind::Canceled
                | ApiErrorKind::Unavailable
                | ApiErrorKind::Internal => true,
            },
            Self::Busy { .. } => true,
            Self::Decode { .. } | Self::TooManySamples { .. } | Self::Range { .. } => false,
        }
    }

    /// The kind as one word, for metrics: a closed set.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Http(error) => error.kind(),
            Self::Api { kind, .. } => kind.as_str(),
            Self::Decode { .. } => "decode",
            Self::TooManySamples { .. } => "too_many_samples",
            Self::Busy { .. } => "busy",
            Self::Range { .. } => "range",
        }
    }
}
