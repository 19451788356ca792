//! Times on the command line.

use crate::clock::{Clock, SystemClock};
use crate::model::time::TimeError;
use crate::model::{Timestamp, parse_duration};

/// Reads a time: RFC 3339 (`2026-05-04T10:00:00Z`) or seconds since 1970.
pub(super) fn parse(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error: TimeError| error.to_string())
}

/// Reads a time, or how long ago it was (`2h`).
pub(super) fn parse_past(text: &str) -> Result<Timestamp, String> {
    match parse_duration(text) {
        Ok(ago) if text.ends_with(|c: char| c.is_ascii_alphabetic()) => Ok(now() - ago),
        _ => parse(text).map_err(|error| format!("{error}, or how long ago it was, like 2h")),
    }
}

/// The time now.
pub(super) fn now() -> Timestamp {
    SystemClock::new().now().wall
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_be_some_time_ago() {
        let hour = now() - std::time::Duration::from_secs(3600);
        let parsed = parse_past("1h").unwrap();
        assert!(parsed >= hour && parsed.since(hour).as_secs() < 60);
        assert_eq!(parse_past("7200"), Ok(Timestamp::from_secs(7200)));
        assert!(parse_past("an hour ago").is_err());
    }

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
