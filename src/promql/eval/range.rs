//! Ranges: the samples behind a start and up to an end, of stored series or of a subquery.

use std::borrow::Cow;
use std::sync::Arc;

use crate::diag::Span;
use crate::model::LabelSet;
use crate::model::histogram::CounterResetHint;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::options::millis;
use crate::promql::eval::statistics::with_reset;
use crate::promql::eval::times::Times;
use crate::promql::eval::value::{Evaluated, Series};
use crate::promql::eval::{EvalError, MatrixSeries};
use crate::promql::series::{FloatPoint, HistogramPoint, StoredSeries, is_stale};
use crate::promql::{Expr, ExprKind, MatrixSelector, Subquery};

/// The samples of one series in a range, markers of an end left out.
#[derive(Clone, Copy, Debug)]
pub(in crate::promql) struct Window<'w> {
    pub floats: &'w [FloatPoint],
    pub histograms: &'w [HistogramPoint],
    /// When counting began, for each float; empty where that is unknown or not to be looked at.
    pub float_starts: &'w [i64],
    /// The same for each histogram.
    pub histogram_starts: &'w [i64],
    /// The range begins behind this, in milliseconds.
    pub start: i64,
    /// And ends with this.
    pub end: i64,
}

/// The samples of one series from which ranges are cut.
pub(super) struct RangeSeries<'s> {
    pub labels: LabelSet,
    pub drop_name: bool,
    floats: Cow<'s, [FloatPoint]>,
    histograms: Cow<'s, [HistogramPoint]>,
    float_starts: Cow<'s, [i64]>,
    histogram_starts: &'s [i64],
}

/// A range selector or a subquery with its samples.
pub(super) struct Ranges<'s> {
    pub series: Vec<RangeSeries<'s>>,
    /// How long the range is, in milliseconds.
    pub range: i64,
    offset: i64,
    at: Option<i64>,
}

impl Ranges<'_> {
    /// Start and end of the range at a time of the evaluation.
    pub fn bounds(&self, at: i64) -> (i64, i64) {
        let end = self.at.unwrap_or(at).saturating_sub(self.offset);
        (end.saturating_sub(self.range), end)
    }
}

/// The places of a range in a list of points; it moves forward only.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    from: usize,
    to: usize,
    started: bool,
}

impl Places {
    fn advance<P>(&mut self, points: &[P], at: impl Fn(&P) -> i64, start: i64, end: i64) {
        if self.started {
            let later = points.iter().skip(self.to);
            self.to += later.take_while(|p| at(p) <= end).count();
            let first = points.iter().take(self.to).skip(self.from);
            self.from += first.take_while(|p| at(p) <= start).count();
        } else {
            self.started = true;
            self.to = points.partition_point(|p| at(p) <= end);
            self.from = points.partition_point(|p| at(p) <= start).min(self.to);
        }
    }

    fn of<P>(self, points: &[P]) -> &[P] {
        points.get(self.from..self.to).unwrap_or_default()
    }
}

/// Cuts the ranges of one series, for times that rise.
pub(super) struct Cutter<'s> {
    series: &'s RangeSeries<'s>,
    floats: Places,
    histograms: Places,
}

impl<'s> Cutter<'s> {
    pub fn new(series: &'s RangeSeries<'s>) -> Self {
        Self { series, floats: Places::default(), histograms: Places::default() }
    }

    pub fn cut(&mut self, (start, end): (i64, i64)) -> Window<'s> {
        let series = self.series;
        self.floats.advance(&series.floats, |p| p.at, start, end);
        if !series.histograms.is_empty() {
            self.histograms.advance(&series.histograms, |p| p.at, start, end);
        }
        Window {
            floats: self.floats.of(&series.floats),
            histograms: self.histograms.of(&series.histograms),
            float_starts: self.floats.of(&series.float_starts),
            histogram_starts: self.histograms.of(series.histogram_starts),
            start,
            end,
        }
    }
}

