//! Durations as Go writes them: the exporter toolkit's `rate_limit.interval` is one.

use std::time::Duration;

/// Reads a duration such as `1s`, `1m30s` or `1.5ms`. A number without a unit counts nanoseconds,
/// as it does for Go's YAML decoder. `None` where it is none, negative, or longer than a day.
pub(super) fn parse(text: &str) -> Option<Duration> {
    const DAY: f64 = 86_400.0;
    if let Ok(nanoseconds) = text.parse::<u64>() {
        return Some(Duration::from_nanos(nanoseconds)).filter(|d| d.as_secs_f64() <= DAY);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(digits);
        let letters = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        let unit = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * unit;
        rest = behind;
    }
    (!text.is_empty() && seconds <= DAY).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gos_forms_are_read() {
        let ms = |n| Some(Duration::from_millis(n));
        for (text, expected) in [
            ("1s", ms(1000)),
            ("1m30s", ms(90_000)),
            ("1.5s", ms(1500)),
            (".5s", ms(500)),
            ("250000us", ms(250)),
            ("1000000", ms(1)),
            ("0", ms(0)),
            ("0s", ms(0)),
            ("", None),
            ("s", None),
            ("1", Some(Duration::from_nanos(1))),
            ("1d", None),
            ("-1s", None),
            ("1.2.3s", None),
            ("25h", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }
}
