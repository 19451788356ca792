//! Values, times and durations as people read them.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::model::Timestamp;
use crate::template::go::printf::float;
use crate::template::rule::humanize;

/// A value for people, four digits: `0.93` and `93.4` as they are, `1.234k` where it is large. A
/// ratio is never written in thousandths.
pub(super) fn value_text(value: f64) -> String {
    match value.abs() {
        size if (0.001..1000.0).contains(&size) => float(value, 'g', Some(4)),
        _ => humanize(value),
    }
}

/// A time for people: `2026-01-02 15:04:05 CET`.
pub fn time_text(at: Timestamp, zone: &TimeZone) -> String {
    let at = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// A duration for people, its two largest units: `45s`, `3h 12m`, `2d 4h`.
pub fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let mut parts = Vec::new();
    let mut rest = seconds;
    for (size, unit) in units {
        if rest >= size || (!parts.is_empty() && parts.len() < 2) {
            parts.push((rest / size, unit));
            rest %= size;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() {
        return "0s".to_string();
    }
    let shown = parts.iter().enumerate().filter(|(i, (n, _))| *i == 0 || *n > 0);
    shown.map(|(_, (n, unit))| format!("{n}{unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_at_a_glance() {
        for (value, expected) in [
            (0.0, "0"),
            (0.93, "0.93"),
            (-0.934_56, "-0.9346"),
            (93.456, "93.46"),
            (1234.5, "1.234k"),
            (0.000_5, "500u"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(value_text(value), expected);
        }
    }

    #[test]
    fn durations_have_two_units() {
        for (seconds, expected) in [
            (0, "0s"),
            (45, "45s"),
            (60, "1m"),
            (90, "1m 30s"),
            (3600, "1h"),
            (3605, "1h"),
            (11_520, "3h 12m"),
            (86_400, "1d"),
            (187_200, "2d 4h"),
        ] {
            assert_eq!(duration_text(Duration::from_secs(seconds)), expected);
        }
    }
}
