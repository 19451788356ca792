//! Tier 9: the commands, one file each.
//!
//! A command returns an exit code: 0 is good, 1 is a negative answer (a mistake found, something
//! not delivered), 2 is bad usage.

// A command line program talks to people on its output.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod check;
mod check_config;
mod check_web;
mod client;
mod collect;
mod completions;
mod demo;
mod eval;
mod explain;
mod findings;
mod notifications;
mod notify_test;
mod output;
mod print_config;
mod records;
mod route;
mod run;
mod schema;
mod silence;
mod test;
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
  watchbell demo                                 watch an incident, with nothing but this program
  watchbell run --config watchbell.yaml          evaluate, route and deliver until stopped
  watchbell check rules/                         find rules that cannot fire or say the wrong thing
  watchbell check config watchbell.yaml          refuse a configuration before it ships
  watchbell test rules/                          unit tests of rules, as promtool runs them
  watchbell eval --config watchbell.yaml         what would fire now, and who would be told
  watchbell route --config watchbell.yaml severity=critical
  watchbell notify-test --config watchbell.yaml oncall
  watchbell explain NodeDown node=node-17        was someone told, and if not, why not
  watchbell notifications --pending              what still waits to be delivered
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
    Demo(demo::Args),
    Test(test::Args),
    Eval(eval::Args),
    Route(route::Args),
    Schema(schema::Args),
    Explain(explain::Args),
    Notifications(notifications::Args),
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
        Command::Demo(args) => demo::run(args),
        Command::Test(args) => test::run(args),
        Command::Eval(args) => eval::run(args),
        Command::NotifyTest(args) => notify_test::run(args),
        Command::Route(args) => route::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Notifications(args) => notifications::run(args),
        Command::Silence(args) => silence::run(args),
        Command::Completions(args) => completions::run(args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("watchbell: {error:#}");
        ExitCode::from(FAILED)
    })
}
