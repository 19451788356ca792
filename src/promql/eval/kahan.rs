//! Means and variances from compensated sums, as Prometheus has them.

use crate::model::kahan::KahanSum;

/// A mean: the sum through the count, and from where the sum would overflow on, the mean of those
/// before corrected by each further value.
#[derive(Clone, Copy, Debug)]
pub(in crate::promql) struct Mean {
    /// The sum, or the mean once `incremental` is set.
    state: KahanSum,
    count: f64,
    incremental: bool,
}

impl Mean {
    pub fn of(value: f64) -> Self {
        Self { state: KahanSum::of(value), count: 1.0, incremental: false }
    }

    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        if !self.incremental {
            let mut next = self.state;
            next.add(value);
            if !next.sum.is_infinite() {
                self.state = next;
                return;
            }
            self.incremental = true;
            self.state = self.state.divided(self.count - 1.0);
        }
        self.state = self.state.scaled((self.count - 1.0) / self.count);
        self.state.add(value / self.count);
    }

    pub fn value(self) -> f64 {
        if self.incremental {
            self.state.total()
        } else {
            self.state.sum / self.count + self.state.compensation / self.count
        }
    }
}

/// The population variance, by Welford's method with compensated sums.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::promql) struct Variance {
    count: f64,
    mean: KahanSum,
    squares: KahanSum,
}

impl Variance {
    pub fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean.total();
        self.mean.add(delta / self.count);
        self.squares.add(delta * (value - self.mean.total()));
    }

    pub fn value(self) -> f64 {
        self.squares.total() / self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64]) -> f64 {
        let mut mean = Mean::of(values[0]);
        values[1..].iter().for_each(|v| mean.add(*v));
        mean.value()
    }

    #[test]
    fn small_values_survive_beside_large_ones() {
        assert_eq!(mean(&[2.0, 8.0, 1e100, -1e100]), 2.5);
    }

    #[test]
    fn a_mean_does_not_overflow() {
        // The incremental mean may round once or twice.
        assert!((mean(&[f64::MAX; 3]) / f64::MAX - 1.0).abs() < 1e-15);
        let mean_of_both = mean(&[f64::MAX, f64::MAX, -f64::MAX, -f64::MAX]);
        assert!((mean_of_both / f64::MAX).abs() < 1e-15, "{mean_of_both}");
        assert_eq!(mean(&[52.0; 11]), 52.0);
    }

    #[test]
    fn the_variance_of_equal_values_is_nothing() {
        let variance = |values: &[f64]| {
            let mut variance = Variance::default();
            values.iter().for_each(|v| variance.add(*v));
            variance.value()
        };
        assert_eq!(variance(&[1.33, 1.33, 1.33]), 0.0);
        // Mean 5, squares of the distances 9 + 1 + 1 + 1 + 0 + 0 + 4 + 16 over 8 values.
        assert_eq!(variance(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]), 4.0);
        assert!(variance(&[1.0, f64::INFINITY]).is_nan());
    }
}
