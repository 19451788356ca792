//! Quantiles and fractions of classic histograms. Their buckets are cumulative: each holds what is
//! at most its bound.

use crate::model::float::almost_equal;
use crate::promql::eval::monotonicity::Forced;

/// A bucket of a classic histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::promql) struct ClassicBucket {
    /// The upper bound.
    pub upper: f64,
    /// The observations up to there.
    pub count: f64,
}

/// Counts that differ less, in relation to their sum, are taken for equal.
const TOLERANCE: f64 = 1e-12;

/// Sorts the buckets, and adds up those with the same bound. `None` where the last bound is not
/// infinite, so that nobody knows how many observations there are.
fn sorted(buckets: &mut Vec<ClassicBucket>) -> Option<()> {
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    buckets.dedup_by(|next, kept| {
        let same = next.upper == kept.upper;
        if same {
            kept.count += next.count;
        }
        same
    });
    buckets.last().filter(|last| last.upper == f64::INFINITY).map(|_| ())
}

/// Makes the counts rise: small differences, which come about by rounding, are ignored, and a
/// count that has fallen is taken for the one before.
fn ensure_monotonic(buckets: &mut [ClassicBucket]) -> Option<Forced> {
    let mut forced: Option<Forced> = None;
    let (first, rest) = buckets.split_first_mut()?;
    let mut before = first.count;
    for bucket in rest {
        if almost_equal(before, bucket.count, TOLERANCE) {
            bucket.count = before;
        } else if bucket.count < before {
            let (upper, max_diff) = (bucket.upper, before - bucket.count);
            let now = Forced { min_bucket: upper, max_bucket: upper, max_diff };
            forced = Some(forced.map_or(now, |all| all.and(now)));
            bucket.count = before;
        } else {
            before = bucket.count;
        }
    }
    forced
}

/// The value below which a share `q` of the observations lies, taken to be spread evenly within
/// each bucket, and whether counts had to be forced to rise. The first bucket begins at 0 if it
/// ends above; in the last one, which has no end, it is its beginning.
///
/// NaN without observations, without an infinite bucket or another one beside it, or with a `q` of
/// NaN; a `q` beyond 0 and 1 gives an infinity.
pub(super) fn quantile(q: f64, buckets: &mut Vec<ClassicBucket>) -> (f64, Option<Forced>) {
    if q.is_nan() {
        return (f64::NAN, None);
    }
    if q < 0.0 {
        return (f64::NEG_INFINITY, None);
    }
    if q > 1.0 {
        return (f64::INFINITY, None);
    }
    if sorted(buckets).is_none() {
        return (f64::NAN, None);
    }
    let forced = ensure_monotonic(buckets);
    let value = match &buckets[..] {
        [finite @ .., last] if last.count != 0.0 => within(q * last.count, finite),
        _ => None,
    };
    (value.unwrap_or(f64::NAN), forced)
}

/// The value at a rank. `None` without a finite bucket.
fn within(rank: f64, finite: &[ClassicBucket]) -> Option<f64> {
    let last = finite.last()?;
    let Some(index) = finite.iter().position(|bucket| bucket.count >= rank) else {
        return Some(last.upper);
    };
    let bucket = finite.get(index)?;
    let before = index.checked_sub(1).and_then(|index| finite.get(index));
    if before.is_none() && bucket.upper <= 0.0 {
        return Some(bucket.upper);
    }
    let start = before.map_or(0.0, |before| before.upper);
    let below = before.map_or(0.0, |before| before.count);
    Some(start + (bucket.upper - start) * ((rank - below) / (bucket.count - below)))
}

/// The share of the observations from `lower` to `upper`, taken to be spread evenly within each
/// bucket. NaN as for [`quantile`], and where a bound is NaN; 0 where there is nothing between the
/// bounds.
pub(super) fn fraction(lower: f64, upper: f64, buckets: &mut Vec<ClassicBucket>) -> f64 {
    if sorted(buckets).is_none() {
        return f64::NAN;
    }
    let count = buckets.last().map_or(0.0, |last| last.count);
    if count == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    let [lower, upper] = [lower, upper].map(|bound| {
        let below = count_below(bound, buckets).unwrap_or(count);
        if below > count { count } else { below }
    });
    (upper - lower) / count
}

