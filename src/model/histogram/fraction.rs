//! Shares of a histogram's observations.

use crate::model::histogram::{Bucket, FloatHistogram, go_math};

/// An estimated share of observations.
#[derive(Clone, Copy, Debug)]
pub struct Fraction {
    /// The value, from 0 to 1.
    pub value: f64,
    /// Whether some observations are NaN, which is in no range.
    pub nan_observations: bool,
}

impl FloatHistogram {
    /// Estimates the share of the observations from `lower` to `upper`, as the reverse of
    /// [`FloatHistogram::quantile`]. NaN without observations or with a bound of NaN; 0 where the
    /// bounds leave nothing between them.
    pub fn fraction(&self, lower: f64, upper: f64) -> Fraction {
        let plain = |value| Fraction { value, nan_observations: false };
        if self.count == 0.0 || lower.is_nan() || upper.is_nan() {
            return plain(f64::NAN);
        }
        if lower >= upper {
            return plain(0.0);
        }
        let mut count = self.count;
        let mut nan_observations = false;
        if self.sum.is_nan() {
            count = self.in_buckets();
            nan_observations = count < self.count;
        }
        let [lower, upper] = [lower, upper].map(|bound| {
            let below = self.count_below(bound).unwrap_or(count);
            if below > count { count } else { below }
        });
        Fraction { value: (upper - lower) / self.count, nan_observations }
    }

    /// How many observations lie below a bound; `None` where it is beyond all buckets.
    fn count_below(&self, bound: f64) -> Option<f64> {
        let mut rank = 0.0;
        for mut bucket in self.all_buckets() {
            let spans_zero = bucket.lower <= 0.0 && bucket.upper >= 0.0;
            if spans_zero {
                match (self.negative.is_empty(), self.positive.is_empty()) {
                    (true, false) => bucket.lower = 0.0,
                    (false, true) => bucket.upper = 0.0,
                    _ => {}
                }
            }
            if bucket.lower >= bound {
                return Some(rank);
            }
            if bucket.upper > bound {
                let linear = self.uses_custom_buckets() || spans_zero;
                return Some(within(&bucket, rank, bound, linear));
            }
            rank += bucket.count;
        }
        None
    }
}

/// The rank of a bound within a bucket.
fn within(bucket: &Bucket, rank: f64, bound: f64, linear: bool) -> f64 {
    let Bucket { lower, upper, count, .. } = *bucket;
    if linear {
        // Nothing can be said of the place in an infinite bucket: up to +Inf, none of the
        // observations is below the bound, from -Inf on all are.
        if lower == f64::NEG_INFINITY {
            return count;
        }
        return rank + count * (bound - lower) / (upper - lower);
    }
    let [log_lower, log_upper, log_bound] =
        [lower, upper, bound].map(|value| go_math::log2(value.abs()));
    let share = if bound > 0.0 {
        (log_bound - log_lower) / (log_upper - log_lower)
    } else {
        1.0 - (log_bound - log_upper) / (log_lower - log_upper)
    };
    rank + count * share
}
