//! Whether a histogram makes sense.

use crate::model::histogram::{
    BucketCount, FloatHistogram, HistogramError, MAX_EXPONENTIAL_SCHEMA, MIN_EXPONENTIAL_SCHEMA,
};

impl FloatHistogram {
    /// Whether the parts agree with the schema and with one another, as Prometheus demands of a
    /// histogram that is to be stored. Counts may be NaN, and their sum may exceed the whole count,
    /// since both come about by rounding.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn validate(&self) -> Result<(), HistogramError> {
        if self.uses_custom_buckets() {
            self.validate_custom()?;
        } else if (MIN_EXPONENTIAL_SCHEMA..=MAX_EXPONENTIAL_SCHEMA).contains(&self.schema) {
            if !self.custom_values.is_empty() {
                return Err(HistogramError::NotExponential(self.schema));
            }
            check_side("negative", &self.negative)?;
            check_count("zero count", self.zero_count)?;
        } else {
            return Err(HistogramError::UnknownSchema(self.schema));
        }
        check_side("positive", &self.positive)?;
        check_count("count", self.count)
    }

    fn validate_custom(&self) -> Result<(), HistogramError> {
        check_bounds(&self.custom_values)?;
        if self.zero_count != 0.0 || self.zero_threshold != 0.0 {
            return Err(HistogramError::NotCustom("zero bucket"));
        }
        if !self.negative.is_empty() {
            return Err(HistogramError::NotCustom("negative buckets"));
        }
        let bounds = self.custom_values.len();
        let exists = |index| usize::try_from(index).is_ok_and(|index| index <= bounds);
        match self.positive.iter().find(|bucket| !exists(bucket.index)) {
            Some(bucket) => Err(HistogramError::NoSuchBucket { bounds, index: bucket.index }),
            None => Ok(()),
        }
    }
}

fn check_bounds(bounds: &[f64]) -> Result<(), HistogramError> {
    for pair in bounds.windows(2) {
        if let [before, bound] = pair
            && bound <= before
        {
            return Err(HistogramError::FallingBounds(*before, *bound));
        }
    }
    match bounds.iter().find(|bound| bound.is_nan() || **bound == f64::INFINITY) {
        Some(bound) => Err(HistogramError::InfiniteBound(*bound)),
        None => Ok(()),
    }
}

fn check_side(side: &'static str, buckets: &[BucketCount]) -> Result<(), HistogramError> {
    if !buckets.is_sorted_by(|a, b| a.index < b.index) {
        return Err(HistogramError::Disorder(side));
    }
    buckets.iter().try_for_each(|bucket| check_count(side, bucket.count))
}

fn check_count(what: &'static str, count: f64) -> Result<(), HistogramError> {
    if count < 0.0 { Err(HistogramError::NegativeCount { what, count }) } else { Ok(()) }
}
