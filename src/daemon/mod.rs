//! Tier 7: the long-running process.
//!
//! One task for each rule group evaluates on schedule. They hand what they find to the dispatch
//! loop. A reload replaces the groups that changed and leaves the others alone.

mod group;
mod rules;
mod schedule;

pub use group::{GroupView, Health, RuleView};
pub use rules::{Leftover, RuleBoard, RuleManager, RuleSettings};
