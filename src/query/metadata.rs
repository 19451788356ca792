//! What a Prometheus says of its metrics, targets and storage.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::model::parse_duration;
use crate::query::{Prometheus, QueryError};

impl Prometheus {
    /// The names of all metrics; empty where the server has no such page.
    ///
    /// # Errors
    /// A [`QueryError`] where the server cannot be asked.
    pub async fn metric_names(&self) -> Result<Vec<String>, QueryError> {
        let names: Option<Vec<String>> = self.page("/api/v1/label/__name__/values").await?;
        Ok(names.unwrap_or_default())
    }

    /// The types of metrics as their targets name them, by the name of the family: `counter`,
    /// `gauge`, `histogram` … Where targets differ, the first counts.
    ///
    /// # Errors
    /// A [`QueryError`] where the server cannot be asked.
    pub async fn metric_types(&self) -> Result<BTreeMap<String, String>, QueryError> {
        #[derive(Deserialize)]
        struct Metadata {
            #[serde(rename = "type")]
            kind: String,
        }
        let found: Option<BTreeMap<String, Vec<Metadata>>> = self.page("/api/v1/metadata").await?;
        let types = found.unwrap_or_default().into_iter();
        Ok(types.filter_map(|(name, all)| Some((name, all.into_iter().next()?.kind))).collect())
    }

    /// How often the targets of each job are scraped, at the longest.
    ///
    /// # Errors
    /// A [`QueryError`] where the server cannot be asked.
    pub async fn scrape_intervals(&self) -> Result<BTreeMap<String, Duration>, QueryError> {
        #[derive(Deserialize)]
        struct Targets {
            #[serde(rename = "activeTargets", default)]
            active: Vec<Target>,
        }
        #[derive(Deserialize)]
        struct Target {
            #[serde(default)]
            labels: BTreeMap<String, String>,
            #[serde(rename = "scrapeInterval", default)]
            interval: String,
        }
        let found: Option<Targets> = self.page("/api/v1/targets?state=active").await?;
        let mut intervals: BTreeMap<String, Duration> = BTreeMap::new();
        for target in found.map(|targets| targets.active).unwrap_or_default() {
            let Ok(interval) = parse_duration(&target.interval) else { continue };
            let job = target.labels.get("job").cloned().unwrap_or_default();
            let longest = intervals.entry(job).or_default();
            *longest = interval.max(*longest);
        }
        Ok(intervals)
    }

    /// How long samples are kept; `None` where the server does not tell, or keeps them by size.
    ///
    /// # Errors
    /// A [`QueryError`] where the server cannot be asked.
    pub async fn retention(&self) -> Result<Option<Duration>, QueryError> {
        #[derive(Deserialize)]
        struct RuntimeInfo {
            #[serde(rename = "storageRetention", default)]
            retention: String,
        }
        let found: Option<RuntimeInfo> = self.page("/api/v1/status/runtimeinfo").await?;
        // `15d`, or `15d or 10GiB`.
        let text = found.map(|info| info.retention).unwrap_or_default();
        Ok(text.split(" or ").find_map(|part| parse_duration(part.trim()).ok()))
    }

    /// The `data` of a page, or nothing where the server has no such page.
    async fn page<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<Option<T>, QueryError> {
        #[derive(Deserialize)]
        struct Page<T> {
            data: T,
        }
        let Some(body) = self.get(path).await? else { return Ok(None) };
        let page: Page<T> = serde_json::from_slice(&body)
            .map_err(|error| QueryError::Decode { reason: error.to_string() })?;
        Ok(Some(page.data))
    }
}
