//! What metrics there are: their labels, values and types, for checks that need to know.
//!
//! A [`Schema`] is read from a file that `watchbell schema` wrote, from the text of a `/metrics` page,
//! or asked of a Prometheus. Several are put together.

mod file;
mod page;

#[cfg(test)]
mod tests;

pub use file::SchemaError;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::diag::Span;
use crate::model::LabelSet;
use crate::model::label::METRIC_NAME;
use crate::promql::VectorSelector;
use crate::promql::flow::{Has, Labels};

/// The most values of one label that are kept. Of a label with more, only its name is known.
pub const MAX_VALUES: usize = 1000;

/// What metrics there are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// What a file says of itself.
    pub format: String,
    /// How often the targets of a job are scraped, by job, in milliseconds.
    #[serde(default)]
    pub scrape_intervals: BTreeMap<String, u64>,
    /// How long samples are kept, in milliseconds.
    #[serde(default)]
    pub retention: Option<u64>,
    /// The metrics by name.
    pub metrics: BTreeMap<String, Metric>,
}

/// What is known of a metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Its type as its target names it: `counter`, `gauge` … A part of a histogram has that of the
    /// family.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How many series there are. With none, only the name is known.
    pub series: usize,
    /// Its labels by name.
    #[serde(default)]
    pub labels: BTreeMap<String, Label>,
}

/// What is known of a label of a metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// How many series have it.
    pub series: usize,
    /// Its values; empty where there are too many to be kept, or where it may have any.
    #[serde(default)]
    pub values: BTreeSet<String>,
    /// Whether there are more values than these.
    #[serde(default)]
    pub more: bool,
}

impl Default for Schema {
    fn default() -> Self {
        Self {
            format: Self::FORMAT.to_string(),
            scrape_intervals: BTreeMap::new(),
            retention: None,
            metrics: BTreeMap::new(),
        }
    }
}

impl Schema {
    /// The mark of a file that this version reads.
    pub const FORMAT: &'static str = "watchbell-schema/1";

    /// An empty schema.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a series of a metric.
    pub fn add_series(&mut self, name: &str, labels: &LabelSet) {
        let metric = self.metrics.entry(name.to_string()).or_default();
        metric.series += 1;
        for (label, value) in labels.iter().filter(|(label, _)| *label != METRIC_NAME) {
            let known = metric.labels.entry(label.to_string()).or_default();
            known.series += 1;
            if known.values.len() >= MAX_VALUES && !known.values.contains(value) {
                known.more = true;
                known.values.clear();
            }
            if !known.more {
                known.values.insert(value.to_string());
            }
        }
    }

    /// Adds everything that another schema knows.
    pub fn add(&mut self, other: Self) {
        for (job, interval) in other.scrape_intervals {
            let longest = self.scrape_intervals.entry(job).or_default();
            *longest = interval.max(*longest);
        }
        self.retention = self.retention.max(other.retention);
        for (name, metric) in other.metrics {
            let known = self.metrics.entry(name).or_default();
            known.kind = known.kind.take().or(metric.kind);
            known.series += metric.series;
            for (name, label) in metric.labels {
                let known = known.labels.entry(name).or_default();
                known.series += label.series;
                known.more |= label.more;
                known.values.extend(label.values);
            }
        }
    }

    /// The metric that a selector names, with series.
    pub fn of(&self, selector: &VectorSelector) -> Option<&Metric> {
        self.metrics.get(selector.metric_name()?).filter(|metric| metric.series > 0)
    }

    /// Whether there is a metric of that name.
    pub fn has(&self, name: &str) -> bool {
        self.metrics.contains_key(name)
    }

    /// The labels of the series that a selector picks, before its matchers.
    pub fn labels(&self, selector: &VectorSelector, place: Span) -> Option<Labels> {
        let metric = self.of(selector)?;
        let mut labels = Labels::none_because(place, "no series of this metric has it");
        for (name, label) in &metric.labels {
            labels.set(name, if label.series >= metric.series { Has::Always } else { Has::Maybe });
        }
        Some(labels)
    }

    /// How often the series of a selector are scraped, if that is known: by its job, or at the
    /// longest.
    pub fn scrape_interval(&self, selector: &VectorSelector) -> Option<Duration> {
        let of_job = |job: &str| self.scrape_intervals.get(job).copied();
        let wanted = selector.matchers_of("job").find(|m| m.op() == crate::model::MatchOp::Equal);
        let metric =
            || self.of(selector)?.labels.get("job")?.values.iter().filter_map(|j| of_job(j)).max();
        let millis = match wanted {
            Some(job) => of_job(job.value()),
            None => metric(),
        };
        millis.map(Duration::from_millis)
    }
}
