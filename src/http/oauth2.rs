//! Tokens by OAuth2's client credentials grant (RFC 6749, 4.4).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::http::request::origin;
use crate::http::{
    HttpClient, HttpConfig, HttpError, HttpRequest, HttpResponse, OAuth2Config, Timeouts, parse_url,
};
use crate::model::Secret;

/// A token is not used in the last seconds of its life, so that it does not end on the way.
const EARLY: Duration = Duration::from_secs(10);
/// The largest answer with a token, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// A life that is longer is not believed.
const MAX_LIFE: f64 = 365.0 * 86_400.0;

/// Gets tokens and keeps one until it ends.
#[derive(Debug)]
pub(super) struct TokenSource {
    config: OAuth2Config,
    client: HttpClient,
    held: Mutex<Option<Held>>,
    /// Whether the server wants id and secret in the form, not in a header.
    in_form: AtomicBool,
}

#[derive(Debug)]
struct Held {
    token: Secret,
    /// From then on it is not used; for ever where the server names no end.
    until: Option<Instant>,
}

impl TokenSource {
    /// A source. Its requests follow no redirect: they carry a secret in their body.
    pub(super) fn new(config: &OAuth2Config, timeouts: Timeouts) -> Result<Self, HttpError> {
        let http = HttpConfig {
            tls: config.tls.clone(),
            proxy: config.proxy.clone(),
            follow_redirects: false,
            ..HttpConfig::default()
        };
        Ok(Self {
            config: config.clone(),
            client: HttpClient::new(&http, timeouts)?,
            held: Mutex::default(),
            in_form: AtomicBool::default(),
        })
    }

    /// A token: the one that is held, or a new one. `refused` is one that a server did not take;
    /// it is not given out again. Whoever comes meanwhile waits for the same answer, for as long
    /// as a request of theirs may take.
    pub(super) async fn token(
        &self,
        refused: Option<&Secret>,
        limit: Duration,
    ) -> Result<Secret, HttpError> {
        let taken = tokio::time::timeout(limit, self.take(refused, limit)).await;
        let result = taken.unwrap_or_else(|_| {
            let origin = parse_url(self.config.token_url.expose()).map(|url| origin(&url))?;
            Err(HttpError::Timeout { origin, after: limit })
        });
        result.map_err(|error| HttpError::OAuth2(Box::new(error)))
    }

    async fn take(&self, refused: Option<&Secret>, limit: Duration) -> Result<Secret, HttpError> {
        let mut held = self.held.lock().await;
        let good = held.as_ref().filter(|held| {
            refused != Some(&held.token) && held.until.is_none_or(|until| Instant::now() < until)
        });
        if let Some(held) = good {
            return Ok(held.token.clone());
        }
        *held = None;
        let fetched = self.fetch(limit).await?;
        let token = fetched.token.clone();
        *held = Some(fetched);
        Ok(token)
    }

    /// Asks for a token. As in Go's client, id and secret stand in a header first, and in the form
    /// where a server does not take that.
    async fn fetch(&self, timeout: Duration) -> Result<Held, HttpError> {
        let in_form = self.in_form.load(Ordering::Relaxed);
        let response = self.client.exchange(self.request(in_form, timeout)?, None).await?;
        if !in_form && matches!(response.status(), 400 | 401) {
            let second = self.client.exchange(self.request(true, timeout)?, None).await?;
            if second.is_success() {
                self.in_form.store(true, Ordering::Relaxed);
            }
            return held(&second.error_for_status()?);
        }
        held(&response.error_for_status()?)
    }

    fn request(&self, in_form: bool, timeout: Duration) -> Result<HttpRequest, HttpError> {
        let config = &self.config;
        let secret = match &config.client_secret {
            Some(source) => source.read()?,
            None => Secret::new(""),
        };
        let scopes = config.scopes.join(" ");
        let mut form = vec![("grant_type", "client_credentials")];
        if !scopes.is_empty() {
            form.push(("scope", &scopes));
        }
        form.extend(config.endpoint_params.iter().map(|(n, v)| (n.as_str(), v.expose())));
        if in_form {
            form.push(("client_id", &config.client_id));
            if !secret.expose().is_empty() {
                form.push(("client_secret", secret.expose()));
            }
        }
        let mut request = HttpRequest::post(config.token_url.expose())?
            .form(&form)
            .header("accept", "application/json")?
            .max_body(MAX_ANSWER)
            .timeout(timeout)
            .hide(&secret)
            .hide_url(&config.token_url);
        for (_, value) in &config.endpoint_params {
            request = request.hide(value);
        }
        if in_form {
            return Ok(request);
        }
        // RFC 6749, 2.3.1: both are encoded as in a form first.
        let encode =
            |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let pair = format!("{}:{}", encode(&config.client_id), encode(secret.expose()));
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        request.header("authorization", &format!("Basic {pair}"))
    }
}

/// Reads an answer with a token (RFC 6749, 5.1).
fn held(response: &HttpResponse) -> Result<Held, HttpError> {
    let bad = |reason: &str| {
        let origin = response.origin.clone();
        HttpError::Token { origin, reason: reason.to_string() }
    };
    let answer: Value =
        serde_json::from_slice(response.body()).map_err(|_| bad("the answer is no JSON"))?;
    let token = answer.get("access_token").and_then(Value::as_str).unwrap_or_default();
    if token.is_empty() {
        return Err(bad("the answer holds no access_token"));
    }
    let kind = answer.get("token_type").and_then(Value::as_str).unwrap_or("Bearer");
    if !kind.eq_ignore_ascii_case("bearer") && !kind.is_empty() {
        return Err(bad("the token is of another type than Bearer"));
    }
    // Some servers write the number as a text.
    let seconds = match answer.get("expires_in") {
        Some(Value::String(text)) => text.parse::<f64>().ok(),
        Some(value) => value.as_f64(),
        None => None,
    };
    let life = seconds.filter(|s| *s > 0.0).map(|s| Duration::from_secs_f64(s.min(MAX_LIFE)));
    let until = life.map(|life| Instant::now() + life.saturating_sub(EARLY));
    Ok(Held { token: Secret::new(token), until })
}
