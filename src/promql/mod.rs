//! Tier 1: PromQL expressions with spans.
//!
//! [`parse`] reads a text in three steps. `token` cuts it into tokens. `outline` walks them once,
//! finds the place and the type of every sub-expression and writes the syntax errors. `structure` asks
//! promql-parser for the tree and `lower` turns it into our own [`Expr`]; nothing else sees that
//! crate.

pub mod bounds;
mod display;
mod error;
pub mod eval;
mod expr;
pub mod flow;
mod function;
mod literal;
mod lower;
mod op;
mod outline;
mod presence;
mod selector;
pub mod series;
mod structure;
mod token;

#[cfg(test)]
mod tests;

pub use error::SyntaxError;
pub use expr::{
    Aggregate, At, Binary, Call, Cardinality, Expr, ExprKind, Grouping, MatrixSelector, Subquery,
    VectorMatching,
};
pub use function::{Function, function, function_names};
pub use op::{AggregateOp, BinaryOp, ValueType};
pub use presence::{Presence, Undecided, presence};
pub use selector::{LabelMatcher, VectorSelector};

/// Longer texts are refused, in bytes. The longest expression of the rule collections that were
/// measured has a few kilobytes.
pub const MAX_LENGTH: usize = 100_000;
/// Deeper nesting of brackets, signs and `^` is refused.
pub const MAX_NESTING: usize = 100;
/// A tree with a longer path from its root to a leaf is refused. A chain of operators such as
/// `a or b or c` is as high as it has operators. Whoever walks a tree by recursion goes no deeper.
pub const MAX_HEIGHT: usize = 500;

/// Parses an expression as Prometheus 3 does, experimental functions included.
///
/// # Errors
/// The first mistake with its place: in syntax, names, numbers and types of arguments, literals,
/// or a text that exceeds [`MAX_LENGTH`], [`MAX_NESTING`] or [`MAX_HEIGHT`].
pub fn parse(text: &str) -> Result<Expr, SyntaxError> {
    let tokens = token::tokens(text)?;
    let places = outline::outline(text, &tokens)?;
    lower::lower(text, &tokens, places)
}
