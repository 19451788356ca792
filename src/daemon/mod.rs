//! Tier 7: the long-running process.
//!
//! One task for each rule group evaluates on schedule. They hand what they find to the dispatch
//! loop. The alerts about the program itself have a task of their own. A reload replaces the groups
//! that changed and leaves the others alone.

mod app;
mod builtin;
mod collector;
mod core;
mod group;
mod restart;
mod rules;
mod schedule;
mod setup;
mod state;
#[cfg(test)]
mod tests;
mod watch;

pub use app::{Daemon, DaemonHandle, StartError};
pub use builtin::is_builtin_group;
pub use core::{Core, CoreSetup};
pub use group::{GroupView, Health, RuleView};
pub use rules::{RuleBoard, RuleSettings};
pub use setup::routing_setup;
pub use state::{DaemonState, LastReload, ReloadError};
