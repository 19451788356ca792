//! A range that was asked for in parts.

use std::collections::BTreeMap;

use crate::model::{LabelSet, Timestamp};
use crate::query::{QueryError, QueryValue, RangeResult, Series};

/// The most samples and series to hold.
const MAX_SAMPLES: usize = 10_000_000;

/// The parts of a range put together.
#[derive(Default)]
pub(super) struct Merged {
    series: BTreeMap<LabelSet, Vec<(Timestamp, f64)>>,
    held: usize,
    warnings: Vec<String>,
    infos: Vec<String>,
}

impl Merged {
    /// Adds the next part, in order of time.
    pub(super) fn add(
        &mut self,
        (value, warnings, infos): (QueryValue, Vec<String>, Vec<String>),
    ) -> Result<(), QueryError> {
        let QueryValue::Matrix(series) = value else {
            let reason = "a range query did not return a matrix".to_string();
            return Err(QueryError::Decode { reason });
        };
        for Series { labels, samples } in series.into_iter().filter(|s| !s.samples.is_empty()) {
            self.held = self.held.saturating_add(samples.len()).saturating_add(1);
            if self.held > MAX_SAMPLES {
                return Err(QueryError::TooManySamples { limit: MAX_SAMPLES });
            }
            self.series.entry(labels).or_default().extend(samples);
        }
        for (all, new) in [(&mut self.warnings, warnings), (&mut self.infos, infos)] {
            for text in new {
                if !all.contains(&text) {
                    all.push(text);
                }
            }
        }
        Ok(())
    }

    /// The whole.
    pub(super) fn finish(self) -> RangeResult {
        let series = self.series.into_iter();
        let series = series.map(|(labels, samples)| Series { labels, samples }).collect();
        RangeResult { series, warnings: self.warnings, infos: self.infos }
    }
}
