//! Go's number literals: what the template lexer takes for one, and what `strconv` makes of it.

use gotmpl::parse::Number;

use crate::model::underscores_separate;

/// What a literal stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Literal {
    /// An integer or a float.
    Real(Number),
    /// A real and an imaginary part.
    Complex(f64, f64),
}

const DECIMAL: &[u8] = b"0123456789_";
const HEXADECIMAL: &[u8] = b"0123456789abcdefABCDEF_";

/// A number at the start of a text and the length of what looks like one.
pub(super) fn number(text: &str) -> (Option<Literal>, usize) {
    let first = scan(text);
    let behind = text.get(first..).unwrap_or("");
    let is_pair = behind.starts_with(['+', '-']);
    let len = if is_pair { first + scan(behind) } else { first };
    let tail = text.get(len..).unwrap_or("");
    let extra =
        tail.len() - tail.trim_start_matches(|c: char| c == '_' || c.is_alphanumeric()).len();
    if extra > 0 {
        return (None, len + extra);
    }
    let word = text.get(..len).unwrap_or("");
    let value = if is_pair { complex(word, first) } else { single(word) };
    (value, len)
}

/// The length of what Go's lexer takes for one number; most that is none is found out later.
fn scan(text: &str) -> usize {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    scan.one(b"+-");
    let mut digits = DECIMAL;
    if scan.one(b"0") {
        digits = match scan.peek() {
            Some(b'x' | b'X') => HEXADECIMAL,
            Some(b'o' | b'O') => b"01234567_",
            Some(b'b' | b'B') => b"01_",
            _ => DECIMAL,
        };
        scan.at += usize::from(digits != DECIMAL);
    }
    scan.run(digits);
    if scan.one(b".") {
        scan.run(digits);
    }
    let exponent: &[u8] = match digits {
        DECIMAL => b"eE",
        HEXADECIMAL => b"pP",
        _ => b"",
    };
    if scan.one(exponent) {
        scan.one(b"+-");
        scan.run(DECIMAL);
    }
    scan.one(b"i");
    scan.at
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn one(&mut self, of: &[u8]) -> bool {
        let found = self.peek().is_some_and(|byte| of.contains(&byte));
        self.at += usize::from(found);
        found
    }

    fn run(&mut self, of: &[u8]) {
        while self.one(of) {}
    }
}

/// `1+2i`, with the second part from `split` on.
fn complex(word: &str, split: usize) -> Option<Literal> {
    let (real, imaginary) = word.split_at_checked(split)?;
    Some(Literal::Complex(float(real)?, float(imaginary.strip_suffix('i')?)?))
}

fn single(word: &str) -> Option<Literal> {
    if let Some(imaginary) = word.strip_suffix('i') {
        return Some(Literal::Complex(0.0, float(imaginary)?));
    }
    // `e` is a digit of `0x1e`, but with a sign in front of it Go makes a float of that.
    let is_hexadecimal = word.starts_with("0x") || word.starts_with("0X");
    let is_float = word.contains(['.', 'p', 'P']) || word.contains(['e', 'E']) && !is_hexadecimal;
    Some(Literal::Real(match integer(word) {
        Some(Number::Int(n)) if is_float => Number::Float(n as f64),
        Some(whole) => whole,
        // What has no sign of a float is an integer that is too large, or none.
        None => Number::Float(float(word).filter(|_| is_float)?),
    }))
}

/// The sign of a number, and the rest in small letters without `_`; `None` where a `_` separates nothing.
fn parts(word: &str) -> Option<(Option<char>, String)> {
    let sign = word.chars().next().filter(|c| matches!(c, '+' | '-'));
    let unsigned = word.get(sign.map_or(0, char::len_utf8)..)?;
    let good = underscores_separate(unsigned);
    good.then(|| (sign, unsigned.to_ascii_lowercase().replace('_', "")))
}

