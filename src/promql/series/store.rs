//! All series and their samples.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::histogram::{CounterResetHint, FloatHistogram, HistogramError};
use crate::model::label::METRIC_NAME;
use crate::model::{LabelSet, Matcher, Timestamp};
use crate::promql::VectorSelector;
use crate::promql::series::{FloatPoint, HistogramPoint, SampleValue, is_stale};

/// Why a sample was not taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AppendError {
    /// The series has a later sample already.
    #[error("the series already has a later sample")]
    OutOfOrder,
    /// The series has another value at this time.
    #[error("the series already has another value at this time")]
    Duplicate,
    /// The histogram makes no sense.
    #[error("not a histogram: {0}")]
    Invalid(#[from] HistogramError),
}

/// The number of a series in its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesId(u32);

/// The samples of one series in order of time.
#[derive(Clone, Debug, Default)]
pub struct StoredSeries {
    floats: Vec<FloatPoint>,
    histograms: Vec<HistogramPoint>,
    /// When counting began, in milliseconds, 0 where unknown; empty where no sample has one.
    float_starts: Vec<i64>,
    histogram_starts: Vec<i64>,
    /// How many of the floats mark an end.
    ends: usize,
    /// The histograms before which the counter was reset.
    resets: Vec<usize>,
}

impl StoredSeries {
    /// The numbers, markers of an end among them.
    pub fn floats(&self) -> &[FloatPoint] {
        &self.floats
    }

    /// The histograms.
    pub fn histograms(&self) -> &[HistogramPoint] {
        &self.histograms
    }

    /// When counting began, for each number; empty where that is not known of any.
    pub fn float_starts(&self) -> &[i64] {
        &self.float_starts
    }

    /// When counting began, for each histogram; empty where that is not known of any.
    pub fn histogram_starts(&self) -> &[i64] {
        &self.histogram_starts
    }

    /// The indices of the histograms before which the counter was reset. They do not say so
    /// themselves: in Prometheus a reset begins a chunk, and what begins a chunk has no hint.
    pub fn histogram_resets(&self) -> &[usize] {
        &self.resets
    }

    /// Whether any of the numbers marks an end.
    pub fn has_ends(&self) -> bool {
        self.ends > 0
    }

    /// The time of the last sample.
    fn last_at(&self) -> Option<i64> {
        let float = self.floats.last().map(|point| point.at);
        float.max(self.histograms.last().map(|point| point.at))
    }

    fn append(&mut self, at: i64, value: SampleValue, start: i64) -> Result<(), AppendError> {
        match self.last_at() {
            Some(last) if last > at => return Err(AppendError::OutOfOrder),
            Some(last) if last == at => {
                return if self.ends_with(&value) { Ok(()) } else { Err(AppendError::Duplicate) };
            }
            _ => {}
        }
        match value {
            SampleValue::Float(value) => {
                self.ends += usize::from(is_stale(value));
                note_start(&mut self.float_starts, self.floats.len(), start);
                self.floats.push(FloatPoint { at, value });
            }
            SampleValue::Histogram(histogram) => {
                histogram.validate()?;
                let (histogram, reset) = self.hinted(histogram);
                if reset {
                    self.resets.push(self.histograms.len());
                }
                note_start(&mut self.histogram_starts, self.histograms.len(), start);
                self.histograms.push(HistogramPoint { at, histogram });
            }
        }
        Ok(())
    }

    /// A histogram with the hint that Prometheus' storage would give it, and whether the counter was
    /// reset before it. What a sample says itself counts only where it says "gauge" or "reset".
    fn hinted(&self, mut histogram: Arc<FloatHistogram>) -> (Arc<FloatHistogram>, bool) {
        let float = self.floats.last().map(|point| point.at);
        let before = self.histograms.last().filter(|before| float < Some(before.at));
        let before = before.map(|before| &before.histogram);
        let own = histogram.counter_reset_hint;
        if !matches!(own, CounterResetHint::Unknown | CounterResetHint::Gauge) {
            Arc::make_mut(&mut histogram).counter_reset_hint = CounterResetHint::Unknown;
        }
        let Some(before) = before.filter(|_| own != CounterResetHint::Gauge) else {
            return (histogram, false);
        };
        if before.counter_reset_hint == CounterResetHint::Gauge {
            return (histogram, false);
        }
        let reset = own == CounterResetHint::CounterReset || histogram.detect_reset(before);
        if !reset {
            Arc::make_mut(&mut histogram).counter_reset_hint = CounterResetHint::NotCounterReset;
        }
        (histogram, reset)
    }

