//! Aggregations and lists of labels.

use super::call::{check_type, plural};
use super::{Operand, Outline, Shape};
use crate::diag::Span;
use crate::promql::SyntaxError;
use crate::promql::op::{AggregateOp, ValueType};
use crate::promql::token::TokenKind;

impl Outline<'_> {
    /// `sum by (job) (up)` or `sum(up) by (job)`
    pub(super) fn aggregate(&mut self, op: AggregateOp) -> Result<Operand, SyntaxError> {
        let op_span = self.take();
        let grouped = self.grouping()?;
        if !self.is_sign("(") {
            return Err(self.unexpected(&format!("`(` and what `{op}` aggregates")));
        }
        let (args, mut end) = self.args(false)?;
        if grouped.is_none() {
            end = self.grouping()?.unwrap_or(end);
        } else if self.is_word(&["by", "without"]) {
            return Err(SyntaxError::new(self.here(), format!("`{op}` is grouped twice")));
        }
        let span = op_span.to(end);
        check_args(op, &args, span)?;
        self.push(span, op_span);
        let height = self.height(span, args.iter().map(|arg| arg.height).max().unwrap_or(0))?;
        Ok(Operand::new(span, Shape::Other, ValueType::Vector, height))
    }

    /// `by (…)` or `without (…)`, if one stands here; the place of its end.
    fn grouping(&mut self) -> Result<Option<Span>, SyntaxError> {
        if !self.is_word(&["by", "without"]) {
            return Ok(None);
        }
        self.take();
        let (_, end) = self.labels()?;
        Ok(Some(end))
    }

    /// A list of labels in parentheses: the names with their places, and the place of the end.
    pub(super) fn labels(&mut self) -> Result<(Vec<(String, Span)>, Span), SyntaxError> {
        self.take_sign("(", "`(` and label names")?;
        let mut labels = Vec::new();
        loop {
            if self.is_sign(")") {
                return Ok((labels, self.take()));
            }
            let name = match self.peek().map(|t| &t.kind) {
                // Prometheus' grammar takes every other keyword.
                Some(TokenKind::Word) if self.is_word(&["without"]) => {
                    let error = self.unexpected("a label name");
                    return Err(error.help("put a label of this name in quotes"));
                }
                Some(TokenKind::Word) => {
                    // One with a colon is good in Prometheus 3.
                    self.text_at(self.at).to_string()
                }
                Some(TokenKind::String(name)) if !name.is_empty() => name.clone(),
                _ => return Err(self.unexpected("a label name or `)`")),
            };
            labels.push((name, self.take()));
            if self.is_sign(",") {
                self.take();
            } else if !self.is_sign(")") {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
    }
}

fn check_args(op: AggregateOp, args: &[Operand], span: Span) -> Result<(), SyntaxError> {
    let wanted: Vec<ValueType> = op.param().into_iter().chain([ValueType::Vector]).collect();
    if args.len() != wanted.len() {
        let takes: Vec<_> = wanted.iter().map(|w| w.with_article()).collect();
        let (needs, given) = (plural(wanted.len()), args.len());
        let error = SyntaxError::new(span, format!("`{op}` needs {needs}, {given} given"));
        return Err(error.help(format!("it takes {}", takes.join(", "))));
    }
    wanted.iter().zip(args).try_for_each(|(wanted, arg)| check_type(op.as_str(), *wanted, arg))
}
