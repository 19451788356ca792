//! Reading an expression character by character.

/// The text of an expression and the place reached in it.
pub(super) struct Scanner<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, rest: text }
    }

    /// The place of the next character, from 1.
    pub(super) fn place(&self) -> usize {
        let read = self.text.len() - self.rest.len();
        self.text.get(..read).map_or(0, |before| before.chars().count()) + 1
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.rest = chars.as_str();
        c
    }

    /// Whether the rest begins with a text.
    pub(super) fn at(&self, text: &str) -> bool {
        self.rest.starts_with(text)
    }

    /// Takes a text if the rest begins with it.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes all up to a text, and the text itself; or all that is left.
    pub(super) fn take_until(&mut self, end: &str) -> &'a str {
        let (taken, rest) = self.rest.split_once(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Takes all up to a text, and the text itself, if it occurs.
    pub(super) fn take_closed(&mut self, end: &str) -> Option<&'a str> {
        let (taken, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(taken)
    }

    /// What lies between two texts, if the rest begins with the first. Takes nothing.
    pub(super) fn between(&self, start: &str, end: &str) -> Option<&'a str> {
        self.rest.strip_prefix(start)?.split_once(end).map(|(inner, _)| inner)
    }

    /// The character that an escape stands for; the backslash is read already.
    pub(super) fn escaped_char(&mut self) -> Result<char, String> {
        let place = self.place() - 1;
        let Some(c) = self.next() else {
            return Err("a backslash at the end".to_string());
        };
        let bad = || format!("unknown escape \\{c} at character {place}");
        match c {
            'a' => Ok('\u{7}'),
            'f' => Ok('\u{c}'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\u{b}'),
            'x' => self.hexadecimal().ok_or_else(bad),
            // One digit but 0 would refer back to a group, which RE2 cannot do.
            '1'..='7' if !self.peek().is_some_and(|d| d.is_digit(8)) => Err(bad()),
            '0'..='7' => {
                let mut code = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|d| d.to_digit(8)) else { break };
                    code = code * 8 + digit;
                    self.next();
                }
                char::from_u32(code).ok_or_else(bad)
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(c),
            _ => Err(bad()),
        }
    }

    /// `41` or `{1F600}` behind `\x`.
    fn hexadecimal(&mut self) -> Option<char> {
        let digits = if self.eat("{") {
            self.take_closed("}")?
        } else {
            let digits = self.rest.get(..2)?;
            self.rest = self.rest.get(2..)?;
            digits
        };
        let hexadecimal = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
        hexadecimal.then(|| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32))?
    }
}

/// Writes a character so that it stands for itself, inside a class or outside.
pub(super) fn push_literal(out: &mut String, c: char) {
    if c.is_ascii() && !c.is_ascii_alphanumeric() {
        out.push_str(&format!("\\x{:02x}", u32::from(c)));
    } else {
        out.push(c);
    }
}

/// Flags behind `(?`, and whether a group opens behind them (`:`) or they stand alone (`)`). In Go a
/// flag may occur twice; what is taken away wins. `None` for anything else.
pub(super) fn flags(text: &mut Scanner<'_>) -> Option<(String, bool)> {
    let (mut on, mut off) = (String::new(), String::new());
    let mut minus = false;
    loop {
        match text.next()? {
            c @ ('i' | 'm' | 's' | 'U') => {
                let flags = if minus { &mut off } else { &mut on };
                if !flags.contains(c) {
                    flags.push(c);
                }
            }
            '-' if !minus => minus = true,
            c @ (':' | ')') => {
                if minus && off.is_empty() {
                    return None;
                }
                on.retain(|flag| !off.contains(flag));
                let minus = if minus { "-" } else { "" };
                return Some((format!("{on}{minus}{off}"), c == ':'));
            }
            _ => return None,
        }
    }
}

/// The upper bound of a repetition.
#[derive(Clone, Copy)]
pub(super) enum High {
    /// `{n}`
    Same,
    /// `{n,}`
    Open,
    /// `{n,m}`
    At(u32),
}

/// The bounds behind `{`. Takes nothing unless they are complete, as Go does: then the brace
/// stands for itself.
pub(super) fn bounds(text: &mut Scanner<'_>) -> Option<(u32, High)> {
    let inner = text.between("", "}")?;
    let (low, high) = match inner.split_once(',') {
        None => (number(inner)?, High::Same),
        Some((low, "")) => (number(low)?, High::Open),
        Some((low, high)) => (number(low)?, High::At(number(high)?)),
    };
    text.take_until("}");
    Some((low, high))
}

/// A decimal number without a leading zero; one that is too large for any use stays too large.
fn number(text: &str) -> Option<u32> {
    let padded = text.len() > 1 && text.starts_with('0');
    if text.is_empty() || padded || !text.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u32::MAX))
}
