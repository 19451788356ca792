//! When a failed delivery is tried again.

use std::time::Duration;

/// The first wait.
const BASE: Duration = Duration::from_secs(1);
/// The longest wait that is chosen here.
pub const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// The longest wait that a receiver may ask for with Retry-After. A larger wish is cut, so that a
/// misconfigured proxy cannot silence a pager for a day.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The wait before the next attempt: 1 s, doubling to 1 min, less up to a quarter of jitter so
/// that lanes which failed together do not return together; never shorter than what the receiver
/// asked for.
///
/// `attempts` counts the attempts made so far, from 1. The jitter comes from `seed`, so that the
/// same entry waits the same time in a replay.
pub fn backoff(attempts: u32, seed: u64, retry_after: Option<Duration>) -> Duration {
    let doublings = attempts.saturating_sub(1).min(6);
    let full = (BASE * 2u32.pow(doublings)).min(MAX_BACKOFF);
    let jitter = full.mul_f64(unit(seed.wrapping_add(u64::from(attempts))) / 4.0);
    let wait = full - jitter;
    retry_after.map_or(wait, |after| wait.max(after.min(MAX_RETRY_AFTER)))
}

/// A number from 0 up to 1 out of a seed (SplitMix64's finalizer).
fn unit(seed: u64) -> f64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_a_minute_with_jitter_below() {
        for (attempts, full) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1000, 60)] {
            for seed in 0..50 {
                let wait = backoff(attempts, seed, None);
                let full = Duration::from_secs(full);
                assert!(wait <= full && wait > full.mul_f64(0.75), "{attempts} {seed}: {wait:?}");
            }
        }
        assert_ne!(backoff(5, 1, None), backoff(5, 2, None), "lanes spread out");
    }

    #[test]
    fn retry_after_is_honoured_and_bounded() {
        let asked = Duration::from_secs(120);
        assert_eq!(backoff(1, 0, Some(asked)), asked);
        assert!(backoff(7, 0, Some(Duration::from_secs(1))) > Duration::from_secs(40));
        assert_eq!(backoff(1, 0, Some(Duration::from_secs(86_400))), MAX_RETRY_AFTER);
    }
}
