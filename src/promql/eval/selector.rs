//! Instant vectors: for each time the last sample of a series, unless it is too old or marks an end.

use crate::diag::Span;
use crate::promql::VectorSelector;
use crate::promql::eval::EvalError;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::statistics::with_reset;
use crate::promql::eval::times::Times;
use crate::promql::eval::value::Series;
use crate::promql::series::{FloatPoint, HistogramPoint, Labelled, StoredSeries, is_stale};

/// What is taken of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    /// Its value.
    Value,
    /// Its time in seconds.
    Timestamp,
    /// The time at which its counting began, in seconds; 0 where that is unknown.
    Start,
    /// Its time in milliseconds; histograms are left out. For series whose value means nothing.
    InfoTime,
}

/// The last sample at a time, by its place among the series' samples.
enum Last {
    Float(usize),
    Histogram(usize),
}

/// Walks forward through the samples of a series.
struct Cursor<'s> {
    series: &'s StoredSeries,
    lookback: i64,
    /// How many floats and histograms lie at or before the present time.
    floats: usize,
    histograms: usize,
    started: bool,
}

impl<'s> Cursor<'s> {
    fn new(series: &'s StoredSeries, lookback: i64) -> Self {
        Self { series, lookback, floats: 0, histograms: 0, started: false }
    }

    /// The sample that holds at a time that is not before the one asked last.
    fn at(&mut self, time: i64) -> Option<Last> {
        let (floats, histograms) = (self.series.floats(), self.series.histograms());
        if self.started {
            self.floats += floats.iter().skip(self.floats).take_while(|p| p.at <= time).count();
            let later = histograms.iter().skip(self.histograms);
            self.histograms += later.take_while(|p| p.at <= time).count();
        } else {
            self.started = true;
            self.floats = floats.partition_point(|p| p.at <= time);
            self.histograms = histograms.partition_point(|p| p.at <= time);
        }
        let oldest = time.saturating_sub(self.lookback);
        let float = self.floats.checked_sub(1).and_then(|i| Some((i, floats.get(i)?)));
        let float = float.filter(|(_, point)| point.at > oldest);
        let histogram = self.histograms.checked_sub(1).and_then(|i| Some((i, histograms.get(i)?)));
        let histogram = histogram.filter(|(_, point)| point.at > oldest);
        match (float, histogram) {
            (Some((_, f)), Some((index, h))) if h.at > f.at => Some(Last::Histogram(index)),
            (Some((index, f)), _) => (!is_stale(f.value)).then_some(Last::Float(index)),
            (None, Some((index, _))) => Some(Last::Histogram(index)),
            (None, None) => None,
        }
    }
}

impl Evaluator<'_> {
    /// What a selector picks at all of the times.
    pub(super) fn pick(
        &mut self,
        selector: &VectorSelector,
        times: Times,
        what: Pick,
        span: Span,
    ) -> Result<Vec<Series>, EvalError> {
        let fixed = self.fixed_time(selector.at);
        let time = |at: i64| fixed.unwrap_or(at).saturating_sub(selector.offset_ms);
        let found = self.store.select(selector);
        self.pick_from(found, times, time, what, span)
    }

    /// What the given series have at the times that `time` makes of each.
    pub(super) fn pick_from<'s>(
        &self,
        found: impl Iterator<Item = Labelled<'s>>,
        times: Times,
        time: impl Fn(i64) -> i64,
        what: Pick,
        span: Span,
    ) -> Result<Vec<Series>, EvalError> {
        let mut picked = Vec::new();
        let mut weight = 0usize;
        let statistics = self.wants_statistics(span);
        for Labelled { labels, series } in found {
            let mut cursor = Cursor::new(series, self.lookback);
            let mut one: Option<Series> = None;
            for at in times.iter() {
                let Some(last) = cursor.at(time(at)) else { continue };
                let into = one.get_or_insert_with(|| Series::new(labels.clone(), false));
                add(into, series, &last, at, what, statistics);
            }
            if let Some(one) = one.filter(|one| !one.is_empty()) {
                weight = weight.saturating_add(one.weight());
                self.limits.fit(weight, span)?;
                picked.push(one);
            }
        }
        Ok(picked)
    }
}

fn add(
    into: &mut Series,
    series: &StoredSeries,
    last: &Last,
    at: i64,
    what: Pick,
    statistics: bool,
) {
    let number = |value: f64| FloatPoint { at, value };
    let (time, start, value) = match *last {
        Last::Float(index) => match series.floats().get(index) {
            Some(point) => (point.at, series.float_starts().get(index), Ok(point.value)),
            None => return,
        },
        Last::Histogram(index) => match series.histograms().get(index) {
            Some(point) => (point.at, series.histogram_starts().get(index), Err(&point.histogram)),
            None => return,
        },
    };
    match (what, value) {
        (Pick::Value, Ok(value)) => into.floats.push(number(value)),
        (Pick::Value, Err(histogram)) if statistics && is_reset(series, last) => {
            let histogram = with_reset(histogram);
            into.histograms.push(HistogramPoint { at, histogram });
        }
        (Pick::Value, Err(histogram)) => {
            into.histograms.push(HistogramPoint { at, histogram: histogram.clone() });
        }
        (Pick::Timestamp, _) => into.floats.push(number(time as f64 / 1000.0)),
        (Pick::Start, _) => {
            into.floats.push(number(start.map_or(0.0, |start| *start as f64 / 1000.0)));
        }
        (Pick::InfoTime, Ok(_)) => into.floats.push(number(time as f64)),
        (Pick::InfoTime, Err(_)) => {}
    }
}

/// Whether the counter was reset before a sample.
fn is_reset(series: &StoredSeries, last: &Last) -> bool {
    match last {
        Last::Float(_) => false,
        Last::Histogram(index) => series.histogram_resets().binary_search(index).is_ok(),
    }
}
