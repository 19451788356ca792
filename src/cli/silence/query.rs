//! `watchbell silence query`.

use std::time::Duration;

use crate::cli::client::Server;
use crate::cli::silence::show::{Output, print};
use crate::cli::silence::{Listed, SILENCES, client, read_matchers};
use crate::cli::time;
use crate::model::{Timestamp, parse_duration};

/// Show silences: those that are active or begin later.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell silence query
  watchbell silence query DiskAlmostFull instance=db-1      silences that name these values
  watchbell silence query --within 8h                       which end within eight hours
  watchbell silence query --expired --within 2h             which ended in the last two hours
  watchbell silence query --output json > silences.json     for `watchbell silence import`

Exit code: 0, 1 where the daemon does not answer, 2 where the command line cannot be used.")]
pub(super) struct Args {
    /// What a silence's own values must match; a first one without an operator is the alert's name
    #[arg(value_name = "MATCHER")]
    matchers: Vec<String>,
    #[command(flatten)]
    server: Server,
    /// Those that are over instead
    #[arg(long)]
    expired: bool,
    /// Only those of this author
    #[arg(long, value_name = "NAME")]
    created_by: Option<String>,
    /// Only those that end, or have ended, within this time
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    within: Option<Duration>,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let matchers = read_matchers(&args.matchers)?;
    let texts: Vec<String> = matchers.0.iter().map(|matcher| matcher.to_string()).collect();
    let filter: Vec<(&str, &str)> = texts.iter().map(|text| ("filter", text.as_str())).collect();
    let mut all: Vec<Listed> = client(&args.server)?.get(SILENCES, &filter).await?;
    let now = time::now();
    all.retain(|silence| wanted(silence, &args, now));
    print(&all, &args.output)
}

fn wanted(silence: &Listed, args: &Args, now: Timestamp) -> bool {
    let Ok(end) = time::parse(&silence.ends_at) else { return false };
    let distance = if args.expired { now.since(end) } else { end.since(now) };
    (end <= now) == args.expired
        && args.within.is_none_or(|within| distance <= within)
        && args.created_by.as_ref().is_none_or(|author| *author == silence.created_by)
}
