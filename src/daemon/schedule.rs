//! When a group is due: slots of one interval, spread out over the groups.

use std::time::Duration;

use crate::model::{LabelSet, Monotonic, Now, Timestamp};

/// How far wall time may be from a slot's time before that counts as a jump of the clock.
const JUMP: Duration = Duration::from_secs(2);

/// The slots of one group. Intervals run on monotonic time, so that a jump of the wall clock
/// neither skips evaluations nor doubles them; the times of evaluations are wall time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Schedule {
    interval: Duration,
    /// Where in the interval the slots lie, in milliseconds, on wall time.
    offset: i64,
    due: Monotonic,
    slot: Timestamp,
}

/// A slot that has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// The time of the evaluation.
    pub(super) at: Timestamp,
    /// How many slots before it were skipped, because the one before them took too long.
    pub(super) missed: u64,
    /// By how many milliseconds the wall clock has jumped since the last slot.
    pub(super) jumped: i64,
}

impl Schedule {
    /// The first slot is the next one after now. Groups differ in a hash of file and name, as in
    /// Prometheus, so that they do not all query at once.
    pub(super) fn new(file: &str, group: &str, interval: Duration, now: Now) -> Self {
        let interval = interval.max(Duration::from_millis(1));
        let millis = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
        let hash = LabelSet::from([("file", file), ("group", group)]).fingerprint().0;
        let offset = i64::try_from(hash % millis.unsigned_abs()).unwrap_or(0);
        let mut schedule = Self { interval, offset, due: now.mono, slot: now.wall };
        schedule.anchor(now);
        schedule
    }

    /// Sets the next slot: the first one after now.
    fn anchor(&mut self, now: Now) {
        let millis = i64::try_from(self.interval.as_millis()).unwrap_or(i64::MAX);
        let since = (now.wall.millis() - self.offset).rem_euclid(millis);
        let wait = Duration::from_millis((millis - since).unsigned_abs());
        self.due = now.mono + wait;
        self.slot = now.wall + wait;
    }

    /// When the next slot is due.
    pub(super) fn due(&self) -> Monotonic {
        self.due
    }

    /// Takes the slot that is due at `now` and sets the next one.
    pub(super) fn take(&mut self, now: Now) -> Slot {
        let late = now.mono.since(self.due);
        let interval = self.interval.as_millis().max(1);
        let missed = u32::try_from(late.as_millis() / interval).unwrap_or(u32::MAX);
        let skipped = self.interval.saturating_mul(missed);
        let (due, slot) = (self.due + skipped, self.slot + skipped);
        let jumped = self.jumped(now);
        let at = if jumped == 0 { slot } else { now.wall };
        if jumped == 0 {
            self.due = due + self.interval;
            self.slot = slot + self.interval;
        } else {
            self.anchor(now);
        }
        Slot { at, missed: u64::from(missed), jumped }
    }

    /// By how many milliseconds the wall clock is away from where it should be by now, had it run
    /// like the monotonic one since the last slot; 0 where that is no jump.
    pub(super) fn jumped(&self, now: Now) -> i64 {
        let measured = now.mono.millis().saturating_sub(self.due.millis());
        let shown = now.wall.millis().saturating_sub(self.slot.millis());
        let drift = shown.saturating_sub(measured);
        if drift.unsigned_abs() > JUMP.as_millis() as u64 { drift } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(wall: i64, mono: i64) -> Now {
        Now { wall: Timestamp::from_millis(wall), mono: Monotonic::from_millis(mono) }
    }

    fn schedule() -> Schedule {
        let mut schedule = Schedule::new("f", "g", Duration::from_secs(30), now(1_000_000_000, 0));
        schedule.offset = 0;
        schedule.anchor(now(1_000_000_000, 0));
        schedule
    }

    #[test]
    fn slots_are_one_interval_apart_wherever_evaluation_ends() {
        let mut schedule = schedule();
        // 1,000,000,000 ms is 10 s after a multiple of 30 s.
        assert_eq!(schedule.due(), Monotonic::from_millis(20_000));
        let slot = schedule.take(now(1_000_020_003, 20_003));
        assert_eq!((slot.at.millis(), slot.missed, slot.jumped), (1_000_020_000, 0, 0));
        assert_eq!(schedule.due(), Monotonic::from_millis(50_000));
    }

    #[test]
    fn slots_that_an_evaluation_ran_over_are_counted_and_skipped() {
        let mut schedule = schedule();
        let slot = schedule.take(now(1_000_095_000, 95_000));
        assert_eq!((slot.at.millis(), slot.missed), (1_000_080_000, 2));
        assert_eq!(schedule.due(), Monotonic::from_millis(110_000));
    }

    #[test]
    fn a_jump_of_the_clock_moves_the_slots_and_is_told() {
        let mut schedule = schedule();
        let slot = schedule.take(now(1_003_620_000, 20_000));
        assert_eq!((slot.at.millis(), slot.missed, slot.jumped), (1_003_620_000, 0, 3_600_000));
        let wait = schedule.due().since(Monotonic::from_millis(20_000));
        assert!(wait <= Duration::from_secs(30) && !wait.is_zero(), "{wait:?}");
        assert_eq!(schedule.jumped(now(1_003_625_000, 25_000)), 0);
        assert_eq!(schedule.jumped(now(1_000_025_000, 25_000)), -3_600_000, "before it is due");
        let back = schedule.take(now(1_000_050_000, 50_000));
        assert!(back.jumped < -3_500_000, "{back:?}");
    }

    #[test]
    fn groups_spread_out() {
        let start = now(1_000_000_000, 0);
        let interval = Duration::from_secs(60);
        let due = |group: &str| Schedule::new("f", group, interval, start).due().millis();
        let dues: std::collections::BTreeSet<i64> =
            (0..100).map(|n| due(&format!("group{n}"))).collect();
        assert!(dues.len() > 90, "{dues:?}");
        assert!(dues.iter().all(|due| (1..=60_000).contains(due)));
    }
}
