//! The Go template language: an own strict parser with exact places, gotmpl's executor below it.
//!
//! gotmpl's parser accepts unclosed blocks and gives no places for unknown names, and its executor
//! knows neither methods nor Go's number format. So the parser here builds gotmpl's public tree
//! itself and writes every field access, loop and printed value as a call of a function that is
//! ours. Those functions also meter the run: see [`run`].

pub(super) mod access;
mod blocks;
pub(super) mod builtins;
mod error;
mod expr;
mod layout;
mod lexer;
mod literal;
mod number;
mod parser;
pub(super) mod printf;
pub(super) mod regexp;
pub(super) mod run;
pub(super) mod straight;
pub(super) mod text;
pub(super) mod time;
pub(super) mod value;

pub use error::TemplateError;
pub(super) use parser::{Language, Parsed, check_calls, parse};
