//! Quantiles, fractions and moments.

use super::{custom, exponential, side};
use crate::model::histogram::{FloatHistogram, NanObservations};

fn close(got: f64, expected: f64) {
    assert!((got - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{got}, not {expected}");
}

#[test]
fn exponential_buckets_are_even_on_a_logarithmic_scale() {
    // One observation each in (0.5, 1], (1, 2], (2, 4] and (4, 8].
    let h = exponential(0, 0, &[1.0, 1.0, 1.0, 1.0]);
    for (q, expected) in [
        (0.0, 0.5),
        (0.125, 0.5 * 2f64.sqrt()),
        (0.25, 1.0),
        (0.5, 2.0),
        (0.625, 2.0 * 2f64.sqrt()),
        (1.0, 8.0),
    ] {
        close(h.quantile(q).value, expected);
        if q > 0.0 {
            close(h.fraction(f64::NEG_INFINITY, expected).value, q);
        }
    }
    let mirrored = FloatHistogram { negative: h.positive.clone(), positive: Vec::new(), ..h };
    close(mirrored.quantile(0.125).value, -4.0 * 2f64.sqrt());
    close(mirrored.fraction(f64::NEG_INFINITY, -4.0 * 2f64.sqrt()).value, 0.125);
}

#[test]
fn the_zero_bucket_is_linear_and_ends_at_zero_beside_an_empty_side() {
    let zero =
        FloatHistogram { zero_threshold: 1.0, zero_count: 4.0, count: 4.0, ..<_>::default() };
    close(zero.quantile(0.25).value, -0.5);
    close(zero.fraction(-0.5, 0.5).value, 0.5);
    let positive = FloatHistogram { count: 8.0, positive: side(1, &[4.0]), ..zero.clone() };
    close(positive.quantile(0.25).value, 0.5);
    close(positive.fraction(-1.0, 0.5).value, 0.25);
    let negative = FloatHistogram { count: 8.0, negative: side(1, &[4.0]), ..zero };
    close(negative.quantile(0.75).value, -0.5);
}

#[test]
fn custom_buckets_are_linear() {
    let h = custom(&[5.0, 10.0], &[1.0, 4.0, 2.0]);
    // The second bucket holds the observations 1 to 5 of 7.
    close(h.quantile(3.0 / 7.0).value, 7.5);
    close(h.quantile(0.5 / 7.0).value, 2.5);
    // Nothing is known of places behind the last bound.
    close(h.quantile(0.99).value, 10.0);
    close(h.fraction(7.5, 10.0).value, 2.0 / 7.0);
    close(h.fraction(7.5, 11.0).value, 2.0 / 7.0);
    close(h.fraction(7.5, f64::INFINITY).value, 4.0 / 7.0);
    close(custom(&[-5.0, 10.0], &[1.0]).quantile(0.5).value, -5.0);
}

#[test]
fn there_are_limits_to_quantiles() {
    let h = exponential(0, 0, &[1.0]);
    assert_eq!(h.quantile(-0.1).value, f64::NEG_INFINITY);
    assert_eq!(h.quantile(1.1).value, f64::INFINITY);
    assert!(h.quantile(f64::NAN).value.is_nan());
    assert!(FloatHistogram::default().quantile(0.5).value.is_nan());
    assert!(FloatHistogram::default().fraction(0.0, 1.0).value.is_nan());
    assert!(h.fraction(0.0, f64::NAN).value.is_nan());
    assert_eq!(h.fraction(1.0, 1.0).value, 0.0);
    assert_eq!(h.fraction(f64::NEG_INFINITY, f64::INFINITY).value, 1.0);
    // More is counted than the buckets hold: the last bound is the best guess.
    assert_eq!(FloatHistogram { count: 10.0, ..h }.quantile(0.4).value, 1.0);
}

#[test]
fn nan_observations_are_told() {
    let h = FloatHistogram { count: 10.0, sum: f64::NAN, ..exponential(0, 1, &[5.0]) };
    let quantile = h.quantile(0.9);
    assert!(quantile.value.is_nan());
    assert_eq!(quantile.nan, Some(NanObservations::Result));
    let quantile = h.quantile(0.25);
    close(quantile.value, 2f64.sqrt());
    assert_eq!(quantile.nan, Some(NanObservations::Skew));
    let fraction = h.fraction(1.0, f64::INFINITY);
    assert_eq!((fraction.value, fraction.nan_observations), (0.5, true));
    // Infinite observations of both signs have a sum of NaN, but are in buckets.
    let infinite = FloatHistogram { count: 5.0, ..h };
    assert_eq!(infinite.quantile(0.5).nan, None);
    assert!(!infinite.fraction(1.0, 2.0).nan_observations);
}

#[test]
fn mean_and_variance() {
    let h = FloatHistogram { sum: 30.0, ..custom(&[0.0, 10.0, 20.0], &[0.0, 1.0, 1.0]) };
    assert_eq!(h.avg(), 15.0);
    // The middles are 5 and 15, the mean is 15.
    assert_eq!((h.stdvar(), h.stddev()), (50.0, 50f64.sqrt()));
    // Geometric means of (0.5, 2] in schema -1, and of its mirror; the zero bucket is at 0.
    let h = FloatHistogram {
        zero_count: 2.0,
        count: 6.0,
        negative: side(1, &[2.0]),
        ..exponential(-1, 1, &[2.0])
    };
    // (1, 4] is taken to be at 2: four times 4 over 6 observations.
    close(h.stdvar(), 16.0 / 6.0);
    assert!(FloatHistogram::default().stdvar().is_nan());
}
