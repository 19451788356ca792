//! Tier 7: tests of rules and expressions, without a server.

pub mod script;
