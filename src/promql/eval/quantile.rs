//! The quantile of numbers.

/// The φ-quantile, by linear interpolation between the two nearest ranks. Of no numbers, and for φ
/// NaN, it is NaN; below 0 and above 1 it is infinite. NaN counts as the smallest number.
pub(in crate::promql) fn quantile(q: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(|a, b| b.is_nan().cmp(&a.is_nan()).then(a.total_cmp(b)));
    let rank = q * (values.len() - 1) as f64;
    let below = rank.floor();
    let weight = rank - below;
    // A rank is at least 0 and below the length.
    let lower = below as usize;
    let at = |index: usize| values.get(index.min(values.len() - 1)).copied().unwrap_or(f64::NAN);
    at(lower) * (1.0 - weight) + at(lower + 1) * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_interpolated() {
        let q = |q: f64, values: &[f64]| quantile(q, &mut values.to_vec());
        assert_eq!(q(0.5, &[1.0, 0.0]), 0.5);
        assert_eq!(q(0.75, &[4.0, 0.0, 1.0]), 2.5);
        assert_eq!((q(0.0, &[3.0, 2.0]), q(1.0, &[3.0, 2.0])), (2.0, 3.0));
        assert_eq!((q(-0.1, &[1.0]), q(1.1, &[1.0])), (f64::NEG_INFINITY, f64::INFINITY));
        assert!(q(0.5, &[]).is_nan() && q(f64::NAN, &[1.0]).is_nan());
        // NaN comes first: it is what half of three numbers rank above.
        assert!(q(0.0, &[1.0, f64::NAN, 2.0]).is_nan());
        assert_eq!(q(0.5, &[1.0, -f64::NAN, 2.0]), 1.0);
    }
}
