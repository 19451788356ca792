//! Quantiles of a histogram's observations.

use crate::model::histogram::{Bucket, FloatHistogram, go_math};

/// What observations of NaN do to a quantile. They are counted but in no bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NanObservations {
    /// The quantile lies among them, so it is NaN.
    Result,
    /// They count as the largest observations, so the quantile is higher than without them.
    Skew,
}

/// An estimated quantile.
#[derive(Clone, Copy, Debug)]
pub struct Quantile {
    /// The value.
    pub value: f64,
    /// Whether NaN among the observations has a say.
    pub nan: Option<NanObservations>,
}

impl From<f64> for Quantile {
    fn from(value: f64) -> Self {
        Self { value, nan: None }
    }
}

impl FloatHistogram {
    /// Estimates the value below which a share `q` of the observations lies. Within a bucket, the
    /// observations are taken to be spread evenly: on a logarithmic scale in exponential buckets,
    /// on a linear one in the zero bucket and in custom buckets. The zero bucket begins or ends at
    /// 0 where there are no buckets on that side.
    ///
    /// A `q` below 0 gives minus infinity, one above 1 infinity. Without observations, or with a
    /// `q` of NaN, the value is NaN.
    pub fn quantile(&self, q: f64) -> Quantile {
        if q < 0.0 {
            return f64::NEG_INFINITY.into();
        }
        if q > 1.0 {
            return f64::INFINITY.into();
        }
        if self.count == 0.0 || q.is_nan() {
            return f64::NAN.into();
        }
        // Counting from the nearer end is more exact, but NaN is above the buckets.
        if self.sum.is_nan() || q < 0.5 {
            let rank = q * self.count;
            let (bucket, below) = reach(self.all_buckets(), rank);
            self.at_rank(bucket, below, rank, |below, bucket| rank - (below - bucket.count))
        } else {
            let rank = (1.0 - q) * self.count;
            let (bucket, above) = reach(self.all_buckets().rev(), rank);
            self.at_rank(bucket, above, rank, |above, _| above - rank)
        }
    }

    /// The quantile in a bucket, where `count` is that of the buckets up to and with this one.
    /// `within` says how many of its observations are below the quantile.
    fn at_rank(
        &self,
        bucket: Option<Bucket>,
        count: f64,
        rank: f64,
        within: impl Fn(f64, &Bucket) -> f64,
    ) -> Quantile {
        let empty = self.zero_bucket();
        let mut bucket = bucket.unwrap_or(Bucket { lower: 0.0, upper: 0.0, count: 0.0, ..empty });
        if let Some(value) = self.natural_bounds(&mut bucket) {
            return value.into();
        }
        // Sums of counts are not exact.
        let count = if count > self.count { self.count } else { count };
        if count < rank {
            let nan = self.sum.is_nan().then_some(NanObservations::Result);
            return Quantile { value: if nan.is_some() { f64::NAN } else { bucket.upper }, nan };
        }
        let share = within(count, &bucket) / bucket.count;
        let nan =
            (self.sum.is_nan() && self.in_buckets() < self.count).then_some(NanObservations::Skew);
        Quantile { value: self.interpolated(&bucket, share), nan }
    }

    /// Puts a bound at 0 where nothing lies beyond. An infinite custom bucket has no place within;
    /// its finite bound is the answer.
    fn natural_bounds(&self, bucket: &mut Bucket) -> Option<f64> {
        if !self.uses_custom_buckets() {
            self.cut_zero_bucket(bucket);
        } else if bucket.lower == f64::NEG_INFINITY {
            if bucket.upper <= 0.0 {
                return Some(bucket.upper);
            }
            bucket.lower = 0.0;
        } else if bucket.upper == f64::INFINITY {
            return Some(bucket.lower);
        }
        None
    }

    /// Lets a bucket that spans zero begin or end there if there are no buckets on that side.
    fn cut_zero_bucket(&self, bucket: &mut Bucket) {
        if bucket.lower < 0.0 && bucket.upper > 0.0 {
            match (self.negative.is_empty(), self.positive.is_empty()) {
                (true, false) => bucket.lower = 0.0,
                (false, true) => bucket.upper = 0.0,
                _ => {}
            }
        }
    }

    /// The observations that are not NaN.
    pub(super) fn in_buckets(&self) -> f64 {
        self.all_buckets().map(|bucket| bucket.count).sum()
    }

    fn interpolated(&self, bucket: &Bucket, share: f64) -> f64 {
        let Bucket { lower, upper, .. } = *bucket;
        if self.uses_custom_buckets() || (lower <= 0.0 && upper >= 0.0) {
            return lower + (upper - lower) * share;
        }
        let log_lower = go_math::log2(lower.abs());
        let log_upper = go_math::log2(upper.abs());
        if lower > 0.0 {
            return go_math::exp2(log_lower + (log_upper - log_lower) * share);
        }
        -go_math::exp2(log_upper + (log_lower - log_upper) * (1.0 - share))
    }
}

/// The first bucket with which a number of observations is reached, or the last one, and the
/// observations up to there.
fn reach(buckets: impl Iterator<Item = Bucket>, rank: f64) -> (Option<Bucket>, f64) {
    let mut count = 0.0;
    let mut last = None;
    for bucket in buckets {
        last = Some(bucket);
        if bucket.count != 0.0 {
            count += bucket.count;
            if count >= rank {
                break;
            }
        }
    }
    (last, count)
}
