//! The client: sends requests and keeps up with changing files.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, NoProxy, Proxy};

use crate::http::oauth2::TokenSource;
use crate::http::redact::Redactor;
use crate::http::request::{header, origin, without_user};
use crate::http::{
    Auth, ExtraHeader, FileStamps, HttpConfig, HttpError, HttpRequest, HttpResponse, ProxyConfig,
    tls,
};
use crate::model::{Secret, SecretSource};

/// As in Go's client.
const MAX_REDIRECTS: usize = 10;
/// How many connections to one host wait for the next request. Each keeps what it once needed to read
/// a large answer (a quarter of a megabyte for 1,000 alerts), and more are open only while more requests are under way.
const MAX_IDLE: usize = 8;

/// How long a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection with its TLS handshake.
    pub connect: Duration,
    /// For the whole, up to the last byte of the answer.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), total: Duration::from_secs(30) }
    }
}

/// A client for one set of settings. Connections are kept alive and shared by all requests.
#[derive(Debug)]
pub struct HttpClient {
    config: Arc<HttpConfig>,
    timeouts: Timeouts,
    built: RwLock<Built>,
    tokens: Option<Box<TokenSource>>,
}

#[derive(Debug, Clone)]
struct Built {
    client: Client,
    stamps: FileStamps,
}

impl HttpClient {
    /// A client. Certificate files are read now, secrets with each request.
    ///
    /// # Errors
    /// [`HttpError::Config`] where the settings cannot work: a certificate that is none, say.
    pub fn new(config: &HttpConfig, timeouts: Timeouts) -> Result<Self, HttpError> {
        let config = Arc::new(config.clone());
        let stamps = FileStamps::of(&config.connection_files());
        let client = build(&config, timeouts)?;
        let tokens = match &config.auth {
            Auth::OAuth2(oauth2) => Some(Box::new(TokenSource::new(oauth2, timeouts)?)),
            Auth::None | Auth::Basic { .. } | Auth::Scheme { .. } => None,
        };
        Ok(Self { config, timeouts, built: RwLock::new(Built { client, stamps }), tokens })
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// An [`HttpError`] where there is no answer, or one that is too large. Every status is an
    /// answer; [`HttpResponse::error_for_status`] makes an error of it.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        // A request's own token replaces the configured one.
        let own = request.headers.contains_key(AUTHORIZATION);
        let Some(tokens) = self.tokens.as_ref().filter(|_| !own) else {
            return self.exchange(request, None).await;
        };
        let limit = request.timeout.unwrap_or(self.timeouts.total);
        let token = tokens.token(None, limit).await?;
        let response = self.exchange(request.clone(), Some(&token)).await?;
        if response.status != 401 {
            return Ok(response);
        }
        // The token may have been taken back before its end: one more try with a new one.
        let token = tokens.token(Some(&token), limit).await?;
        self.exchange(request, Some(&token)).await
    }

    /// Sends a request once, with a token in place of the configured authentication.
    pub(super) async fn exchange(
        &self,
        request: HttpRequest,
        token: Option<&Secret>,
    ) -> Result<HttpResponse, HttpError> {
        let origin = origin(&request.url);
        let mut redactor = Redactor::for_url(&request.url);
        let client = self.current().await;
        let mut headers = self.auth_and_headers().await?;
        if let Some(token) = token {
            let (name, value) = header("authorization", &format!("Bearer {}", token.expose()))?;
            headers.insert(name, value);
        }
        for (name, value) in &request.headers {
            headers.insert(name, value.clone());
        }
        for value in headers.values().filter(|value| value.is_sensitive()) {
            redactor.add_header(value.to_str().unwrap_or_default());
        }
        request.hidden.iter().for_each(|secret| redactor.add(secret.expose()));
        let total = request.timeout.unwrap_or(self.timeouts.total);
        let limits = Timeouts { total, ..self.timeouts };
        let failed = |e: reqwest::Error| HttpError::from_reqwest(&e, &origin, limits, &redactor);
        let mut response = client
            .request(request.method, request.url.clone())
            .headers(headers)
            .body(request.body)
            .timeout(total)
            .send()
            .await
            .map_err(failed)?;
        let too_large =
            || HttpError::BodyTooLarge { origin: origin.clone(), limit: request.max_body };
        let announced = response.content_length().and_then(|n| usize::try_from(n).ok());
        if announced.is_some_and(|n| n > request.max_body) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > request.max_body {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            // reqwest takes user and password out of the URL that it reports.
            redirected: without_user(response.url()) != without_user(&request.url),
            body,
            origin,
            redactor,
        })
    }

    /// The client, made anew where a certificate file has changed. Where the new files cannot be
    /// used (half of them written, say), the old client goes on and the log tells.
    async fn current(&self) -> Client {
        let built = self.built.read().unwrap_or_else(PoisonError::into_inner).clone();
        if built.stamps.is_empty() {
            return built.client;
        }
        let (config, timeouts) = (Arc::clone(&self.config), self.timeouts);
        let old = built.clone();
        let renewed = tokio::task::spawn_blocking(move || {
            let stamps = FileStamps::of(&config.connection_files());
            if stamps == old.stamps {
                return None;
            }
            let client = build(&config, timeouts).unwrap_or_else(|error| {
                tracing::warn!(%error, "changed tls files are unusable, the old ones stay in use");
                old.client
            });
            Some(Built { client, stamps })
        });
        match renewed.await {
            Ok(Some(new)) => {
                let client = new.client.clone();
                *self.built.write().unwrap_or_else(PoisonError::into_inner) = new;
                client
            }
            Ok(None) | Err(_) => built.client,
        }
    }

    /// The headers that the configuration adds, their files read now.
    async fn auth_and_headers(&self) -> Result<HeaderMap, HttpError> {
        if self.config.auth == Auth::None && self.config.headers.is_empty() {
            return Ok(HeaderMap::new());
        }
        let config = Arc::clone(&self.config);
        // Reading is done aside: a file may lie on a network drive that hangs.
        tokio::task::spawn_blocking(move || configured_headers(&config)).await.unwrap_or_else(
            |_| {
                let reason = "reading its files was interrupted".to_string();
                Err(HttpError::Config { field: "http_config", reason })
            },
        )
    }
}

