//! Arithmetic on histograms.

use crate::model::histogram::{
    BucketCount, CounterResetHint, FloatHistogram, HistogramError, HistogramSum, Reconciled,
};
use crate::model::kahan::KahanSum;

impl FloatHistogram {
    /// Multiplies all counts and the sum. Behind a negative factor it is a gauge.
    pub fn mul(&mut self, factor: f64) {
        self.map(|value| value * factor);
        if factor < 0.0 {
            self.counter_reset_hint = CounterResetHint::Gauge;
        }
    }

    /// Divides all counts and the sum. Behind a negative divisor it is a gauge; behind 0 the
    /// buckets are gone, since they would all be infinite or NaN.
    pub fn div(&mut self, divisor: f64) {
        if divisor == 0.0 {
            self.positive.clear();
            self.negative.clear();
        }
        self.map(|value| value / divisor);
        if divisor < 0.0 {
            self.counter_reset_hint = CounterResetHint::Gauge;
        }
    }

    fn map(&mut self, change: impl Fn(f64) -> f64) {
        let buckets = self.positive.iter_mut().chain(&mut self.negative);
        let whole = [&mut self.zero_count, &mut self.count, &mut self.sum];
        buckets.map(|b| &mut b.count).chain(whole).for_each(|value| *value = change(*value));
    }

    /// Adds a histogram, without compensation for rounding. What both have not in common is
    /// reconciled as for [`HistogramSum::add`]. The outcome may have empty buckets.
    ///
    /// # Errors
    /// As for [`HistogramSum::add`]; then it stays as it is.
    pub fn add(&mut self, other: &Self) -> Result<Reconciled, HistogramError> {
        self.add_signed(other, 1.0)
    }

    /// Subtracts a histogram, as [`FloatHistogram::add`] adds one. The hint is set as there; the
    /// outcome of PromQL's `-` is a gauge, for which the caller cares.
    ///
    /// # Errors
    /// As for [`HistogramSum::add`]; then it stays as it is.
    pub fn sub(&mut self, other: &Self) -> Result<Reconciled, HistogramError> {
        self.add_signed(other, -1.0)
    }

    fn add_signed(&mut self, other: &Self, sign: f64) -> Result<Reconciled, HistogramError> {
        let mut sum = HistogramSum::of(self);
        let reconciled = sum.add_signed(other, sign)?;
        *self = sum.uncompensated();
        Ok(reconciled)
    }

    /// Removes the empty buckets.
    pub fn compact(&mut self) {
        for side in [&mut self.positive, &mut self.negative] {
            side.retain(|bucket| bucket.count != 0.0);
        }
    }

    /// The mean of the observations; NaN where there are none.
    pub fn avg(&self) -> f64 {
        self.sum / self.count
    }

    /// The estimated variance of the observations: those of an exponential bucket are taken to be
    /// at its geometric mean, those of the zero bucket at 0, those of a custom bucket at its
    /// middle.
    pub fn stdvar(&self) -> f64 {
        let mean = self.avg();
        let mut squares = KahanSum::default();
        for bucket in self.all_buckets().filter(|bucket| bucket.count != 0.0) {
            let place = if self.uses_custom_buckets() {
                (bucket.upper + bucket.lower) / 2.0
            } else if bucket.lower <= 0.0 && bucket.upper >= 0.0 {
                0.0
            } else {
                (bucket.upper * bucket.lower).sqrt().copysign(bucket.upper)
            };
            let distance = place - mean;
            squares.add(bucket.count * distance * distance);
        }
        squares.total() / self.count
    }

    /// The estimated standard deviation of the observations, see [`FloatHistogram::stdvar`].
    pub fn stddev(&self) -> f64 {
        self.stdvar().sqrt()
    }
}

impl BucketCount {
    /// A side's buckets from the number of the first one and the counts that follow one another.
    pub fn consecutive(first: i32, counts: impl IntoIterator<Item = f64>) -> Vec<Self> {
        let indexes = (0..).map(|i| first.saturating_add(i));
        counts.into_iter().zip(indexes).map(|(count, index)| Self { index, count }).collect()
    }
}
