//! Buckets, and the ways to walk over them.

use crate::model::histogram::{FloatHistogram, bounds};

/// How many observations a numbered bucket holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BucketCount {
    /// The bucket's number in its schema.
    pub index: i32,
    /// Its observations, not cumulative.
    pub count: f64,
}

/// A bucket with its bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// The lower bound.
    pub lower: f64,
    /// The upper bound.
    pub upper: f64,
    /// Whether an observation at the lower bound belongs to this bucket.
    pub lower_inclusive: bool,
    /// Whether an observation at the upper bound belongs to this bucket.
    pub upper_inclusive: bool,
    /// Its observations, not cumulative.
    pub count: f64,
}

impl FloatHistogram {
    /// The zero bucket, also where it is empty.
    pub fn zero_bucket(&self) -> Bucket {
        Bucket {
            lower: -self.zero_threshold,
            upper: self.zero_threshold,
            lower_inclusive: true,
            upper_inclusive: true,
            count: self.zero_count,
        }
    }

    /// The positive buckets, empty ones included, upwards.
    pub fn positive_buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> {
        self.positive.iter().map(|bucket| {
            let upper = |index| bounds::upper(index, self.schema, &self.custom_values);
            let lower = upper(bucket.index.saturating_sub(1));
            let upper = upper(bucket.index);
            let custom = self.uses_custom_buckets();
            Bucket {
                lower,
                upper,
                lower_inclusive: if custom { bucket.index == 0 } else { lower < 0.0 },
                upper_inclusive: custom || upper > 0.0,
                count: bucket.count,
            }
        })
    }

    /// The negative buckets, empty ones included, away from zero.
    pub fn negative_buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> {
        self.negative.iter().map(|bucket| {
            let lower = -bounds::exponential(bucket.index, self.schema);
            let upper = -bounds::exponential(bucket.index.saturating_sub(1), self.schema);
            Bucket {
                lower,
                upper,
                lower_inclusive: lower < 0.0,
                upper_inclusive: upper > 0.0,
                count: bucket.count,
            }
        })
    }

    /// All buckets upwards: the negative ones, the zero bucket where it holds something, the
    /// positive ones. A bucket that the zero bucket overlaps begins where that ends.
    pub fn all_buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> {
        let zero = (self.zero_count > 0.0).then(|| self.zero_bucket());
        let threshold = self.zero_threshold;
        let negative = self.negative_buckets().rev().map(move |mut bucket| {
            if bucket.upper < 0.0 && bucket.upper > -threshold {
                bucket.upper = -threshold;
            }
            bucket
        });
        let positive = self.positive_buckets().map(move |mut bucket| {
            if bucket.lower > 0.0 && bucket.lower < threshold {
                bucket.lower = threshold;
            }
            bucket
        });
        negative.chain(zero).chain(positive)
    }
}
