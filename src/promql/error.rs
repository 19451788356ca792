//! What is wrong with an expression, and where.

use crate::diag::Span;

/// A mistake in an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// The place in the expression's text, in bytes.
    pub span: Span,
    /// One sentence in lower case, without a full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl SyntaxError {
    /// A mistake at a place.
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    /// Adds what to write instead.
    #[must_use]
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// A construct that Prometheus knows and this parser does not.
    pub(super) fn unsupported(span: Span, what: &str) -> Self {
        Self::new(span, format!("{what} not supported yet"))
    }
}
