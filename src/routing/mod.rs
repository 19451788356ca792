//! Tier 3: the routing decision: tree, groups, inhibition, silences, deduplication.
//!
//! An alert goes down the [`RoutingTree`] and ends at one or more routes. In each it joins the
//! [`AggregationGroup`] of its group labels. When a group is due, every alert is asked whether it is
//! held back ([`Inhibitor`], [`TimeIntervals`], [`Silences`]), and [`decide`] says whether what is left is news to
//! the receiver. Nothing here reads a clock: the time is an argument. Every answer has a name
//! that logs, API and tables show alike.

mod build;
mod config;
mod dedup;
mod groups;
mod inhibit;
mod interval;
mod mute;
mod route;
mod silence_index;
mod silences;
mod tree;

#[cfg(test)]
mod tests;

pub use build::KnownNames;
pub use config::{read_inhibit_rules, read_route, read_time_intervals};
pub use dedup::{Dedup, HoldReason, LogView, decide};
pub use groups::AggregationGroup;
pub use inhibit::{InhibitRule, Inhibition, Inhibitor};
pub use interval::{DayOfMonthRange, Location, Range, TimeInterval, TimeIntervals, TimeSpec};
pub use mute::{MuteReason, mute_reason};
pub use route::{GroupBy, Located, RawRoute, Route, RouteId};
pub use silences::{Changed, Silences};
pub use tree::{RouteStep, RoutingTree, StepOutcome};