/// As Go's `ParseInt` and `ParseUint` with base 0.
fn integer(word: &str) -> Option<Number> {
    let (sign, digits) = parts(word)?;
    let (radix, body) = match digits.get(..2) {
        Some("0x") => (16, digits.get(2..)?),
        Some("0o") => (8, digits.get(2..)?),
        Some("0b") => (2, digits.get(2..)?),
        Some(_) if digits.starts_with('0') => (8, digits.get(1..)?),
        _ => (10, digits.as_str()),
    };
    if body.starts_with(['+', '-']) {
        return None;
    }
    let whole = i128::from_str_radix(body, radix).ok()?;
    match i64::try_from(if sign == Some('-') { -whole } else { whole }) {
        Ok(n) => Some(Number::Int(n)),
        Err(_) if sign.is_some() => None,
        Err(_) => u64::try_from(whole).ok().map(Number::Uint),
    }
}

/// As Go's `ParseFloat`; what is too large is none.
fn float(word: &str) -> Option<f64> {
    let (sign, digits) = parts(word)?;
    let value = match digits.strip_prefix("0x") {
        Some(hexadecimal) => hexadecimal_float(hexadecimal)?,
        None => {
            let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | '+' | '-');
            let is_number = digits.chars().all(is_part) && !digits.starts_with(['+', '-']);
            digits.parse::<f64>().ok().filter(|_| is_number)?
        }
    };
    let signed = if sign == Some('-') { -value } else { value };
    value.is_finite().then_some(signed)
}

/// `1.8p3`: the exponent must be there and is one of 2.
fn hexadecimal_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // Far beyond every float; a longer text does not fit a number.
    let most = if exponent.starts_with('-') { -100_000 } else { 100_000 };
    let mut exponent = exponent.parse::<i64>().unwrap_or(most).clamp(-100_000, 100_000);
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for (is_part, c) in whole.chars().map(|c| (false, c)).chain(part.chars().map(|c| (true, c))) {
        let digit = u64::from(c.to_digit(16)?);
        let fits = value < 1 << 58;
        value = if fits { value * 16 + digit } else { value | u64::from(digit > 0) };
        exponent += match (fits, is_part) {
            (true, true) => -4,
            (false, false) => 4,
            _ => 0,
        };
    }
    let mut value = value as f64;
    while exponent != 0 && value != 0.0 && value.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        value *= 2f64.powi(i32::try_from(step).unwrap_or(0));
        exponent -= step;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values are those of Go's `text/template`.
    #[test]
    fn numbers_are_read_as_go_reads_them() {
        let int = |n| Some(Literal::Real(Number::Int(n)));
        let float = |f| Some(Literal::Real(Number::Float(f)));
        let complex = |re, im| Some(Literal::Complex(re, im));
        for (text, expected) in [
            ("0", int(0)),
            ("-0", int(0)),
            ("017", int(15)),
            ("0_17", int(15)),
            ("0o17", int(15)),
            ("0b101", int(5)),
            ("0x_1F", int(31)),
            ("1_000", int(1000)),
            ("0x1e3", int(483)),
            ("-0x1e3", float(-483.0)),
            ("18446744073709551615", Some(Literal::Real(Number::Uint(u64::MAX)))),
            ("99999999999999999999", None),
            ("-9223372036854775808", int(i64::MIN)),
            ("+18446744073709551615", None),
            ("1.", float(1.0)),
            (".5", float(0.5)),
            ("08.5", float(8.5)),
            ("1e3", float(1000.0)),
            ("1_0.2_5e+1_0", float(10.25e10)),
            ("0x1p4", float(16.0)),
            ("-0x.8P-1", float(-0.25)),
            ("0x1.fffffffffffff8p0", float(2.0)),
            ("0x10000000000000000001p-72", float(16.0)),
            ("0x1p-1080", float(0.0)),
            ("1i", complex(0.0, 1.0)),
            ("-.5i", complex(0.0, -0.5)),
            ("1+2i", complex(1.0, 2.0)),
            ("1e+2-0x1p1i", complex(100.0, -2.0)),
        ] {
            assert_eq!(number(text), (expected, text.len()), "{text}");
        }
        for text in [
            "08", "1_", "1__0", "_1", "1_.5", "1._5", "1e", "1e_5", ".", "-", "0x", "0x1.8",
            "0xp1", "0x1p", "1e400", "0x1p2000", "0b2", "0o8", "1x", "1²", "1+2", "1++2i", "1+i",
            "0x1i", "0b1+2i", "1i+2i", "1e400i", "0b1.1",
        ] {
            assert_eq!(number(text).0, None, "{text}");
        }
    }
}
