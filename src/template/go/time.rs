//! Go's times and durations as values, with their methods.

use gotmpl::Value;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::layout;
use super::value::{arity, kind, object, string_arg, text, type_name};

/// The kind of a time.
pub(in crate::template) const TIME: &str = "time";
/// The kind of a duration.
pub(in crate::template) const DURATION: &str = "duration";

/// A time in UTC from seconds since 1970 and nanoseconds above them.
pub(in crate::template) fn time(seconds: i64, nanos: i32) -> Value {
    in_zone(seconds, nanos, "UTC")
}

fn in_zone(seconds: i64, nanos: i32, zone: &str) -> Value {
    let nanos = Value::Int(i64::from(nanos));
    object(TIME, [("s", Value::Int(seconds)), ("n", nanos), ("z", text(zone))])
}

/// A time from RFC 3339.
pub(in crate::template) fn parse(rfc3339: &str) -> Option<Value> {
    let at: Timestamp = rfc3339.parse().ok()?;
    Some(time(at.as_second(), at.subsec_nanosecond()))
}

/// A duration.
pub(in crate::template) fn duration(nanos: i64) -> Value {
    object(DURATION, [("n", Value::Int(nanos))])
}

/// The nanoseconds of a duration.
pub(in crate::template) fn duration_nanos(value: &Value) -> Option<i64> {
    (kind(value) == Some(DURATION)).then(|| int(value, "n"))
}

fn int(value: &Value, field: &str) -> i64 {
    value.field(field).and_then(Value::as_int).unwrap_or(0)
}

fn zoned(value: &Value) -> Option<Zoned> {
    if kind(value) != Some(TIME) {
        return None;
    }
    let nanos = i32::try_from(int(value, "n")).ok()?;
    let at = Timestamp::new(int(value, "s"), nanos).ok()?;
    let zone = value.field("z").and_then(Value::as_str).unwrap_or("UTC");
    Some(at.to_zoned(TimeZone::get(zone).unwrap_or(TimeZone::UTC)))
}

/// A time argument.
pub(in crate::template) fn time_arg(args: &[Value], index: usize) -> Result<Zoned, String> {
    let value = args.get(index).unwrap_or(&Value::Nil);
    zoned(value).ok_or_else(|| format!("expected a time, got {}", type_name(value)))
}

/// A time in another zone, named as in the IANA database.
pub(in crate::template) fn moved(zone: &str, time: &Value) -> Result<Value, String> {
    if TimeZone::get(zone).is_err() {
        return Err(format!("unknown time zone {zone:?}"));
    }
    Ok(in_zone(int(time, "s"), i32::try_from(int(time, "n")).unwrap_or(0), zone))
}

/// A time by a Go layout.
pub(in crate::template) fn format(layout: &str, time: &Zoned) -> String {
    layout::format(layout, time)
}

/// A time as Go prints it: `2006-01-02 15:04:05.999 +0000 UTC`.
pub(in crate::template) fn show(value: &Value) -> String {
    zoned(value)
        .map(|z| layout::format("2006-01-02 15:04:05.999999999 -0700 MST", &z))
        .unwrap_or_default()
}

/// A duration as Go prints it: `1h2m3.5s`.
pub(in crate::template) fn show_duration(value: &Value) -> String {
    let nanos = int(value, "n");
    let sign = if nanos < 0 { "-" } else { "" };
    let n = nanos.unsigned_abs();
    let below = |unit: u64, name: &str| format!("{sign}{}{name}", decimal(n, unit));
    match n {
        0 => return "0s".to_string(),
        1..1_000 => return below(1, "ns"),
        1_000..1_000_000 => return below(1_000, "µs"),
        1_000_000..1_000_000_000 => return below(1_000_000, "ms"),
        _ => {}
    }
    let (hours, minutes) = (n / 3_600_000_000_000, n / 60_000_000_000 % 60);
    let seconds = decimal(n % 60_000_000_000, 1_000_000_000);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, m) => format!("{sign}{m}m{seconds}s"),
        (h, m) => format!("{sign}{h}h{m}m{seconds}s"),
    }
}

/// `n / unit` with as many decimals as it has.
fn decimal(n: u64, unit: u64) -> String {
    let (whole, rest) = (n / unit, n % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{rest:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// Methods of times and durations.
pub(in crate::template) fn method(
    value: &Value,
    name: &str,
    args: &[Value],
) -> Option<Result<Value, String>> {
    match kind(value)? {
        TIME => time_method(value, &zoned(value)?, name, args),
        DURATION => duration_method(value, name, args),
        _ => None,
    }
}

fn time_method(
    value: &Value,
    at: &Zoned,
    name: &str,
    args: &[Value],
) -> Option<Result<Value, String>> {
    let int = |n: i64| Value::Int(n);
    let stamp = at.timestamp();
    let other = || time_arg(args, 0).map(|z| z.timestamp());
    let result = match name {
        "Format" => string_arg(args, 0).map(|l| text(layout::format(l, at))),
        "Sub" => other().map(|o| {
            let nanos = stamp.as_nanosecond() - o.as_nanosecond();
            duration(i64::try_from(nanos).unwrap_or(i64::MAX))
        }),
        "After" => other().map(|o| Value::Bool(stamp > o)),
        "Before" => other().map(|o| Value::Bool(stamp < o)),
        "Equal" => other().map(|o| Value::Bool(stamp == o)),
        _ => {
            let plain = match name {
                "UTC" => moved("UTC", value).ok()?,
                "Local" => value.clone(),
                "String" => text(show(value)),
                "Unix" => int(stamp.as_second()),
                "UnixMilli" => int(stamp.as_millisecond()),
                "UnixNano" => int(i64::try_from(stamp.as_nanosecond()).unwrap_or(i64::MAX)),
                "Year" => int(i64::from(at.year())),
                "Month" => text(layout::month(at)),
                "Weekday" => text(layout::weekday(at)),
                "YearDay" => int(i64::from(at.day_of_year())),
                "Day" => int(i64::from(at.day())),
                "Hour" => int(i64::from(at.hour())),
                "Minute" => int(i64::from(at.minute())),
                "Second" => int(i64::from(at.second())),
                "IsZero" => Value::Bool(stamp.as_second() == ZERO_SECONDS),
                _ => return None,
            };
            return Some(arity(args, 0).map(|()| plain));
        }
    };
    Some(arity(args, 1).and(result))
}

/// The start of year 1, Go's zero time.
pub(in crate::template) const ZERO_SECONDS: i64 = -62_135_596_800;

fn duration_method(value: &Value, name: &str, args: &[Value]) -> Option<Result<Value, String>> {
    let nanos = int(value, "n");
    let result = match name {
        "String" => text(show_duration(value)),
        "Hours" => Value::Float(nanos as f64 / 3.6e12),
        "Minutes" => Value::Float(nanos as f64 / 6e10),
        "Seconds" => Value::Float(nanos as f64 / 1e9),
        "Milliseconds" => Value::Int(nanos / 1_000_000),
        "Nanoseconds" => Value::Int(nanos),
        _ => return None,
    };
    Some(arity(args, 0).map(|()| result))
}
