//! Numbers, durations and strings as they are written.

use std::borrow::Cow;

use crate::model::{parse_duration, underscores_separate};

/// A number: decimal, hexadecimal (`0x1f`) or octal (`017`, while no digit is 8 or 9), with
/// underscores between digits, as Go's `ParseInt` with base 0 and then `ParseFloat` read it.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    if !underscores_separate(text) {
        return None;
    }
    let text: Cow<str> =
        if text.contains('_') { text.replace('_', "").into() } else { text.into() };
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let signed = digits.starts_with(['+', '-']);
        return (!signed).then(|| i64::from_str_radix(digits, 16).ok()).flatten().map(|n| n as f64);
    }
    if text.len() > 1 && text.starts_with('0') && text.bytes().all(|b| matches!(b, b'0'..=b'7')) {
        // What is too large as an octal number is read as a decimal one.
        if let Ok(number) = i64::from_str_radix(&text, 8) {
            return Some(number as f64);
        }
    }
    // Rust also reads words such as `infinity`; Prometheus has its own.
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let number: f64 = starts.then(|| text.parse().ok()).flatten()?;
    number.is_finite().then_some(number)
}

/// A duration with a unit, in milliseconds.
pub(super) fn parse_millis(text: &str) -> Option<u64> {
    let duration = parse_duration(text).ok()?;
    u64::try_from(duration.as_millis()).ok()
}

/// Milliseconds in 292 years, which Go's durations hold.
const MAX_MILLIS: f64 = (i64::MAX / 1_000_000) as f64;

/// Seconds as milliseconds, rounded; `None` beyond 292 years either way.
pub(super) fn seconds_to_millis(seconds: f64) -> Option<i64> {
    let millis = (seconds * 1000.0).round();
    // A cast of a float that fits loses nothing here.
    (millis.abs() <= MAX_MILLIS).then_some(millis as i64)
}

/// A time in seconds as milliseconds. There are no samples more than 292 years from 1970, and any such
/// time is as good as another. `None` where Prometheus refuses it.
pub(super) fn time_to_millis(seconds: f64) -> Option<i64> {
    let millis = (seconds * 1000.0).round().clamp(-MAX_MILLIS, MAX_MILLIS);
    (seconds.abs() < i64::MAX as f64).then_some(millis as i64)
}

/// Why a string cannot be read, with the place in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadString {
    /// Bytes from the start of the string.
    pub(super) start: usize,
    /// The end of the place.
    pub(super) end: usize,
    /// What is wrong.
    pub(super) message: &'static str,
}

