//! The section `datasource` of the configuration.

use std::path::Path;
use std::time::Duration;

use crate::http::HttpConfig;
use crate::model::Secret;

/// As long as Prometheus' scrapes and most proxies wait. Its own limit of two minutes
/// (`--query.timeout`) is longer than a usual evaluation interval, and a rule that waits for it
/// misses evaluations.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Prometheus' own default of `--query.max-concurrency`.
pub const DEFAULT_MAX_CONCURRENCY: usize = 20;

/// Where and how to query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasourceConfig {
    /// The server's URL; it may hold a path prefix, and a user with a password.
    pub url: Secret,
    /// The URL that people open in a browser; links in notifications begin with it. Where absent,
    /// it is `url` without user and password.
    pub external_url: Option<String>,
    /// The time for one query, waiting for a free place included.
    pub timeout: Duration,
    /// How many queries may run at once.
    pub max_concurrency: usize,
    /// Parameters that are added to every query, such as Thanos' `partial_response`.
    pub params: Vec<(String, String)>,
    /// How to speak HTTP with it.
    pub http: HttpConfig,
}

impl DatasourceConfig {
    /// A datasource with defaults for all but the URL.
    pub fn new(url: Secret) -> Self {
        Self {
            url,
            external_url: None,
            timeout: DEFAULT_TIMEOUT,
            max_concurrency: DEFAULT_MAX_CONCURRENCY,
            params: Vec::new(),
            http: HttpConfig::default(),
        }
    }

    /// Makes relative paths relative to a folder, which is the configuration file's.
    pub fn set_directory(&mut self, folder: &Path) {
        self.http.set_directory(folder);
    }

    /// The URL for links, without a slash at its end, user or password.
    pub fn link_base(&self) -> String {
        let text = self.external_url.as_deref().unwrap_or(self.url.expose());
        let Ok(mut url) = url::Url::parse(text) else { return String::new() };
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        url.as_str().trim_end_matches('/').to_string()
    }
}