impl<'a> Evaluator<'a> {
    /// The samples of a range selector or a subquery for all of the times.
    pub(super) fn ranges(&mut self, expr: &Expr, times: Times) -> Result<Ranges<'a>, EvalError> {
        match &expr.without_parens().kind {
            ExprKind::MatrixSelector(matrix) => {
                let place = expr.without_parens().span;
                Ok(self.stored_ranges(matrix, place, times))
            }
            ExprKind::Subquery(subquery) => self.subquery_ranges(subquery, times, expr.span),
            _ => Err(EvalError::unexpected(expr.span)),
        }
    }

    fn stored_ranges(&self, matrix: &MatrixSelector, place: Span, times: Times) -> Ranges<'a> {
        let mut ranges = Ranges {
            series: Vec::new(),
            range: millis(matrix.range),
            offset: matrix.selector.offset_ms,
            at: self.fixed_time(matrix.selector.at),
        };
        let (from, _) = ranges.bounds(times.start);
        let (_, to) = ranges.bounds(times.end);
        let with_starts = self.options.start_timestamps;
        let store = self.store;
        let found = store.select_by(
            matrix.selector.metric_name(),
            matrix.selector.matchers.iter().map(|m| &m.matcher).collect(),
        );
        let statistics = self.wants_statistics(place);
        let found = found.map(|found| {
            let mut one = of_stored(found.labels, found.series, from, to, with_starts);
            let resets = found.series.histogram_resets();
            if statistics && !resets.is_empty() {
                let histograms = one.histograms.to_mut();
                for index in resets {
                    if let Some(point) = histograms.get_mut(*index) {
                        point.histogram = with_reset(&point.histogram);
                    }
                }
            }
            one
        });
        ranges.series = found.collect();
        ranges
    }

    fn subquery_ranges(
        &mut self,
        subquery: &Subquery,
        times: Times,
        span: Span,
    ) -> Result<Ranges<'a>, EvalError> {
        let (range, offset) = (millis(subquery.range), subquery.offset_ms);
        let at = self.fixed_time(subquery.at);
        let seen = at.map_or(times, Times::instant);
        let inner = seen.of_subquery(range, offset, self.subquery_step(subquery.step));
        let series = match self.eval(&subquery.expr, inner)? {
            Evaluated::Vector(series) => series,
            _ => return Err(EvalError::unexpected(span)),
        };
        let series = series.into_iter().map(of_evaluated).collect();
        Ok(Ranges { series, range, offset, at })
    }

    /// The samples of a range selector or subquery at one time.
    pub(super) fn matrix(&mut self, expr: &Expr, at: i64) -> Result<Vec<MatrixSeries>, EvalError> {
        let ranges = self.ranges(expr, Times::instant(at))?;
        let (mut found, mut weight) = (Vec::new(), 0usize);
        for series in &ranges.series {
            let window = Cutter::new(series).cut(ranges.bounds(at));
            if window.floats.is_empty() && window.histograms.is_empty() {
                continue;
            }
            weight += window.floats.len() + window.histograms.len();
            self.limits.fit(weight, expr.span)?;
            found.push(MatrixSeries {
                labels: match series.drop_name {
                    true => crate::promql::eval::names::without_name(&series.labels),
                    false => series.labels.clone(),
                },
                floats: window.floats.to_vec(),
                histograms: window.histograms.to_vec(),
            });
        }
        Ok(found)
    }
}

/// The samples of a stored series behind `from` and up to `to`. They are copied only where markers
/// of an end have to be left out.
fn of_stored<'s>(
    labels: &LabelSet,
    series: &'s StoredSeries,
    from: i64,
    to: i64,
    with_starts: bool,
) -> RangeSeries<'s> {
    let starts = |starts: &'s [i64]| if with_starts { starts } else { &[] };
    let (floats, float_starts) = (series.floats(), starts(series.float_starts()));
    let (floats, float_starts) = if series.has_ends() {
        let first = floats.partition_point(|p| p.at <= from);
        let last = floats.partition_point(|p| p.at <= to).max(first);
        let kept = (first..last).filter(|i| floats.get(*i).is_some_and(|p| !is_stale(p.value)));
        let points = kept.clone().filter_map(|i| floats.get(i).copied()).collect();
        (Cow::Owned(points), kept.filter_map(|i| float_starts.get(i).copied()).collect())
    } else {
        (Cow::Borrowed(floats), Cow::Borrowed(float_starts))
    };
    RangeSeries {
        labels: labels.clone(),
        drop_name: false,
        floats,
        histograms: Cow::Borrowed(series.histograms()),
        float_starts,
        histogram_starts: starts(series.histogram_starts()),
    }
}

/// The outcome of a subquery. Hints of its histograms are about neighbours that it may not have,
/// or have twice: they are forgotten, so that the counts are compared.
fn of_evaluated(one: Series) -> RangeSeries<'static> {
    let mut histograms = one.histograms;
    for point in &mut histograms {
        let hint = point.histogram.counter_reset_hint;
        if matches!(hint, CounterResetHint::CounterReset | CounterResetHint::NotCounterReset) {
            Arc::make_mut(&mut point.histogram).counter_reset_hint = CounterResetHint::Unknown;
        }
    }
    RangeSeries {
        labels: one.labels,
        drop_name: one.drop_name,
        floats: Cow::Owned(one.floats.into_vec()),
        histograms: Cow::Owned(histograms),
        float_starts: Cow::Owned(Vec::new()),
        histogram_starts: &[],
    }
}
