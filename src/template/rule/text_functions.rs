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
    ("toUpper", |_, args| mapped(args, |s| s.to_uppercase())),
    ("toLower", |_, args| mapped(args, |s| s.to_lowercase())),
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

/// Words with a capital in front. `rest` says what becomes of their other letters.
pub(in crate::template) fn title(text: &str, rest: fn(char) -> char) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_word = false;
    while let Some(c) = chars.next() {
        let next_is_letter = chars.peek().is_some_and(|n| n.is_alphanumeric());
        // Unicode's word boundaries: these join two letters, any other sign parts them.
        let joins = c == '_' || (matches!(c, '\'' | '.' | ':' | '’') && next_is_letter);
        if c.is_alphanumeric() {
            if in_word {
                out.push(rest(c));
            } else {
                out.extend(c.to_uppercase());
            }
            in_word = true;
        } else {
            out.push(c);
            in_word = in_word && joins;
        }
    }
    out
}
