//! The section `global`: Prometheus' and Alertmanager's keys in one place.

use std::path::Path;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::model::LabelSet;
use crate::model::label::{METRIC_NAME, is_legacy_label_name};
use crate::notify::Globals;
use crate::yaml::{Fields, Reader};

/// Prometheus' own default of `evaluation_interval`.
const DEFAULT_EVALUATION_INTERVAL: Duration = Duration::from_secs(60);
/// Alertmanager's own default of `resolve_timeout`.
const DEFAULT_RESOLVE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Keys of Prometheus' `global` that concern scraping alone. They are known, so that the section
/// can be copied from a `prometheus.yml`, and mean nothing here.
const OF_SCRAPING: [&str; 12] = [
    "body_size_limit",
    "convert_classic_histograms_to_nhcb",
    "keep_dropped_targets",
    "label_limit",
    "label_name_length_limit",
    "label_value_length_limit",
    "query_log_file",
    "sample_limit",
    "scrape_failure_log_file",
    "scrape_interval",
    "scrape_timeout",
    "target_limit",
];

/// What holds for all groups and receivers.
#[derive(Clone, Debug)]
pub struct GlobalConfig {
    /// How often groups without an `interval` are evaluated.
    pub evaluation_interval: Duration,
    /// How far in the past groups without a `query_offset` are evaluated.
    pub rule_query_offset: Duration,
    /// Labels that every alert has, unless it has its own value for them.
    pub external_labels: LabelSet,
    /// After what time an alert that was posted without an end is over.
    pub resolve_timeout: Duration,
    /// The zone of the times that people read in messages.
    pub time_zone: TimeZone,
    /// What integrations inherit.
    pub notify: Globals,
}

impl Default for GlobalConfig {
    fn default() -> Self {
        Self {
            evaluation_interval: DEFAULT_EVALUATION_INTERVAL,
            rule_query_offset: Duration::ZERO,
            external_labels: LabelSet::new(),
            resolve_timeout: DEFAULT_RESOLVE_TIMEOUT,
            time_zone: TimeZone::UTC,
            notify: Globals::default(),
        }
    }
}

impl GlobalConfig {
    pub(super) fn read(reader: &mut Reader, mut fields: Fields<'_>, directory: &Path) -> Self {
        for key in OF_SCRAPING {
            fields.take(key);
        }
        let default = Self::default();
        let config = Self {
            evaluation_interval: interval(reader, &mut fields)
                .unwrap_or(default.evaluation_interval),
            rule_query_offset: fields.duration(reader, "rule_query_offset").unwrap_or_default(),
            external_labels: external_labels(reader, &mut fields),
            resolve_timeout: fields
                .duration(reader, "resolve_timeout")
                .unwrap_or(default.resolve_timeout),
            time_zone: time_zone(reader, &mut fields).unwrap_or(default.time_zone),
            notify: Globals::read(reader, &mut fields, directory),
        };
        fields.finish(reader);
        config
    }
}

fn interval(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<Duration> {
    let interval = fields.duration(reader, "evaluation_interval")?;
    if interval.is_zero() {
        if let Some(node) = fields.get("evaluation_interval") {
            reader.wrong_value(node, "`evaluation_interval`", "must be more than zero");
        }
        return None;
    }
    Some(interval)
}

fn external_labels(reader: &mut Reader, fields: &mut Fields<'_>) -> LabelSet {
    let node = fields.get("external_labels");
    let pairs = node.and_then(|node| reader.string_map(node, "`external_labels`"));
    let mut labels = Vec::new();
    for (name, value) in pairs.unwrap_or_default() {
        if name.text() == METRIC_NAME || !is_legacy_label_name(name.text()) {
            let message = format!("{:?} cannot be the name of a label", name.text());
            reader.error("config/label-name", name.span(), message);
        } else {
            let value = reader.string(value, "an external label").unwrap_or_default();
            labels.push((name.text().to_string(), value.to_string()));
        }
    }
    labels.into_iter().collect()
}

fn time_zone(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<TimeZone> {
    let node = fields.get("time_zone")?;
    let name = reader.string(node, "`time_zone`")?;
    match TimeZone::get(name) {
        Ok(zone) => Some(zone),
        Err(_) => {
            let reason = format!("{name:?} is no time zone (write it like Europe/Berlin)");
            reader.wrong_value(node, "`time_zone`", reason);
            None
        }
    }
}
