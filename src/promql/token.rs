//! Cuts a text into tokens.

use crate::diag::Span;
use crate::model::MatchOp;
use crate::promql::literal::{parse_millis, parse_number, unescape};
use crate::promql::{MAX_LENGTH, SyntaxError};

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A name or keyword; the text says which.
    Word,
    /// A number, `Inf` and `NaN` included.
    Number(f64),
    /// A duration with a unit, in milliseconds.
    Duration(u64),
    /// A quoted text, unescaped.
    String(String),
    /// `=`, `!=`, `=~` or `!~` inside of braces.
    Match(MatchOp),
    /// A sign: operator, bracket, comma, colon or `@`.
    Sign(&'static str),
}

/// A token and its place.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

const MATCH_OPS: [(&str, MatchOp); 4] = [
    ("=~", MatchOp::Regex),
    ("!~", MatchOp::NotRegex),
    ("!=", MatchOp::NotEqual),
    ("=", MatchOp::Equal),
];

/// The tokens of a text without white space and comments.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    if text.len() > MAX_LENGTH {
        let message = format!("the expression has {} bytes, at most {MAX_LENGTH}", text.len());
        return Err(SyntaxError::new(Span::at(0), message + " are allowed"));
    }
    let mut lexer = Lexer { text, at: 0, in_braces: false, in_brackets: false };
    let mut tokens = Vec::with_capacity(text.len() / 4);
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

