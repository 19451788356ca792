//! One request.

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use crate::http::{HttpError, redact};
use crate::model::Secret;

/// The default limit of an answer: more than any notification service says.
const DEFAULT_MAX_BODY: usize = 1024 * 1024;

/// What to send where. `Debug` shows method and origin only.
#[derive(Clone)]
pub struct HttpRequest {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) max_body: usize,
    pub(super) timeout: Option<Duration>,
    pub(super) hidden: Vec<Secret>,
}

impl HttpRequest {
    /// A GET request.
    ///
    /// # Errors
    /// [`HttpError::Url`] where the URL is not an absolute `http` or `https` URL with a host.
    pub fn get(url: &str) -> Result<Self, HttpError> {
        Self::new(Method::GET, url)
    }

    /// A POST request, without a body so far.
    ///
    /// # Errors
    /// As [`HttpRequest::get`].
    pub fn post(url: &str) -> Result<Self, HttpError> {
        Self::new(Method::POST, url)
    }

    /// A DELETE request.
    ///
    /// # Errors
    /// As [`HttpRequest::get`].
    pub fn delete(url: &str) -> Result<Self, HttpError> {
        Self::new(Method::DELETE, url)
    }

    fn new(method: Method, url: &str) -> Result<Self, HttpError> {
        let url = parse_url(url)?;
        let headers = HeaderMap::new();
        let body = Vec::new();
        let (max_body, timeout, hidden) = (DEFAULT_MAX_BODY, None, Vec::new());
        Ok(Self { method, url, headers, body, max_body, timeout, hidden })
    }

    /// Sets a header, in place of an earlier one of that name.
    ///
    /// # Errors
    /// [`HttpError::Config`] where name or value cannot stand in a header.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, HttpError> {
        let (name, value) = header(name, value)?;
        self.headers.insert(name, value);
        Ok(self)
    }

    /// Sets `Authorization: Bearer TOKEN`, in place of the configuration's authentication.
    ///
    /// # Errors
    /// [`HttpError::Config`] where the token cannot stand in a header.
    pub fn bearer(mut self, token: &Secret) -> Result<Self, HttpError> {
        let (_, value) = header("authorization", &format!("Bearer {}", token.expose()))?;
        self.headers.insert(AUTHORIZATION, value);
        Ok(self)
    }

    /// Sets body and content type.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        self.body = body.into();
        // It lives as long as its receiver takes, and a storm has many of them.
        self.body.shrink_to_fit();
        self
    }

    /// Sets a form as the body.
    #[must_use]
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.body("application/x-www-form-urlencoded", form)
    }

    /// Adds pairs to the URL's query.
    #[must_use]
    pub fn query(mut self, pairs: &[(&str, &str)]) -> Self {
        self.url.query_pairs_mut().extend_pairs(pairs);
        self
    }

    /// Sets the largest answer to accept, in bytes after decompression. 1 MiB where unset.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Sets the time for the whole exchange, in place of the client's.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl HttpRequest {
    /// Names a secret that the body holds: no error text shows it where a server quotes it back.
    /// Those in headers are known as it is.
    #[must_use]
    pub fn hide(mut self, secret: &Secret) -> Self {
        self.hidden.push(secret.clone());
        self
    }

    /// Says that a URL is a secret as a whole: no error text shows a part of it, however short.
    #[must_use]
    pub fn hide_url(mut self, url: &Secret) -> Self {
        self.hidden.extend(redact::parts(url.expose()));
        self
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpRequest({} {})", self.method, origin(&self.url))
    }
}

/// Parses an absolute `http` or `https` URL; the error does not quote it.
///
/// # Errors
/// [`HttpError::Url`] where it is no URL, has another scheme, or no host.
pub fn parse_url(url: &str) -> Result<Url, HttpError> {
    let invalid = |reason: &str| HttpError::Url { reason: reason.to_string() };
    let url = Url::parse(url).map_err(|e| invalid(&e.to_string()))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        "http" | "https" => Err(invalid("it has no host")),
        _ => Err(invalid("its scheme is neither http nor https")),
    }
}

/// A URL without user, password and fragment.
pub fn without_user(url: &Url) -> Url {
    let mut url = url.clone();
    // A URL with a host takes both.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    url
}

/// What may be shown of a URL: scheme, host and port.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// A header from texts; the value is marked as a secret, so that no log of hyper's shows it.
pub(super) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), HttpError> {
    let config = |reason: &str| HttpError::Config { field: "header", reason: reason.to_string() };
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| config("its name holds characters that a header name cannot hold"))?;
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        config(&format!("the value of {name} holds characters that a header cannot hold"))
    })?;
    value.set_sensitive(true);
    Ok((parsed, value))
}
