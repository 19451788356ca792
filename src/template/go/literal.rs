//! Go's string, character and number literals.

use gotmpl::parse::Number;

use super::lexer::Kind;

/// Why a literal is none: how many of its bytes to mark, and what to say.
type Refusal = (usize, String);

/// A string or character literal at the start of a text, and its length in bytes.
pub(super) fn quoted(text: &str) -> Result<(Kind, usize), Refusal> {
    let quote = text.chars().next().unwrap_or('"');
    let body = text.get(1..).unwrap_or("");
    if quote == '`' {
        let end = body.find('`').ok_or_else(|| (1, "this raw string is never closed".into()))?;
        let raw = body.get(..end).unwrap_or("").replace('\r', "");
        return Ok((Kind::Str(raw), end + 2));
    }
    let end = closing_quote(body, quote)
        .ok_or_else(|| (1, format!("this {quote} is never closed on its line")))?;
    let inner = body.get(..end).unwrap_or("");
    let len = end + 2;
    let value =
        unescape(inner, quote).ok_or_else(|| (len, "invalid escape in a literal".to_string()))?;
    if quote == '\'' {
        let mut chars = value.chars();
        return match (chars.next(), chars.next()) {
            (Some(c), None) => Ok((Kind::Number(Number::Int(i64::from(u32::from(c)))), len)),
            _ => Err((len, "a character in '…' must be one; use \"…\" for a string".into())),
        };
    }
    Ok((Kind::Str(value), len))
}

fn closing_quote(body: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        match c {
            '\n' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// Undoes Go's escapes. Bytes from `\x80` up that form no UTF-8 become U+FFFD.
fn unescape(text: &str, quote: char) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let byte = match chars.next()? {
            'a' => 7,
            'b' => 8,
            't' => b'\t',
            'n' => b'\n',
            'v' => 11,
            'f' => 12,
            'r' => b'\r',
            '\\' => b'\\',
            c if c == quote => c as u8,
            'x' => u8::try_from(digits(&mut chars, None, 2, 16)?).ok()?,
            c @ '0'..='7' => u8::try_from(digits(&mut chars, Some(c), 3, 8)?).ok()?,
            c @ ('u' | 'U') => {
                let code = digits(&mut chars, None, if c == 'u' { 4 } else { 8 }, 16)?;
                let c = char::from_u32(code)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            _ => return None,
        };
        out.push(byte);
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

fn digits(
    chars: &mut std::str::Chars<'_>,
    first: Option<char>,
    count: usize,
    radix: u32,
) -> Option<u32> {
    let mut value = first.map_or(Some(0), |c| c.to_digit(radix))?;
    for _ in usize::from(first.is_some())..count {
        value = value.checked_mul(radix)?.checked_add(chars.next()?.to_digit(radix)?)?;
    }
    Some(value)
}

/// A number at the start of a text and the length of what looks like one.
pub(super) fn number(text: &str) -> (Option<Number>, usize) {
    let mut len = 0;
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let hex = unsigned.get(..2).is_some_and(|p| p.eq_ignore_ascii_case("0x"));
    let mut before = ' ';
    for c in text.chars() {
        let sign_of_exponent = matches!(before, 'e' | 'E') && !hex;
        let part = match c {
            '+' | '-' => len == 0 || sign_of_exponent,
            c => c == '_' || c == '.' || c.is_alphanumeric(),
        };
        if !part {
            break;
        }
        before = c;
        len += c.len_utf8();
    }
    let digits: String = text.get(..len).unwrap_or("").chars().filter(|c| *c != '_').collect();
    (value(&digits), len)
}

fn value(text: &str) -> Option<Number> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = match lower.get(..2) {
        Some("0x") => (16, lower.get(2..)?),
        Some("0o") => (8, lower.get(2..)?),
        Some("0b") => (2, lower.get(2..)?),
        _ if lower.len() > 1 && lower.starts_with('0') && is_digits(&lower) => (8, lower.get(1..)?),
        _ => (10, lower.as_str()),
    };
    if radix != 10 || is_digits(body) {
        if body.starts_with(['+', '-']) {
            return None;
        }
        let whole = i128::from_str_radix(body, radix).ok()?;
        let whole = if negative { -whole } else { whole };
        return i64::try_from(whole)
            .map(Number::Int)
            .ok()
            .or_else(|| u64::try_from(whole).map(Number::Uint).ok());
    }
    let number_like =
        body.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | '+' | '-'));
    let float = text.parse::<f64>().ok().filter(|f| number_like && f.is_finite())?;
    Some(Number::Float(float))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
