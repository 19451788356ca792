//! Selectors of which only counts and sums of histograms are wanted.
//!
//! Prometheus reads such histograms without their buckets, and then looks itself whether a counter was
//! reset. So these histograms say where that was, while others, which come as they are
//! stored, do not.

use std::collections::HashSet;
use std::sync::Arc;

use crate::diag::Span;
use crate::model::histogram::{CounterResetHint, FloatHistogram};
use crate::promql::{Expr, ExprKind};

/// The places of the selectors below `histogram_count`, `histogram_sum` or `histogram_avg` that are
/// neither in a subquery nor below a function that needs buckets.
pub(super) fn selectors(expr: &Expr) -> HashSet<Span> {
    let mut found = HashSet::new();
    let mut open = vec![(expr, false)];
    while let Some((part, wanted)) = open.pop() {
        let mut below = wanted;
        match &part.kind {
            ExprKind::Subquery(_) => continue,
            ExprKind::VectorSelector(_) | ExprKind::MatrixSelector(_) if wanted => {
                found.insert(part.span);
            }
            ExprKind::Call(call) => match call.function.name {
                "histogram_count" | "histogram_sum" | "histogram_avg" => below = true,
                "histogram_quantile" | "histogram_fraction" => continue,
                _ => {}
            },
            _ => {}
        }
        open.extend(part.children().map(|child| (child, below)));
    }
    found
}

/// A histogram that says that the counter was reset before it.
pub(super) fn with_reset(histogram: &Arc<FloatHistogram>) -> Arc<FloatHistogram> {
    let mut histogram = FloatHistogram::clone(histogram);
    histogram.counter_reset_hint = CounterResetHint::CounterReset;
    Arc::new(histogram)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::parse;

    #[test]
    fn selectors_below_the_functions_are_found() {
        let found = |text: &str| {
            let places = selectors(&parse(text).unwrap());
            let mut found: Vec<&str> = places.into_iter().map(|span| &text[span.range()]).collect();
            found.sort_unstable();
            found.join(" ")
        };
        assert_eq!(found("histogram_count(sum(rate(a[5m]))) + b"), "a[5m]");
        assert_eq!(found("histogram_avg(a + b) + histogram_sum(c)"), "a b c");
        assert_eq!(found("histogram_count(sum_over_time(a[5m:1m]))"), "");
        assert_eq!(found("histogram_quantile(0.9, a * histogram_count(b))"), "");
    }
}
