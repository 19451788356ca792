//! The times at which something is evaluated.

/// From `start` to `end` at every `step`, in milliseconds. An instant query has one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub start: i64,
    pub end: i64,
    /// More than zero.
    pub step: i64,
}

impl Times {
    pub fn instant(at: i64) -> Self {
        Self { start: at, end: at, step: 1 }
    }

    /// How many times there are; none where the end lies before the start.
    pub fn count(self) -> usize {
        let span = self.end.saturating_sub(self.start);
        match usize::try_from(span / self.step) {
            Ok(steps) if span >= 0 => steps.saturating_add(1),
            _ => 0,
        }
    }

    pub fn is_instant(self) -> bool {
        self.start == self.end
    }

    pub fn iter(self) -> impl Iterator<Item = i64> {
        let mut next = (self.start <= self.end).then_some(self.start);
        std::iter::from_fn(move || {
            let at = next?;
            next = at.checked_add(self.step).filter(|next| *next <= self.end);
            Some(at)
        })
    }

    /// The number of the step at a time that is one of these.
    pub fn index(self, at: i64) -> usize {
        usize::try_from(at.saturating_sub(self.start) / self.step).unwrap_or(0)
    }

    /// The times of a subquery that looks at these: multiples of its step, from behind the earliest
    /// window's start to the latest window's end.
    pub fn of_subquery(self, range: i64, offset: i64, step: i64) -> Self {
        let before = self.start.saturating_sub(offset).saturating_sub(range);
        let first = before.div_euclid(step).saturating_add(1).saturating_mul(step);
        Self { start: first, end: self.end.saturating_sub(offset), step }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_counted_and_do_not_overflow() {
        let times = Times { start: -10, end: 25, step: 10 };
        assert_eq!(times.iter().collect::<Vec<_>>(), [-10, 0, 10, 20]);
        assert_eq!((times.count(), times.index(10)), (4, 2));
        assert_eq!(Times { start: 1, end: 0, step: 1 }.count(), 0);
        assert_eq!(Times { start: 1, end: 0, step: 1 }.iter().count(), 0);
        let last = Times { start: i64::MAX - 1, end: i64::MAX, step: 5 };
        assert_eq!(last.iter().count(), 1);
        assert!(Times { start: i64::MIN, end: i64::MAX, step: 1 }.count() > 1 << 60);
    }

    #[test]
    fn a_subquery_is_evaluated_at_multiples_of_its_step_behind_its_start() {
        let at = |start: i64, range, offset, step| {
            Times::instant(start).of_subquery(range, offset, step).iter().collect::<Vec<_>>()
        };
        assert_eq!(at(10, 50, 0, 10), [-30, -20, -10, 0, 10]);
        assert_eq!(at(12, 5, 0, 10), [10]);
        assert_eq!(at(12, 1, 0, 5), [] as [i64; 0]);
        assert_eq!(at(100, 20, 50, 10), [40, 50]);
        assert_eq!(at(-5, 20, 0, 10), [-20, -10]);
        assert_eq!(at(i64::MIN, i64::MAX, 0, 10).len(), 0);
    }
}
