//! What holds for all of an evaluation. Operators, aggregations and functions have tests of their own.

mod limits;
mod selectors;
pub(super) mod support;