/// The sign that a text begins with.
fn sign_at(text: &str, first: char) -> Option<&'static str> {
    let is_equal_behind = || text.as_bytes().get(1) == Some(&b'=');
    Some(match first {
        '=' | '!' if !is_equal_behind() => return None,
        '=' => "==",
        '!' => "!=",
        '<' if is_equal_behind() => "<=",
        '>' if is_equal_behind() => ">=",
        '<' => "<",
        '>' => ">",
        '+' => "+",
        '-' => "-",
        '*' => "*",
        '/' => "/",
        '%' => "%",
        '^' => "^",
        '(' => "(",
        ')' => ")",
        '{' => "{",
        '}' => "}",
        '[' => "[",
        ']' => "]",
        ',' => ",",
        '@' => "@",
        ':' => ":",
        _ => return None,
    })
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    in_braces: bool,
    in_brackets: bool,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next(&mut self) -> Result<Option<Token>, SyntaxError> {
        self.skip_blanks();
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let (len, kind) = match first {
            '"' | '\'' | '`' => self.string(first)?,
            c if c.is_ascii_digit() => self.number()?,
            '.' if rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit()) => self.number()?,
            c if c.is_ascii_alphabetic() || c == '_' => self.word(),
            ':' if !self.in_brackets && !self.in_braces => self.word(),
            _ => self.sign(first)?,
        };
        let span = Span::new(self.at, self.at + len);
        self.at = span.end;
        Ok(Some(Token { kind, span }))
    }

    fn skip_blanks(&mut self) {
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'#' => {
                    let rest = self.rest();
                    self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn word(&self) -> (usize, TokenKind) {
        let colons = !self.in_braces && !self.in_brackets;
        let rest = self.rest();
        let len = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || (c == ':' && colons)))
            .unwrap_or(rest.len());
        let word = rest.get(..len).unwrap_or_default();
        let kind = if self.in_braces {
            TokenKind::Word
        } else if word.eq_ignore_ascii_case("inf") {
            TokenKind::Number(f64::INFINITY)
        } else if word.eq_ignore_ascii_case("nan") {
            TokenKind::Number(f64::NAN)
        } else {
            TokenKind::Word
        };
        (len, kind)
    }

    fn number(&self) -> Result<(usize, TokenKind), SyntaxError> {
        let rest = self.rest();
        let len = number_len(rest);
        let text = rest.get(..len).unwrap_or_default();
        if let Some(number) = parse_number(text) {
            return Ok((len, TokenKind::Number(number)));
        }
        if let Some(millis) = parse_millis(text) {
            return Ok((len, TokenKind::Duration(millis)));
        }
        let span = Span::new(self.at, self.at + len);
        let error = SyntaxError::new(span, format!("bad number or duration `{text}`"));
        Err(error.help(
            "a duration has units from large to small, each once: 30s, 5m, 1h30m; \
             a number looks like 1.5, 1e6 or 0x1f",
        ))
    }

    fn string(&self, quote: char) -> Result<(usize, TokenKind), SyntaxError> {
        let rest = self.rest();
        let inner = rest.get(1..).unwrap_or_default();
        let Some(len) = closing_quote(inner, quote) else {
            // Only to the end of its line: that is where the quote is missing.
            let end = rest.find('\n').filter(|_| quote != '`').unwrap_or(rest.len());
            let span = Span::new(self.at, self.at + end);
            let error = SyntaxError::new(span, format!("unclosed quote {quote}"));
            return Err(error.help(format!("close the string with another {quote}")));
        };
        let inner = inner.get(..len).unwrap_or_default();
        let start = self.at + 1;
        let value = unescape(inner, quote).map_err(|bad| {
            let span = Span::new(start + bad.start, start + bad.end);
            SyntaxError::new(span, bad.message)
                .help("write a backslash as `\\\\`, or put the text in backticks")
        })?;
        Ok((len + 2, TokenKind::String(value)))
    }

    fn sign(&mut self, first: char) -> Result<(usize, TokenKind), SyntaxError> {
        let rest = self.rest();
        if self.in_braces {
            if let Some((sign, op)) = MATCH_OPS.iter().find(|(sign, _)| rest.starts_with(sign)) {
                return Ok((sign.len(), TokenKind::Match(*op)));
            }
        } else if rest.starts_with("</") || rest.starts_with(">/") {
            let span = Span::new(self.at, self.at + 2);
            return Err(SyntaxError::unsupported(span, "trimming of histograms (`</`, `>/`) is"));
        }
        let Some(sign) = sign_at(rest, first) else { return Err(self.unexpected(first)) };
        match sign {
            "{" => self.in_braces = true,
            "}" => self.in_braces = false,
            "[" => {
                self.in_brackets = true;
                self.no_comment_behind_bracket()?;
            }
            "]" => self.in_brackets = false,
            _ => {}
        }
        Ok((sign.len(), TokenKind::Sign(sign)))
    }

    /// Prometheus reads what follows a bracket as a duration, and a comment is none.
    fn no_comment_behind_bracket(&self) -> Result<(), SyntaxError> {
        let rest = self.rest().get(1..).unwrap_or_default();
        let behind = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        if !behind.starts_with('#') {
            return Ok(());
        }
        let at = self.text.len() - behind.len();
        let error = SyntaxError::new(Span::new(at, at + 1), "a comment where a duration should be");
        Err(error.help("put the comment behind the duration"))
    }

    fn unexpected(&self, first: char) -> SyntaxError {
        let rest = self.rest();
        let span = Span::new(self.at, self.at + first.len_utf8());
        let wide = Span::new(self.at, self.at + 2);
        if !self.in_braces && (rest.starts_with("=~") || rest.starts_with("!~")) {
            return SyntaxError::new(wide, "a matcher outside of braces")
                .help("write matchers in braces behind the metric: up{job=~\"api.*\"}");
        }
        let help = match first {
            '=' => "compare with `==`; matchers stand in braces: up{job=\"api\"}",
            '&' => "the operator is `and`",
            '|' => "the operator is `or`",
            '!' => "there is no `!`; use `unless`, `!=` or `== bool 0`",
            '“' | '”' | '‘' | '’' | '„' => "strings stand in plain quotes: \" or ' or `",
            '$' => "expressions are not templates: variables are not filled in",
            _ => return SyntaxError::new(span, format!("unexpected character {first:?}")),
        };
        SyntaxError::new(span, format!("unexpected character {first:?}")).help(help)
    }
}

/// How far a number or duration reaches: digits, letters, `_` and `.`, and a sign behind an
/// exponent's `e`.
fn number_len(text: &str) -> usize {
    let is_hex = text.starts_with("0x") || text.starts_with("0X");
    let mut before = ' ';
    let mut mantissa = !is_hex;
    for (i, c) in text.char_indices() {
        let exponent_sign = mantissa && matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
        if !(c.is_ascii_alphanumeric() || c == '_' || c == '.' || exponent_sign) {
            return i;
        }
        // A sign belongs to the number only behind digits and a single `e`.
        mantissa &= !matches!(before, 'e' | 'E')
            && (c.is_ascii_digit() || matches!(c, '_' | '.' | 'e' | 'E'));
        before = c;
    }
    text.len()
}

/// The offset of the quote that ends a string. A line end does so too soon, except in backticks.
fn closing_quote(inner: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (i, c) in inner.char_indices() {
        match c {
            c if c == quote && !escaped => return Some(i),
            '\n' if quote != '`' => return None,
            '\\' if quote != '`' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}
