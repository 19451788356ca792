//! Sums and means of histograms, as `sum`, `avg`, `sum_over_time` and `avg_over_time` take them.

use crate::diag::Span;
use crate::model::histogram::{
    CounterResetHint, FloatHistogram, HistogramError, HistogramMean, HistogramSum,
};
use crate::promql::eval::annotations::Annotations;
use crate::promql::eval::notes::{self, HistogramWork};

/// The sum, or the mean, of histograms.
#[derive(Clone, Debug)]
pub(super) struct HistogramFold {
    total: Total,
    reset_seen: bool,
    no_reset_seen: bool,
    reconciled: bool,
    /// Exponential buckets have met custom ones: there is no result.
    incompatible: bool,
}

#[derive(Clone, Debug)]
enum Total {
    Sum(HistogramSum),
    Mean(HistogramMean),
}

impl HistogramFold {
    /// A sum that begins with its first part; a mean where `mean` is set.
    pub fn of(first: &FloatHistogram, mean: bool) -> Self {
        let total = match mean {
            true => Total::Mean(HistogramMean::of(first)),
            false => Total::Sum(HistogramSum::of(first)),
        };
        let (reset_seen, no_reset_seen, reconciled, incompatible) = Default::default();
        let mut fold = Self { total, reset_seen, no_reset_seen, reconciled, incompatible };
        fold.note_hint(first);
        fold
    }

    fn note_hint(&mut self, histogram: &FloatHistogram) {
        self.reset_seen |= histogram.counter_reset_hint == CounterResetHint::CounterReset;
        self.no_reset_seen |= histogram.counter_reset_hint == CounterResetHint::NotCounterReset;
    }

    /// Adds a part. Says whether buckets have met that do not go together for the first time.
    pub fn add(&mut self, histogram: &FloatHistogram) -> bool {
        if self.incompatible {
            return false;
        }
        self.note_hint(histogram);
        let done = match &mut self.total {
            Total::Sum(sum) => sum.add(histogram),
            Total::Mean(mean) => mean.add(histogram),
        };
        match done {
            Ok(done) => self.reconciled |= done.custom_bounds_reconciled,
            Err(HistogramError::IncompatibleSchemas) => self.incompatible = true,
            Err(_) => {}
        }
        self.incompatible
    }

    /// The result, and what there is to remark about it.
    pub fn finish(self, span: Span, remarks: &mut Annotations) -> Option<FloatHistogram> {
        if self.reconciled {
            let message = notes::custom_buckets_reconciled(HistogramWork::Aggregation);
            remarks.info(span, message);
        }
        if self.incompatible {
            return None;
        }
        if self.reset_seen && self.no_reset_seen {
            remarks.warn(span, notes::counter_reset_collision(HistogramWork::Aggregation));
        }
        Some(match self.total {
            Total::Sum(sum) => sum.total(),
            Total::Mean(mean) => mean.value(),
        })
    }
}
