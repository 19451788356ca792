//! Alertmanager's classic matcher syntax.

use super::{MatchOp, Matcher, MatcherError};

/// Parses a comma-separated list. Each brace at the ends is optional by itself; commas between
/// double quotes do not separate.
pub(super) fn parse(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    let inner = text.strip_prefix('{').unwrap_or(text);
    let inner = inner.strip_suffix('}').unwrap_or(inner);
    let mut parts = split(inner);
    if parts.last().is_some_and(|last| last.trim().is_empty()) {
        parts.pop();
    }
    parts.into_iter().map(one).collect()
}

/// The parts between commas outside of quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            ',' if !quoted => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

fn one(text: &str) -> Result<Matcher, MatcherError> {
    let bad = |reason: &str| MatcherError::Syntax {
        text: text.trim().to_string(),
        reason: reason.to_string(),
    };
    let trimmed = text.trim();
    let name_end = trimmed
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .unwrap_or(trimmed.len());
    let (name, rest) = trimmed.split_at(name_end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad("expected a label name"));
    }
    let rest = rest.trim_start();
    // The longer operators first: `=` begins `=~`.
    let (op, value) = [MatchOp::Regex, MatchOp::NotRegex, MatchOp::NotEqual, MatchOp::Equal]
        .into_iter()
        .find_map(|op| rest.strip_prefix(op.as_str()).map(|value| (op, value)))
        .ok_or_else(|| bad("expected an operator: =, !=, =~ or !~"))?;
    let value = value.trim_start();
    let value = unescape(value).ok_or_else(|| bad("a double quote is missing or out of place"))?;
    Matcher::new(name, op, value)
}

/// The value with its quotes, if it has any, taken off. `\n`, `\"` and `\\` are escapes; a backslash
/// before anything else stands for itself.
fn unescape(raw: &str) -> Option<String> {
    let (body, quoted) = match raw.strip_prefix('"') {
        Some(body) => (body, true),
        None => (raw, false),
    };
    let mut value = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(c @ ('"' | '\\')) => value.push(c),
                other => {
                    value.push('\\');
                    value.extend(other);
                }
            },
            // The closing quote comes last or is a mistake.
            '"' => return (quoted && chars.as_str().is_empty()).then_some(value),
            c => value.push(c),
        }
    }
    (!quoted).then_some(value)
}
