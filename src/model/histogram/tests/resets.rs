//! Counter resets between two histograms.

use super::{custom, exponential, side};
use crate::model::histogram::{CounterResetHint, FloatHistogram};

#[test]
fn a_count_that_falls_is_a_reset() {
    let before = FloatHistogram {
        zero_count: 2.0,
        zero_threshold: 0.1,
        negative: side(0, &[1.0]),
        count: 10.0,
        ..exponential(1, 1, &[1.0, 2.0, 3.0])
    };
    assert!(!before.detect_reset(&before));
    type Change = fn(&mut FloatHistogram);
    let resets: [Change; 8] = [
        |h| h.count = 9.0,
        |h| h.zero_count = 1.0,
        |h| h.positive[1].count = 1.0,
        |h| h.negative.clear(),
        |h| h.positive.truncate(2),
        |h| h.zero_threshold = 0.05,
        |h| h.schema = 2,
        // Within the filled bucket from 1 to √2.
        |h| (h.zero_threshold, h.zero_count) = (1.2, 10.0),
    ];
    for (i, change) in resets.into_iter().enumerate() {
        let mut after = before.clone();
        change(&mut after);
        assert!(after.detect_reset(&before), "change {i}");
    }
    let none: [Change; 4] = [
        |h| h.sum = -5.0,
        |h| h.positive.extend(side(9, &[1.0])),
        // Lower resolution: buckets 1 and 2 end at 2, bucket 3 at 4.
        |h| (h.schema, h.positive) = (0, side(1, &[3.0, 3.0])),
        // A wider zero bucket that ends with a bucket and holds what that held.
        |h| {
            h.zero_threshold = 2.0;
            h.zero_count = 6.0;
            h.positive.drain(..2);
            h.negative.clear();
        },
    ];
    for (i, change) in none.into_iter().enumerate() {
        let mut after = before.clone();
        change(&mut after);
        assert!(!after.detect_reset(&before), "change {i}");
    }
}

#[test]
fn a_bucket_that_was_empty_may_go() {
    let before = exponential(0, 0, &[1.0, 0.0, 1.0, 0.0]);
    let mut after = before.clone();
    after.compact();
    assert!(!after.detect_reset(&before));
}

#[test]
fn hints_come_first() {
    let low = exponential(0, 0, &[1.0]);
    let high = exponential(0, 0, &[2.0]);
    let hinted =
        |hint, h: &FloatHistogram| FloatHistogram { counter_reset_hint: hint, ..h.clone() };
    assert!(hinted(CounterResetHint::CounterReset, &high).detect_reset(&low));
    assert!(!hinted(CounterResetHint::NotCounterReset, &low).detect_reset(&high));
    assert!(hinted(CounterResetHint::Gauge, &low).detect_reset(&high));
}

#[test]
fn custom_bounds_that_differ_are_compared_where_they_agree() {
    let before = custom(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]);
    // Up to 2 there were 3, above 7.
    assert!(!custom(&[2.0], &[3.0, 7.0]).detect_reset(&before));
    assert!(custom(&[2.0], &[2.0, 8.0]).detect_reset(&before));
    assert!(custom(&[2.0, 5.0], &[4.0, 6.0]).detect_reset(&before));
    assert!(custom(&[1.0, 2.0, 3.0], &[1.0, 1.0, 4.0, 4.0]).detect_reset(&before));
    assert!(exponential(0, 0, &[100.0]).detect_reset(&before));
    assert!(FloatHistogram { count: 100.0, ..before.clone() }.detect_reset(&exponential(
        0,
        0,
        &[1.0]
    )));
}
