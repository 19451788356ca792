//! Numbers for people, digit by digit as Prometheus writes them.
//!
//! Source: the table of template functions in Prometheus' documentation, and the behaviour of
//! release 3; `{:.4g}` is Go's `%.4g`.

use crate::template::go::printf::float;

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const BINARY: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];

fn four(value: f64) -> String {
    float(value, 'g', Some(4))
}

fn no_scale(value: f64) -> bool {
    value == 0.0 || !value.is_finite()
}

/// Divides down to below `step`.
fn large(mut value: f64, step: f64, prefixes: [&'static str; 8]) -> (f64, &'static str) {
    let mut prefix = "";
    for next in prefixes {
        if value.abs() < step {
            break;
        }
        prefix = next;
        value /= step;
    }
    (value, prefix)
}

/// Multiplies up to at least 1.
fn small(mut value: f64) -> (f64, &'static str) {
    let mut prefix = "";
    for next in SMALL {
        if value.abs() >= 1.0 {
            break;
        }
        prefix = next;
        value *= 1000.0;
    }
    (value, prefix)
}

/// `1.234k`, `1m`: metric prefixes, four digits.
pub(in crate::template) fn short(value: f64) -> String {
    if no_scale(value) {
        return four(value);
    }
    let (value, prefix) =
        if value.abs() >= 1.0 { large(value, 1000.0, LARGE) } else { small(value) };
    four(value) + prefix
}

/// `1.5Gi`: binary prefixes; what is at most 1 has none.
pub(super) fn binary(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return four(value);
    }
    let (value, prefix) = large(value, 1024.0, BINARY);
    four(value) + prefix
}

/// `1d 2h 3m 4s`, `1.234s`, `1.5ms`, of seconds.
pub(in crate::template) fn duration(value: f64) -> String {
    if !value.is_finite() {
        return four(value);
    }
    if value.abs() < 1.0 {
        let (value, prefix) = if value == 0.0 { (value, "") } else { small(value) };
        return format!("{}{prefix}s", four(value));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let whole = value.abs() as i64;
    let (seconds, minutes) = (whole % 60, whole / 60 % 60);
    let (hours, days) = (whole / 3600 % 24, whole / 86_400);
    if days != 0 {
        format!("{sign}{days}d {hours}h {minutes}m {seconds}s")
    } else if hours != 0 {
        format!("{sign}{hours}h {minutes}m {seconds}s")
    } else if minutes != 0 {
        format!("{sign}{minutes}m {seconds}s")
    } else {
        format!("{sign}{}s", four(value.abs()))
    }
}

/// `12.34%` of a ratio.
pub(super) fn percentage(value: f64) -> String {
    four(value * 100.0) + "%"
}
