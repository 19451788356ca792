//! Watchbell evaluates Prometheus alert rules and takes every alert to a person, or says why not.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

// Tier 0: values.
pub mod diag;
pub mod model;
// Tier 1: languages.
pub mod promql;
pub mod template;
pub mod yaml;
// Tier 2: rule files.
pub mod rule;
// Tier 3: pure steps.
pub mod alerting;
pub mod collect;
pub mod outbox;
pub mod routing;
// Tier 4: the machine.
pub mod clock;
pub mod http;
pub mod telemetry;
// Tier 5: the outside world behind traits.
pub mod mlflow;
pub mod notify;
pub mod query;
pub mod storage;
pub mod web;
// Tier 6: the program's parts joined.
pub mod config;
pub mod engine;
pub mod explain;
// Tier 7 to 9: the process, its API, its commands.
pub mod api;
pub mod cli;
pub mod daemon;
pub mod lint;
pub mod ruletest;
