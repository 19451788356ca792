//! Sums and means of histograms with compensation for what rounding cuts off.

use std::sync::Arc;

use crate::model::histogram::cells::{Cell, beyond, cells, merged, reduced, widened};
use crate::model::histogram::{
    BucketCount, CounterResetHint, FloatHistogram, HistogramError, bounds, custom,
};
use crate::model::kahan::KahanSum;

/// What two histograms did not have in common when they were added or subtracted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// One said that its counter was reset, the other that it was not; the outcome says nothing.
    pub counter_reset_collision: bool,
    /// The custom bounds differed; the outcome has those that both had.
    pub custom_bounds_reconciled: bool,
}

/// A sum of histograms that loses no small counts beside large ones, as Prometheus' `KahanAdd`.
#[derive(Clone, Debug)]
pub struct HistogramSum {
    hint: CounterResetHint,
    schema: i32,
    zero_threshold: f64,
    zero_count: KahanSum,
    count: KahanSum,
    sum: KahanSum,
    positive: Vec<Cell>,
    negative: Vec<Cell>,
    custom_values: Arc<[f64]>,
}

impl HistogramSum {
    /// A sum of one histogram.
    pub fn of(first: &FloatHistogram) -> Self {
        Self {
            hint: first.counter_reset_hint,
            schema: first.schema,
            zero_threshold: first.zero_threshold,
            zero_count: KahanSum::of(first.zero_count),
            count: KahanSum::of(first.count),
            sum: KahanSum::of(first.sum),
            positive: cells(&first.positive),
            negative: cells(&first.negative),
            custom_values: Arc::clone(&first.custom_values),
        }
    }

    /// Adds a histogram. The outcome has the lower of both resolutions, a zero bucket that covers
    /// both and cuts no bucket, and of custom bounds those that both have.
    ///
    /// # Errors
    /// [`HistogramError::IncompatibleSchemas`] where only one of both has custom buckets. The sum
    /// stays as it is.
    pub fn add(&mut self, other: &FloatHistogram) -> Result<Reconciled, HistogramError> {
        self.add_signed(other, 1.0)
    }

    /// Adds a histogram times 1 or -1.
    pub(super) fn add_signed(
        &mut self,
        other: &FloatHistogram,
        sign: f64,
    ) -> Result<Reconciled, HistogramError> {
        if self.uses_custom_buckets() != other.uses_custom_buckets() {
            return Err(HistogramError::IncompatibleSchemas);
        }
        let counter_reset_collision = self.adjust_hint(other.counter_reset_hint);
        self.count.add(sign * other.count);
        self.sum.add(sign * other.sum);
        let custom_bounds_reconciled = if self.uses_custom_buckets() {
            self.add_custom(other, sign)
        } else {
            self.add_exponential(other, sign);
            false
        };
        Ok(Reconciled { counter_reset_collision, custom_bounds_reconciled })
    }

    fn uses_custom_buckets(&self) -> bool {
        self.schema == super::CUSTOM_BUCKETS_SCHEMA
    }

    /// Takes up the hint of a histogram that is added. Says whether the hints contradict.
    fn adjust_hint(&mut self, other: CounterResetHint) -> bool {
        use CounterResetHint::{CounterReset, Gauge, NotCounterReset, Unknown};
        let collision = matches!(
            (self.hint, other),
            (CounterReset, NotCounterReset) | (NotCounterReset, CounterReset)
        );
        self.hint = match (self.hint, other) {
            (Gauge, _) | (_, Gauge) => Gauge,
            (own, other) if own == other => own,
            _ => Unknown,
        };
        collision
    }

    fn add_exponential(&mut self, other: &FloatHistogram, sign: f64) {
        let zero_count = self.reconcile_zero_buckets(other);
        self.zero_count.add(sign * zero_count.sum);
        self.zero_count.add(sign * zero_count.compensation);
        let schema = self.schema.min(other.schema);
        for (own, others) in
            [(&mut self.positive, &other.positive), (&mut self.negative, &other.negative)]
        {
            let mut cells_of_own = std::mem::take(own);
            let mut others = beyond(others, other.schema, self.zero_threshold);
            if schema < self.schema {
                cells_of_own = reduced(cells_of_own, self.schema, schema);
            }
            if schema < other.schema {
                others = reduced(others, other.schema, schema);
            }
            let signed = |cell: Cell| Cell { count: cell.count.scaled(sign), ..cell };
            *own = merged(cells_of_own, others.into_iter().map(signed));
        }
        self.schema = schema;
    }

