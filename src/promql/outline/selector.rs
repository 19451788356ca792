//! Metric names and matchers.

use super::{Operand, Outline, Place, Shape};
use crate::diag::Span;
use crate::model::label::METRIC_NAME;
use crate::model::{MatchOp, Matcher, MatcherError};
use crate::promql::SyntaxError;
use crate::promql::op::ValueType;
use crate::promql::selector::LabelMatcher;
use crate::promql::token::TokenKind;

/// A selector as far as it has been read.
#[derive(Default)]
struct Found {
    /// The metric's name.
    name: Option<String>,
    /// The name stands before the braces.
    is_outside: bool,
    matchers: Vec<LabelMatcher>,
}

impl Outline<'_> {
    /// `up`, `up{…}` or `{…}`. `info` alone takes one that may match everything.
    pub(super) fn selector(&mut self, may_match_all: bool) -> Result<Operand, SyntaxError> {
        let mut span = self.here();
        let mut found = Found::default();
        if !self.is_sign("{") {
            found.name = Some(self.text_at(self.at).to_string());
            found.is_outside = true;
            self.take();
        }
        if self.is_sign("{") {
            self.take();
            span = span.to(self.matchers(&mut found)?);
        }
        let all_empty = found.matchers.iter().all(|m| m.matcher.matches_value(""));
        if found.name.is_none() && all_empty && !may_match_all {
            let message =
                "a selector needs a metric name or a matcher that excludes the empty value";
            return Err(SyntaxError::new(span, message)
                .help("this one would select every series; add a matcher such as job=\"api\""));
        }
        let selector = Some((found.name, found.matchers));
        self.places.push(Place { span, detail: span, selector });
        Ok(Operand::new(span, Shape::Selector, ValueType::Vector, 1))
    }

    /// Matchers up to the closing brace; the brace's place.
    fn matchers(&mut self, found: &mut Found) -> Result<Span, SyntaxError> {
        loop {
            if self.is_sign("}") {
                return Ok(self.take());
            }
            self.matcher(found)?;
            if self.is_sign(",") {
                self.take();
            } else if !self.is_sign("}") {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
    }

    fn matcher(&mut self, found: &mut Found) -> Result<(), SyntaxError> {
        let (name, quoted) = match self.peek().map(|t| &t.kind) {
            Some(TokenKind::Word) => (self.text_at(self.at).to_string(), false),
            Some(TokenKind::String(name)) => (name.clone(), true),
            _ => return Err(self.unexpected("a label name or `}`")),
        };
        let name_span = self.take();
        let op = match self.peek().map(|t| &t.kind) {
            Some(TokenKind::Match(op)) => *op,
            _ if quoted => return self.named(found, name, name_span),
            _ => return Err(self.unexpected("`=`, `!=`, `=~` or `!~`")),
        };
        self.take();
        let Some(TokenKind::String(value)) = self.peek().map(|t| &t.kind) else {
            let error = self.unexpected("a quoted value");
            return Err(match self.peek().map(|t| &t.kind) {
                Some(TokenKind::Word) => {
                    error.help(format!("put the value in quotes: \"{}\"", self.text_at(self.at)))
                }
                Some(TokenKind::Match(_)) => error.help("a matcher has a single `=`"),
                _ => error,
            });
        };
        let value_span = self.take();
        let span = name_span.to(value_span);
        let matcher = Matcher::new(name, op, value.as_str()).map_err(|error| match error {
            MatcherError::Regex { reason, .. } => {
                let reason = reason.strip_prefix("error: ").unwrap_or(&reason);
                SyntaxError::new(value_span, format!("bad regular expression: {reason}"))
            }
            MatcherError::Syntax { reason, .. } => SyntaxError::new(span, reason),
        })?;
        if matcher.name() == METRIC_NAME && found.is_outside {
            return Err(twice(span));
        }
        found.matchers.push(LabelMatcher { matcher, span });
        Ok(())
    }

    /// Takes a quoted metric name. A second one is a matcher like any other, as in Prometheus.
    fn named(&self, found: &mut Found, name: String, span: Span) -> Result<(), SyntaxError> {
        if found.is_outside {
            return Err(twice(span));
        }
        let matched = found.matchers.iter().any(|m| m.matcher.name() == METRIC_NAME);
        if found.name.is_none() && !matched && !name.is_empty() {
            found.name = Some(name);
            return Ok(());
        }
        let matcher = Matcher::new(METRIC_NAME, MatchOp::Equal, name)
            .map_err(|_| SyntaxError::new(span, "this is no metric name"))?;
        found.matchers.push(LabelMatcher { matcher, span });
        Ok(())
    }
}

fn twice(span: Span) -> SyntaxError {
    SyntaxError::new(span, "the metric name is set twice")
}
