//! `watchbell silence add`.

use std::time::Duration;

use crate::cli::client::Server;
use crate::cli::output::show;
use crate::cli::silence::{Listed, SILENCES, Set, Usage, client, read_matchers};
use crate::cli::time;
use crate::model::{MatcherForm, SilenceDraft, SilenceError, Timestamp, parse_duration};

/// Silence what matches, and print the silence's id.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell silence add alertname=DiskAlmostFull instance=db-1 --comment 'disk swap'
  watchbell silence add DiskAlmostFull --duration 2h --author ann --comment 'disk swap'
  watchbell silence add 'alertname=~Disk.*' --start 2026-05-04T22:00:00Z --duration 6h -c upgrade

A matcher is LABEL=VALUE, LABEL!=VALUE, LABEL=~REGEX or LABEL!~REGEX; all must match. A first
argument without an operator is the alert's name.
Exit code: 0, 1 where the daemon does not do it, 2 where the command line cannot be used.")]
pub(super) struct Args {
    /// What an alert must match
    #[arg(value_name = "MATCHER", required = true)]
    matchers: Vec<String>,
    #[command(flatten)]
    server: Server,
    /// Who silences [default: the user's name]
    #[arg(short, long, value_name = "NAME")]
    author: Option<String>,
    /// Why
    #[arg(short, long, value_name = "TEXT")]
    comment: String,
    /// For how long, such as 30m, 2h or 1d12h
    #[arg(short, long, default_value = "1h", value_parser = parse_duration)]
    duration: Duration,
    /// When it begins: RFC 3339 or seconds since 1970; now where absent
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    start: Option<Timestamp>,
    /// When it ends, in place of --duration
    #[arg(long, value_name = "TIME", value_parser = time::parse, conflicts_with = "duration")]
    end: Option<Timestamp>,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let now = time::now();
    let starts_at = args.start.unwrap_or(now);
    let draft = SilenceDraft {
        id: None,
        matchers: read_matchers(&args.matchers)?,
        starts_at,
        ends_at: args.end.unwrap_or(starts_at + args.duration),
        created_by: args.author.or_else(user).unwrap_or_default(),
        comment: args.comment,
    };
    draft.check(now).map_err(|error: SilenceError| Usage(error.to_string()))?;
    let silence = Listed {
        id: String::new(),
        status: None,
        updated_at: None,
        comment: draft.comment,
        created_by: draft.created_by,
        ends_at: draft.ends_at.rfc3339(),
        matchers: draft.matchers.0.iter().map(MatcherForm::from).collect(),
        starts_at: draft.starts_at.rfc3339(),
    };
    let set: Set = client(&args.server)?.post(SILENCES, &silence).await?;
    show(&format!("{}\n", set.id))
}

/// The name of whoever runs this.
fn user() -> Option<String> {
    let names = ["USER", "LOGNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    names.into_iter().find(|name| !name.is_empty())
}
