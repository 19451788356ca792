//! What stands before every address: budgets, who asks and whether they may, sizes and times.
//!
//! A handler behind it sees only requests that are let in, with a whole body of bounded size. By the
//! method alone: whatever is not GET or HEAD changes something and needs the role for it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN,
    RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::api::answer::ApiError;
use crate::daemon::DaemonState;
use crate::telemetry::{HttpRefusal, Metrics};
use crate::web::{
    Asked, ClientCertificate, Denied, Origin, ReadyWeb, Refusal, Web, WebConfig, Who,
};

/// The longest path with its query, in bytes.
const MAX_URL: usize = 8 * 1024;
/// The largest body, in bytes.
pub(super) const MAX_BODY: usize = 2 * 1024 * 1024;
/// How long a body may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest time for an answer. A reload waits for the rounds that groups are in.
const TIMEOUT: Duration = Duration::from_secs(120);
/// The name under which requests to what does not exist are counted.
const OTHER: &str = "other";

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    pub(super) certificate: Option<Arc<ClientCertificate>>,
}

/// What the guard needs.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) web: Arc<Web>,
    pub(super) state: Arc<DaemonState>,
}

/// The middleware.
pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let handler = request.extensions().get::<MatchedPath>();
    let handler = handler.map_or(OTHER, MatchedPath::as_str).to_string();
    let ready = guard.web.ready();
    let mut answer = match let_in(&guard, &ready, request).await {
        Err(refused) => refused.answer(guard.web.metrics(), &ready.config),
        Ok(request) => match tokio::time::timeout(TIMEOUT, next.run(request)).await {
            Ok(answer) => answer,
            Err(_) => {
                guard.web.metrics().http.refused(HttpRefusal::Timeout);
                ApiError::Timeout.into_response()
            }
        },
    };
    set_headers(answer.headers_mut(), &ready.config);
    guard.web.metrics().http.answered(&handler, answer.status().as_u16(), began.elapsed());
    answer
}

/// Why a request is not passed on.
enum Refused {
    Access(Refusal),
    TooMuch(HttpRefusal, Duration),
    UrlTooLong,
    BodyTooLarge,
    SlowBody,
    BrokenBody,
}

/// Checks a request from the cheapest to the dearest.
async fn let_in(guard: &Guard, ready: &ReadyWeb, request: Request) -> Result<Request, Refused> {
    // A request without a peer comes from a test of the routes alone.
    let peer = request.extensions().get::<Peer>().cloned();
    let Some(peer) = peer else { return Err(Refused::Access(Refusal::Closed)) };
    let headers = request.headers();
    let own_host = guard.state.own_host();
    let asked = Asked {
        path: request.uri().path(),
        changes: changes(request.method()),
        client: peer.address,
        origin: origin(request.uri(), headers),
        own_host: own_host.as_deref(),
    };
    let mut who = None;
    if !asked.is_probe() {
        guard.web.admit(ready, peer.address)?;
        if request.uri().path_and_query().is_some_and(|url| url.as_str().len() > MAX_URL) {
            return Err(Refused::UrlTooLong);
        }
        let authorization = text(headers, &AUTHORIZATION);
        let certificate = peer.certificate.as_deref();
        who = guard.web.identify(ready, peer.address, authorization, certificate).await?;
    }
    ready.config.decide(&asked, who.as_ref()).map_err(Refused::Access)?;
    if asked.changes {
        log_change(&request, &peer, who.as_ref());
    }
    whole_body(request).await
}

fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

/// Whoever changes something is named in the log.
fn log_change(request: &Request, peer: &Peer, who: Option<&Who>) {
    let user = who.map_or("", |who| who.name.as_str());
    let (method, path) = (request.method(), request.uri().path());
    tracing::info!(%method, path, client = %peer.address, user, "a request to change something");
}

fn origin<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Origin<'r> {
    // The authority of an absolute URL counts before the header (RFC 9112, 3.2.2).
    let authority = uri.authority().map(axum::http::uri::Authority::as_str);
    Origin {
        // A name that is no text is not ours.
        host: authority.or_else(|| headers.get(HOST).map(|h| h.to_str().unwrap_or("?"))),
        origin: headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or("?")),
        fetch_site: text(headers, &HeaderName::from_static("sec-fetch-site")),
        fetch_mode: text(headers, &HeaderName::from_static("sec-fetch-mode")),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Reads the body, so that a slow or endless one ends here.
