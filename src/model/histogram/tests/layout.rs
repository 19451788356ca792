//! Bounds, walks, text and validation.

use super::{custom, exponential, side};
use crate::model::histogram::{
    CounterResetHint, FloatHistogram, HistogramError, TestExpression, bounds,
};

#[test]
fn bounds_are_powers_of_the_base() {
    for (index, schema, bound) in [
        (0, 0, 1.0),
        (3, 0, 8.0),
        (-1, 0, 0.5),
        (1, -1, 4.0),
        (-2, -2, 1.0 / 256.0),
        (0, 8, 1.0),
        (256, 8, 2.0),
        (2, 1, 2.0),
        (4, 3, std::f64::consts::SQRT_2),
    ] {
        let got = bounds::exponential(index, schema);
        assert!((got - bound).abs() <= 4e-16 * bound, "{index} in {schema}: {got}");
    }
    // These are off from the nearest float in Prometheus, and so here.
    assert_eq!(bounds::exponential(1, 1), 2.0 * 0.707_106_781_186_547_5);
    assert_eq!(bounds::exponential(6, 3), 2.0 * 0.840_896_415_253_714_4);
    assert_eq!(bounds::exponential(-1, 8), 0.997_296_056_085_469_8);
}

#[test]
fn the_last_finite_bucket_ends_at_the_largest_float() {
    for schema in -4..=8_i32 {
        let last = if schema < 0 { 1024 >> -schema } else { 1024 << schema };
        assert_eq!(bounds::exponential(last, schema), f64::MAX, "schema {schema}");
        assert_eq!(bounds::exponential(last + 1, schema), f64::INFINITY, "schema {schema}");
        assert!(bounds::exponential(last - 1, schema) < f64::MAX, "schema {schema}");
        assert_eq!(bounds::exponential(i32::MIN, schema), 0.0);
        assert_eq!(bounds::exponential(i32::MAX, schema), f64::INFINITY);
    }
    // Subnormal bounds down to the smallest float.
    assert_eq!(bounds::exponential(-1074, 0), 5e-324);
    assert_eq!(bounds::exponential(-1073 * 4 + 2, 2), 1.4e-323);
}

#[test]
fn all_buckets_run_from_the_lowest_to_the_highest() {
    let h = FloatHistogram {
        zero_threshold: 0.3,
        zero_count: 2.0,
        negative: side(0, &[3.0, 4.0]),
        ..exponential(0, -1, &[5.0, 6.0])
    };
    let text: Vec<String> = h.all_buckets().map(|bucket| bucket.to_string()).collect();
    // The bucket from 0.25 to 0.5 begins where the zero bucket ends.
    assert_eq!(text, ["[-2,-1):4", "[-1,-0.5):3", "[-0.3,0.3]:2", "(0.3,0.5]:5", "(0.5,1]:6"]);
    let reverse: Vec<String> = h.all_buckets().rev().map(|bucket| bucket.to_string()).collect();
    assert_eq!(reverse.into_iter().rev().collect::<Vec<_>>(), text);
}

#[test]
fn custom_buckets_lie_between_their_bounds() {
    let h = custom(&[-1.0, 0.0, 2.5], &[1.0, 2.0, 3.0, 4.0]);
    let text: Vec<String> = h.all_buckets().map(|bucket| bucket.to_string()).collect();
    assert_eq!(text, ["[-Inf,-1]:1", "(-1,0]:2", "(0,2.5]:3", "(2.5,+Inf]:4"]);
}

#[test]
fn text_shows_what_holds_something() {
    let h = FloatHistogram {
        sum: 1e6,
        zero_threshold: 0.001,
        zero_count: 1.0,
        negative: side(1, &[0.0, 2.0]),
        ..exponential(0, 0, &[1.0, 0.0, 0.5])
    };
    assert_eq!(
        h.to_string(),
        "{count:1.5, sum:1e+06, [-4,-2):2, [-0.001,0.001]:1, (0.5,1]:1, (2,4]:0.5}"
    );
    assert_eq!(
        TestExpression(&h).to_string(),
        "{{count:1.5 sum:1e+06 z_bucket:1 z_bucket_w:0.001 buckets:[1 0 0.5] n_offset:2 \
         n_buckets:[2]}}"
    );
    let h = FloatHistogram {
        counter_reset_hint: CounterResetHint::Gauge,
        ..custom(&[5.0, 10.0], &[0.0, 4.0])
    };
    assert_eq!(
        TestExpression(&h).to_string(),
        "{{schema:-53 count:4 custom_values:[5 10] counter_reset_hint:gauge offset:1 buckets:[4]}}"
    );
}

#[test]
fn a_side_too_wide_to_write_is_cut_off() {
    let mut h = exponential(0, 0, &[1.0]);
    h.positive.extend(side(i32::MAX, &[2.0]));
    assert_eq!(TestExpression(&h).to_string(), "{{count:1 buckets:[1 …]}}");
}

#[test]
fn equality_is_that_of_the_data() {
    let h = FloatHistogram { sum: f64::NAN, ..exponential(0, 0, &[1.0, 0.0]) };
    assert_eq!(h, h.clone());
    let hinted = FloatHistogram { counter_reset_hint: CounterResetHint::Gauge, ..h.clone() };
    assert_eq!(h, hinted);
    for other in [
        FloatHistogram { sum: 1.0, ..h.clone() },
        FloatHistogram { zero_threshold: 0.1, ..h.clone() },
        FloatHistogram { zero_count: -0.0, ..h.clone() },
        FloatHistogram { positive: side(0, &[1.0]), ..h.clone() },
        FloatHistogram { positive: side(1, &[1.0, 0.0]), ..h.clone() },
        FloatHistogram { schema: 1, ..h.clone() },
    ] {
        assert_ne!(h, other);
    }
    assert_ne!(custom(&[1.0], &[1.0]), custom(&[2.0], &[1.0]));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let good = exponential(8, -3, &[1.0, 0.0]);
    assert_eq!(good.validate(), Ok(()));
    let own = custom(&[1.0, 2.0], &[1.0, 1.0, 1.0]);
    assert_eq!(own.validate(), Ok(()));
    let of = |change: fn(&mut FloatHistogram), mut h: FloatHistogram| {
        change(&mut h);
        h.validate().unwrap_err()
    };
    type E = HistogramError;
    assert_eq!(of(|h| h.schema = 9, good.clone()), E::UnknownSchema(9));
    assert_eq!(of(|h| h.custom_values = [1.0].into(), good.clone()), E::NotExponential(8));
    let negative = E::NegativeCount { what: "positive", count: -1.0 };
    assert_eq!(of(|h| h.positive[0].count = -1.0, good.clone()), negative);
    assert_eq!(of(|h| h.positive[1].index = -3, good.clone()), E::Disorder("positive"));
    assert_eq!(of(|h| h.zero_count = 1.0, own.clone()), E::NotCustom("zero bucket"));
    assert_eq!(of(|h| h.negative = side(0, &[1.0]), own.clone()), E::NotCustom("negative buckets"));
    let falling = E::FallingBounds(1.0, 1.0);
    assert_eq!(of(|h| h.custom_values = [1.0, 1.0].into(), own.clone()), falling);
    let infinite = E::InfiniteBound(f64::INFINITY);
    assert_eq!(of(|h| h.custom_values = [1.0, f64::INFINITY].into(), own.clone()), infinite);
    let none = E::NoSuchBucket { bounds: 1, index: 2 };
    assert_eq!(of(|h| h.custom_values = [1.0].into(), own), none);
}
