//! The section `collectors` of the configuration.

use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::http::{Auth, HttpConfig, parse_url, read_base_url, read_secret, without_user};
use crate::model::{Secret, SecretSource};
use crate::yaml::{Fields, Node, Reader};

/// A failure is known half a minute after it, on average a quarter.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(30);
/// The time for one request.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// More often would be a load.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// Where MLflow is, and how often it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MlflowConfig {
    /// The tracking server; it may hold a path prefix, and a user with a password.
    pub tracking_uri: Secret,
    /// The time from one pass to the next.
    pub interval: Duration,
    /// The time for one request.
    pub timeout: Duration,
    /// How to speak HTTP with it.
    pub http: HttpConfig,
}

impl MlflowConfig {
    /// Reads the section. Mistakes are noted in the reader; `None` where there is no collector.
    pub fn read(reader: &mut Reader, mut collectors: Fields<'_>) -> Option<Self> {
        let config = collectors.get("mlflow").and_then(|node| Self::read_mlflow(reader, node));
        collectors.finish(reader);
        config
    }

    fn read_mlflow(reader: &mut Reader, node: &Node) -> Option<Self> {
        let mut fields = reader.mapping(node, "`mlflow`")?;
        let uri = fields
            .require(reader, "tracking_uri")
            .and_then(|node| read_base_url(reader, node, "`tracking_uri`"));
        let interval = fields.duration(reader, "interval");
        if let (Some(short), Some(node)) = (interval, fields.get("interval"))
            && short < MIN_INTERVAL
        {
            reader.wrong_value(node, "`interval`", "must be one second at least");
        }
        let timeout = fields.duration(reader, "timeout");
        if let (Some(Duration::ZERO), Some(node)) = (timeout, fields.get("timeout")) {
            reader.wrong_value(node, "`timeout`", "must be more than zero");
        }
        let token = read_secret(reader, &mut fields, "token", "token_file");
        let http = fields.get("http_config");
        let mut config = http.and_then(|n| HttpConfig::read(reader, n)).unwrap_or_default();
        if let Some(token) = token {
            if let (Some(node), true) = (http, config.auth != Auth::None) {
                let reason = "says who we are, and so does the token: leave one of them out";
                reader.wrong_value(node, "`http_config`", reason);
            }
            config.auth = bearer(token);
        }
        fields.finish(reader);
        Some(Self {
            tracking_uri: Secret::new(uri?),
            interval: interval.unwrap_or(DEFAULT_INTERVAL),
            timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
            http: config,
        })
    }

    /// Makes relative paths relative to a folder, which is the configuration file's.
    pub fn set_directory(&mut self, folder: &Path) {
        self.http.set_directory(folder);
    }

    /// Tells one tracking server from another in the store, without a word of its address: counts
    /// of one server are not those of another. User and password do not matter.
    pub fn source(&self) -> String {
        let Ok(url) = parse_url(self.tracking_uri.expose()) else { return String::new() };
        let digest = Sha256::digest(without_user(&url).as_str().trim_end_matches('/').as_bytes());
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

fn bearer(token: SecretSource) -> Auth {
    Auth::Scheme { scheme: "Bearer".to_string(), credentials: Some(token) }
}
