//! Tier 2: rule files, from text to checked groups.
//!
//! The format is Prometheus': groups of alerting and recording rules. [`check`] takes one file and
//! gives every mistake in it, [`load_files`] takes glob patterns and gives every mistake of all
//! files. What Prometheus 3 refuses is refused here, and also an expression or a template that
//! does not parse.

mod check;
mod files;
mod find;
mod names;
mod raw;
mod types;

#[cfg(test)]
mod tests;

pub use check::{check, check_read};
pub use files::{RulePattern, RuleSet, expand_pattern, load_files};
pub use find::{FindError, Origin, find_files};
pub use types::{AlertingRule, RecordingRule, Rule, RuleGroup, RulePlaces, TextField};
