//! `watchbell silence`: silences of a running daemon, as amtool has them.

mod add;
mod change;
mod import;
mod query;
mod show;

use std::process::ExitCode;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::cli::client::{Client, Refused, Server};
use crate::cli::{FAILED, USAGE};
use crate::model::label::ALERT_NAME;
use crate::model::{MatchOp, Matcher, MatcherForm, Matchers, parse_matcher};

/// Where silences are.
const SILENCES: &str = "/api/v2/silences";

/// Set, show and end silences of a running daemon.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell silence add alertname=DiskAlmostFull instance=db-1 --duration 2h --comment 'disk swap'
  watchbell silence add DiskAlmostFull 'instance=~db-.*' --comment 'disk swap'
  watchbell silence query --within 1h
  watchbell silence expire $(watchbell silence query --quiet DiskAlmostFull)

They work with an Alertmanager too: --url http://alertmanager:9093.
Exit code: 0, 1 where the daemon does not do what is asked, 2 where the command line cannot be
used.")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Add(add::Args),
    Query(query::Args),
    Expire(change::ExpireArgs),
    Update(change::UpdateArgs),
    Import(import::Args),
}

/// The command line says something that cannot be done.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let done = runtime.block_on(async {
        match args.command {
            Command::Add(args) => add::run(args).await,
            Command::Query(args) => query::run(args).await,
            Command::Expire(args) => change::expire(args).await,
            Command::Update(args) => change::update(args).await,
            Command::Import(args) => import::run(args).await,
        }
    });
    match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("watchbell: {error:#}");
            Ok(ExitCode::from(if error.is::<Usage>() { USAGE } else { FAILED }))
        }
    }
}

/// The way to the daemon. What its options say wrongly is bad usage.
fn client(server: &Server) -> Result<Client, Usage> {
    Client::new(server).map_err(|error| Usage(format!("{error:#}")))
}

/// A silence as the API writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    /// Empty for a new one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    updated_at: Option<String>,
    comment: String,
    created_by: String,
    ends_at: String,
    matchers: Vec<MatcherForm>,
    starts_at: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Status {
    state: String,
}

impl Listed {
    /// The silence as it is sent.
    fn postable(&self) -> Self {
        Self { status: None, updated_at: None, ..self.clone() }
    }
}

/// The answer to a silence that was set.
#[derive(Deserialize)]
struct Set {
    #[serde(rename = "silenceID")]
    id: String,
}

/// Reads matchers as amtool does: a first argument without an operator is the alert's name.
fn read_matchers(arguments: &[String]) -> Result<Matchers, Usage> {
    let mut matchers = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        let is_name = index == 0 && !argument.contains(['=', '~', '!']);
        let matcher = if is_name {
            Matcher::new(ALERT_NAME, MatchOp::Equal, argument.as_str())
        } else {
            parse_matcher(argument)
        };
        matchers.push(matcher.map_err(|error| Usage(error.to_string()))?);
    }
    Ok(Matchers(matchers))
}

/// Whether an error is an answer with this status.
fn has_status(error: &anyhow::Error, status: u16) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.status == status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_are_read_as_amtool_reads_them() {
        let read = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|a| a.to_string()).collect();
            read_matchers(&arguments).map(|m| m.to_string()).map_err(|error| error.to_string())
        };
        let good = |text: &str| Ok(text.to_string());
        assert_eq!(read(&["Down", "pod=a"]), good(r#"{alertname="Down",pod="a"}"#));
        assert_eq!(read(&["alertname=~D.*", "pod!=a b"]), good(r#"{alertname=~"D.*",pod!="a b"}"#));
        assert_eq!(read(&["Disk full"]), good(r#"{alertname="Disk full"}"#));
        assert_eq!(read(&[]), good("{}"));
        for bad in [&["pod=a", "Down"][..], &["a=~("], &["a=b,c=d"]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
