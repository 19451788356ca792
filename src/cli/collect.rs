//! What metrics a Prometheus has.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, bail};
use futures::StreamExt;

use crate::clock::{Clock, SystemClock};
use crate::http::parse_url;
use crate::lint::Schema;
use crate::model::{InstantVector, Secret};
use crate::query::{DatasourceConfig, Prometheus, Querier, QueryError, QueryValue};

/// How many metrics are asked for at once.
const AT_ONCE: usize = 8;

/// A client of a Prometheus.
///
/// # Errors
/// An address that cannot be used.
pub(super) fn connect(url: &str) -> anyhow::Result<Prometheus> {
    if parse_url(url).is_err() {
        bail!("--prometheus: not an http or https address");
    }
    let config = DatasourceConfig::new(Secret::new(url));
    Prometheus::new(&config).context("cannot use the address of --prometheus")
}

/// What a Prometheus has: the names of all metrics, and the series of the last hour of those that are
/// `wanted`, or of all.
///
/// # Errors
/// Where it does not answer.
pub(super) async fn collect(
    prometheus: &Prometheus,
    wanted: Option<&BTreeSet<String>>,
) -> Result<Schema, QueryError> {
    let names = prometheus.metric_names().await?;
    let types = prometheus.metric_types().await?;
    let mut schema = Schema::new();
    let intervals = prometheus.scrape_intervals().await?;
    schema.scrape_intervals = intervals.into_iter().map(|(job, i)| (job, millis(i))).collect();
    schema.retention = prometheus.retention().await?.map(millis);
    let asked = names.iter().filter(|name| wanted.is_none_or(|wanted| wanted.contains(*name)));
    let now = SystemClock::new().now().wall;
    let answers = futures::stream::iter(asked.cloned().map(|name| async move {
        let query = format!("last_over_time({{__name__={name:?}}}[1h])");
        let answer = prometheus.instant(&query, now).await;
        (name, answer)
    }));
    let mut answers = answers.buffer_unordered(AT_ONCE);
    while let Some((name, answer)) = answers.next().await {
        let vector: InstantVector = match answer?.value {
            QueryValue::Vector(vector) => vector,
            _ => Vec::new(),
        };
        for sample in &vector {
            schema.add_series(&name, &sample.labels);
        }
    }
    for name in &names {
        let kind = kind_of(name, &types);
        let metric = schema.metrics.entry(name.clone()).or_default();
        metric.kind = kind;
    }
    Ok(schema)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The type of a metric by its family's name.
fn kind_of(name: &str, types: &BTreeMap<String, String>) -> Option<String> {
    let endings = ["_bucket", "_count", "_sum", "_total", "_created", "_info"];
    let families = endings.iter().filter_map(|end| name.strip_suffix(end));
    let mut names = std::iter::once(name).chain(families);
    names.find_map(|name| types.get(name)).filter(|kind| *kind != "unknown").cloned()
}
