//! Go's regular expressions (RE2) on the `regex` crate.
//!
//! The two share nearly all of their syntax. What differs is rewritten: RE2's `\d \s \w \b` are
//! ASCII, `\Q…\E` quotes, `\123` is octal, and inside of `[…]` neither `[` nor `&&`, `--`, `~~` is
//! special. What only `regex` knows, such as `(?x)`, is refused. Source: RE2's syntax page.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Captures, Regex, RegexBuilder};

use super::text::{MAX_TEXT, too_long};

/// The most memory that one compiled expression may take.
const MAX_COMPILED: usize = 1 << 20;

/// Compiles a Go expression. It is not anchored, as Go's `MatchString` is not.
pub(in crate::template) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(&translated(pattern)?)
        .size_limit(MAX_COMPILED)
        .nest_limit(100)
        .build()
        .map_err(|error| format!("bad regular expression {pattern:?}: {}", short(&error)))
}

/// The last line of the crate's many-lined message says what is wrong.
fn short(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or("").trim_start_matches("error: ").to_string()
}

/// `ReplaceAllString`: `$1`, `${1}`, `$name`, `$$`; a group that does not exist is empty.
pub(in crate::template) fn replace_all(
    regex: &Regex,
    text: &str,
    replacement: &str,
) -> Result<String, String> {
    let mut out = String::new();
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        out.push_str(text.get(end..whole.start()).unwrap_or(""));
        expand(&captures, replacement, &mut out);
        end = whole.end();
        if out.len() > MAX_TEXT {
            return Err(too_long());
        }
    }
    out.push_str(text.get(end..).unwrap_or(""));
    Ok(out)
}

fn expand(captures: &Captures<'_>, replacement: &str, out: &mut String) {
    captures.expand(replacement, out);
}

fn translated(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => escape(&mut chars, &mut out, false)?,
            '[' => class(&mut chars, &mut out)?,
            '(' if chars.peek() == Some(&'?') => {
                flags(&chars)?;
                out.push(c);
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

/// RE2 knows the flags `imsU`.
fn flags(chars: &Peekable<Chars<'_>>) -> Result<(), String> {
    let unknown = chars
        .clone()
        .skip(1)
        .take_while(|c| c.is_ascii_alphabetic() || *c == '-')
        .find(|c| !matches!(c, 'i' | 'm' | 's' | 'U' | 'P' | '-'));
    match unknown {
        Some(flag) => Err(format!("the flag {flag:?} is not known to Go's regular expressions")),
        None => Ok(()),
    }
}

fn escape(
    chars: &mut Peekable<Chars<'_>>,
    out: &mut String,
    in_class: bool,
) -> Result<(), String> {
    let Some(c) = chars.next() else {
        return Err("a regular expression ends with a backslash".to_string());
    };
    let set = |inner: &str, negated: bool| match (in_class, negated) {
        (true, false) => inner.to_string(),
        (_, true) => format!("[^{inner}]"),
        (false, false) => format!("[{inner}]"),
    };
    match c {
        'd' | 'D' => out.push_str(&set("0-9", c == 'D')),
        's' | 'S' => out.push_str(&set(r"\t\n\x0C\r ", c == 'S')),
        'w' | 'W' => out.push_str(&set("0-9A-Za-z_", c == 'W')),
        'b' if !in_class => out.push_str(r"(?-u:\b)"),
        'Q' if !in_class => quote(chars, out),
        '0'..='7' => octal(c, chars, out)?,
        '<' | '>' => out.push(c),
        'G' | 'X' | 'Z' | 'K' | 'R' | 'h' | 'H' | 'u' => {
            return Err(format!("`\\{c}` is not known to Go's regular expressions"));
        }
        c => {
            out.push('\\');
            out.push(c);
        }
    }
    Ok(())
}

fn octal(first: char, chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    let mut code = first.to_digit(8).unwrap_or(0);
    let mut count = 1;
    while let (true, Some(digit)) = (count < 3, chars.peek().and_then(|c| c.to_digit(8))) {
        chars.next();
        code = code * 8 + digit;
        count += 1;
    }
    if first != '0' && count == 1 {
        return Err(format!("Go's regular expressions know no back reference `\\{first}`"));
    }
    out.push_str(&format!("\\x{{{code:X}}}"));
    Ok(())
}

/// `\Q…\E`, or up to the end.
fn quote(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut quoted = String::new();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek() == Some(&'E') {
            chars.next();
            break;
        }
        quoted.push(c);
    }
    out.push_str(&regex::escape(&quoted));
}

/// A `[…]`; the bracket is already taken.
fn class(chars: &mut Peekable<Chars<'_>>, out: &mut String) -> Result<(), String> {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if chars.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
    while let Some(c) = chars.next() {
        match c {
            ']' => {
                out.push(']');
                return Ok(());
            }
            '\\' => escape(chars, out, true)?,
            '[' if chars.peek() == Some(&':') => named_class(chars, out),
            '[' => out.push_str("\\["),
            '&' | '~' if chars.peek() == Some(&c) => {
                out.push('\\');
                out.push(c);
            }
            '-' if chars.peek() == Some(&'-') => out.push_str("\\-"),
            c => out.push(c),
        }
    }
    Ok(())
}

/// `[:alpha:]`, or a bracket that is only one.
fn named_class(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    let ahead: String = chars.clone().take(16).collect();
    let name_len = ahead.find(":]").map(|end| end + 2);
    match name_len {
        Some(len) => {
            out.push('[');
            out.extend(chars.by_ref().take(len));
        }
        None => out.push_str("\\["),
    }
}
