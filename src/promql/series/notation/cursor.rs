//! A place in a text, and the words at it.

use crate::diag::Span;
use crate::promql::SyntaxError;
use crate::promql::literal::{parse_number, unescape};

/// A place in a text.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    /// From a place before to here.
    pub fn span_from(&self, start: usize) -> Span {
        Span::new(start, self.at)
    }

    pub fn at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub fn at_space(&self) -> bool {
        self.peek().is_some_and(is_space)
    }

    pub fn skip_space(&mut self) {
        self.take_while(is_space);
    }

    /// The characters from here on that pass.
    pub fn take_while(&mut self, pass: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.find(|c| !pass(c)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    /// Steps over a sign if it is here.
    pub fn eat(&mut self, sign: &str) -> bool {
        let here = self.rest().starts_with(sign);
        if here {
            self.at += sign.len();
        }
        here
    }

    /// A letter or `_` and the letters, digits and `_` behind it, `:` too where colons are
    /// allowed. Empty where there is none.
    pub fn word(&mut self, colons: bool) -> &'a str {
        let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || (colons && c == ':');
        if !self.peek().is_some_and(starts) {
            return "";
        }
        self.take_while(|c| starts(c) || c.is_ascii_digit())
    }

    /// A quoted text, its escapes resolved.
    pub fn string(&mut self) -> Option<Result<String, SyntaxError>> {
        let quote = self.peek().filter(|c| matches!(c, '"' | '\'' | '`'))?;
        let start = self.at;
        self.at += 1;
        let mut escaped = false;
        let inner = self.rest();
        let end = inner.find(|c| {
            let ends = !escaped && (c == quote || (c == '\n' && quote != '`'));
            escaped = c == '\\' && quote != '`' && !escaped;
            ends
        });
        let closed =
            end.filter(|end| inner.get(*end..).is_some_and(|rest| rest.starts_with(quote)));
        let Some(len) = closed else {
            let span = Span::new(start, start + 1 + end.unwrap_or(inner.len()));
            let error = SyntaxError::new(span, format!("unclosed quote {quote}"));
            return Some(Err(error.help(format!("close the text with another {quote}"))));
        };
        self.at += len + 1;
        let read = unescape(inner.get(..len).unwrap_or_default(), quote);
        Some(read.map_err(|bad| {
            let span = Span::new(start + 1 + bad.start, start + 1 + bad.end);
            let help = "write a backslash as `\\\\`, or put the text in backticks";
            SyntaxError::new(span, bad.message).help(help)
        }))
    }

    /// `+` or `-` as a factor.
    pub fn sign(&mut self) -> Option<f64> {
        if self.eat("+") {
            Some(1.0)
        } else if self.eat("-") {
            Some(-1.0)
        } else {
            None
        }
    }

    /// A number without a sign, `Inf` and `NaN` included; `None` where none begins here.
    /// Hexadecimal numbers are left out, since `0x3` repeats 0.
    pub fn unsigned(&mut self) -> Option<Result<f64, SyntaxError>> {
        let start = self.at;
        for (name, value) in [("inf", f64::INFINITY), ("nan", f64::NAN)] {
            let here = self.rest().get(..name.len());
            if here.is_some_and(|word| word.eq_ignore_ascii_case(name)) {
                self.at += name.len();
                return Some(Ok(value));
            }
        }
        let mut before = ' ';
        let mut exponent = false;
        let rest = self.rest();
        let len = rest.find(|c: char| {
            let sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
            let part = c.is_ascii_digit() || matches!(c, '.' | '_');
            let marks = matches!(c, 'e' | 'E') && !exponent && before.is_ascii_digit();
            exponent |= marks;
            before = c;
            !(sign || part || marks)
        });
        let text = rest.get(..len.unwrap_or(rest.len())).unwrap_or_default();
        if !text.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return None;
        }
        self.at += text.len();
        Some(parse_number(text).ok_or_else(|| {
            let error = SyntaxError::new(self.span_from(start), format!("bad number `{text}`"));
            error.help("a number looks like 1, 0.5, 1e6, Inf or NaN")
        }))
    }

    /// A number with or without a sign; `None` where none begins here, then the place stays.
    pub fn number(&mut self) -> Option<Result<f64, SyntaxError>> {
        let start = self.at;
        let sign = self.sign().unwrap_or(1.0);
        let number = self.unsigned();
        if number.is_none() {
            self.at = start;
        }
        number.map(|number| number.map(|number| sign * number))
    }

    /// The error that something else stands here.
    pub fn unexpected(&self, expected: &str) -> SyntaxError {
        let found = self.rest().chars().take_while(|c| !is_space(*c)).take(20).collect::<String>();
        let (found, len) = match self.peek() {
            None => ("the end".to_string(), 0),
            Some(c) if is_space(c) => ("a space".to_string(), c.len_utf8()),
            Some(_) => (format!("`{found}`"), found.len()),
        };
        let span = Span::new(self.at, self.at + len);
        SyntaxError::new(span, format!("expected {expected}, found {found}"))
    }
}

/// Prometheus' white space.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}
