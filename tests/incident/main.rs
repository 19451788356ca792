//! Whole incidents, through the real binary: Debian's Prometheus scrapes an exporter that the test
//! controls, `watchbell run` evaluates and routes, strict local receivers and real mail servers
//! take what is delivered. What may be down, slow, killed or broken in production is so here.
//!
//! All tests wait on conditions, never for a time. They share one Prometheus, whose first scrape
//! takes seconds, and nothing else.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test stops at the first surprise
#![allow(clippy::print_stdout)] // shown where a test fails

#[path = "../support/mod.rs"]
mod support;

mod daemon;
mod mail;
mod site;
mod slow;

mod builtin;
mod crashes;
mod datasource;
mod disk;
mod explain;
mod lifecycle;
mod outages;
mod policies;
mod process;
mod reload;
mod secrets;
mod silenced;
mod store;
mod style;
mod time;
