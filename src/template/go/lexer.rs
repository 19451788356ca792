//! Cuts a template into text and tokens, with the trim markers already applied.

use std::sync::LazyLock;

use regex::Regex;

use super::TemplateError;
use super::literal::quoted;
use super::number::{Literal, number};
use crate::diag::Span;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Text between actions; the span is what is left of it after trimming.
    Text,
    /// `{{`
    Open,
    /// `}}`
    Close,
    /// A function's name or a keyword.
    Word,
    /// `.name`
    Field,
    /// `$name` or `$`
    Variable,
    /// A lone `.`
    Dot,
    /// A string, unquoted.
    Str(String),
    /// A number or a character.
    Number(Literal),
    /// `|`
    Pipe,
    /// `,`
    Comma,
    /// `:=`
    Declare,
    /// `=`
    Assign,
    /// `(`
    LeftParen,
    /// `)`
    RightParen,
    /// The end of the text.
    End,
}

/// A token and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: Kind,
    pub span: Span,
}

/// What Go counts as white space in a template.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Cuts a text into tokens; the last is always [`Kind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, TemplateError> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new() };
    lexer.run()?;
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn push(&mut self, kind: Kind, len: usize) {
        self.tokens.push(Token { kind, span: Span::new(self.at, self.at + len) });
        self.at += len;
    }

    fn error<T>(&self, len: usize, message: impl Into<String>) -> Result<T, TemplateError> {
        Err(TemplateError::new(Span::new(self.at, self.at + len), message))
    }

    fn run(&mut self) -> Result<(), TemplateError> {
        let mut trim_start = false;
        loop {
            let rest = self.rest();
            let len = rest.find("{{").unwrap_or(rest.len());
            let ends = len == rest.len();
            let trim_end = rest.get(len + 2..).is_some_and(|s| {
                s.starts_with('-') && s.get(1..).is_some_and(|s| s.starts_with(SPACE))
            });
            self.text_token(len, trim_start, trim_end && !ends);
            if ends {
                self.push(Kind::End, 0);
                return Ok(());
            }
            trim_start = self.action(trim_end)?;
        }
    }

    fn text_token(&mut self, len: usize, trim_start: bool, trim_end: bool) {
        let whole = self.rest().get(..len).unwrap_or("");
        let mut kept = whole;
        if trim_start {
            kept = kept.trim_start_matches(SPACE);
        }
        let start = self.at + (whole.len() - kept.len());
        if trim_end {
            kept = kept.trim_end_matches(SPACE);
        }
        if !kept.is_empty() {
            let span = Span::new(start, start + kept.len());
            self.tokens.push(Token { kind: Kind::Text, span });
        }
        self.at += len;
    }

    /// One `{{…}}`; says whether the text behind it is to be trimmed.
    fn action(&mut self, trimmed: bool) -> Result<bool, TemplateError> {
        let opened = self.at;
        let open = if trimmed { 3 } else { 2 };
        let inside = self.rest().get(open..).unwrap_or("");
        // The one space that makes `-` a trim marker, and no other, may stand before a comment.
        let before = usize::from(trimmed);
        if inside.get(before..).is_some_and(|comment| comment.starts_with("/*")) {
            self.at += open + before;
            return self.comment();
        }
        self.push(Kind::Open, open);
        loop {
            let rest = self.rest();
            let spaces = rest.len() - rest.trim_start_matches(SPACE).len();
            self.at += spaces;
            let rest = self.rest();
            if spaces > 0 && rest.starts_with("-}}") {
                self.push(Kind::Close, 3);
                return Ok(true);
            }
            if rest.starts_with("}}") {
                self.push(Kind::Close, 2);
                return Ok(false);
            }
            if rest.is_empty() {
                return Err(TemplateError::new(
                    Span::new(opened, opened + 2),
                    "this action is never closed: `}}` is missing",
                ));
            }
            self.token()?;
        }
    }

    fn comment(&mut self) -> Result<bool, TemplateError> {
        let inside = self.rest().get(2..).unwrap_or("");
        let Some(end) = inside.find("*/") else {
            return self.error(2, "this comment is never closed: `*/` is missing");
        };
        let behind = inside.get(end + 2..).unwrap_or("");
        if behind.starts_with("}}") {
            self.at += end + 6;
            Ok(false)
        } else if behind.starts_with(SPACE) && behind.get(1..).is_some_and(|s| s.starts_with("-}}"))
        {
            self.at += end + 8;
            Ok(true)
        } else {
            self.at += end + 2;
            self.error(2, "`}}` must follow the end of the comment at once")
        }
    }

    fn token(&mut self) -> Result<(), TemplateError> {
        let rest = self.rest();
        let mut chars = rest.chars();
        let (Some(first), second) = (chars.next(), chars.next()) else { return Ok(()) };
        match first {
            ':' if second == Some('=') => self.push(Kind::Declare, 2),
            '=' => self.push(Kind::Assign, 1),
            '|' => self.push(Kind::Pipe, 1),
            ',' => self.push(Kind::Comma, 1),
            '(' => self.push(Kind::LeftParen, 1),
            ')' => self.push(Kind::RightParen, 1),
            '"' | '`' | '\'' => return self.literal(),
            '.' if !second.is_some_and(|c| c.is_ascii_digit()) => {
                let len = 1 + word_len(rest.get(1..).unwrap_or(""));
                return self.name(if len == 1 { Kind::Dot } else { Kind::Field }, len);
            }
            '$' => return self.name(Kind::Variable, 1 + word_len(rest.get(1..).unwrap_or(""))),
            '+' | '-' if second.is_some_and(|c| c.is_ascii_digit() || c == '.') => {
                return self.number();
            }
            '.' | '0'..='9' => return self.number(),
            c if is_word(c) => return self.name(Kind::Word, word_len(rest)),
            c => {
                return self.error(c.len_utf8(), format!("unexpected {c:?} in an action"));
            }
        }
        Ok(())
    }

    /// A name must end where something else may begin.
    fn name(&mut self, kind: Kind, len: usize) -> Result<(), TemplateError> {
        self.push(kind, len);
        let rest = self.rest();
        match rest.chars().next() {
            None | Some('.' | ',' | '|' | ':' | '(' | ')') => Ok(()),
            Some(c) if SPACE.contains(&c) || rest.starts_with("}}") => Ok(()),
            Some(c) => self.error(c.len_utf8(), format!("unexpected {c:?} behind a name")),
        }
    }

    fn literal(&mut self) -> Result<(), TemplateError> {
        let (kind, len) = quoted(self.rest()).map_err(|(len, message)| {
            TemplateError::new(Span::new(self.at, self.at + len), message)
        })?;
        self.push(kind, len);
        Ok(())
    }

    fn number(&mut self) -> Result<(), TemplateError> {
        let (value, len) = number(self.rest());
        match value {
            Some(value) => {
                self.push(Kind::Number(value), len);
                Ok(())
            }
            None => {
                let text = self.rest().get(..len).unwrap_or("").to_string();
                self.error(len, format!("`{text}` is not a number"))
            }
        }
    }
}

/// A letter or decimal digit by Go's `unicode`; Rust's classes hold more, such as `²`.
static LETTER_OR_DIGIT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[\p{L}\p{Nd}]$").ok());

fn is_word(c: char) -> bool {
    if c.is_ascii() {
        return c == '_' || c.is_ascii_alphanumeric();
    }
    LETTER_OR_DIGIT.as_ref().is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])))
}

fn word_len(text: &str) -> usize {
    text.len() - text.trim_start_matches(is_word).len()
}
