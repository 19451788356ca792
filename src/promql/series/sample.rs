//! The values that a series holds.

use std::sync::Arc;

use crate::model::histogram::FloatHistogram;

/// The bits of the float that says that a series has ended (`StaleNaN` in Prometheus'
/// `model/value`). It differs from the NaN that arithmetic makes.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// The float that says that a series has ended.
pub fn stale_marker() -> f64 {
    f64::from_bits(STALE_BITS)
}

/// Whether a float is the marker of an end.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

/// The value of a sample.
#[derive(Clone, Debug)]
pub enum SampleValue {
    /// A number. It may be the marker of an end while it is stored; no evaluation returns that.
    Float(f64),
    /// A native histogram.
    Histogram(Arc<FloatHistogram>),
}

impl SampleValue {
    /// The number, unless it is a histogram.
    pub fn float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Histogram(_) => None,
        }
    }

    /// The histogram, unless it is a number.
    pub fn histogram(&self) -> Option<&Arc<FloatHistogram>> {
        match self {
            Self::Float(_) => None,
            Self::Histogram(histogram) => Some(histogram),
        }
    }
}

/// How many numbers a histogram counts for: one for each bucket, and some for the rest of it.
pub(in crate::promql) fn weight(histogram: &FloatHistogram) -> usize {
    8 + histogram.positive.len() + histogram.negative.len()
}

/// A number at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FloatPoint {
    /// Milliseconds since 1970.
    pub at: i64,
    /// The number.
    pub value: f64,
}

/// A histogram at a time.
#[derive(Clone, Debug)]
pub struct HistogramPoint {
    /// Milliseconds since 1970.
    pub at: i64,
    /// The histogram.
    pub histogram: Arc<FloatHistogram>,
}
