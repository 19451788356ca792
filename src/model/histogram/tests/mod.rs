//! Expected values are worked out by hand from the definitions, or are those of Prometheus'
//! documentation of native histograms.

mod arithmetic;
mod estimates;
mod layout;
mod properties;
mod resets;

use crate::model::histogram::{BucketCount, CUSTOM_BUCKETS_SCHEMA, FloatHistogram};

/// A histogram with an exponential schema and consecutive positive buckets.
fn exponential(schema: i32, first: i32, counts: &[f64]) -> FloatHistogram {
    FloatHistogram {
        schema,
        count: counts.iter().sum(),
        positive: side(first, counts),
        ..FloatHistogram::default()
    }
}

/// A histogram with custom buckets.
fn custom(bounds: &[f64], counts: &[f64]) -> FloatHistogram {
    FloatHistogram {
        schema: CUSTOM_BUCKETS_SCHEMA,
        count: counts.iter().sum(),
        positive: side(0, counts),
        custom_values: bounds.into(),
        ..FloatHistogram::default()
    }
}

fn side(first: i32, counts: &[f64]) -> Vec<BucketCount> {
    BucketCount::consecutive(first, counts.iter().copied())
}
