//! Sums that lose no small values beside large ones: Kahan summation as improved by Neumaier, as
//! Prometheus has it wherever it sums (`util/kahansum`).

/// A sum and what rounding has cut off of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KahanSum {
    /// The sum as plain addition has it.
    pub sum: f64,
    /// What has to be added to it.
    pub compensation: f64,
}

impl KahanSum {
    /// A sum of one value.
    pub fn of(value: f64) -> Self {
        Self { sum: value, compensation: 0.0 }
    }

    /// Adds a value. Behind an infinite sum nothing is left to compensate.
    pub fn add(&mut self, value: f64) {
        let total = self.sum + value;
        if total.is_infinite() {
            self.compensation = 0.0;
        } else if self.sum.abs() >= value.abs() {
            self.compensation += (self.sum - total) + value;
        } else {
            self.compensation += (value - total) + self.sum;
        }
        self.sum = total;
    }

    /// The sum as exact as it is known.
    pub fn total(self) -> f64 {
        self.sum + self.compensation
    }

    /// The sum of the values times a factor.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { sum: self.sum * factor, compensation: self.compensation * factor }
    }

    /// The sum of the values, each divided.
    #[must_use]
    pub fn divided(self, by: f64) -> Self {
        Self { sum: self.sum / by, compensation: self.compensation / by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(values: &[f64]) -> f64 {
        let mut sum = KahanSum::default();
        values.iter().for_each(|value| sum.add(*value));
        sum.total()
    }

    #[test]
    fn small_values_survive_beside_large_ones() {
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[f64::INFINITY, 1.0]), f64::INFINITY);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }
}
