//! Prometheus durations: `1h30m`, `90s`, `500ms`, `0`.

use std::fmt::Write;
use std::time::Duration;

/// Units in the order in which they may follow one another, in milliseconds. A year has 365 days
/// and a week 7, as in prometheus/common's `model.ParseDuration`.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Why a text is not a Prometheus duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing stands where a duration should.
    #[error("empty duration")]
    Empty,
    /// The text does not follow the form `1h30m`.
    #[error("not a valid duration: {0:?} (write it like 30s, 5m or 1h30m)")]
    Invalid(String),
    /// The value does not fit.
    #[error("duration out of range: {0:?}")]
    OutOfRange(String),
}

/// Parses a Prometheus duration. Units go from large to small and none repeats; `0` needs none.
///
/// # Errors
/// A [`DurationError`] that quotes the text.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let invalid = || DurationError::Invalid(text.to_string());
    let out_of_range = || DurationError::OutOfRange(text.to_string());
    let mut rest = text;
    let mut units = UNITS.as_slice();
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = rest.split_at(digits);
        let unit_len =
            behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, next) = behind.split_at(unit_len);
        if number.is_empty() {
            return Err(invalid());
        }
        let index = units.iter().position(|(name, _)| *name == unit).ok_or_else(invalid)?;
        let (_, factor) = units.get(index).ok_or_else(invalid)?;
        let number: u64 = number.parse().map_err(|_| out_of_range())?;
        millis = number
            .checked_mul(*factor)
            .and_then(|n| millis.checked_add(n))
            .ok_or_else(out_of_range)?;
        units = units.get(index + 1..).unwrap_or_default();
        rest = next;
    }
    // Go's time.Duration holds 292 years; Prometheus refuses more.
    if millis > i64::MAX as u64 / 1_000_000 {
        return Err(out_of_range());
    }
    Ok(Duration::from_millis(millis))
}

/// Writes a duration as Prometheus does: `1h30m`, `0s`. Years and weeks are used only where they
/// divide the whole, as in prometheus/common's `Duration.String`.
pub fn format_duration(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".to_string();
    }
    let mut text = String::new();
    for (unit, factor) in UNITS {
        let exact_only = matches!(unit, "y" | "w" | "d");
        if exact_only && millis % factor != 0 {
            continue;
        }
        let count = millis / factor;
        if count > 0 {
            let _ = write!(text, "{count}{unit}");
            millis %= factor;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parses_what_prometheus_parses() {
        for (text, millis) in [
            ("0", 0),
            ("0s", 0),
            ("324ms", 324),
            ("3s", 3_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("4d1h", 349_200_000),
            ("3w2d1h", 1_990_800_000),
            ("10y", 315_360_000_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn refuses_what_prometheus_refuses() {
        for text in ["", "1", "1y1m1d", "-1w", "1.5d", "d", "294y", "200y10400w", "1m1m", " 5m"] {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn prints_as_prometheus_prints() {
        for (text, printed) in [
            ("0", "0s"),
            ("7d", "1w"),
            ("8d", "8d"),
            ("90s", "1m30s"),
            ("36h", "36h"),
            ("365d", "1y"),
        ] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), printed);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_again(millis in prop_oneof![
            0..10_000_u64,
            0..=i64::MAX as u64 / 1_000_000,
            (0..15_000_u64).prop_map(|weeks| weeks * 7 * 24 * 3_600_000),
        ]) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9ywdhms. -]{0,12}|([0-9]{1,3}[ywdhms]s?){1,4}") {
            if let Ok(duration) = parse_duration(&text) {
                prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
            }
        }
    }
}
