//! Binary operators and how their operands match.

use super::{Operand, Outline, Shape};
use crate::diag::Span;
use crate::promql::SyntaxError;
use crate::promql::op::{BinaryOp, ValueType};
use crate::promql::token::TokenKind;

/// The words behind an operator, as far as they matter for checks.
#[derive(Default)]
struct Modifiers {
    bool_span: Option<Span>,
    /// The place of `on (…)` or `ignoring (…)`.
    matching: Option<Span>,
    is_on: bool,
    labels: Vec<(String, Span)>,
    /// The place of `group_left` or `group_right`.
    group: Option<Span>,
    include: Vec<(String, Span)>,
    /// The place of `fill` or its kin.
    fill: Option<Span>,
}

impl Outline<'_> {
    /// The operator that stands here.
    pub(super) fn binary_op(&self) -> Option<BinaryOp> {
        match self.peek()?.kind {
            // What nearly always stands behind an operand, which need not be looked for.
            TokenKind::Sign(")" | ",") => None,
            TokenKind::Word | TokenKind::Sign(_) => BinaryOp::from_text(self.text_at(self.at)),
            _ => None,
        }
    }

    /// Reads the operator that stands here and its right operand.
    pub(super) fn binary(&mut self, lhs: Operand, op: BinaryOp) -> Result<Operand, SyntaxError> {
        let op_span = self.take();
        let modifiers = self.modifiers()?;
        // Only `^` binds to the right.
        let min = op.precedence() + u8::from(op != BinaryOp::Pow);
        let rhs = self.expression(min)?;
        check_types(op, &lhs, &rhs)?;
        check_modifiers(op, op_span, &modifiers, &lhs, &rhs)?;
        let span = lhs.span.to(rhs.span);
        self.push(span, op_span);
        let height = self.height(op_span, lhs.height.max(rhs.height))?;
        let both_scalar =
            lhs.value_type == ValueType::Scalar && rhs.value_type == ValueType::Scalar;
        let value_type = if both_scalar { ValueType::Scalar } else { ValueType::Vector };
        Ok(Operand::new(span, Shape::Other, value_type, height))
    }

    fn modifiers(&mut self) -> Result<Modifiers, SyntaxError> {
        let mut found = Modifiers::default();
        if self.is_word(&["bool"]) {
            found.bool_span = Some(self.take());
        }
        if self.is_word(&["on", "ignoring"]) {
            found.is_on = self.is_word(&["on"]);
            let word = self.take();
            let (labels, end) = self.labels()?;
            found.labels = labels;
            found.matching = Some(word.to(end));
        }
        if self.is_word(&["group_left", "group_right"]) {
            let word = self.text_at(self.at).to_ascii_lowercase();
            let span = self.take();
            if found.matching.is_none() {
                return Err(SyntaxError::new(span, format!("`{word}` without `on` or `ignoring`"))
                    .help(format!("write on (labels) {word} or ignoring (labels) {word}")));
            }
            found.group = Some(span);
            if self.is_sign("(") {
                found.include = self.labels()?.0;
            }
        }
        self.fill(&mut found)?;
        Ok(found)
    }

    /// `fill (0)`, or `fill_left (0)` and `fill_right (0)` in either order.
    fn fill(&mut self, found: &mut Modifiers) -> Result<(), SyntaxError> {
        let mut allowed = vec!["fill", "fill_left", "fill_right"];
        while self.is_word(&allowed) && self.is_sign_at(self.at + 1, "(") {
            let word = self.text_at(self.at).to_ascii_lowercase();
            found.fill = Some(self.take());
            self.take();
            if self.is_sign("-") || self.is_sign("+") {
                self.take();
            }
            if !matches!(self.peek().map(|t| &t.kind), Some(TokenKind::Number(_))) {
                return Err(self.unexpected("a number"));
            }
            self.take();
            self.take_sign(")", "`)`")?;
            allowed.retain(|name| word != "fill" && *name != "fill" && *name != word);
        }
        Ok(())
    }
}

fn check_types(op: BinaryOp, lhs: &Operand, rhs: &Operand) -> Result<(), SyntaxError> {
    for side in [lhs, rhs] {
        if matches!(side.value_type, ValueType::Scalar | ValueType::Vector) {
            continue;
        }
        let found = side.value_type.with_article();
        let message = format!("`{op}` needs scalars or instant vectors, this is {found}");
        let error = SyntaxError::new(side.span, message);
        return Err(match side.value_type {
            ValueType::Matrix => error.help("wrap it in a function such as `rate`"),
            _ => error,
        });
    }
    let scalars = [lhs, rhs].into_iter().find(|side| side.value_type == ValueType::Scalar);
    if let (true, Some(scalar)) = (op.is_set(), scalars) {
        let message = format!("`{op}` needs instant vectors on both sides, this is a scalar");
        return Err(
            SyntaxError::new(scalar.span, message).help("`vector(…)` makes a vector of a scalar")
        );
    }
    Ok(())
}

fn check_modifiers(
    op: BinaryOp,
    op_span: Span,
    modifiers: &Modifiers,
    lhs: &Operand,
    rhs: &Operand,
) -> Result<(), SyntaxError> {
    let scalar = |side: &Operand| side.value_type == ValueType::Scalar;
    match modifiers.bool_span {
        Some(span) if !op.is_comparison() => {
            let message = format!("`bool` goes with comparisons only, not with `{op}`");
            return Err(SyntaxError::new(span, message));
        }
        None if op.is_comparison() && scalar(lhs) && scalar(rhs) => {
            let message = "a comparison of two scalars needs `bool`";
            return Err(SyntaxError::new(op_span, message).help(format!("write {op} bool")));
        }
        _ => {}
    }
    let with_labels = modifiers.matching.filter(|_| !modifiers.labels.is_empty());
    if let (Some(span), true) = (with_labels, scalar(lhs) || scalar(rhs)) {
        return Err(SyntaxError::new(span, "labels can be matched between two vectors only"));
    }
    if let (Some(span), true) = (modifiers.group, op.is_set()) {
        let message = format!("`{op}` always matches many to many, grouping is not allowed");
        return Err(SyntaxError::new(span, message));
    }
    if let (Some(span), true) = (modifiers.fill, op.is_set()) {
        return Err(SyntaxError::new(span, format!("`{op}` cannot fill in missing series")));
    }
    let both = |(name, _): &&(String, Span)| modifiers.labels.iter().any(|(l, _)| l == name);
    if let (true, Some((name, span))) = (modifiers.is_on, modifiers.include.iter().find(both)) {
        let message = format!("label `{name}` is matched by `on` already");
        return Err(SyntaxError::new(*span, message).help("leave it out of the group labels"));
    }
    Ok(())
}
