//! Why an evaluation fails, and where.

use crate::diag::Span;

/// What stopped an evaluation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// The place in the expression's text, in bytes.
    pub span: Span,
    /// What is wrong, in Prometheus' words where it has any.
    pub message: String,
}

impl EvalError {
    /// An error at a place.
    pub(in crate::promql) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }

    /// Two series of a result have the same labels.
    pub(super) fn same_labels(span: Span) -> Self {
        Self::new(span, "vector cannot contain metrics with the same labelset")
    }

    /// What the parser lets nobody write. Kept as an error, so that a mistake here is no panic.
    pub(super) fn unexpected(span: Span) -> Self {
        Self::new(span, "this part of the expression cannot be evaluated")
    }
}
