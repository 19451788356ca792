//! Samples that become known one after the other, as time goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{LabelSet, Timestamp};
use crate::promql::series::{AppendError, SeriesId, SeriesStore};
use crate::ruletest::unit::InputSeries;

/// A sample that its series cannot take.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the series {labels} cannot be: {error}")]
pub struct FeedError {
    /// The series' labels.
    pub labels: LabelSet,
    /// Why.
    pub error: AppendError,
}

/// Feeds series into a store, so that nobody sees what has not happened yet.
#[derive(Debug)]
pub struct Feed {
    start: Timestamp,
    interval: Duration,
    series: Vec<Fed>,
}

#[derive(Debug)]
struct Fed {
    id: SeriesId,
    series: InputSeries,
    next: usize,
}

impl Feed {
    /// A feed whose first samples are due at `start` and the others every `interval` behind them. Of
    /// two series with the same labels the later one counts, as in promtool.
    pub fn new(
        series: &[InputSeries],
        (start, interval): (Timestamp, Duration),
        store: &mut SeriesStore,
    ) -> Self {
        let mut fed = BTreeMap::new();
        for series in series {
            let id = store.series(&series.labels);
            fed.insert(id, Fed { id, series: series.clone(), next: 0 });
        }
        Self { start, interval, series: fed.into_values().collect() }
    }

    /// Appends the samples up to a time.
    ///
    /// # Errors
    /// The first sample that its series cannot take.
    pub fn until(&mut self, until: Timestamp, store: &mut SeriesStore) -> Result<(), FeedError> {
        for one in &mut self.series {
            while let Some(value) = one.series.values.get(one.next) {
                let steps = u32::try_from(one.next).unwrap_or(u32::MAX);
                let at = self.start + self.interval.saturating_mul(steps);
                if at > until {
                    break;
                }
                one.next += 1;
                let Some(value) = value.clone() else { continue };
                store
                    .append_to(one.id, at, value, None)
                    .map_err(|error| FeedError { labels: one.series.labels.clone(), error })?;
            }
        }
        Ok(())
    }
}