fn configured_headers(config: &HttpConfig) -> Result<HeaderMap, HttpError> {
    let mut headers = extra_headers(&config.headers)?;
    let read = |source: &Option<SecretSource>| -> Result<String, HttpError> {
        match source {
            Some(source) => Ok(source.read()?.expose().to_string()),
            None => Ok(String::new()),
        }
    };
    let value = match &config.auth {
        // A token comes with each request.
        Auth::None | Auth::OAuth2(_) => return Ok(headers),
        Auth::Basic { username, password } => {
            let pair = format!("{}:{}", read(username)?, read(password)?);
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
        }
        Auth::Scheme { scheme, credentials } => {
            format!("{scheme} {}", read(credentials)?).trim_end().to_string()
        }
    };
    let (_, value) = header("authorization", &value)?;
    headers.insert(AUTHORIZATION, value);
    Ok(headers)
}

fn extra_headers(list: &[ExtraHeader]) -> Result<HeaderMap, HttpError> {
    let mut headers = HeaderMap::new();
    for extra in list {
        for source in &extra.values {
            let (name, value) = header(&extra.name, source.read()?.expose())?;
            headers.append(name, value);
        }
    }
    Ok(headers)
}

fn build(config: &HttpConfig, timeouts: Timeouts) -> Result<Client, HttpError> {
    let builder = Client::builder()
        .pool_max_idle_per_host(MAX_IDLE)
        .tls_backend_preconfigured(tls::client_config(config)?)
        .user_agent(concat!("watchbell/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeouts.connect)
        .tcp_keepalive(Duration::from_secs(30))
        // The Referer would carry a webhook's URL to another server.
        .referer(false)
        .redirect(redirects(config));
    let builder = match &config.proxy {
        ProxyConfig::Direct => builder.no_proxy(),
        // reqwest reads the environment unless told otherwise.
        ProxyConfig::Environment => builder,
        ProxyConfig::Url { url, no_proxy, connect_headers } => {
            let invalid =
                |reason: &str| HttpError::Config { field: "proxy_url", reason: reason.to_string() };
            let proxy = Proxy::all(url.expose()).map_err(|_| invalid("it is not a valid url"))?;
            let proxy = proxy.no_proxy(no_proxy.as_deref().and_then(NoProxy::from_string));
            builder.proxy(proxy.headers(extra_headers(connect_headers)?))
        }
    };
    let builder = if config.enable_http2 { builder } else { builder.http1_only() };
    builder.build().map_err(|e| HttpError::Config {
        field: "http_config",
        reason: std::error::Error::source(&e).map_or("unusable".to_string(), |s| s.to_string()),
    })
}

fn redirects(config: &HttpConfig) -> Policy {
    if !config.follow_redirects {
        return Policy::none();
    }
    let own_headers = !config.headers.is_empty();
    Policy::custom(move |attempt| match refusal(&attempt, own_headers) {
        Some(reason) => attempt.error(reason),
        None => attempt.follow(),
    })
}

/// Why a redirect is not followed. reqwest takes `Authorization` off before it asks another
/// server, but it does not know that our own headers are secrets.
fn refusal(attempt: &Attempt<'_>, own_headers: bool) -> Option<&'static str> {
    let previous = attempt.previous().last()?;
    if attempt.previous().len() > MAX_REDIRECTS {
        return Some("more than 10 redirects");
    }
    if previous.scheme() == "https" && attempt.url().scheme() == "http" {
        return Some("it leads from https to http");
    }
    if own_headers && previous.origin() != attempt.url().origin() {
        return Some("it leads to another server, which must not see our http_headers");
    }
    None
}
