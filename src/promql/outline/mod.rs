//! One walk over the tokens that finds the place and type of every sub-expression and writes the
//! syntax errors.
//!
//! It keeps no tree: what it finds is a list of places in post-order, the order in which `lower`
//! finishes the nodes of promql-parser's tree.

mod aggregate;
mod binary;
mod brackets;
mod call;
mod modifier;
mod selector;

use crate::diag::Span;
use crate::promql::function::function;
use crate::promql::op::{AggregateOp, ValueType};
use crate::promql::selector::LabelMatcher;
use crate::promql::token::{Token, TokenKind};
use crate::promql::{MAX_HEIGHT, MAX_NESTING, SyntaxError};

/// Where a sub-expression stands.
#[derive(Debug)]
pub(super) struct Place {
    /// The whole of it.
    pub(super) span: Span,
    /// The operator, the function's name, or a range's selector; otherwise the whole.
    pub(super) detail: Span,
    /// Name and matchers of a selector.
    pub(super) selector: Option<(Option<String>, Vec<LabelMatcher>)>,
}

/// The places of all sub-expressions, each behind its parts.
pub(super) fn outline(text: &str, tokens: &[Token]) -> Result<Vec<Place>, SyntaxError> {
    brackets::check(tokens)?;
    let mut outline = Outline { text, tokens, at: 0, places: Vec::new(), depth: 0 };
    if tokens.is_empty() {
        return Err(SyntaxError::new(Span::at(0), "the expression is empty"));
    }
    outline.expression(0)?;
    match outline.peek() {
        None => Ok(outline.places),
        Some(_) => Err(outline.unexpected("an operator or the end of the expression")),
    }
}

/// What kind of operand has been read, as far as what may follow depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Number,
    Selector,
    Matrix,
    Subquery,
    Other,
}

/// An operand that has been read. Its place is the last of the list.
#[derive(Clone, Copy, Debug)]
struct Operand {
    span: Span,
    shape: Shape,
    value_type: ValueType,
    height: usize,
    has_offset: bool,
    has_at: bool,
}

impl Operand {
    fn new(span: Span, shape: Shape, value_type: ValueType, height: usize) -> Self {
        Self { span, shape, value_type, height, has_offset: false, has_at: false }
    }
}

/// Keywords that cannot name a metric.
const RESERVED: [&str; 6] = ["bool", "on", "ignoring", "group_left", "group_right", "atan2"];
/// Keywords that can name a metric but call nothing.
const KEYWORDS: [&str; 6] = ["and", "or", "unless", "by", "without", "offset"];

/// Whether a word has a meaning of its own, in any case.
pub(super) fn is_keyword(word: &str) -> bool {
    let mut keywords = RESERVED.iter().chain(&KEYWORDS);
    keywords.any(|keyword| keyword.eq_ignore_ascii_case(word))
        || AggregateOp::from_text(word).is_some()
        || function(word).is_some()
}

struct Outline<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    places: Vec<Place>,
    depth: usize,
}

