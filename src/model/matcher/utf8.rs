//! Alertmanager's newer matcher syntax: any name and value, in quotes where it needs them.

use super::{MatchOp, Matcher, MatcherError, is_reserved};

/// Parses a list: `{`, matchers with commas between them and perhaps one behind, `}`. Either both
/// braces or none.
pub(super) fn parse(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    let mut parser = Parser { text, rest: text };
    let braced = parser.eat("{");
    let mut matchers = Vec::new();
    loop {
        parser.skip_space();
        if parser.rest.is_empty() || parser.rest.starts_with('}') {
            break;
        }
        matchers.push(parser.matcher()?);
        parser.skip_space();
        if !parser.eat(",") && !parser.rest.is_empty() && !parser.rest.starts_with('}') {
            return Err(parser.error("expected a comma"));
        }
    }
    if braced && !parser.eat("}") {
        return Err(parser.error("expected a closing brace"));
    } else if parser.rest.starts_with('}') {
        return Err(parser.error("a closing brace without an opening one"));
    }
    parser.skip_space();
    if parser.rest.is_empty() { Ok(matchers) } else { Err(parser.error("expected the end")) }
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// A mistake at the present place.
    fn error(&self, reason: &str) -> MatcherError {
        let read = self.text.len() - self.rest.len();
        let place = self.text.get(..read).map_or(0, |before| before.chars().count()) + 1;
        let reason = if self.rest.is_empty() {
            format!("{reason} at the end")
        } else {
            format!("{reason} at character {place}")
        };
        MatcherError::Syntax { text: self.text.to_string(), reason }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes a text if it comes next, white space before it included.
    fn eat(&mut self, text: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn matcher(&mut self) -> Result<Matcher, MatcherError> {
        let before = self.rest;
        let name = self.word("expected a label name")?;
        if name.is_empty() {
            self.rest = before;
            return Err(self.error("the label name is empty"));
        }
        self.skip_space();
        // The longer operators first: `=` begins `=~`.
        let ops = [MatchOp::Regex, MatchOp::NotRegex, MatchOp::NotEqual, MatchOp::Equal];
        let op = ops.into_iter().find(|op| self.eat(op.as_str()));
        let op = op.ok_or_else(|| self.error("expected an operator: =, !=, =~ or !~"))?;
        let value = self.word("expected a value")?;
        Matcher::new(name, op, value)
    }

    /// A name or value, in double quotes or without.
    fn word(&mut self, expected: &str) -> Result<String, MatcherError> {
        self.skip_space();
        if let Some(body) = self.rest.strip_prefix('"') {
            return self.quoted(body);
        }
        let end = self.rest.find(is_reserved).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.error(expected));
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(word.to_string())
    }

    /// Reads up to the closing quote. Escapes are those of Go's string literals.
    fn quoted(&mut self, body: &'a str) -> Result<String, MatcherError> {
        let open = self.rest;
        let mut bytes = Vec::new();
        self.rest = body;
        loop {
            let before = self.rest;
            let mut chars = self.rest.chars();
            let c = chars.next();
            self.rest = chars.as_str();
            match c {
                Some('"') => break,
                Some('\\') => {
                    if self.escape(&mut bytes).is_none() {
                        self.rest = before;
                        return Err(self.error("unknown escape"));
                    }
                }
                Some('\n') => {
                    self.rest = before;
                    return Err(self.error("a line end between quotes"));
                }
                Some(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
                None => {
                    self.rest = open;
                    return Err(self.error("no closing quote for the one"));
                }
            }
        }
        String::from_utf8(bytes).map_err(|_| {
            self.rest = open;
            self.error("escapes that are not UTF-8 in the text")
        })
    }

    /// Adds what an escape stands for; the backslash is read already.
    fn escape(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        let rest = chars.as_str();
        let (digits, radix) = match c {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => (3, 8),
            _ => {
                bytes.push(match c {
                    'a' => 0x07,
                    'b' => 0x08,
                    'f' => 0x0c,
                    'n' => b'\n',
                    'r' => b'\r',
                    't' => b'\t',
                    'v' => 0x0b,
                    '\\' => b'\\',
                    '"' => b'"',
                    _ => return None,
                });
                self.rest = rest;
                return Some(());
            }
        };
        let number = if radix == 8 { self.rest } else { rest };
        let code = number.get(..digits)?;
        if !code.chars().all(|d| d.is_digit(radix)) {
            return None;
        }
        self.rest = number.get(digits..)?;
        let code = u32::from_str_radix(code, radix).ok()?;
        if matches!(c, 'u' | 'U') {
            bytes.extend(char::from_u32(code)?.encode_utf8(&mut [0; 4]).bytes());
        } else {
            bytes.push(u8::try_from(code).ok()?);
        }
        Some(())
    }
}
