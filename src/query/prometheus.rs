//! A Prometheus, or what speaks its HTTP API, over HTTP.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::http::{HttpClient, HttpError, HttpRequest, HttpResponse, Timeouts};
use crate::model::{Secret, Timestamp, format_duration};
use crate::query::decode::{Envelope, decode};
use crate::query::range::Merged;
use crate::query::{ApiErrorKind, DatasourceConfig, Querier, QueryError, QueryResult, RangeResult};

/// The largest answer to read. A sample of an alert rule has a few hundred bytes.
const MAX_BODY: usize = 64 * 1024 * 1024;
/// A larger answer is decoded aside, so that other tasks go on meanwhile.
const LARGE_BODY: usize = 1024 * 1024;
/// The most samples and series to take from one answer.
const MAX_SAMPLES: usize = 2_000_000;
/// Prometheus refuses a range query with more points per series.
const MAX_POINTS: i64 = 11_000;

/// Queries a Prometheus over HTTP. At most `max_concurrency` queries are on the way at once.
#[derive(Debug)]
pub struct Prometheus {
    client: HttpClient,
    /// Without a slash at its end.
    base: Secret,
    params: Vec<(String, String)>,
    timeout: Duration,
    places: Semaphore,
    max_concurrency: usize,
    /// Set once the server has answered a GET after it had refused a POST.
    prefers_get: AtomicBool,
}

/// What the server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct BuildInfo {
    /// The version, such as `2.42.0`.
    pub version: String,
    /// The commit it was built from.
    #[serde(default)]
    pub revision: String,
}

impl Prometheus {
    /// A querier for a datasource.
    ///
    /// # Errors
    /// [`HttpError`] where the settings cannot work; nothing is sent yet.
    pub fn new(config: &DatasourceConfig) -> Result<Self, HttpError> {
        // Checked now, so that a wrong URL is an error at start.
        let url = config.url.expose();
        HttpRequest::get(url)?;
        if url.contains(['?', '#']) {
            let reason = "it holds a query or fragment, use params".to_string();
            return Err(HttpError::Url { reason });
        }
        let timeouts = Timeouts { total: config.timeout, ..Timeouts::default() };
        let max_concurrency = config.max_concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self {
            client: HttpClient::new(&config.http, timeouts)?,
            base: Secret::new(url.trim_end_matches('/')),
            params: config.params.clone(),
            timeout: config.timeout,
            places: Semaphore::new(max_concurrency),
            max_concurrency,
            prefers_get: AtomicBool::new(false),
        })
    }

    /// Name and version of the server; `None` where it has no such page.
    ///
    /// # Errors
    /// A [`QueryError`] where the server cannot be asked.
    pub async fn build_info(&self) -> Result<Option<BuildInfo>, QueryError> {
        self.status_page("/api/v1/status/buildinfo").await
    }

    /// When the server started; `None` where it does not tell. A server that has just started has
    /// not scraped its targets yet, so that series are missing which are not gone.
    ///
    /// # Errors
    /// A [`QueryError`] where the server cannot be asked.
    pub async fn started_at(&self) -> Result<Option<Timestamp>, QueryError> {
        #[derive(Deserialize)]
        struct RuntimeInfo {
            #[serde(rename = "startTime")]
            start_time: Option<String>,
        }
        let info: Option<RuntimeInfo> = self.status_page("/api/v1/status/runtimeinfo").await?;
        let text = info.and_then(|info| info.start_time);
        let start = text.and_then(|text| text.parse::<jiff::Timestamp>().ok());
        Ok(start.map(|at| Timestamp::from_millis(at.as_millisecond())))
    }

    /// Whether the server says that it serves queries. A server without that page is taken to be
    /// ready where it answers at all.
    ///
    /// # Errors
    /// A [`QueryError`] where the server cannot be asked.
    pub async fn is_ready(&self) -> Result<bool, QueryError> {
        let response =
            self.client.send(HttpRequest::get(&self.url("/-/ready"))?.hide_url(&self.base)).await?;
        Ok(response.is_success() || response.status() == 404)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base.expose())
    }

    async fn status_page<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<Option<T>, QueryError> {
        #[derive(Deserialize)]
        struct Page<T> {
            data: T,
        }
        let response =
            self.client.send(HttpRequest::get(&self.url(path))?.hide_url(&self.base)).await?;
        if response.status() == 404 {
            return Ok(None);
        }
        let response = response.error_for_status()?;
        // Servers that only resemble Prometheus answer with other forms, which tell nothing.
        Ok(serde_json::from_slice::<Page<T>>(response.body()).ok().map(|page| page.data))
    }

    /// The body of a page of the API, or nothing where the server has no such page.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, QueryError> {
        let request = HttpRequest::get(&self.url(path))?.hide_url(&self.base);
        let response = self.client.send(request.max_body(MAX_BODY)).await?;
        if response.status() == 404 {
            return Ok(None);
        }
        Ok(Some(response.error_for_status()?.body().to_vec()))
    }

    /// One call of the query API, from the wait for a free place to the decoded answer. The wait
    /// takes from the call's time.
    async fn call(&self, path: &str, pairs: &[(&str, &str)]) -> Result<Envelope, QueryError> {
        let start = tokio::time::Instant::now();
        let _place = self.place().await?;
        let left = self.timeout.saturating_sub(start.elapsed()).max(Duration::from_millis(1));
        let server_limit = format_duration(left);
        let own = [("timeout", server_limit.as_str())];
        let params = self.params.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs: Vec<_> = pairs.iter().copied().chain(own).chain(params).collect();
        self.exchange(path, &pairs, left).await
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, QueryError> {
        match tokio::time::timeout(self.timeout, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            // The semaphore is never closed, so that only the time can have run out.
            Ok(Err(_)) | Err(_) => {
                Err(QueryError::Busy { waited: self.timeout, limit: self.max_concurrency })
            }
        }
    }

    /// Asks by POST, and by GET where POST is refused, as Prometheus' own client does: some
    /// proxies let nobody but administrators POST. A redirect of the old kind also turns a POST
    /// into a GET without its form, so that the answer to it is an error.
    async fn exchange(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
        timeout: Duration,
    ) -> Result<Envelope, QueryError> {
        let url = self.url(path);
        let limited =
            |request: HttpRequest| request.hide_url(&self.base).max_body(MAX_BODY).timeout(timeout);
        let get = || HttpRequest::get(&url).map(|request| limited(request.query(pairs)));
        if self.prefers_get.load(Ordering::Relaxed) {
            return envelope(self.client.send(get()?).await?).await;
        }
        let post = limited(HttpRequest::post(&url)?.form(pairs));
        let response = self.client.send(post).await?;
        let refused = matches!(response.status(), 403 | 405 | 501);
        if !refused && (response.is_success() || !response.is_redirected()) {
            return envelope(response).await;
        }
        let answer = envelope(self.client.send(get()?).await?).await?;
        self.prefers_get.store(true, Ordering::Relaxed);
        Ok(answer)
    }
}

