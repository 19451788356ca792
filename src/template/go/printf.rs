//! Go's `fmt` for the values that templates hold: `printf` and the form of numbers.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use gotmpl::Value;

use super::run::{Capped, Run};
use super::text::{MAX_TEXT, printed, too_long};
use super::value::type_name;
use crate::model::label::Quoted;

/// The widest field and the most decimals; Go's limit is a million.
const MAX_WIDTH: usize = 10_000;

/// A float as Go's `strconv.FormatFloat` writes it, by verb `e`, `f` or `g`. Without a precision it
/// has as few digits as name the value, and `%g`, which is also `%v`, has an exponent from 1e6 on.
pub(in crate::template) fn float(value: f64, verb: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".to_string();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_string();
    }
    match verb {
        'f' | 'F' => match precision {
            Some(p) => format!("{value:.p$}"),
            None => format!("{value}"),
        },
        'e' | 'E' => match precision {
            Some(p) => exponent(&format!("{value:.p$e}")),
            None => exponent(&format!("{value:e}")),
        },
        _ => general(value, precision),
    }
}

/// `%g`: an exponent below 1e-4 and from the precision on, no zeros at the end.
fn general(value: f64, precision: Option<usize>) -> String {
    let scientific = match precision.map(|p| p.max(1)) {
        Some(p) => format!("{value:.*e}", p - 1),
        None => format!("{value:e}"),
    };
    let (mantissa, exp) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exp: i32 = exp.parse().unwrap_or(0);
    let limit = precision.map_or(6, |p| i32::try_from(p.max(1)).unwrap_or(i32::MAX));
    if exp < -4 || exp >= limit {
        return exponent(&format!("{}e{exp}", trimmed(mantissa)));
    }
    match precision {
        Some(_) => {
            let decimals = usize::try_from(limit - 1 - exp).unwrap_or(0);
            trimmed(&format!("{value:.decimals$}")).to_string()
        }
        None => format!("{value}"),
    }
}

/// Without zeros at the end of the decimals.
fn trimmed(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// Rust's `1e5` and `1e-5` as Go's `1e+05` and `1e-05`.
fn exponent(text: &str) -> String {
    let Some((mantissa, exp)) = text.split_once('e') else { return text.to_string() };
    let (sign, digits) = match exp.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exp),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// One `%…` of a format.
#[derive(Default)]
struct Spec {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

/// `printf format args…`.
pub(in crate::template) fn sprintf(
    run: &Run,
    format: &str,
    args: &[Value],
) -> Result<String, String> {
    let mut out = Capped { text: String::new(), left: MAX_TEXT };
    let mut chars = format.chars().peekable();
    let mut next = 0;
    let mut indexed = false;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.write_char(c).map_err(|_| too_long())?;
            continue;
        }
        let mut spec = Spec::default();
        flags(&mut chars, &mut spec);
        indexed |= index(&mut chars, &mut next);
        spec.width = number(&mut chars, args, &mut next).unwrap_or(0);
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(number(&mut chars, args, &mut next).unwrap_or(0));
        }
        indexed |= index(&mut chars, &mut next);
        let piece = match chars.next() {
            None => "%!(NOVERB)".to_string(),
            Some('%') => "%".to_string(),
            Some(verb) => match args.get(next) {
                None => format!("%!{verb}(MISSING)"),
                Some(arg) => {
                    next += 1;
                    verb_text(run, &spec, verb, arg)?
                }
            },
        };
        out.write_str(&piece).map_err(|_| too_long())?;
    }
    if !indexed && next < args.len() {
        let extra: Result<Vec<String>, String> = args
            .iter()
            .skip(next)
            .map(|a| printed(run, a).map(|text| format!("{}={text}", go_type(a))))
            .collect();
        let piece = format!("%!(EXTRA {})", extra?.join(", "));
        out.write_str(&piece).map_err(|_| too_long())?;
    }
    Ok(out.text)
}

fn flags(chars: &mut Peekable<Chars<'_>>, spec: &mut Spec) {
    while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '+' | '#' | ' ' | '0')) {
        match flag {
            '-' => spec.minus = true,
            '+' => spec.plus = true,
            '#' => spec.sharp = true,
            ' ' => spec.space = true,
            _ => spec.zero = true,
        }
    }
}

/// `[2]`: the argument to take next, from 1.
fn index(chars: &mut Peekable<Chars<'_>>, next: &mut usize) -> bool {
    if chars.next_if_eq(&'[').is_none() {
        return false;
    }
    let mut value: usize = 0;
    while let Some(c) = chars.next_if(|c| *c != ']') {
        value = value.saturating_mul(10).saturating_add(c.to_digit(10).unwrap_or(0) as usize);
    }
    chars.next();
    *next = value.saturating_sub(1);
    true
}

/// A width or precision: digits, or `*` for the next argument.
fn number(chars: &mut Peekable<Chars<'_>>, args: &[Value], next: &mut usize) -> Option<usize> {
    if chars.next_if_eq(&'*').is_some() {
        let value = args.get(*next).and_then(Value::as_int);
        *next += 1;
        return value.and_then(|n| usize::try_from(n).ok()).map(|n| n.min(MAX_WIDTH));
    }
    let mut value: Option<usize> = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        value = Some((value.unwrap_or(0) * 10 + digit as usize).min(MAX_WIDTH));
    }
    value
}

