//! Sums, products and what is reconciled on the way.

use super::{custom, exponential, side};
use crate::model::histogram::{
    BucketCount, CounterResetHint, FloatHistogram, HistogramError, HistogramMean, HistogramSum,
    Reconciled,
};

fn sum(a: &FloatHistogram, b: &FloatHistogram) -> FloatHistogram {
    let mut sum = a.clone();
    sum.add(b).unwrap();
    sum
}

#[test]
fn equal_layouts_add_bucket_by_bucket() {
    let a = FloatHistogram {
        zero_count: 1.0,
        sum: 2.0,
        negative: side(3, &[1.0]),
        ..exponential(0, 0, &[1.0, 2.0])
    };
    let b = FloatHistogram {
        zero_count: 2.0,
        sum: 3.5,
        negative: side(1, &[4.0]),
        ..exponential(0, 1, &[10.0, 20.0])
    };
    let got = sum(&a, &b);
    assert_eq!((got.count, got.sum, got.zero_count), (33.0, 5.5, 3.0));
    assert_eq!(got.positive, side(0, &[1.0, 12.0, 20.0]));
    assert_eq!(got.negative, [side(1, &[4.0]), side(3, &[1.0])].concat());
    let mut back = got;
    back.sub(&b).unwrap();
    back.compact();
    assert_eq!(back, a);
}

#[test]
fn the_lower_resolution_wins() {
    // Buckets 1 to 4 of schema 1 end at √2, 2, 2√2 and 4; those of schema 0 at 2 and 4.
    let fine = exponential(1, 1, &[1.0, 2.0, 3.0, 4.0]);
    let coarse = exponential(0, 0, &[10.0, 20.0, 30.0]);
    let expected = exponential(0, 0, &[10.0, 23.0, 37.0]);
    assert_eq!(sum(&fine, &coarse), expected);
    assert_eq!(sum(&coarse, &fine), expected);
}

#[test]
fn the_wider_zero_bucket_swallows_buckets() {
    let wide = FloatHistogram { zero_threshold: 2.0, zero_count: 5.0, ..exponential(0, 2, &[1.0]) };
    let narrow = FloatHistogram {
        zero_threshold: 0.5,
        zero_count: 1.0,
        negative: side(1, &[7.0, 8.0]),
        ..exponential(0, 0, &[1.0, 2.0, 3.0])
    };
    // Up to 2: one in the zero bucket, 1 and 2 in the positive buckets, 7 in the negative one.
    for got in [sum(&wide, &narrow), sum(&narrow, &wide)] {
        assert_eq!((got.zero_threshold, got.zero_count), (2.0, 16.0));
        assert_eq!(got.positive, side(2, &[4.0]));
        assert_eq!(got.negative, side(2, &[8.0]));
    }
}

#[test]
fn a_threshold_within_a_filled_bucket_rises_to_its_end() {
    let wide = FloatHistogram { zero_threshold: 1.5, zero_count: 5.0, ..exponential(0, 2, &[1.0]) };
    let narrow = exponential(0, 0, &[1.0, 2.0, 3.0]);
    let got = sum(&wide, &narrow);
    assert_eq!((got.zero_threshold, got.zero_count), (2.0, 8.0));
    assert_eq!(got.positive, side(2, &[4.0]));
    // Buckets that are merged are looked at before: 1 up to 2 is below 3, the rest is not.
    let coarse = FloatHistogram { zero_threshold: 3.0, ..exponential(-2, 2, &[1.0]) };
    let got = sum(&coarse, &exponential(0, 1, &[1.0, 0.0, 3.0]));
    assert_eq!((got.zero_count, got.count), (1.0, 5.0));
    assert_eq!(got.positive, side(1, &[3.0, 1.0]));
    // An empty bucket may be cut; then the threshold stays.
    let got = sum(&wide, &exponential(0, 0, &[1.0, 0.0, 3.0]));
    assert_eq!((got.zero_threshold, got.zero_count), (1.5, 6.0));
    // The negative side raises it too, and the positive one is looked at again.
    let both = FloatHistogram { negative: side(1, &[9.0]), ..exponential(0, 0, &[1.0, 0.0, 3.0]) };
    let got = sum(&FloatHistogram { zero_threshold: 1.2, ..wide }, &both);
    assert_eq!((got.zero_threshold, got.zero_count), (2.0, 15.0));
    assert_eq!(got.positive, side(2, &[4.0]));
}

#[test]
fn custom_bounds_that_differ_leave_those_in_common() {
    let a = custom(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]);
    let b = custom(&[2.0, 2.5], &[10.0, 20.0, 30.0]);
    let mut got = a.clone();
    let done = got.add(&b).unwrap();
    let reconciled = Reconciled { custom_bounds_reconciled: true, ..Reconciled::default() };
    assert_eq!(done, reconciled);
    assert_eq!(got, custom(&[2.0], &[13.0, 57.0]));
    let mut got = a.clone();
    got.sub(&custom(&[9.0], &[1.0, 2.0])).unwrap();
    assert_eq!(got, custom(&[], &[7.0]));
    // The same bounds are no reconciliation.
    assert_eq!(got.add(&got.clone()), Ok(Reconciled::default()));
}

