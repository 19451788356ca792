//! Tier 9: the commands, one file each.
//!
//! A command returns an exit code: 0 is good, 1 is a negative answer (a mistake found, something
//! not delivered), 2 is bad usage.

// A command line program talks to people on its output.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod check;
mod check_web;
mod client;
mod completions;
mod eval;
mod findings;
mod notify_test;
mod output;
mod print_config;
mod route;
mod run;
mod silence;
mod time;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The command did not do what was asked, in a way that scripts can tell from bad usage.
pub const FAILED: u8 = 1;
/// The command line or a file named on it cannot be used.
pub const USAGE: u8 = 2;

#[derive(Parser)]
#[command(
    name = "watchbell",
    version,
    about = "Evaluates Prometheus alert rules and takes every alert to a person, or says why not.",
    after_help = "Examples:
  watchbell run --config watchbell.yaml          evaluate, route and deliver until stopped
  watchbell check config watchbell.yaml          refuse a configuration before it ships
  watchbell eval --config watchbell.yaml         what would fire now, and who would be told
  watchbell route --config watchbell.yaml severity=critical
  watchbell notify-test --config watchbell.yaml oncall
  watchbell silence add DiskAlmostFull --duration 2h --comment 'disk swap'"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Args),
    Check(check::Args),
    Eval(eval::Args),
    Route(route::Args),
    NotifyTest(notify_test::Args),
    Silence(silence::Args),
    Completions(completions::Args),
}

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Run(args) => run::run(args),
        Command::Check(args) => check::run(args),
        Command::Eval(args) => eval::run(args),
        Command::NotifyTest(args) => notify_test::run(args),
        Command::Route(args) => route::run(args),
        Command::Silence(args) => silence::run(args),
        Command::Completions(args) => completions::run(args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("watchbell: {error:#}");
        ExitCode::from(FAILED)
    })
}
