//! Classes of characters: `[a-z]`, `[[:alpha:]]`, `\d`, `\pL`.

use regex_syntax::Parser;

use super::scan::{Scanner, push_literal};

/// Where a class like `\d` stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Between brackets.
    Inside,
    /// By itself.
    Outside,
}

/// The names between `[:` and `:]`; all are ASCII, in Go as in the crate.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// Translates a class whose opening bracket is read already.
pub(super) fn bracketed(text: &mut Scanner<'_>, out: &mut String) -> Result<(), String> {
    let place = text.place() - 1;
    out.push('[');
    if text.eat("^") {
        out.push('^');
    }
    let mut first = true;
    // A bracket that comes first stands for itself.
    while first || !text.at("]") {
        first = false;
        if text.peek().is_none() {
            return Err(format!("the class at character {place} has no closing bracket"));
        }
        if named(text, out)? {
            continue;
        }
        if text.eat("\\") {
            if escaped_class(text, out, Place::Inside)? {
                continue;
            }
            let low = text.escaped_char()?;
            range(text, out, low)?;
        } else if let Some(low) = text.next() {
            range(text, out, low)?;
        }
    }
    text.next();
    out.push(']');
    Ok(())
}

/// One character, or a range that begins with it.
fn range(text: &mut Scanner<'_>, out: &mut String, low: char) -> Result<(), String> {
    push_literal(out, low);
    // A minus that comes last stands for itself.
    if !text.at("-") || text.at("-]") {
        return Ok(());
    }
    let place = text.place();
    text.next();
    let high = if text.eat("\\") { text.escaped_char()? } else { text.next().unwrap_or(low) };
    if high < low {
        return Err(format!("the range at character {place} ends before it begins"));
    }
    out.push('-');
    push_literal(out, high);
    Ok(())
}

/// `[:alpha:]` and `[:^alpha:]`.
fn named(text: &mut Scanner<'_>, out: &mut String) -> Result<bool, String> {
    if !text.at("[:") {
        return Ok(false);
    }
    // Without an end it is a bracket and a colon like any other.
    let Some(name) = text.between("[:", ":]") else { return Ok(false) };
    if !POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
        return Err(format!("unknown class [:{name}:] at character {}", text.place()));
    }
    text.eat("[:");
    text.take_until(":]");
    out.push_str(&format!("[:{name}:]"));
    Ok(true)
}

/// `\d`, `\s`, `\w`, their opposites, and `\p`; the backslash is read already. Whether there was one.
/// The first three are ASCII in Go, and `\s` there has no vertical tab.
pub(super) fn escaped_class(
    text: &mut Scanner<'_>,
    out: &mut String,
    place: Place,
) -> Result<bool, String> {
    let Some(c) = text.peek() else { return Ok(false) };
    let members = match c.to_ascii_lowercase() {
        'd' => "0-9",
        's' => "\\t\\n\\x0c\\r\\x20",
        'w' => "0-9A-Za-z_",
        'p' => return unicode(text, out).map(|()| true),
        _ => return Ok(false),
    };
    text.next();
    match (c.is_ascii_uppercase(), place) {
        (true, _) => out.push_str(&format!("[^{members}]")),
        (false, Place::Outside) => out.push_str(&format!("[{members}]")),
        (false, Place::Inside) => out.push_str(members),
    }
    Ok(true)
}

/// `\pL`, `\p{Greek}`, `\p{^Greek}` and the same with `\P`. Go knows general categories and scripts.
fn unicode(text: &mut Scanner<'_>, out: &mut String) -> Result<(), String> {
    let place = text.place() - 1;
    let bad = || format!("unknown Unicode class at character {place}");
    let mut negated = text.next() == Some('P');
    let mut buffer = [0; 4];
    let mut name: &str = if text.eat("{") {
        text.take_closed("}").ok_or_else(bad)?
    } else {
        text.next().ok_or_else(bad)?.encode_utf8(&mut buffer)
    };
    if let Some(rest) = name.strip_prefix('^') {
        negated = !negated;
        name = rest;
    }
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(bad());
    }
    let letter = if negated { 'P' } else { 'p' };
    // The crate knows more names than Go; the prefix says which kind is meant.
    let candidates = ["gc=", "sc="].map(|kind| format!("\\{letter}{{{kind}{name}}}"));
    let known = candidates.into_iter().find(|class| Parser::new().parse(class).is_ok());
    out.push_str(&known.ok_or_else(bad)?);
    Ok(())
}
