//! The section `datasource` of the configuration.

use std::path::Path;
use std::time::Duration;

use crate::http::{HttpConfig, read_base_url, without_user};
use crate::model::Secret;
use crate::yaml::{Fields, Node, Reader};

/// As long as Prometheus' scrapes and most proxies wait. Its own limit of two minutes
/// (`--query.timeout`) is longer than a usual evaluation interval, and a rule that waits for it
/// misses evaluations.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Prometheus' own default of `--query.max-concurrency`.
pub const DEFAULT_MAX_CONCURRENCY: usize = 20;

/// Parameters that each query sets itself.
const RESERVED_PARAMS: [&str; 6] = ["query", "time", "start", "end", "step", "timeout"];

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

    /// Reads the section. Mistakes are noted in the reader; `None` where there is no URL.
    pub fn read(reader: &mut Reader, node: &Node) -> Option<Self> {
        let mut fields = reader.mapping(node, "`datasource`")?;
        let url =
            fields.require(reader, "url").and_then(|node| read_base_url(reader, node, "`url`"));
        let external = fields.get("external_url");
        let external_url = external.and_then(|node| read_base_url(reader, node, "`external_url`"));
        let timeout = fields.duration(reader, "timeout");
        if let (Some(Duration::ZERO), Some(node)) = (timeout, fields.get("timeout")) {
            reader.wrong_value(node, "`timeout`", "must be more than zero");
        }
        let max_concurrency = fields.unsigned(reader, "max_concurrency");
        if let (Some(0), Some(node)) = (max_concurrency, fields.get("max_concurrency")) {
            reader.wrong_value(node, "`max_concurrency`", "must be more than zero");
        }
        let params = read_params(reader, &mut fields);
        let http = fields.get("http_config").and_then(|node| HttpConfig::read(reader, node));
        fields.finish(reader);
        Some(Self {
            url: Secret::new(url?),
            external_url,
            timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
            max_concurrency: max_concurrency
                .map_or(DEFAULT_MAX_CONCURRENCY, |n| usize::try_from(n).unwrap_or(usize::MAX)),
            params,
            http: http.unwrap_or_default(),
        })
    }

    /// Makes relative paths relative to a folder, which is the configuration file's.
    pub fn set_directory(&mut self, folder: &Path) {
        self.http.set_directory(folder);
    }

    /// The URL for links, without a slash at its end, user or password.
    pub fn link_base(&self) -> String {
        let text = self.external_url.as_deref().unwrap_or(self.url.expose());
        let Ok(url) = url::Url::parse(text) else { return String::new() };
        let mut url = without_user(&url);
        url.set_query(None);
        url.as_str().trim_end_matches('/').to_string()
    }
}

fn read_params(reader: &mut Reader, fields: &mut Fields<'_>) -> Vec<(String, String)> {
    let pairs = fields.string_map(reader, "params").unwrap_or_default();
    let mut params = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        if RESERVED_PARAMS.contains(&key.text()) {
            let message = format!("`{}` is set by each query itself", key.text());
            reader.error("yaml/value", key.span(), message);
        }
        let text = reader.string(value, "a parameter").unwrap_or_default();
        params.push((key.text().to_string(), text.to_string()));
    }
    params
}