    /// Whether the last sample has this value.
    fn ends_with(&self, value: &SampleValue) -> bool {
        let float = self.floats.last();
        let histogram = self.histograms.last();
        let float_is_last = float.map(|p| p.at) > histogram.map(|p| p.at);
        match value {
            SampleValue::Float(value) => {
                float_is_last && float.is_some_and(|p| p.value.to_bits() == value.to_bits())
            }
            SampleValue::Histogram(value) => {
                !float_is_last && histogram.is_some_and(|p| p.histogram == *value)
            }
        }
    }
}

/// Notes the start of the sample that comes next; nothing is held while none is known.
fn note_start(starts: &mut Vec<i64>, samples: usize, start: i64) {
    if start != 0 || !starts.is_empty() {
        starts.resize(samples, 0);
        starts.push(start);
    }
}

/// A series and its labels.
#[derive(Clone, Copy, Debug)]
pub struct Labelled<'a> {
    /// The labels, `__name__` among them.
    pub labels: &'a LabelSet,
    /// The samples.
    pub series: &'a StoredSeries,
}

/// Series in memory: what expressions are evaluated on. Samples can be appended between two
/// evaluations, as recording rules and alerts do.
#[derive(Clone, Debug, Default)]
pub struct SeriesStore {
    series: Vec<(LabelSet, StoredSeries)>,
    by_labels: HashMap<LabelSet, SeriesId>,
    by_name: HashMap<Arc<str>, Vec<SeriesId>>,
}

impl SeriesStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// The series with these labels; it is made where there is none. Whoever appends often to one
    /// series keeps its number.
    pub fn series(&mut self, labels: &LabelSet) -> SeriesId {
        if let Some(id) = self.by_labels.get(labels) {
            return *id;
        }
        let id = SeriesId(u32::try_from(self.series.len()).unwrap_or(u32::MAX));
        self.series.push((labels.clone(), StoredSeries::default()));
        self.by_labels.insert(labels.clone(), id);
        let name = labels.value(METRIC_NAME);
        match self.by_name.get_mut(name) {
            Some(ids) => ids.push(id),
            None => drop(self.by_name.insert(Arc::from(name), vec![id])),
        }
        id
    }

    /// Appends a sample; what is there already with the same value is no error.
    ///
    /// # Errors
    /// When the series has a later sample, or another value at this time, or the histogram makes no
    /// sense. Nothing is changed then.
    pub fn append(
        &mut self,
        labels: &LabelSet,
        at: Timestamp,
        value: SampleValue,
    ) -> Result<(), AppendError> {
        let id = self.series(labels);
        self.append_to(id, at, value, None)
    }

    /// Appends a sample to a known series. `start` is when the counting began that led to its value.
    ///
    /// # Errors
    /// As [`SeriesStore::append`].
    pub fn append_to(
        &mut self,
        id: SeriesId,
        at: Timestamp,
        value: SampleValue,
        start: Option<Timestamp>,
    ) -> Result<(), AppendError> {
        let start = start.map_or(0, Timestamp::millis);
        match self.series.get_mut(id.0 as usize) {
            Some((_, series)) => series.append(at.millis(), value, start),
            None => Ok(()),
        }
    }

    /// The series that a selector picks, in the order in which they were made.
    pub fn select<'a>(&'a self, selector: &VectorSelector) -> impl Iterator<Item = Labelled<'a>> {
        let matchers = selector.matchers.iter().map(|m| &m.matcher);
        self.select_by(selector.metric_name(), matchers.collect())
    }

    /// The series of one metric, or of all, that pass every matcher.
    pub(in crate::promql) fn select_by<'a>(
        &'a self,
        name: Option<&str>,
        matchers: Vec<&Matcher>,
    ) -> impl Iterator<Item = Labelled<'a>> {
        let named = match name {
            Some(name) => self.by_name.get(name).map_or(&[][..], Vec::as_slice),
            None => &[],
        };
        let named = named.iter().filter_map(|id| self.series.get(id.0 as usize));
        let all = if name.is_none() { self.series.as_slice() } else { &[] };
        named
            .chain(all)
            .filter(move |(labels, _)| matchers.iter().all(|m| m.matches(labels)))
            .map(|(labels, series)| Labelled { labels, series })
    }
}
