//! Times on the command line.

use crate::clock::{Clock, SystemClock};
use crate::model::Timestamp;

/// Reads a time: RFC 3339 (`2026-05-04T10:00:00Z`) or seconds since 1970.
pub(super) fn parse(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp::from_millis(at.as_millisecond()));
    }
    let seconds: f64 = text
        .parse()
        .map_err(|_| "write it like 2026-05-04T10:00:00Z, or as seconds since 1970".to_string())?;
    // What a calendar can name lies well inside.
    if !(-1e11..=1e11).contains(&seconds) {
        return Err("the time is out of range".to_string());
    }
    Ok(Timestamp::from_millis((seconds * 1000.0).round() as i64))
}

/// The time now.
pub(super) fn now() -> Timestamp {
    SystemClock::new().now().wall
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let at = Ok(Timestamp::from_millis(1_777_888_800_500));
        assert_eq!(parse("2026-05-04T10:00:00.5Z"), at);
        assert_eq!(parse("2026-05-04T12:00:00.5+02:00"), at);
        assert_eq!(parse("1777888800.5"), at);
        for bad in ["", "yesterday", "NaN", "inf", "1e300", "2026-05-04"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