/// The answer's envelope where it is a success, the server's error where it names one, and the
/// HTTP status where the body is not the API's.
async fn envelope(response: HttpResponse) -> Result<Envelope, QueryError> {
    if response.body().len() < LARGE_BODY {
        return envelope_of(&response);
    }
    let decoded = tokio::task::spawn_blocking(move || envelope_of(&response)).await;
    decoded.unwrap_or_else(|_| {
        Err(QueryError::Decode { reason: "decoding was interrupted".to_string() })
    })
}

fn envelope_of(response: &HttpResponse) -> Result<Envelope, QueryError> {
    let decoded = decode(response.body(), MAX_SAMPLES);
    if !response.is_success() {
        return Err(match decoded {
            Ok(Envelope { error: Some(message), error_type, .. }) => {
                api_error(response.status(), error_type, message)
            }
            Ok(_) | Err(_) => response.status_error().into(),
        });
    }
    let envelope = decoded?;
    if envelope.success {
        return Ok(envelope);
    }
    let message = envelope.error.unwrap_or_else(|| "the status is not success".to_string());
    Err(api_error(response.status(), envelope.error_type, message))
}

fn api_error(status: u16, error_type: Option<String>, message: String) -> QueryError {
    let kind = ApiErrorKind::from_name(error_type.as_deref().unwrap_or_default());
    QueryError::Api { kind, status, message }
}

/// Seconds with milliseconds behind the point, exactly.
fn seconds(at: Timestamp) -> String {
    let (sign, millis) = (if at.millis() < 0 { "-" } else { "" }, at.millis().unsigned_abs());
    format!("{sign}{}.{:03}", millis / 1000, millis % 1000)
}

#[async_trait]
impl Querier for Prometheus {
    async fn instant(&self, query: &str, at: Timestamp) -> Result<QueryResult, QueryError> {
        let time = seconds(at);
        let pairs = [("query", query), ("time", time.as_str())];
        let (value, warnings, infos) = self.call("/api/v1/query", &pairs).await?.into_value()?;
        Ok(QueryResult { value, warnings, infos })
    }

    /// A range with more points than Prometheus allows is asked for in parts.
    async fn range(
        &self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    ) -> Result<RangeResult, QueryError> {
        let step_millis = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
        if step_millis == 0 {
            return Err(QueryError::Range { reason: "the step is shorter than a millisecond" });
        }
        if end < start {
            return Err(QueryError::Range { reason: "the end is before the start" });
        }
        let step_text = seconds(Timestamp::from_millis(step_millis));
        let mut merged = Merged::default();
        let mut from = start;
        while from <= end {
            let span = step_millis.saturating_mul(MAX_POINTS - 1);
            let to = Timestamp::from_millis(from.millis().saturating_add(span)).min(end);
            let (from_text, to_text) = (seconds(from), seconds(to));
            let pairs = [
                ("query", query),
                ("start", from_text.as_str()),
                ("end", to_text.as_str()),
                ("step", step_text.as_str()),
            ];
            let part = self.call("/api/v1/query_range", &pairs).await?.into_value()?;
            merged.add(part)?;
            let next = from.millis().saturating_add(step_millis.saturating_mul(MAX_POINTS));
            if next == i64::MAX {
                break;
            }
            from = Timestamp::from_millis(next);
        }
        Ok(merged.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_query_does_not_wait_forever_for_its_place() {
        let config = DatasourceConfig {
            max_concurrency: 1,
            ..DatasourceConfig::new(Secret::new("http://127.0.0.1:1"))
        };
        let querier = Prometheus::new(&config).unwrap();
        let _held = querier.places.acquire().await.unwrap();
        let start = tokio::time::Instant::now();
        let error = querier.instant("up", Timestamp::default()).await.unwrap_err();
        assert!(matches!(error, QueryError::Busy { limit: 1, .. }), "{error}");
        assert!(error.is_transient());
        assert_eq!(start.elapsed().as_secs(), config.timeout.as_secs());
    }
}
