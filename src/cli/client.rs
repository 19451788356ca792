//! The way to a running daemon's API, or to an Alertmanager's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cli::findings;
use crate::clock::{Clock, SystemClock};
use crate::diag::has_errors;
use crate::http::{HttpClient, HttpConfig, HttpRequest, HttpResponse, Timeouts, parse_url};
use crate::yaml::{self, Reader};

/// The largest answer that is read: as many silences as a daemon keeps.
const MAX_ANSWER: usize = 256 * 1024 * 1024;

/// Which daemon to speak with.
#[derive(clap::Args)]
pub(super) struct Server {
    /// The running daemon, or an Alertmanager
    #[arg(
        long,
        value_name = "URL",
        env = "WATCHBELL_URL",
        default_value = "http://127.0.0.1:9093",
        hide_env_values = true
    )]
    url: String,
    /// How to log in there: a file that holds an `http_config` with basic_auth, authorization,
    /// oauth2 or tls_config
    #[arg(long, value_name = "FILE")]
    http_config: Option<PathBuf>,
}

/// An answer that is no good one.
#[derive(Debug, thiserror::Error)]
#[error("{text} (status {status})")]
pub(super) struct Refused {
    /// The HTTP status.
    pub(super) status: u16,
    /// How long to wait before the next request, where the answer says so.
    pub(super) retry_after: Option<Duration>,
    text: String,
}

/// A client of one daemon.
pub(super) struct Client {
    http: HttpClient,
    /// The address without a slash at its end.
    base: String,
}

impl Client {
    /// A client. Mistakes in the file of `--http-config` are shown on standard error.
    ///
    /// # Errors
    /// Where address or file cannot be used.
    pub(super) fn new(server: &Server) -> anyhow::Result<Self> {
        Self::to(&server.url, server.http_config.as_deref())
    }

    /// The same for an address, and a file that says how to log in there.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub(super) fn to(url: &str, http_config: Option<&Path>) -> anyhow::Result<Self> {
        let mut url = parse_url(url).context("--url")?;
        url.set_query(None);
        url.set_fragment(None);
        let config = match http_config {
            Some(path) => read_config(path)?,
            None => HttpConfig::default(),
        };
        let http = HttpClient::new(&config, Timeouts::default()).context("--http-config")?;
        Ok(Self { http, base: url.as_str().trim_end_matches('/').to_string() })
    }

    /// Asks for what is at a path, such as `/api/v2/silences`.
    ///
    /// # Errors
    /// [`Refused`] where the answer is not a good one; others where there is none, or no JSON.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> anyhow::Result<T> {
        let request = HttpRequest::get(&self.address(path))?.query(query);
        read(&self.send(request).await?)
    }

    /// Sends a value as JSON to a path.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        value: &impl Serialize,
    ) -> anyhow::Result<T> {
        let body = serde_json::to_vec(value)?;
        let request = HttpRequest::post(&self.address(path))?.body("application/json", body);
        read(&self.send(request).await?)
    }

    /// Deletes what is at a path.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(super) async fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.send(HttpRequest::delete(&self.address(path))?).await.map(drop)
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    async fn send(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let answer = self.http.send(request.max_body(MAX_ANSWER)).await?;
        if answer.is_success() {
            return Ok(answer);
        }
        let retry_after = answer.retry_after(SystemClock::new().now().wall);
        Err(Refused { status: answer.status(), retry_after, text: reason(&answer) }.into())
    }
}

fn read<T: DeserializeOwned>(answer: &HttpResponse) -> anyhow::Result<T> {
    serde_json::from_slice(answer.body()).context("the answer is not what this program expects")
}

/// What an answer says in the forms that Watchbell and Alertmanager use: a text, a `message`, or
/// an `error`.
fn reason(answer: &HttpResponse) -> String {
    let said = match serde_json::from_slice(answer.body()) {
        Ok(serde_json::Value::String(text)) => Some(text),
        Ok(serde_json::Value::Object(fields)) => ["message", "error"]
            .iter()
            .find_map(|name| fields.get(*name)?.as_str().map(str::to_string)),
        _ => None,
    };
    let said = said.map(|text| crate::cli::output::one_line(&text));
    match (said, answer.status()) {
        (Some(text), _) => text,
        (None, 401 | 403) => format!("{}; see --http-config", answer.excerpt()),
        (None, 404) => "there is no such thing".to_string(),
        (None, _) => answer.excerpt(),
    }
}

fn read_config(path: &Path) -> anyhow::Result<HttpConfig> {
    let source = yaml::read_file(path).context("--http-config")?;
    let source = std::sync::Arc::new(yaml::hide_secrets(&source));
    let refused = |findings: &[crate::diag::Diagnostic]| {
        findings::show_all(findings);
        anyhow::anyhow!("--http-config: {}", findings::counted(findings))
    };
    let document = yaml::load(&source).map_err(|findings| refused(&findings))?;
    let mut reader = Reader::new(&document);
    let config = HttpConfig::read(&mut reader, &document.root);
    let findings = reader.into_diagnostics();
    if has_errors(&findings) {
        return Err(refused(&findings));
    }
    let Some(mut config) = config else { bail!("--http-config: {} is empty", path.display()) };
    config.set_directory(path.parent().unwrap_or(Path::new("")));
    Ok(config)
}
