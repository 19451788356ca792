//! One answer.

use std::fmt;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::http::HttpError;
use crate::http::redact::Redactor;
use crate::model::Timestamp;

/// How many characters of a body an error quotes.
const EXCERPT_CHARS: usize = 300;

/// A whole answer, whatever its status.
#[derive(Clone)]
pub struct HttpResponse {
    pub(super) origin: String,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) redirected: bool,
    pub(super) redactor: Redactor,
}

impl HttpResponse {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether the status is between 200 and 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The decompressed body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether a redirect led to another URL than the one asked for.
    pub fn is_redirected(&self) -> bool {
        self.redirected
    }

    /// The first value of a header, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// How long the server asks us to wait (RFC 9110, `Retry-After`): seconds, or a date, which
    /// is measured from `now`. A date in the past means zero.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(Timestamp::from_millis(date.as_millisecond()).since(now))
    }

    /// The start of the body for an error text: one line, no control characters, no secret that
    /// the request held.
    pub fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let clean = self.redactor.clean(&text);
        let line = clean.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut excerpt: String =
            line.chars().filter(|c| !c.is_control()).take(EXCERPT_CHARS).collect();
        if line.chars().nth(EXCERPT_CHARS).is_some() {
            excerpt.push('…');
        }
        if excerpt.is_empty() { "empty body".to_string() } else { excerpt }
    }

    /// The answer where the status is a success.
    ///
    /// # Errors
    /// [`HttpError::Status`] for every other status.
    pub fn error_for_status(self) -> Result<Self, HttpError> {
        if self.is_success() { Ok(self) } else { Err(self.status_error()) }
    }

    /// The answer as an error, whatever its status.
    pub fn status_error(&self) -> HttpError {
        HttpError::Status {
            origin: self.origin.clone(),
            status: self.status,
            excerpt: self.excerpt(),
        }
    }
}

/// Bodies and headers are not shown: a server may quote secrets back.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.body.len();
        write!(f, "HttpResponse({} {}, {bytes} bytes)", self.origin, self.status)
    }
}
