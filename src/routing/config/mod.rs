//! The routing sections of a configuration file, in Alertmanager's words.
//!
//! Every mistake is noted by the [`crate::yaml::Reader`] with its place; what could be read is
//! returned beside it, so that one pass finds them all.

mod inhibit;
mod interval;
mod matchers;
mod route;
#[cfg(test)]
mod tests;

pub use inhibit::read_inhibit_rules;
pub use interval::read_time_intervals;
pub use route::read_route;
