//! What a template that is refused is refused for.

use crate::diag::Span;

/// Why a text is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// The cause, as a range of bytes of the template's text.
    pub span: Span,
    /// What is wrong with it, in lower case, with the nearest known name where one is near.
    pub message: String,
}

impl TemplateError {
    /// An error at a place.
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }
}
