//! What can go wrong with a request, without a secret in it.

use std::time::Duration;

use crate::http::Timeouts;
use crate::http::redact::Redactor;
use crate::model::{SecretError, format_duration};

/// Why a request has no usable answer. `origin` is the URL's scheme, host and port; path, query
/// and user are never shown.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The URL cannot be used. The URL itself is not shown.
    #[error("invalid url: {reason}")]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// The client cannot be made from its settings.
    #[error("{field}: {reason}")]
    Config {
        /// The field of the configuration.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A secret's file cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// No connection: name not found, refused, unreachable, or the proxy failed.
    #[error("cannot connect to {origin}: {reason}")]
    Connect {
        /// Scheme, host and port.
        origin: String,
        /// What the system said.
        reason: String,
    },
    /// The TLS handshake failed: an unknown authority, a wrong name, a refused client certificate.
    #[error("cannot agree on tls with {origin}: {reason}")]
    Tls {
        /// Scheme, host and port.
        origin: String,
        /// What rustls said.
        reason: String,
    },
    /// The time ran out before the whole answer was there.
    #[error("no complete answer from {origin} within {}", format_duration(*after))]
    Timeout {
        /// Scheme, host and port.
        origin: String,
        /// The limit that was reached.
        after: Duration,
    },
    /// The answer is larger than the caller can take.
    #[error("the answer of {origin} is larger than {limit} bytes")]
    BodyTooLarge {
        /// Scheme, host and port.
        origin: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// A redirect that must not be followed.
    #[error("{origin} redirects where we do not follow: {reason}")]
    Redirect {
        /// Scheme, host and port.
        origin: String,
        /// Why not.
        reason: String,
    },
    /// The server answered with something else than success.
    #[error("{origin} answered {status}: {excerpt}")]
    Status {
        /// Scheme, host and port.
        origin: String,
        /// The HTTP status.
        status: u16,
        /// The start of the body in one line, secrets taken out.
        excerpt: String,
    },
    /// No token came from the server that gives them out.
    #[error("no token by oauth2: {0}")]
    OAuth2(Box<Self>),
    /// The answer of a server that gives out tokens cannot be used.
    #[error("the token of {origin} cannot be used: {reason}")]
    Token {
        /// Scheme, host and port.
        origin: String,
        /// Why; the answer is not quoted.
        reason: String,
    },
    /// The connection broke while request or answer were on the way.
    #[error("the exchange with {origin} broke off: {reason}")]
    Exchange {
        /// Scheme, host and port.
        origin: String,
        /// What the system said.
        reason: String,
    },
}

impl HttpError {
    /// Whether the same request may succeed later without any change of the configuration. A
    /// failed handshake or an unreadable secret counts, since certificates and files are rotated.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Url { .. }
            | Self::Config { .. }
            | Self::BodyTooLarge { .. }
            | Self::Redirect { .. }
            | Self::Token { .. } => false,
            Self::OAuth2(error) => error.is_transient(),
            Self::Secret(_)
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Timeout { .. }
            | Self::Exchange { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..),
        }
    }

    /// The kind as one word, for metrics: a closed set.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Url { .. } | Self::Config { .. } => "config",
            Self::Secret(_) => "secret",
            Self::Connect { .. } => "connect",
            Self::Tls { .. } => "tls",
            Self::Timeout { .. } => "timeout",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::Redirect { .. } => "redirect",
            Self::Status { .. } => "status",
            Self::OAuth2(_) | Self::Token { .. } => "oauth2",
            Self::Exchange { .. } => "exchange",
        }
    }

    /// Sorts out what reqwest says. Its own texts name the URL, so only the causes below it are
    /// kept, and those are cleaned as well.
    pub(super) fn from_reqwest(
        error: &reqwest::Error,
        origin: &str,
        limits: Timeouts,
        redactor: &Redactor,
    ) -> Self {
        let origin = origin.to_string();
        let reason = redactor.clean(&causes(error));
        if error.is_timeout() {
            let connecting = error.is_connect() && limits.connect < limits.total;
            let after = if connecting { limits.connect } else { limits.total };
            return Self::Timeout { origin, after };
        }
        if error.is_redirect() {
            return Self::Redirect { origin, reason };
        }
        if error.is_builder() {
            return Self::Url { reason };
        }
        if is_tls(error) {
            return Self::Tls { origin, reason };
        }
        if error.is_connect() {
            return Self::Connect { origin, reason };
        }
        Self::Exchange { origin, reason }
    }
}

/// The texts of the causes, outermost first, without repetitions. The layers of reqwest and hyper
/// are left out: they say nothing beyond the URL and the step that failed.
fn causes(error: &reqwest::Error) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let text = cause.to_string();
        let layer = cause.is::<reqwest::Error>() || text.starts_with("client error (");
        if !layer && !texts.iter().any(|t| t.contains(&text)) {
            texts.push(text);
        }
        source = cause.source();
    }
    if texts.is_empty() { "no reason given".to_string() } else { texts.join(": ") }
}

/// Whether a cause is rustls' own error.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<rustls::Error>() || cause.downcast_ref().is_some_and(holds_tls) {
            return true;
        }
        source = cause.source();
    }
    false
}

/// Whether an error of rustls is packed in one of the system, which hides it from `source`.
fn holds_tls(error: &std::io::Error) -> bool {
    let mut inner = error.get_ref();
    while let Some(cause) = inner {
        if cause.is::<rustls::Error>() {
            return true;
        }
        inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    }
    false
}