/// The text between the quotes of a literal, escapes resolved as Go does. `inner` is the literal
/// without its quotes; places count from there.
pub(super) fn unescape(inner: &str, quote: char) -> Result<String, BadString> {
    if quote == '`' || !inner.contains('\\') {
        return Ok(inner.to_string());
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        bytes.extend_from_slice(plain.as_bytes());
        let start = inner.len() - escape.len();
        let (len, value) = read_escape(escape, quote).map_err(|(len, message)| {
            let end = (start + len..=inner.len()).find(|end| inner.is_char_boundary(*end));
            BadString { start, end: end.unwrap_or(inner.len()), message }
        })?;
        match value {
            Escape::Byte(byte) => bytes.push(byte),
            Escape::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = escape.get(len..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    // No label has what is not UTF-8, and none has the sign that stands for it, but on purpose.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

enum Escape {
    Byte(u8),
    Char(char),
}

/// Reads the escape at the start of a text: its length and value, or the length of the mistake.
fn read_escape(text: &str, quote: char) -> Result<(usize, Escape), (usize, &'static str)> {
    let unknown = (2, "unknown escape sequence");
    let kind = text.chars().nth(1).ok_or(unknown)?;
    let simple = |byte| Ok((2, Escape::Byte(byte)));
    match kind {
        'a' => simple(7),
        'b' => simple(8),
        'f' => simple(12),
        'n' => simple(b'\n'),
        'r' => simple(b'\r'),
        't' => simple(b'\t'),
        'v' => simple(11),
        '\\' => simple(b'\\'),
        c if c == quote => Ok((2, Escape::Char(c))),
        '0'..='7' => {
            let value = digits(text, 1, 3, 8).ok_or((2, "an octal escape has three digits"))?;
            let byte = u8::try_from(value).map_err(|_| (4, "an octal escape ends at \\377"))?;
            Ok((4, Escape::Byte(byte)))
        }
        'x' => {
            let value = digits(text, 2, 2, 16).ok_or((2, "`\\x` needs two hexadecimal digits"))?;
            Ok((4, Escape::Byte(u8::try_from(value).unwrap_or_default())))
        }
        'u' => unicode(text, 4).ok_or((2, "`\\u` needs the four digits of a character")),
        'U' => unicode(text, 8).ok_or((2, "`\\U` needs the eight digits of a character")),
        _ => Err(unknown),
    }
}

fn unicode(text: &str, count: usize) -> Option<(usize, Escape)> {
    let value = digits(text, 2, count, 16)?;
    Some((2 + count, Escape::Char(char::from_u32(value)?)))
}

/// The number that `count` digits from byte `start` write.
fn digits(text: &str, start: usize, count: usize, radix: u32) -> Option<u32> {
    let digits = text.get(start..start + count)?;
    let all_digits = digits.chars().all(|c| c.is_digit(radix));
    all_digits.then(|| u32::from_str_radix(digits, radix).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, value) in [
            ("1", 1.0),
            ("1.5", 1.5),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e-3", 0.001),
            ("1E+3", 1000.0),
            ("0x1F", 31.0),
            ("0x_1f", 31.0),
            ("017", 15.0),
            ("018", 18.0),
            ("0.1", 0.1),
            ("1_000_000", 1e6),
            ("1_000.5", 1000.5),
        ] {
            assert_eq!(parse_number(text), Some(value), "{text}");
        }
        for text in [
            "",
            ".",
            "1_",
            "1__0",
            "_1",
            "0x",
            "0x+1",
            "1e",
            "infinity",
            "nan",
            "1.2.3",
            "1e400",
            "1e_5",
            "1_e5",
            "0x8000000000000000",
        ] {
            assert_eq!(parse_number(text), None, "{text}");
        }
        assert_eq!(parse_number("0x7fffffffffffffff"), Some(9.223_372_036_854_776e18));
        assert_eq!(parse_number("0777777777777777777777777"), Some(7.777_777_777_777_778e23));
    }

    #[test]
    fn escapes() {
        for (inner, value) in [
            (r"a\nb", "a\nb"),
            (r"\x41\102\u00e9\U0001F600", "AB\u{e9}\u{1F600}"),
            (r"\xc3\xa9", "\u{e9}"),
            (r#"\""#, "\""),
            (r"d\\.", r"d\."),
            (r"a\xffb", "a\u{fffd}b"),
        ] {
            assert_eq!(unescape(inner, '"').as_deref(), Ok(value), "{inner}");
        }
        assert_eq!(unescape(r"\d\n", '`').as_deref(), Ok(r"\d\n"));
        for (inner, start, end) in [(r"a\d", 1, 3), (r"\'", 0, 2), (r"\é", 0, 3), (r"\x4", 0, 2)] {
            let bad = unescape(inner, '"').unwrap_err();
            assert_eq!((bad.start, bad.end), (start, end), "{inner}: {bad:?}");
        }
    }

    #[test]
    fn seconds_round_and_have_an_end() {
        assert_eq!(seconds_to_millis(1.0005), Some(1001));
        assert_eq!(seconds_to_millis(-2.0), Some(-2000));
        for seconds in [f64::INFINITY, f64::NAN, 1e13] {
            assert_eq!(seconds_to_millis(seconds), None);
        }
        // Milliseconds in place of seconds.
        assert_eq!(time_to_millis(1.7e12), Some(i64::MAX / 1_000_000));
        assert_eq!(time_to_millis(-2.0), Some(-2000));
        for seconds in [f64::INFINITY, f64::NAN, 1e19] {
            assert_eq!(time_to_millis(seconds), None);
        }
    }
}
