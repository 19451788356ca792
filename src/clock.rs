//! Tier 4: the only reader of the machine's clocks.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use crate::model::{Monotonic, Now, Timestamp};

/// Tells the time and waits for it.
#[async_trait]
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Both clocks at one instant.
    fn now(&self) -> Now;

    /// Waits until the monotonic clock has reached `at`; returns at once where it has.
    async fn sleep_until(&self, at: Monotonic);
}

/// The machine's clocks. Monotonic time starts at zero with the clock's creation. On Linux it
/// stands still while the machine is suspended.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock that starts now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Now {
        let wall = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        };
        Now {
            wall: Timestamp::from_millis(wall),
            mono: Monotonic::from_millis(millis(self.start.elapsed())),
        }
    }

    async fn sleep_until(&self, at: Monotonic) {
        sleep_from(tokio::time::Instant::from_std(self.start), at).await;
    }
}

/// A clock that runs faster than the machine's, for the demo.
#[derive(Debug)]
pub struct FastClock {
    start: tokio::time::Instant,
    wall_at_start: Timestamp,
    speed: u32,
}

impl FastClock {
    /// A clock whose wall time is `wall` now and that runs `speed` times as fast, at least once.
    pub fn new(wall: Timestamp, speed: u32) -> Self {
        Self { start: tokio::time::Instant::now(), wall_at_start: wall, speed: speed.max(1) }
    }

    fn passed(&self) -> Duration {
        self.start.elapsed().saturating_mul(self.speed)
    }
}

#[async_trait]
impl Clock for FastClock {
    fn now(&self) -> Now {
        let passed = self.passed();
        Now { wall: self.wall_at_start + passed, mono: Monotonic::from_millis(millis(passed)) }
    }

    async fn sleep_until(&self, at: Monotonic) {
        // The real time of the point, rounded up: who wakes finds that it has come.
        let target = u64::try_from(at.millis()).unwrap_or(0);
        let real = target.div_ceil(u64::from(self.speed));
        sleep_from(self.start, Monotonic::from_millis(i64::try_from(real).unwrap_or(i64::MAX)))
            .await;
    }
}

/// A clock for tests: the wall starts where it is told, and both clocks move with tokio's time, so
/// that a paused runtime moves them at once from one timer to the next.
#[derive(Debug)]
pub struct VirtualClock {
    start: tokio::time::Instant,
    wall_at_start: AtomicI64,
}

impl VirtualClock {
    /// A clock whose wall time is `wall` now.
    pub fn new(wall: Timestamp) -> Self {
        let start = tokio::time::Instant::now();
        Self { start, wall_at_start: AtomicI64::new(wall.millis()) }
    }

    /// Moves the wall clock alone, as a correction of the machine's time does.
    pub fn jump_wall(&self, millis: i64) {
        self.wall_at_start.fetch_add(millis, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Now {
        let elapsed = millis(self.start.elapsed());
        Now {
            wall: Timestamp::from_millis(self.wall_at_start.load(Ordering::SeqCst) + elapsed),
            mono: Monotonic::from_millis(elapsed),
        }
    }

    async fn sleep_until(&self, at: Monotonic) {
        sleep_from(self.start, at).await;
    }
}

/// tokio cannot wait longer than about two years; nobody here does, so longer waits are cut.
const LONGEST_SLEEP_MILLIS: u64 = 365 * 24 * 3_600_000;

async fn sleep_from(start: tokio::time::Instant, at: Monotonic) {
    let target = Duration::from_millis(u64::try_from(at.millis()).unwrap_or(0));
    let rest = target.saturating_sub(start.elapsed());
    if rest.is_zero() {
        return;
    }
    let rest = rest.min(Duration::from_millis(LONGEST_SLEEP_MILLIS));
    tokio::time::sleep(rest).await;
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn virtual_time_moves_both_clocks() {
        let clock = VirtualClock::new(Timestamp::from_secs(1_000));
        let start = clock.now();
        clock.sleep_until(start.mono + Duration::from_secs(90)).await;
        let later = clock.now();
        assert_eq!(later.mono.since(start.mono), Duration::from_secs(90));
        assert_eq!(later.wall, Timestamp::from_secs(1_090));
        clock.sleep_until(start.mono).await;
        assert_eq!(clock.now(), later, "a point in the past is not waited for");
        clock.sleep_until(Monotonic::from_millis(-5)).await;
        assert_eq!(clock.now(), later, "nor one before the start");
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_clock_waits_less() {
        let clock = FastClock::new(Timestamp::from_secs(1_000), 60);
        let real = tokio::time::Instant::now();
        let start = clock.now();
        clock.sleep_until(start.mono + Duration::from_secs(3_600)).await;
        assert_eq!(real.elapsed(), Duration::from_secs(60));
        let later = clock.now();
        assert_eq!(later.mono.since(start.mono), Duration::from_secs(3_600));
        assert_eq!(later.wall, Timestamp::from_secs(4_600));
        let odd = Monotonic::from_millis(later.mono.millis() + 61);
        clock.sleep_until(odd).await;
        assert!(clock.now().mono >= odd, "who wakes finds that the time has come");
    }

    #[tokio::test(start_paused = true)]
    async fn a_jump_moves_the_wall_only() {
        let clock = VirtualClock::new(Timestamp::from_secs(1_000));
        let start = clock.now();
        clock.jump_wall(-3_600_000);
        assert_eq!(clock.now().wall, Timestamp::from_secs(-2_600));
        assert_eq!(clock.now().mono, start.mono);
    }

    #[tokio::test]
    async fn the_system_clock_is_near_the_truth() {
        let clock = SystemClock::new();
        let first = clock.now();
        clock.sleep_until(first.mono + Duration::from_millis(20)).await;
        let second = clock.now();
        assert!(second.mono.since(first.mono) >= Duration::from_millis(20));
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!((wall.as_millis() as i64 - second.wall.millis()).abs() < 5_000);
    }
}
