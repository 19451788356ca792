//! Tier 7: the linter behind `watchbell check`.
//!
//! The way of a check run: [`find_files`] turns the paths of a command line into files, [`read`] cuts
//! rule files out of them and checks each as the daemon would, [`Project`] holds all that is known
//! (rules, what recording rules give, settings), and [`lint`] asks every [`Check`] of the table
//! [`CHECKS`] about every rule and about the whole.
//!
//! A check knows no file system and no clock. It reports [`crate::diag::Diagnostic`]s at cause and
//! effect. What Prometheus refuses is found by [`crate::rule::check`] and is all that has the severity
//! `error`.

mod about;
mod checks;
mod context;
mod diff;
mod disable;
mod families;
mod features;
mod find;
mod fix;
mod input;
mod manifest;
mod online;
mod project;
mod refusals;
mod registry;
mod routes;
mod run;
pub mod schema;
mod settings;
mod shape;
mod template_text;

#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use about::About;
pub use context::{Check, Context, Findings, Needs};
pub use diff::only_changed;
pub use features::Feature;
pub use find::{Found, find_files};
pub use fix::fix;
pub use input::{RuleFile, read};
pub use online::history;
pub use project::Project;
pub use refusals::REFUSALS;
pub use registry::CHECKS;
pub use routes::Routes;
pub use run::{lint, pages};
pub use schema::{Metric, Schema, SchemaError};
pub use settings::{Required, Settings};
