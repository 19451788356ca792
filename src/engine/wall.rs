//! Notices that the wall clock has jumped.

use crate::model::Now;

/// How far the wall clock may move away from the monotonic one between two looks before that counts
/// as a jump, in milliseconds.
const JUMP: u64 = 2_000;

/// Compares the two clocks at every look.
pub(super) struct WallWatch {
    /// How far the wall clock was ahead at the last look.
    ahead: i64,
}

impl WallWatch {
    pub(super) fn new(now: Now) -> Self {
        Self { ahead: ahead(now) }
    }

    /// By how many milliseconds the wall clock has jumped since the last look, if it has.
    pub(super) fn look(&mut self, now: Now) -> Option<i64> {
        let before = std::mem::replace(&mut self.ahead, ahead(now));
        let moved = self.ahead.saturating_sub(before);
        (moved.unsigned_abs() > JUMP).then_some(moved)
    }
}

fn ahead(now: Now) -> i64 {
    now.wall.millis().saturating_sub(now.mono.millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Monotonic, Timestamp};

    #[test]
    fn a_jump_is_told_once_and_a_slow_drift_is_none() {
        let now = |wall, mono| Now {
            wall: Timestamp::from_millis(wall),
            mono: Monotonic::from_millis(mono),
        };
        let mut watch = WallWatch::new(now(1_000_000, 0));
        assert_eq!(watch.look(now(1_061_500, 60_000)), None, "adjusted slowly");
        assert_eq!(watch.look(now(1_123_000, 120_000)), None);
        assert_eq!(watch.look(now(4_723_000, 120_000)), Some(3_600_000));
        assert_eq!(watch.look(now(4_724_000, 121_000)), None);
        assert_eq!(watch.look(now(1_124_000, 121_000)), Some(-3_600_000));
    }
}