#[test]
fn custom_and_exponential_buckets_do_not_mix() {
    let mut own = custom(&[1.0], &[1.0]);
    let before = own.clone();
    assert_eq!(own.add(&exponential(0, 0, &[1.0])), Err(HistogramError::IncompatibleSchemas));
    assert_eq!(own, before);
}

#[test]
fn hints_meet() {
    use CounterResetHint::{CounterReset, Gauge, NotCounterReset, Unknown};
    for (a, b, result, collision) in [
        (Unknown, CounterReset, Unknown, false),
        (NotCounterReset, Unknown, Unknown, false),
        (Gauge, CounterReset, Gauge, false),
        (NotCounterReset, Gauge, Gauge, false),
        (CounterReset, CounterReset, CounterReset, false),
        (CounterReset, NotCounterReset, Unknown, true),
        (NotCounterReset, CounterReset, Unknown, true),
    ] {
        let with = |hint| FloatHistogram { counter_reset_hint: hint, ..FloatHistogram::default() };
        let mut sum = with(a);
        let done = sum.add(&with(b)).unwrap();
        assert_eq!((sum.counter_reset_hint, done.counter_reset_collision), (result, collision));
    }
}

#[test]
fn products_and_quotients() {
    let h = FloatHistogram { sum: 6.0, zero_count: 4.0, ..exponential(0, 0, &[2.0]) };
    let mut twice = h.clone();
    twice.mul(2.0);
    assert_eq!((twice.sum, twice.zero_count, twice.positive[0].count), (12.0, 8.0, 4.0));
    assert_eq!(twice.counter_reset_hint, CounterResetHint::Unknown);
    twice.div(2.0);
    assert_eq!(twice, h);
    let mut less = h.clone();
    less.mul(-1.0);
    assert_eq!((less.count, less.counter_reset_hint), (-2.0, CounterResetHint::Gauge));
    less.div(0.0);
    assert_eq!((less.count, less.zero_count), (f64::NEG_INFINITY, f64::NEG_INFINITY));
    assert!(less.positive.is_empty());
}

#[test]
fn sums_lose_no_small_counts_beside_large_ones() {
    let of = |count: f64| FloatHistogram {
        sum: count,
        zero_count: count,
        ..exponential(2, 4, &[count, count])
    };
    let mut sum = HistogramSum::of(&of(1.0));
    let mut mean = HistogramMean::of(&of(1.0));
    for count in [1e100, 1.0, -1e100] {
        sum.add(&of(count)).unwrap();
        mean.add(&of(count)).unwrap();
    }
    let expected = FloatHistogram { count: 4.0, ..of(2.0) };
    assert_eq!(sum.total(), expected);
    assert_eq!(mean.value(), FloatHistogram { count: 1.0, ..of(0.5) });
    // So it does when the resolution falls on the way.
    sum.add(&exponential(0, 9, &[1.0])).unwrap();
    assert_eq!(sum.total().positive, [side(1, &[2.0]), side(2, &[2.0]), side(9, &[1.0])].concat());
    assert_eq!(sum.total().count, 5.0);
}

#[test]
fn a_mean_does_not_overflow() {
    let of = |count: f64| FloatHistogram { count, sum: count, ..FloatHistogram::default() };
    let mut mean = HistogramMean::of(&of(f64::MAX));
    for _ in 0..3 {
        mean.add(&of(f64::MAX)).unwrap();
    }
    let share = mean.value().count / f64::MAX;
    assert!((share - 1.0).abs() < 1e-15, "{share}");
    mean.add(&of(-f64::MAX)).unwrap();
    let share = mean.value().sum / f64::MAX;
    assert!((share - 0.6).abs() < 1e-15, "{share}");
}

#[test]
fn histograms_that_make_no_sense_do_no_harm() {
    let disorder = FloatHistogram {
        schema: 100,
        zero_threshold: f64::NAN,
        positive: vec![
            BucketCount { index: i32::MAX, count: 1.0 },
            BucketCount { index: i32::MIN, count: f64::NAN },
        ],
        negative: side(i32::MIN, &[1.0]),
        ..FloatHistogram::default()
    };
    let wide = FloatHistogram { zero_threshold: f64::INFINITY, ..exponential(-4, 0, &[1.0]) };
    for (a, b) in [(&disorder, &wide), (&wide, &disorder), (&disorder, &disorder)] {
        let total = sum(a, b);
        assert!(!total.to_string().is_empty());
        total.detect_reset(a);
        total.quantile(0.3);
        total.fraction(-1.0, 1.0);
        total.stdvar();
    }
}
