//! Times in answers: RFC 3339 for programs, short for people.

use std::time::Duration;

use crate::model::Timestamp;

/// The time of day in UTC, with the date where that is not today's.
pub fn clock(at: Timestamp, now: Timestamp) -> String {
    let (text, today) = (at.rfc3339(), now.rfc3339());
    let (date, time) = text.split_once('T').unwrap_or(("", &text));
    let time = time.split(['.', 'Z']).next().unwrap_or(time);
    if today.starts_with(date) { time.to_string() } else { format!("{date} {time}") }
}

/// A time that may lie ahead, with how far: `03:04:05 (in 12s)`.
pub(super) fn ahead(at: Timestamp, now: Timestamp) -> String {
    match at.since(now) {
        wait if wait < Duration::from_secs(1) => format!("{} (now)", clock(at, now)),
        wait => format!("{} (in {})", clock(at, now), rough(wait)),
    }
}

/// A length of time in its two largest units: `3m20s`, `1d3h`.
pub fn rough(length: Duration) -> String {
    let all = length.as_secs();
    let (days, hours, minutes, seconds) = (all / 86_400, all / 3600 % 24, all / 60 % 60, all % 60);
    let two = |a: u64, unit: &str, b: u64, smaller: &str| match b {
        0 => format!("{a}{unit}"),
        b => format!("{a}{unit}{b}{smaller}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => two(minutes, "m", seconds, "s"),
        (0, _, _) => two(hours, "h", minutes, "m"),
        _ => two(days, "d", hours, "h"),
    }
}

/// As a field of JSON.
pub mod field {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::model::Timestamp;

    /// Writes RFC 3339.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    /// Reads RFC 3339.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
        Ok(Timestamp::from_millis(at.as_millisecond()))
    }
}

/// As a field of JSON that may be null.
pub mod optional {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::Timestamp;

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Field(#[serde(with = "super::field")] Timestamp);

    /// Writes RFC 3339 or null.
    pub fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Field).serialize(serializer)
    }

    /// Reads RFC 3339 or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<Field>::deserialize(deserializer)?.map(|field| field.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_told_in_two_units() {
        let told = [0, 59, 200, 3600, 3660, 90_000, 99_600, 864_000].map(Duration::from_secs);
        let expected = ["0s", "59s", "3m20s", "1h", "1h1m", "1d1h", "1d3h", "10d"];
        assert_eq!(told.map(rough), expected);
    }

    #[test]
    fn a_date_is_shown_where_it_is_not_today() {
        let now = Timestamp::from_secs(1_767_607_200);
        assert_eq!(clock(now, now), "10:00:00");
        let later = now + Duration::from_millis(75_500);
        assert_eq!(ahead(later, now), "10:01:15 (in 1m15s)");
        assert_eq!(ahead(now, later), "10:00:00 (now)");
        assert_eq!(clock(now - Duration::from_secs(86_400), now), "2026-01-04 10:00:00");
    }
}