/// The name of a value's Go type, for the marks of a wrong verb.
fn go_type(value: &Value) -> &str {
    match value {
        Value::List(_) => "[]interface {}",
        other => type_name(other),
    }
}

fn verb_text(run: &Run, spec: &Spec, verb: char, arg: &Value) -> Result<String, String> {
    let text = match (verb, arg) {
        ('v', Value::Float(f)) => return Ok(padded_number(spec, float(*f, 'g', spec.precision))),
        ('v', Value::Int(n)) => return Ok(padded_number(spec, n.to_string())),
        ('d', Value::Int(n)) => return Ok(padded_number(spec, n.to_string())),
        ('v' | 'd', Value::Uint(n)) => return Ok(padded_number(spec, n.to_string())),
        ('e' | 'E' | 'f' | 'F' | 'g' | 'G', Value::Float(f)) => {
            let default = if matches!(verb, 'g' | 'G') { None } else { Some(6) };
            let text = float(*f, verb.to_ascii_lowercase(), spec.precision.or(default));
            let text =
                if verb.is_uppercase() && f.is_finite() { text.to_uppercase() } else { text };
            return Ok(padded_number(spec, text));
        }
        ('x' | 'X' | 'o' | 'b', Value::Int(_) | Value::Uint(_)) => {
            return Ok(padded_number(spec, radix(spec, verb, arg)));
        }
        ('c', Value::Int(n)) => character(*n).to_string(),
        ('U', Value::Int(n)) => format!("U+{n:04X}"),
        ('q', Value::Int(n)) => format!("'{}'", character(*n)),
        ('t', Value::Bool(b)) => b.to_string(),
        ('q', Value::String(s) | Value::Safe { s, .. }) => Quoted(&cut(spec, s)).to_string(),
        ('x' | 'X', Value::String(s) | Value::Safe { s, .. }) => hex(verb, s)?,
        ('s', Value::Nil) => "%!s(<nil>)".to_string(),
        ('s', Value::Int(_) | Value::Uint(_) | Value::Float(_) | Value::Bool(_)) => {
            wrong(run, verb, arg)?
        }
        ('v' | 's', other) => cut(spec, &printed(run, other)?),
        _ => wrong(run, verb, arg)?,
    };
    Ok(padded(spec, text, ' '))
}

fn wrong(run: &Run, verb: char, arg: &Value) -> Result<String, String> {
    Ok(match arg {
        Value::Nil => format!("%!{verb}(<nil>)"),
        _ => format!("%!{verb}({}={})", go_type(arg), printed(run, arg)?),
    })
}

fn character(code: i64) -> char {
    u32::try_from(code).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// At most as many characters as the precision says.
fn cut(spec: &Spec, text: &str) -> String {
    match spec.precision {
        Some(p) => text.chars().take(p).collect(),
        None => text.to_string(),
    }
}

fn hex(verb: char, text: &str) -> Result<String, String> {
    if text.len() * 2 > MAX_TEXT {
        return Err(too_long());
    }
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        let _ = if verb == 'x' { write!(out, "{byte:02x}") } else { write!(out, "{byte:02X}") };
    }
    Ok(out)
}

fn radix(spec: &Spec, verb: char, arg: &Value) -> String {
    let (negative, n) = match arg {
        Value::Int(n) => (*n < 0, n.unsigned_abs()),
        Value::Uint(n) => (false, *n),
        _ => (false, 0),
    };
    let (digits, prefix) = match verb {
        'x' => (format!("{n:x}"), "0x"),
        'X' => (format!("{n:X}"), "0X"),
        'o' => (format!("{n:o}"), "0"),
        _ => (format!("{n:b}"), "0b"),
    };
    let prefix = if spec.sharp { prefix } else { "" };
    format!("{}{prefix}{digits}", if negative { "-" } else { "" })
}

/// A number with its sign and its width; zeros go between the two.
fn padded_number(spec: &Spec, text: String) -> String {
    let finite = text.ends_with(|c: char| c.is_ascii_hexdigit()) && text != "+Inf";
    let text = match text.as_bytes().first() {
        Some(b'-' | b'+') => text,
        _ if spec.plus => format!("+{text}"),
        _ if spec.space => format!(" {text}"),
        _ => text,
    };
    if !spec.zero || spec.minus || !finite {
        return padded(spec, text, ' ');
    }
    let (sign, digits) = text.split_at(usize::from(text.starts_with(['-', '+', ' '])));
    let missing = spec.width.saturating_sub(text.chars().count());
    format!("{sign}{}{digits}", "0".repeat(missing))
}

fn padded(spec: &Spec, text: String, with: char) -> String {
    let missing = spec.width.saturating_sub(text.chars().count());
    let fill: String = std::iter::repeat_n(with, missing).collect();
    if spec.minus { text + &fill } else { fill + &text }
}
