//! `watchbell silence expire` and `watchbell silence update`.

use std::time::Duration;

use anyhow::{Context, bail};

use crate::cli::client::{Client, Server};
use crate::cli::silence::show::{Output, print};
use crate::cli::silence::{Listed, SILENCES, Set, client};
use crate::cli::time;
use crate::model::{SilenceId, Timestamp, parse_duration};

/// End silences now.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell silence expire 11a82337-ce7a-49c4-9cab-744b40195631
  watchbell silence expire $(watchbell silence query --quiet DiskAlmostFull)

What a silence held and still fires is told with the next flush of its group.
Exit code: 0, 1 where one could not be ended (the others are), 2 where an id is none.")]
pub(super) struct ExpireArgs {
    /// The silences' ids
    #[arg(value_name = "ID", required = true)]
    ids: Vec<SilenceId>,
    #[command(flatten)]
    server: Server,
}

/// Change silences, and show them as they are then.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell silence update --duration 4h 11a82337-ce7a-49c4-9cab-744b40195631
  watchbell silence update --end 2026-05-05T04:00:00Z --comment 'takes longer' ID

Another start of a silence that is active makes a new silence in its place, with another id.
Exit code: 0, 1 where one could not be changed (the others are), 2 where an id is none.")]
pub(super) struct UpdateArgs {
    /// The silences' ids
    #[arg(value_name = "ID", required = true)]
    ids: Vec<SilenceId>,
    #[command(flatten)]
    server: Server,
    /// For how long in all, from its start
    #[arg(short, long, value_parser = parse_duration)]
    duration: Option<Duration>,
    /// When it begins: RFC 3339 or seconds since 1970
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    start: Option<Timestamp>,
    /// When it ends, in place of --duration
    #[arg(long, value_name = "TIME", value_parser = time::parse, conflicts_with = "duration")]
    end: Option<Timestamp>,
    /// Why
    #[arg(short, long, value_name = "TEXT")]
    comment: Option<String>,
    #[command(flatten)]
    output: Output,
}

pub(super) async fn expire(args: ExpireArgs) -> anyhow::Result<()> {
    let client = client(&args.server)?;
    let mut failed = 0;
    for id in &args.ids {
        if let Err(error) = client.delete(&address(id)).await {
            eprintln!("watchbell: {id}: {error:#}");
            failed += 1;
        }
    }
    all_done(failed, args.ids.len())
}

pub(super) async fn update(args: UpdateArgs) -> anyhow::Result<()> {
    let client = client(&args.server)?;
    let mut updated = Vec::new();
    for id in &args.ids {
        match update_one(&client, id, &args).await {
            Ok(silence) => updated.push(silence),
            Err(error) => eprintln!("watchbell: {id}: {error:#}"),
        }
    }
    print(&updated, &args.output)?;
    all_done(args.ids.len() - updated.len(), args.ids.len())
}

async fn update_one(client: &Client, id: &SilenceId, args: &UpdateArgs) -> anyhow::Result<Listed> {
    let mut silence: Listed = client.get(&address(id), &[]).await?;
    if let Some(start) = args.start {
        silence.starts_at = start.rfc3339();
    }
    if let Some(end) = args.end {
        silence.ends_at = end.rfc3339();
    } else if let Some(duration) = args.duration {
        let start = time::parse(&silence.starts_at).map_err(anyhow::Error::msg);
        silence.ends_at = (start.context("its start")? + duration).rfc3339();
    }
    if let Some(comment) = &args.comment {
        silence.comment.clone_from(comment);
    }
    let set: Set = client.post(SILENCES, &silence.postable()).await?;
    client.get(&format!("/api/v2/silence/{}", set.id), &[]).await
}

fn address(id: &SilenceId) -> String {
    format!("/api/v2/silence/{id}")
}

/// Whether nothing failed; what did is told already.
pub(super) fn all_done(failed: usize, of: usize) -> anyhow::Result<()> {
    if failed > 0 {
        bail!("{failed} of {of} failed");
    }
    Ok(())
}
