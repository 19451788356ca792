//! `sum_over_time` and `avg_over_time` of histograms.

use std::sync::Arc;

use crate::promql::eval::functions::RangeCall;
use crate::promql::eval::histograms::HistogramFold;
use crate::promql::eval::notes;
use crate::promql::eval::range::Window;
use crate::promql::series::SampleValue;

/// The sum, or the mean, of the histograms in a range.
pub(super) fn fold(
    window: &Window<'_>,
    call: &mut RangeCall<'_>,
    mean: bool,
) -> Option<SampleValue> {
    let (first, rest) = window.histograms.split_first()?;
    let mut fold = HistogramFold::of(&first.histogram, mean);
    for point in rest {
        if fold.add(&point.histogram) {
            call.remarks.warn(call.place, notes::mixed_exponential_custom(call.metric));
            return None;
        }
    }
    let result = fold.finish(call.place, call.remarks)?;
    Some(SampleValue::Histogram(Arc::new(result)))
}
