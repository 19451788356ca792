//! Native histograms as a query sees them: counts are floats and absolute, as in Prometheus'
//! `model/histogram.FloatHistogram`.
//!
//! Buckets are numbered. With an exponential schema n from -4 to 8, bucket i of the positive side
//! holds what is above 2^((i-1)·2^-n) and at most 2^(i·2^-n); the negative side mirrors it, and
//! what is near zero has a bucket of its own. With the schema -53, bucket i ends at the i-th
//! custom value. Prometheus packs the numbers of the buckets into spans; here each bucket carries
//! its number, which says the same and is simpler to merge.

mod arithmetic;
mod bounds;
mod bucket;
mod cells;
mod custom;
mod display;
mod error;
mod fraction;
mod go_math;
mod quantile;
mod reset;
mod sum;
#[cfg(test)]
mod tests;
mod validate;

pub use bucket::{Bucket, BucketCount};
pub use display::TestExpression;
pub use error::HistogramError;
pub use fraction::Fraction;
pub use quantile::{NanObservations, Quantile};
pub use sum::{HistogramMean, HistogramSum, Reconciled};

use std::sync::Arc;

/// The schema of histograms whose buckets have custom bounds.
pub const CUSTOM_BUCKETS_SCHEMA: i32 = -53;
/// The exponential schema with the widest buckets: each is 16 powers of two wide.
pub const MIN_EXPONENTIAL_SCHEMA: i32 = -4;
/// The exponential schema with the narrowest buckets: 256 for each power of two.
pub const MAX_EXPONENTIAL_SCHEMA: i32 = 8;

/// What is known of a histogram's counts in relation to those before it in its series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CounterResetHint {
    /// Nothing: whoever needs it compares the counts.
    #[default]
    Unknown,
    /// The counts start anew here.
    CounterReset,
    /// The counts go on from the histogram before.
    NotCounterReset,
    /// The counts may rise and fall; there are no resets.
    Gauge,
}

/// A native histogram with float counts.
///
/// Values are made by [`FloatHistogram::default`] and by setting fields; [`validate`] says whether
/// the outcome makes sense. The arithmetic never panics on one that does not.
///
/// Equality is that of the data, as in Prometheus: counts and sums have the same bits (so NaN equals
/// itself), the same buckets exist, empty ones included, and hints do not count.
///
/// [`validate`]: FloatHistogram::validate
#[derive(Clone, Debug, Default)]
pub struct FloatHistogram {
    /// What is known about counter resets.
    pub counter_reset_hint: CounterResetHint,
    /// How the buckets are laid out: -4 to 8, or [`CUSTOM_BUCKETS_SCHEMA`].
    pub schema: i32,
    /// The zero bucket holds observations from minus this to this, both included. 0 with custom
    /// buckets.
    pub zero_threshold: f64,
    /// Observations in the zero bucket. 0 with custom buckets.
    pub zero_count: f64,
    /// All observations, those in no bucket (NaN) included.
    pub count: f64,
    /// The sum of all observations.
    pub sum: f64,
    /// The buckets of positive observations (with custom buckets: all), by rising number.
    pub positive: Vec<BucketCount>,
    /// The buckets of negative observations, by rising number, away from zero. None with custom
    /// buckets.
    pub negative: Vec<BucketCount>,
    /// The upper bounds of custom buckets, rising; the bucket behind the last bound ends at +Inf.
    /// Empty with an exponential schema. Shared by the histograms of a series.
    pub custom_values: Arc<[f64]>,
}

impl FloatHistogram {
    /// Whether the buckets have custom bounds.
    pub fn uses_custom_buckets(&self) -> bool {
        self.schema == CUSTOM_BUCKETS_SCHEMA
    }
}

impl PartialEq for FloatHistogram {
    fn eq(&self, other: &Self) -> bool {
        let numbers = |h: &Self| [h.count, h.sum, h.zero_count].map(f64::to_bits);
        self.schema == other.schema
            && numbers(self) == numbers(other)
            && self.zero_threshold == other.zero_threshold
            && (!self.uses_custom_buckets() || self.custom_values == other.custom_values)
            && same_buckets(&self.negative, &other.negative)
            && same_buckets(&self.positive, &other.positive)
    }
}

fn same_buckets(a: &[BucketCount], b: &[BucketCount]) -> bool {
    let bits = |bucket: &BucketCount| (bucket.index, bucket.count.to_bits());
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| bits(a) == bits(b))
}