/// How many observations lie below a bound; `None` where it is beyond all buckets.
fn count_below(bound: f64, buckets: &[ClassicBucket]) -> Option<f64> {
    let mut rank = 0.0;
    let positive = buckets.first().is_some_and(|first| first.upper > 0.0);
    let mut start = if positive { 0.0 } else { f64::NEG_INFINITY };
    for bucket in buckets {
        if start >= bound {
            return Some(rank);
        }
        if bucket.upper > bound {
            // All of an infinite bucket is below.
            if start == f64::NEG_INFINITY {
                return Some(bucket.count);
            }
            let share = (bucket.count - rank) * (bound - start) / (bucket.upper - start);
            return Some(rank + share);
        }
        rank = bucket.count;
        start = bucket.upper;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(bounds_and_counts: &[(f64, f64)]) -> Vec<ClassicBucket> {
        let bucket = |(upper, count): &(f64, f64)| ClassicBucket { upper: *upper, count: *count };
        bounds_and_counts.iter().map(bucket).collect()
    }

    #[test]
    fn quantiles_are_linear_within_a_bucket() {
        // 2 up to 1, 6 from 1 to 5, 2 above. Order does not matter.
        let all = buckets(&[(5.0, 8.0), (f64::INFINITY, 10.0), (1.0, 2.0)]);
        for (q, value) in [
            (0.0, 0.0),
            (0.1, 0.5),
            (0.2, 1.0),
            (0.5, 3.0),
            (0.8, 5.0),
            (0.9, 5.0),
            (-1.0, f64::NEG_INFINITY),
            (1.5, f64::INFINITY),
        ] {
            assert_eq!(quantile(q, &mut all.clone()), (value, None), "{q}");
        }
        let mut negative = buckets(&[(-1.0, 2.0), (1.0, 4.0), (f64::INFINITY, 4.0)]);
        assert_eq!(quantile(0.2, &mut negative).0, -1.0);
        assert_eq!(quantile(0.75, &mut negative).0, 0.0);
    }

    #[test]
    fn some_buckets_have_no_quantile() {
        for none in [
            buckets(&[(1.0, 1.0), (2.0, 3.0)]),
            buckets(&[(f64::INFINITY, 3.0)]),
            buckets(&[(1.0, 0.0), (f64::INFINITY, 0.0)]),
            buckets(&[]),
        ] {
            assert!(quantile(0.5, &mut none.clone()).0.is_nan(), "{none:?}");
            if none.len() != 1 {
                assert!(fraction(0.0, 1.0, &mut none.clone()).is_nan(), "{none:?}");
            }
        }
    }

    #[test]
    fn counts_are_made_to_rise() {
        let mut all =
            buckets(&[(1.0, 4.0), (2.0, 3.0), (3.0, 8.0), (4.0, 5.5), (f64::INFINITY, 8.0)]);
        let (value, forced) = quantile(0.75, &mut all);
        // 6 is half of the way from 4 to 8, from 2 to 3.
        assert_eq!(value, 2.5);
        let expected = Forced { min_bucket: 2.0, max_bucket: 4.0, max_diff: 2.5 };
        assert_eq!(forced, Some(expected));
        let mut rounded = buckets(&[(1.0, 4.0), (2.0, 4.0 - 1e-15), (f64::INFINITY, 4.0 + 1e-15)]);
        assert_eq!(quantile(1.0, &mut rounded), (1.0, None));
    }

    #[test]
    fn buckets_with_the_same_bound_are_added_up() {
        let mut twice = buckets(&[(1.0, 1.0), (1.0, 3.0), (f64::INFINITY, 4.0)]);
        assert_eq!(quantile(0.5, &mut twice).0, 0.5);
    }

    #[test]
    fn fractions_are_linear_within_a_bucket() {
        let all = buckets(&[(1.0, 2.0), (5.0, 8.0), (f64::INFINITY, 10.0)]);
        for (lower, upper, share) in [
            (f64::NEG_INFINITY, f64::INFINITY, 1.0),
            (0.0, 1.0, 0.2),
            (0.5, 3.0, 0.4),
            (-5.0, 0.5, 0.1),
            (5.0, 100.0, 0.0),
            (3.0, 3.0, 0.0),
            (4.0, 2.0, 0.0),
        ] {
            assert_eq!(fraction(lower, upper, &mut all.clone()), share, "{lower} to {upper}");
        }
        let negative = buckets(&[(-1.0, 2.0), (1.0, 4.0), (f64::INFINITY, 4.0)]);
        assert_eq!(fraction(f64::NEG_INFINITY, -5.0, &mut negative.clone()), 0.5);
        assert_eq!(fraction(-0.5, 0.5, &mut negative.clone()), 0.25);
        assert!(fraction(f64::NAN, 1.0, &mut negative.clone()).is_nan());
    }
}
