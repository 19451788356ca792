//! Go's string and character literals.

use gotmpl::parse::Number;

use super::lexer::Kind;
use super::number::Literal;

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
    if quote != '\'' {
        return Ok((Kind::Str(String::from_utf8_lossy(&value).into_owned()), len));
    }
    // `'\xff'` is the number of a byte, whatever that is in UTF-8.
    let is_byte = matches!(inner.as_bytes(), [b'\\', b'x' | b'0'..=b'7', ..]);
    let text = if is_byte { "" } else { std::str::from_utf8(&value).unwrap_or("") };
    let mut chars = text.chars();
    let code = match (chars.next(), chars.next(), &*value) {
        (Some(c), None, _) => u32::from(c),
        (None, None, [byte]) => u32::from(*byte),
        _ => return Err((len, "a character in '…' must be one; use \"…\" for a string".into())),
    };
    Ok((Kind::Number(Literal::Real(Number::Int(i64::from(code)))), len))
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

/// Undoes Go's escapes. Bytes from `\x80` up need not form UTF-8.
fn unescape(text: &str, quote: char) -> Option<Vec<u8>> {
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
    Some(out)
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
