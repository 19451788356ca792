//! What stands behind an operand: ranges, `offset` and `@`.

use super::{Operand, Outline, Shape};
use crate::diag::Span;
use crate::promql::SyntaxError;
use crate::promql::literal::{seconds_to_millis, time_to_millis};
use crate::promql::op::ValueType;
use crate::promql::token::TokenKind;

/// What may have an `offset` or an `@`.
const MODIFIED: &str = "a selector, a range or a subquery";

impl Outline<'_> {
    /// Reads one modifier, if one stands here.
    pub(super) fn modifier(&mut self, operand: &mut Operand) -> Result<bool, SyntaxError> {
        if self.is_sign("[") {
            self.range(operand)?;
        } else if self.is_word(&["offset"]) {
            self.offset(operand)?;
        } else if self.is_sign("@") {
            self.at_time(operand)?;
        } else if self.is_word(&["anchored", "smoothed"]) {
            let what = format!("`{}` is", self.text_at(self.at));
            return Err(SyntaxError::unsupported(self.here(), &what));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// `[5m]` or `[1h:1m]`
    fn range(&mut self, operand: &mut Operand) -> Result<(), SyntaxError> {
        let open = self.take();
        self.duration("a range")?;
        let is_subquery = self.is_sign(":");
        if is_subquery {
            self.take();
            if !self.is_sign("]") {
                self.duration("a step")?;
            }
        }
        let expected = if is_subquery { "`]`" } else { "`]` or `:`" };
        let brackets = open.to(self.take_sign("]", expected)?);
        if is_subquery { self.subquery(operand, brackets) } else { self.matrix(operand, brackets) }
    }

    fn matrix(&mut self, operand: &mut Operand, brackets: Span) -> Result<(), SyntaxError> {
        if operand.shape != Shape::Selector {
            let message = "a range can only follow a selector";
            let error = SyntaxError::new(brackets, message);
            return Err(if operand.value_type == ValueType::Vector {
                let range = self.text.get(brackets.start + 1..brackets.end - 1).unwrap_or("5m");
                error.help(format!("for a range of an expression write a subquery: [{range}:]"))
            } else {
                error
            });
        }
        if operand.has_offset || operand.has_at {
            let message = "the range has to stand before `offset` and `@`";
            return Err(SyntaxError::new(brackets, message));
        }
        let detail = operand.span;
        self.widen(operand, brackets);
        if let Some(place) = self.places.last_mut() {
            place.detail = detail;
        }
        operand.shape = Shape::Matrix;
        operand.value_type = ValueType::Matrix;
        Ok(())
    }

    fn subquery(&mut self, operand: &mut Operand, brackets: Span) -> Result<(), SyntaxError> {
        if operand.value_type != ValueType::Vector {
            let found = operand.value_type.with_article();
            let message = format!("a subquery needs an instant vector, this is {found}");
            return Err(SyntaxError::new(operand.span, message));
        }
        operand.height = self.height(brackets, operand.height)?;
        operand.span = operand.span.to(brackets);
        self.push(operand.span, operand.span);
        operand.shape = Shape::Subquery;
        (operand.has_offset, operand.has_at) = (false, false);
        operand.value_type = ValueType::Matrix;
        Ok(())
    }

    /// `offset 5m`, `offset -5m`
    fn offset(&mut self, operand: &mut Operand) -> Result<(), SyntaxError> {
        let word = self.take();
        self.sign();
        self.duration_value("an offset")?;
        let twice = std::mem::replace(&mut operand.has_offset, true);
        self.modified(operand, word, "offset", twice)
    }

    /// `@ 1700000000`, `@ start()`, `@ end()`
    fn at_time(&mut self, operand: &mut Operand) -> Result<(), SyntaxError> {
        let sign = self.take();
        if self.is_word(&["start", "end"]) {
            self.take();
            self.take_sign("(", "`()`")?;
            self.take_sign(")", "`)`")?;
        } else {
            self.sign();
            let span = self.here();
            match self.peek().map(|t| &t.kind) {
                Some(TokenKind::Number(seconds)) if time_to_millis(*seconds).is_none() => {
                    return Err(SyntaxError::new(span, "the time is out of range"));
                }
                Some(TokenKind::Number(_) | TokenKind::Duration(_)) => self.take(),
                _ => return Err(self.unexpected("a time in seconds, `start()` or `end()`")),
            };
        }
        let twice = std::mem::replace(&mut operand.has_at, true);
        self.modified(operand, sign, "@", twice)
    }

    fn sign(&mut self) {
        if self.is_sign("-") || self.is_sign("+") {
            self.take();
        }
    }

    /// Adds the modifier that ends here to its operand.
    fn modified(
        &mut self,
        operand: &mut Operand,
        word: Span,
        name: &str,
        twice: bool,
    ) -> Result<(), SyntaxError> {
        let end = self.tokens.get(self.at.saturating_sub(1)).map_or(word, |t| t.span);
        let span = word.to(end);
        if !matches!(operand.shape, Shape::Selector | Shape::Matrix | Shape::Subquery) {
            let message = format!("`{name}` can only follow {MODIFIED}");
            return Err(SyntaxError::new(span, message).help(format!(
                "put `{name}` behind the selector inside, before the parenthesis closes"
            )));
        }
        if twice {
            return Err(SyntaxError::new(span, format!("`{name}` is set twice")));
        }
        self.widen(operand, span);
        Ok(())
    }

    /// A positive duration inside of brackets.
    fn duration(&mut self, what: &str) -> Result<(), SyntaxError> {
        let span = self.here();
        let millis = self.duration_value(what)?;
        if millis == 0 {
            return Err(SyntaxError::new(span, format!("{what} has to be longer than zero")));
        }
        let arithmetic = ["+", "-", "*", "/", "%", "^"].iter().any(|sign| self.is_sign(sign));
        if arithmetic {
            let what = "arithmetic in durations is";
            return Err(SyntaxError::unsupported(self.here(), what));
        }
        Ok(())
    }

    /// A duration, or a number of seconds, in milliseconds.
    fn duration_value(&mut self, what: &str) -> Result<i64, SyntaxError> {
        let span = self.here();
        let millis = match self.peek().map(|t| &t.kind) {
            Some(TokenKind::Duration(millis)) => i64::try_from(*millis).ok(),
            Some(TokenKind::Number(seconds)) => seconds_to_millis(*seconds),
            Some(TokenKind::Sign("-"))
                if self.is_sign_at(self.at + 2, "]") || self.is_sign_at(self.at + 2, ":") =>
            {
                return Err(SyntaxError::new(span, format!("{what} cannot be negative")));
            }
            Some(TokenKind::Sign("(" | "+" | "-")) => {
                return Err(SyntaxError::unsupported(span, "arithmetic in durations is"));
            }
            Some(TokenKind::Word) if self.is_word(&["step", "range", "min_of", "max_of"]) => {
                return Err(SyntaxError::unsupported(span, "arithmetic in durations is"));
            }
            _ => return Err(self.unexpected("a duration such as 5m")),
        };
        self.take();
        millis.ok_or_else(|| SyntaxError::new(span, format!("{what} is too long")))
    }
}
