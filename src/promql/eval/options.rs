//! How expressions are evaluated.

use std::time::Duration;

/// What Prometheus sets by flags and configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// How old the last sample of a series may be for an instant vector (`--query.lookback-delta`).
    pub lookback: Duration,
    /// The step of a subquery that names none: the global evaluation interval.
    pub subquery_step: Duration,
    /// The most samples in memory at a time (`--query.max-samples`).
    pub max_samples: usize,
    /// The most samples that functions over ranges may look at in one evaluation, each as often as
    /// it is looked at. It stands for Prometheus' `--query.timeout`: nothing here knows a clock.
    pub max_reads: u64,
    /// Names are dropped when the whole is evaluated, not by each function
    /// (`--enable-feature=promql-delayed-name-removal`).
    pub delayed_name_removal: bool,
    /// A counter is told by its label `__type__`, not by the end of its name
    /// (`--enable-feature=type-and-unit-labels`).
    pub type_and_unit_labels: bool,
    /// The times at which counting began tell resets of counters, where samples have them.
    pub start_timestamps: bool,
}

/// What Prometheus does where no flag is set.
impl Default for Options {
    fn default() -> Self {
        Self {
            lookback: Duration::from_secs(300),
            subquery_step: Duration::from_secs(60),
            max_samples: 50_000_000,
            max_reads: 10_000_000_000,
            delayed_name_removal: false,
            type_and_unit_labels: false,
            start_timestamps: false,
        }
    }
}

/// A duration in milliseconds.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
