//! Points in time as values. Only `clock` asks the machine for them.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Go's zero time: what Prometheus' and Alertmanager's JSON says of a time that has not come.
pub const GO_ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// A point of wall-clock time in milliseconds since 1970-01-01T00:00:00Z.
///
/// It is held as the distance from the least `i64`, which no point has, so that an absent one takes
/// no more memory: every alert has four that may be absent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub struct Timestamp(NonZeroU64);

/// What is added to milliseconds to get the distance from the least `i64`.
const BIAS: u64 = 1 << 63;

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        match NonZeroU64::new(millis.cast_unsigned() ^ BIAS) {
            Some(distance) => Self(distance),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// From whole seconds since the epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self::from_millis(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        (self.0.get() ^ BIAS).cast_signed()
    }

    /// Seconds since the epoch, with the milliseconds behind the point.
    pub fn as_secs_f64(self) -> f64 {
        self.millis() as f64 / 1000.0
    }

    /// The time from `earlier` to this; zero where `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(
            u64::try_from(self.millis().saturating_sub(earlier.millis())).unwrap_or(0),
        )
    }

    /// This point as a wall clock shows it that was put forward (or back) by so many milliseconds.
    pub fn moved(self, by_millis: i64) -> Self {
        Self::from_millis(self.millis().saturating_add(by_millis))
    }

    /// This point in RFC 3339 with milliseconds, in UTC: `2026-01-02T03:04:05.678Z`.
    ///
    /// Points outside of the years that RFC 3339 can write are clamped to its range.
    pub fn rfc3339(self) -> String {
        let at = jiff::Timestamp::from_millisecond(self.millis()).unwrap_or(if self.millis() < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        format!("{at:.3}")
    }
}

/// A text that is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// It has neither form.
    #[error("write it like 2026-05-04T10:00:00Z, or as seconds since 1970")]
    Syntax,
    /// No calendar names it.
    #[error("the time is out of range")]
    Range,
}

/// Reads RFC 3339 (`2026-05-04T10:00:00Z`) or seconds since 1970.
impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Ok(Self::from_millis(at.as_millisecond()));
        }
        let seconds: f64 = text.parse().map_err(|_| TimeError::Syntax)?;
        // What a calendar can name lies well inside.
        if !(-1e11..=1e11).contains(&seconds) {
            return Err(TimeError::Range);
        }
        Ok(Self::from_millis((seconds * 1000.0).round() as i64))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self::from_millis(self.millis().saturating_add(millis(rhs)))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self::from_millis(self.millis().saturating_sub(millis(rhs)))
    }
}

impl Default for Timestamp {
    fn default() -> Self {
        Self::from_millis(0)
    }
}

impl From<i64> for Timestamp {
    fn from(millis: i64) -> Self {
        Self::from_millis(millis)
    }
}

impl From<Timestamp> for i64 {
    fn from(at: Timestamp) -> Self {
        at.millis()
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({})", self.millis())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A point on the monotonic clock in milliseconds since an arbitrary start. It may be negative:
/// a timer that was persisted by a former process can lie before this one's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Monotonic(i64);

impl Monotonic {
    /// From milliseconds since the clock's start.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the clock's start.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to this; zero where `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl std::ops::Add<Duration> for Monotonic {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(millis(rhs)))
    }
}

impl std::ops::Sub<Duration> for Monotonic {
    type Output = Self;

    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(millis(rhs)))
    }
}

/// One reading of both clocks. Stamps are taken from `wall`, intervals are measured on `mono`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Wall-clock time.
    pub wall: Timestamp,
    /// Monotonic time, read at the same instant.
    pub mono: Monotonic,
}

impl Now {
    /// The monotonic point of a persisted timer that was due at `due` and runs for `interval`:
    /// never later than one interval from now, so that a clock jump cannot silence it, and never
    /// before now, so that it is due at once when its time has passed.
    pub fn timer(self, due: Timestamp, interval: Duration) -> Monotonic {
        self.mono + due.since(self.wall).min(interval)
    }

    /// The monotonic point of something that happened at `past`; a stamp in the future counts
    /// as now.
    pub fn past(self, past: Timestamp) -> Monotonic {
        self.mono - self.wall.since(past)
    }

    /// The wall-clock time of a monotonic point, by today's difference of the clocks.
    pub fn wall_of(self, at: Monotonic) -> Timestamp {
        Timestamp::from_millis(self.wall.millis().saturating_add(at.0.saturating_sub(self.mono.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persisted_timer_is_clamped_both_ways() {
        let now = Now { wall: Timestamp::from_secs(1000), mono: Monotonic::from_millis(50_000) };
        let interval = Duration::from_secs(60);
        let at = |secs| now.timer(Timestamp::from_secs(secs), interval).millis();
        assert_eq!(at(1030), 80_000, "due in 30 s");
        assert_eq!(at(900), 50_000, "overdue: at once");
        assert_eq!(at(9000), 110_000, "the clock went back: one interval at most");
    }

    #[test]
    fn a_point_is_its_milliseconds_and_an_absent_one_takes_no_room() {
        let millis = [i64::MIN + 1, -1, 0, 1, 1_700_000_000_123, i64::MAX];
        let points = millis.map(Timestamp::from_millis);
        assert_eq!(points.map(Timestamp::millis), millis);
        assert!(points.is_sorted());
        assert_eq!(Timestamp::from_millis(i64::MIN), points[0], "the least has no place");
        assert_eq!(Timestamp::default().millis(), 0);
        assert_eq!(serde_json::to_string(&points[4]).unwrap(), "1700000000123");
        assert_eq!(size_of::<Option<Timestamp>>(), 8);
    }

    #[test]
    fn rfc3339_has_milliseconds_and_never_panics() {
        assert_eq!(Timestamp::from_millis(1_500).rfc3339(), "1970-01-01T00:00:01.500Z");
        assert!(Timestamp::from_millis(i64::MAX).rfc3339().starts_with("9999-12-3"));
        assert!(Timestamp::from_millis(i64::MIN).rfc3339().starts_with('-'));
    }
}