impl<'a> Outline<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn text_at(&self, index: usize) -> &'a str {
        let span = self.tokens.get(index).map_or(Span::default(), |t| t.span);
        self.text.get(span.range()).unwrap_or_default()
    }

    fn is_sign_at(&self, index: usize, sign: &str) -> bool {
        self.tokens.get(index).is_some_and(|t| matches!(t.kind, TokenKind::Sign(s) if s == sign))
    }

    fn is_sign(&self, sign: &str) -> bool {
        self.is_sign_at(self.at, sign)
    }

    /// Whether the token at an index is one of these words, in any case.
    fn is_word_at(&self, index: usize, words: &[&str]) -> bool {
        self.tokens.get(index).is_some_and(|t| t.kind == TokenKind::Word)
            && words.iter().any(|word| word.eq_ignore_ascii_case(self.text_at(index)))
    }

    fn is_word(&self, words: &[&str]) -> bool {
        self.is_word_at(self.at, words)
    }

    /// The place of the token that comes next, or of the end.
    fn here(&self) -> Span {
        let end = self.tokens.last().map_or(0, |t| t.span.end);
        self.peek().map_or(Span::at(end), |t| t.span)
    }

    /// Takes the next token, whatever it is; its place.
    fn take(&mut self) -> Span {
        let span = self.here();
        self.at += 1;
        span
    }

    fn take_sign(&mut self, sign: &str, expected: &str) -> Result<Span, SyntaxError> {
        if self.is_sign(sign) { Ok(self.take()) } else { Err(self.unexpected(expected)) }
    }

    /// The token that comes next is none of what could come here.
    fn unexpected(&self, expected: &str) -> SyntaxError {
        let Some(token) = self.peek() else {
            let message = format!("the expression ends where {expected} should be");
            return SyntaxError::new(self.here(), message);
        };
        let text = self.text_at(self.at);
        let found = match token.kind {
            TokenKind::String(_) => "a string".to_string(),
            TokenKind::Number(_) => format!("number `{text}`"),
            TokenKind::Duration(_) => format!("duration `{text}`"),
            _ => format!("`{text}`"),
        };
        SyntaxError::new(token.span, format!("unexpected {found}, expected {expected}"))
    }

    fn push(&mut self, span: Span, detail: Span) {
        self.places.push(Place { span, detail, selector: None });
    }

    /// Makes an operand, and its place, reach over one more part.
    fn widen(&mut self, operand: &mut Operand, span: Span) {
        operand.span = operand.span.to(span);
        if let Some(place) = self.places.last_mut() {
            place.span = operand.span;
        }
    }

    /// The height of a node above its highest part.
    fn height(&self, span: Span, below: usize) -> Result<usize, SyntaxError> {
        if below < MAX_HEIGHT {
            return Ok(below + 1);
        }
        let message = format!("more than {MAX_HEIGHT} operators and calls in a row");
        Err(SyntaxError::new(span, message).help("split the rule, or match a label with a regex"))
    }

    /// Operands joined by operators that bind at least as strongly as `min`.
    fn expression(&mut self, min: u8) -> Result<Operand, SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            let message = format!("nested deeper than {MAX_NESTING} levels");
            return Err(SyntaxError::new(self.here(), message));
        }
        let mut lhs = self.operand()?;
        while let Some(op) = self.binary_op().filter(|op| op.precedence() >= min) {
            lhs = self.binary(lhs, op)?;
        }
        self.depth -= 1;
        Ok(lhs)
    }

    fn operand(&mut self) -> Result<Operand, SyntaxError> {
        let mut operand = match self.peek().map(|t| &t.kind) {
            Some(TokenKind::Number(_) | TokenKind::Duration(_)) => {
                self.leaf(Shape::Number, ValueType::Scalar)
            }
            Some(TokenKind::String(_)) => self.leaf(Shape::Other, ValueType::String),
            Some(TokenKind::Sign("+" | "-")) => self.unary()?,
            Some(TokenKind::Sign("(")) => self.paren()?,
            Some(TokenKind::Sign("{")) => self.selector(false)?,
            Some(TokenKind::Word) => self.word()?,
            _ => return Err(self.unexpected("an expression")),
        };
        while self.modifier(&mut operand)? {}
        Ok(operand)
    }

    fn leaf(&mut self, shape: Shape, value_type: ValueType) -> Operand {
        let span = self.take();
        self.push(span, span);
        Operand::new(span, shape, value_type, 1)
    }

    /// A sign binds weaker than `^` only.
    fn unary(&mut self) -> Result<Operand, SyntaxError> {
        let negative = self.is_sign("-");
        let sign = self.take();
        let mut inner = self.expression(6)?;
        if !matches!(inner.value_type, ValueType::Scalar | ValueType::Vector) {
            let found = inner.value_type.with_article();
            let message = format!("a sign stands before {found}, it needs a scalar or a vector");
            return Err(SyntaxError::new(inner.span, message));
        }
        // A plus changes nothing, a number takes its sign.
        if !negative || inner.shape == Shape::Number {
            self.widen(&mut inner, sign);
            return Ok(inner);
        }
        let span = sign.to(inner.span);
        self.push(span, sign);
        let height = self.height(span, inner.height)?;
        Ok(Operand::new(span, Shape::Other, inner.value_type, height))
    }

    fn paren(&mut self) -> Result<Operand, SyntaxError> {
        let open = self.take();
        let inner = self.expression(0)?;
        let span = open.to(self.take_sign(")", "an operator or `)`")?);
        self.push(span, span);
        let height = self.height(span, inner.height)?;
        Ok(Operand::new(span, Shape::Other, inner.value_type, height))
    }

    /// A metric, a function call or an aggregation.
    fn word(&mut self) -> Result<Operand, SyntaxError> {
        let name = self.text_at(self.at);
        let aggregate = AggregateOp::from_text(name);
        let called = self.is_sign_at(self.at + 1, "(");
        let grouped = self.is_word_at(self.at + 1, &["by", "without"]);
        let operand_follows = self.operand_follows();
        if let Some(op) = aggregate.filter(|_| called || grouped) {
            return self.aggregate(op);
        }
        if self.is_word(&RESERVED) || (self.is_word(&KEYWORDS) && (called || operand_follows)) {
            return Err(self.unexpected("an expression"));
        }
        if operand_follows && (aggregate.is_some() || function(name).is_some()) {
            self.take();
            return Err(self.unexpected(&format!("`(` behind `{name}`")));
        }
        if called { self.call() } else { self.selector(false) }
    }

    /// Whether the word that stands here is followed by what begins an operand.
    fn operand_follows(&self) -> bool {
        let next = self.at + 1;
        let operator = self.is_word_at(next, &["and", "or", "unless", "atan2", "offset"]);
        let begins = self.tokens.get(next).is_some_and(|t| {
            matches!(t.kind, TokenKind::Word | TokenKind::Number(_) | TokenKind::String(_))
        });
        begins && !operator
    }
}
