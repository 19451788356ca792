//! Why a histogram makes no sense, or two do not go together.

/// Why a histogram, or an operation on two, is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum HistogramError {
    /// The schema does not exist.
    #[error("there is no schema {0}: use -4 to 8, or -53 for custom buckets")]
    UnknownSchema(i32),
    /// Two histograms of which only one has custom buckets cannot be added or subtracted.
    #[error("one histogram has custom buckets, the other exponential ones")]
    IncompatibleSchemas,
    /// A count is negative.
    #[error("{what}: {count} observations, but there are at least 0")]
    NegativeCount {
        /// Which count: `positive`, `negative`, `zero count` or `count`.
        what: &'static str,
        /// Its value.
        count: f64,
    },
    /// The numbers of a side's buckets do not rise.
    #[error("the numbers of the {0} buckets do not rise")]
    Disorder(&'static str),
    /// Custom buckets come with what only exponential ones have.
    #[error("a histogram with custom buckets has no {0}")]
    NotCustom(&'static str),
    /// Custom values come with an exponential schema.
    #[error("custom values need the schema -53, this is schema {0}")]
    NotExponential(i32),
    /// The bounds of custom buckets do not rise.
    #[error("custom values must rise, but {1} follows {0}")]
    FallingBounds(f64, f64),
    /// A bound of custom buckets is NaN, or +Inf, which is the last bucket's bound anyway.
    #[error("a custom value is {0}; leave it out, the last bucket ends at +Inf anyway")]
    InfiniteBound(f64),
    /// A custom bucket lies behind the one that ends at +Inf.
    #[error("{bounds} custom values make no bucket with the number {index}")]
    NoSuchBucket {
        /// How many custom values there are.
        bounds: usize,
        /// The number of the bucket.
        index: i32,
    },
}