async fn whole_body(request: Request) -> Result<Request, Refused> {
    let announced = text(request.headers(), &CONTENT_LENGTH).and_then(|n| n.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > MAX_BODY as u64) {
        return Err(Refused::BodyTooLarge);
    }
    let (parts, body) = request.into_parts();
    let body = match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return Err(Refused::of_body(&error)),
        Err(_) => return Err(Refused::SlowBody),
    };
    Ok(Request::from_parts(parts, Body::from(body)))
}

impl From<Denied> for Refused {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Wrong => Self::Access(Refusal::WrongCredentials),
            Denied::TooMuch(reason, wait) => Self::TooMuch(reason, wait),
        }
    }
}

impl Refused {
    fn of_body(error: &axum::Error) -> Self {
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            if cause.is::<http_body_util::LengthLimitError>() {
                return Self::BodyTooLarge;
            }
            source = cause.source();
        }
        Self::BrokenBody
    }

    /// The answer, counted.
    fn answer(self, metrics: &Metrics, config: &WebConfig) -> Response {
        if let Some(reason) = self.reason() {
            metrics.http.refused(reason);
        }
        let (status, text) = self.status_and_text(config);
        let mut answer = (status, format!("{text}\n")).into_response();
        let headers = answer.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            for (given, challenge) in [
                (!config.users.is_empty(), "Basic realm=\"watchbell\", charset=\"UTF-8\""),
                (!config.bearers.is_empty(), "Bearer realm=\"watchbell\""),
            ] {
                if given {
                    headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
                }
            }
        }
        if let Self::TooMuch(_, wait) = self {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs_f64().ceil() as u64));
        }
        answer
    }

    fn reason(&self) -> Option<HttpRefusal> {
        Some(match self {
            Self::Access(refusal) => (*refusal).into(),
            Self::TooMuch(reason, _) => *reason,
            Self::UrlTooLong => HttpRefusal::UrlTooLong,
            Self::BodyTooLarge => HttpRefusal::BodyTooLarge,
            Self::SlowBody => HttpRefusal::SlowBody,
            // Nobody is there any more.
            Self::BrokenBody => return None,
        })
    }

    fn status_and_text(&self, config: &WebConfig) -> (StatusCode, String) {
        let text = |text: &str| text.to_string();
        match self {
            Self::Access(refusal) => {
                // 401 offers a way to say who one is in a header (RFC 9110, 15.5.2).
                let header = !config.users.is_empty() || !config.bearers.is_empty();
                let status = match refusal {
                    Refusal::Unauthenticated | Refusal::WrongCredentials if header => {
                        StatusCode::UNAUTHORIZED
                    }
                    _ => StatusCode::FORBIDDEN,
                };
                (status, text(refusal.text()))
            }
            Self::TooMuch(HttpRefusal::Logins, _) => (
                StatusCode::TOO_MANY_REQUESTS,
                text("too many wrong passwords or tokens came from your address"),
            ),
            Self::TooMuch(HttpRefusal::ClientRate, _) => {
                (StatusCode::TOO_MANY_REQUESTS, text("too many requests came from your address"))
            }
            Self::TooMuch(..) => (StatusCode::TOO_MANY_REQUESTS, text("too many requests")),
            Self::UrlTooLong => {
                (StatusCode::URI_TOO_LONG, format!("a URL may have {MAX_URL} bytes"))
            }
            Self::BodyTooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, format!("a body may have {MAX_BODY} bytes"))
            }
            Self::SlowBody => (
                StatusCode::REQUEST_TIMEOUT,
                format!("the body did not come within {} s", BODY_TIMEOUT.as_secs()),
            ),
            Self::BrokenBody => (StatusCode::BAD_REQUEST, text("the body broke off")),
        }
    }
}

/// The headers of every answer: the configured ones, and those that keep a browser from taking an
/// answer for something else.
fn set_headers(headers: &mut HeaderMap, config: &WebConfig) {
    for (name, value) in &config.headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            headers.insert(name, value);
        }
    }
    for (name, value) in [("x-content-type-options", "nosniff"), ("x-frame-options", "deny")] {
        headers
            .entry(HeaderName::from_static(name))
            .or_insert_with(|| HeaderValue::from_static(value));
    }
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
}
