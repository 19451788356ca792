//! Functions on texts that Prometheus and Alertmanager have in common.

use gotmpl::{SafeKind, Value};

use crate::template::go::regexp::replace_all;
use crate::template::go::run::{Run, Table};
use crate::template::go::value::{arity, string_arg, text};

/// Functions that both programs have with one meaning.
pub(in crate::template) const REGEX: Table = &[
    ("match", matches),
    ("reReplaceAll", replace),
    ("safeHtml", safe_html),
    ("toUpper", |_, args| mapped(args, upper)),
    ("toLower", |_, args| mapped(args, lower)),
];

/// A function from one text to another.
pub(in crate::template) fn mapped(
    args: &[Value],
    map: impl Fn(&str) -> String,
) -> Result<Value, String> {
    arity(args, 1)?;
    string_arg(args, 0).map(|s| text(map(s)))
}

fn matches(run: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 2)?;
    let regex = run.regex(string_arg(args, 0)?)?;
    Ok(Value::Bool(regex.is_match(string_arg(args, 1)?)))
}

fn replace(run: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 3)?;
    let regex = run.regex(string_arg(args, 0)?)?;
    replace_all(&regex, string_arg(args, 2)?, string_arg(args, 1)?).map(text)
}

fn safe_html(_: &Run, args: &[Value]) -> Result<Value, String> {
    arity(args, 1)?;
    let s = string_arg(args, 0)?;
    Ok(Value::Safe { kind: SafeKind::Html, s: s.into() })
}

/// Upper case letter by letter, as Go's: a letter that would become two stays (`ß`).
pub(in crate::template) fn upper(text: &str) -> String {
    text.chars().map(|c| single(c, c.to_uppercase())).collect()
}

/// Lower case letter by letter.
pub(in crate::template) fn lower(text: &str) -> String {
    text.chars().map(|c| single(c, c.to_lowercase())).collect()
}

fn single(own: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(c), None) => c,
        _ => own,
    }
}

/// Words with their first letter in upper case. `rest` says what becomes of the others.
pub(in crate::template) fn title(text: &str, rest: fn(char) -> char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_word = false;
    let mut has_letter = false;
    while let Some(c) = chars.next() {
        let next_in_word = chars.peek().is_some_and(|n| n.is_alphanumeric());
        if c.is_alphanumeric() {
            has_letter &= in_word;
            match has_letter {
                true => out.push(rest(c)),
                false => out.extend(c.to_uppercase()),
            }
            has_letter |= c.is_alphabetic();
            in_word = true;
        } else {
            out.push(c);
            // Unicode's word boundaries: these join two letters, any other sign parts them.
            let joins = c == '_' || (matches!(c, '\'' | '.' | ':' | '’') && next_in_word);
            in_word = in_word && joins;
        }
    }
    out
}
