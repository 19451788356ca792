//! What holds of all histograms.

use proptest::prelude::*;

use crate::model::histogram::{BucketCount, FloatHistogram, bounds};

fn buckets() -> impl Strategy<Value = Vec<BucketCount>> {
    proptest::collection::btree_map(-40..40i32, 0..1000u32, 0..12).prop_map(|counts| {
        let whole = |(index, count)| BucketCount { index, count: f64::from(count) };
        counts.into_iter().map(whole).collect()
    })
}

fn histograms() -> impl Strategy<Value = FloatHistogram> {
    let threshold = prop_oneof![Just(0.0), Just(0.001), Just(0.5), Just(3.0), 0.0..100.0f64];
    (-4..=8i32, threshold, 0..1000u32, -1e6..1e6f64, buckets(), buckets()).prop_map(
        |(schema, zero_threshold, zero, sum, mut positive, mut negative)| {
            let zero_count = f64::from(zero);
            // Nobody counts in buckets what belongs into the zero bucket.
            let begin = |bucket: &BucketCount| bounds::exponential(bucket.index - 1, schema);
            positive.retain(|bucket| begin(bucket) >= zero_threshold);
            negative.retain(|bucket| begin(bucket) >= zero_threshold);
            let counts = positive.iter().chain(&negative).map(|bucket| bucket.count);
            FloatHistogram {
                schema,
                zero_threshold,
                zero_count,
                count: zero_count + counts.sum::<f64>(),
                sum,
                positive,
                negative,
                ..FloatHistogram::default()
            }
        },
    )
}

/// The observations in all buckets.
fn observations(h: &FloatHistogram) -> f64 {
    let buckets = h.positive.iter().chain(&h.negative).map(|bucket| bucket.count);
    h.zero_count + buckets.sum::<f64>()
}

proptest! {
    #[test]
    fn a_sum_keeps_every_observation_and_the_order_does_not_matter(
        a in histograms(), b in histograms(),
    ) {
        let mut sum = a.clone();
        sum.add(&b).unwrap();
        prop_assert_eq!(sum.validate(), Ok(()));
        let mut other = b.clone();
        other.add(&a).unwrap();
        sum.compact();
        other.compact();
        prop_assert_eq!(sum.zero_threshold, other.zero_threshold);
        prop_assert_eq!(&sum.positive, &other.positive);
        prop_assert_eq!(&sum.negative, &other.negative);
        prop_assert_eq!(sum.count, a.count + b.count);
        prop_assert_eq!(observations(&sum), sum.count);
    }

    #[test]
    fn what_is_added_can_be_taken_away(a in histograms(), b in histograms()) {
        let mut sum = a.clone();
        sum.add(&b).unwrap();
        let layout = FloatHistogram { count: 0.0, ..sum.clone() };
        sum.sub(&b).unwrap();
        sum.compact();
        // What is left is `a` in the layout of both.
        let mut expected = a.clone();
        expected.add(&layout).unwrap();
        expected.sub(&layout).unwrap();
        expected.compact();
        prop_assert_eq!(&sum.positive, &expected.positive);
        prop_assert_eq!(&sum.negative, &expected.negative);
        prop_assert_eq!((sum.zero_count, sum.count), (expected.zero_count, a.count));
        prop_assert_eq!(observations(&sum), a.count);
    }

    #[test]
    fn quantiles_rise(h in histograms(), a in 0.0..=1.0f64, b in 0.0..=1.0f64) {
        prop_assume!(h.count > 0.0);
        let (low, high) = (h.quantile(a.min(b)).value, h.quantile(a.max(b)).value);
        let slack = 1e-9 * low.abs();
        prop_assert!(low <= high + slack, "{} of {} is above {} of {}", low, a.min(b), high, a.max(b));
    }

    #[test]
    fn no_reset_without_loss(a in histograms(), b in histograms()) {
        let mut more = a.clone();
        more.add(&a).unwrap();
        prop_assert!(!more.detect_reset(&a));
        more.add(&b).unwrap();
        let back = a.count > 0.0 && more.count > a.count;
        prop_assert!(!back || a.detect_reset(&more));
    }
}