    /// Raises the zero threshold so that it covers both zero buckets and cuts no bucket of either.
    /// The answer is what the other's zero bucket holds then.
    fn reconcile_zero_buckets(&mut self, other: &FloatHistogram) -> KahanSum {
        let mut other_count = KahanSum::of(other.zero_count);
        let mut other_threshold = other.zero_threshold;
        loop {
            if self.zero_threshold > other_threshold {
                (other_count, other_threshold) = widened(
                    KahanSum::of(other.zero_count),
                    (&other.positive, &other.negative),
                    other.schema,
                    self.zero_threshold,
                );
            }
            if other_threshold > self.zero_threshold {
                self.widen(other_threshold);
            } else {
                return other_count;
            }
        }
    }

    fn widen(&mut self, threshold: f64) {
        let sides = (&*self.positive, &*self.negative);
        (self.zero_count, self.zero_threshold) =
            widened(self.zero_count, sides, self.schema, threshold);
        let (schema, threshold) = (self.schema, self.zero_threshold);
        let begin = |cell: &Cell| bounds::exponential(cell.index.saturating_sub(1), schema);
        for side in [&mut self.positive, &mut self.negative] {
            side.retain(|cell| begin(cell) >= threshold && !cell.is_empty());
        }
    }

    /// Says whether the bounds differed.
    fn add_custom(&mut self, other: &FloatHistogram, sign: f64) -> bool {
        let others = cells(&other.positive)
            .into_iter()
            .map(|cell| Cell { count: cell.count.scaled(sign), ..cell });
        let own = std::mem::take(&mut self.positive);
        if self.custom_values == other.custom_values {
            self.positive = merged(own, others);
            return false;
        }
        let common = custom::common_bounds(&self.custom_values, &other.custom_values);
        let own = custom::mapped(own, &self.custom_values, &common);
        let others = custom::mapped(others, &other.custom_values, &common);
        self.positive = merged(own, others);
        self.positive.retain(|cell| !cell.is_empty());
        self.custom_values = common.into();
        true
    }

    /// The sum. It may have empty buckets.
    pub fn total(&self) -> FloatHistogram {
        self.histogram(KahanSum::total)
    }

    /// The sum as plain addition has it.
    pub(super) fn uncompensated(&self) -> FloatHistogram {
        self.histogram(|sum| sum.sum)
    }

    fn histogram(&self, value: fn(KahanSum) -> f64) -> FloatHistogram {
        let side = |cells: &[Cell]| {
            let buckets = cells.iter();
            buckets.map(|c| BucketCount { index: c.index, count: value(c.count) }).collect()
        };
        FloatHistogram {
            counter_reset_hint: self.hint,
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: value(self.zero_count),
            count: value(self.count),
            sum: value(self.sum),
            positive: side(&self.positive),
            negative: side(&self.negative),
            custom_values: Arc::clone(&self.custom_values),
        }
    }

    fn map(&mut self, change: impl Fn(KahanSum) -> KahanSum) {
        let cells = self.positive.iter_mut().chain(&mut self.negative).map(|cell| &mut cell.count);
        let whole = [&mut self.zero_count, &mut self.count, &mut self.sum];
        cells.chain(whole).for_each(|count| *count = change(*count));
    }

    fn overflows(&self) -> bool {
        let cells = self.positive.iter().chain(&self.negative).map(|cell| cell.count);
        cells.chain([self.zero_count, self.count, self.sum]).any(|count| count.sum.is_infinite())
    }
}

/// A mean of histograms: the sum through their number, and from where the sum would overflow on,
/// the mean of those before corrected by each further one.
#[derive(Clone, Debug)]
pub struct HistogramMean {
    /// The sum, or the mean once `incremental` is set.
    state: HistogramSum,
    count: f64,
    incremental: bool,
}

impl HistogramMean {
    /// The mean of one histogram.
    pub fn of(first: &FloatHistogram) -> Self {
        Self { state: HistogramSum::of(first), count: 1.0, incremental: false }
    }

    /// Takes in a histogram.
    ///
    /// # Errors
    /// As for [`HistogramSum::add`].
    pub fn add(&mut self, other: &FloatHistogram) -> Result<Reconciled, HistogramError> {
        let count = self.count + 1.0;
        let mut next = self.state.clone();
        if !self.incremental {
            let reconciled = next.add(other)?;
            if !next.overflows() {
                (self.state, self.count) = (next, count);
                return Ok(reconciled);
            }
            next = self.state.clone();
            next.map(|sum| sum.divided(self.count));
        }
        let share = self.count / count;
        next.map(|mean| mean.scaled(share));
        let mut other = other.clone();
        other.div(count);
        let reconciled = next.add(&other)?;
        (self.state, self.count, self.incremental) = (next, count, true);
        Ok(reconciled)
    }

    /// The mean. It may have empty buckets.
    pub fn value(&self) -> FloatHistogram {
        let mut mean = self.state.clone();
        if !self.incremental {
            mean.map(|sum| sum.divided(self.count));
        }
        mean.total()
    }
}
