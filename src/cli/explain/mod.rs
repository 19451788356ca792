//! `watchbell explain`: what happened to an alert, and whether someone was told.

mod show;

use std::process::ExitCode;

use anyhow::Context;

use crate::cli::output::{Paint, TableFormat, show, show_json};
use crate::cli::records::{Records, Source, ask, at_least_one, matcher};
use crate::cli::{FAILED, USAGE, time};
use crate::explain::{Explanation, Window, explain, hint};
use crate::model::{Matcher, Matchers, Timestamp};
use crate::storage::{CaseFilter, Store};

/// Show what happened to alerts, and whether someone was told, and if not, why not.
///
/// It reads the store, whether the daemon runs or not, or asks a daemon. Times are in UTC.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell explain NodeDown
  watchbell explain alertname=NodeDown node=node-17
  watchbell explain 'node=~\"node-1.*\"' severity=critical --since 2h
  watchbell explain NodeDown --storage /var/lib/watchbell --format json

Exit code: 0, 1 where no alert matches, 2 when something cannot be read.")]
pub(super) struct Args {
    /// Labels of the alert, matchers, or its name; all must match
    #[arg(value_name = "LABEL=VALUE", required = true, value_parser = matcher)]
    matchers: Vec<Matcher>,
    #[command(flatten)]
    source: Source,
    /// Only what happened since then: RFC 3339, seconds since 1970, or how long ago (2h)
    #[arg(long, value_name = "TIME", value_parser = time::parse_past)]
    since: Option<Timestamp>,
    /// Only what happened until then
    #[arg(long, value_name = "TIME", value_parser = time::parse_past)]
    until: Option<Timestamp>,
    /// At most this many events for each alert, the newest
    #[arg(long, value_name = "N", default_value = "200", value_parser = at_least_one)]
    limit: usize,
    /// At most this many alerts, those that changed last
    #[arg(long, value_name = "N", default_value = "10", value_parser = at_least_one)]
    alerts: usize,
    /// The time for which the answer holds: RFC 3339 or seconds since 1970; now where absent
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    time: Option<Timestamp>,
    /// The form of the answer
    #[arg(long, value_enum, default_value = "table")]
    format: TableFormat,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let explanation = match runtime.block_on(read(&args)) {
        Ok(explanation) => explanation,
        Err(error) => {
            eprintln!("watchbell: {error:#}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    match args.format {
        TableFormat::Json => show_json(&explanation)?,
        TableFormat::Table => show(&show::table(&explanation, Paint::stdout()))?,
    }
    if explanation.alerts.is_empty() {
        let matchers = Matchers(args.matchers);
        let hint = explanation.hint.as_deref().unwrap_or("nothing like it is known");
        eprintln!("watchbell: no alert matches {matchers}: {}", crate::cli::output::one_line(hint));
        return Ok(ExitCode::from(FAILED));
    }
    Ok(ExitCode::SUCCESS)
}

async fn read(args: &Args) -> anyhow::Result<Explanation> {
    let window = Window { since: args.since, until: args.until, limit: args.limit };
    let filter = CaseFilter { matchers: Matchers(args.matchers.clone()), limit: args.alerts };
    let (store, rules) = match args.source.open()? {
        Records::Store { store, rules } => (store, rules),
        Records::Daemon(client) => {
            return ask(&client, "/api/watchbell/explain", &query(args)).await;
        }
    };
    let dossier = store.dossier(&filter).await?;
    let mut explanation = explain(&dossier, &window, args.time.unwrap_or_else(time::now));
    if explanation.alerts.is_empty() {
        explanation.hint = Some(hint(&filter.matchers, &dossier.nearby, &rules));
    }
    Ok(explanation)
}

/// The same question for the API.
fn query(args: &Args) -> Vec<(&'static str, String)> {
    let filters = args.matchers.iter().map(|matcher| ("filter", matcher.to_string()));
    let times = [("since", args.since), ("until", args.until)];
    let times = times.into_iter().filter_map(|(name, at)| Some((name, at?.rfc3339())));
    let limits = [("limit", args.limit.to_string()), ("alerts", args.alerts.to_string())];
    filters.chain(times).chain(limits).collect()
}
