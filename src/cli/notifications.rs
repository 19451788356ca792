//! `watchbell notifications`: what was delivered, what failed, what waits.

use std::fmt::Write;
use std::process::ExitCode;

use anyhow::Context;

use crate::cli::output::{Paint, TableFormat, one_line, show, show_json};
use crate::cli::records::{Records, Source, ask, at_least_one, matcher};
use crate::cli::{USAGE, time};
use crate::explain::times::clock;
use crate::explain::{DeliveryList, Named, list, parse_integration};
use crate::model::{Matcher, Matchers, Timestamp};
use crate::outbox::AttemptOutcome;
use crate::storage::{DeliveryFilter, Store};

/// List attempts at delivery, newest first, or what still waits.
///
/// It reads the store, whether the daemon runs or not, or asks a daemon. Times are in UTC.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell notifications --since 1h
  watchbell notifications --outcome permanent --receiver oncall
  watchbell notifications --alert alertname=NodeDown --integration slack[0]
  watchbell notifications --pending                 what waits, and when it is tried next

Exit code: 0, 2 when something cannot be read.")]
pub(super) struct Args {
    #[command(flatten)]
    source: Source,
    /// Only to this receiver
    #[arg(long, value_name = "NAME")]
    receiver: Option<String>,
    /// Only by this kind of integration (slack), or by one of a kind (slack[0])
    #[arg(long, value_name = "KIND[N]", value_parser = parse_integration)]
    integration: Option<(String, Option<u32>)>,
    /// Only those that name an alert with this label; repeatable, all must match
    #[arg(long, value_name = "LABEL=VALUE", value_parser = matcher)]
    alert: Vec<Matcher>,
    /// Only attempts that ended so
    #[arg(long, value_enum, conflicts_with = "pending")]
    outcome: Option<OutcomeArg>,
    /// What still waits in the outbox, instead of attempts
    #[arg(long)]
    pending: bool,
    /// Only since then: RFC 3339, seconds since 1970, or how long ago (2h)
    #[arg(long, value_name = "TIME", value_parser = time::parse_past)]
    since: Option<Timestamp>,
    /// At most this many, the newest
    #[arg(long, value_name = "N", default_value = "50", value_parser = at_least_one)]
    limit: usize,
    /// The time for which the answer holds: RFC 3339 or seconds since 1970; now where absent
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    time: Option<Timestamp>,
    /// The form of the answer
    #[arg(long, value_enum, default_value = "table")]
    format: TableFormat,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum OutcomeArg {
    /// The receiver has it
    Delivered,
    /// It failed and is tried again
    Retry,
    /// It was refused for good
    Permanent,
}

impl From<OutcomeArg> for AttemptOutcome {
    fn from(outcome: OutcomeArg) -> Self {
        match outcome {
            OutcomeArg::Delivered => Self::Delivered,
            OutcomeArg::Retry => Self::Retry,
            OutcomeArg::Permanent => Self::Permanent,
        }
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let list = match runtime.block_on(read(&args)) {
        Ok(list) => list,
        Err(error) => {
            eprintln!("watchbell: {error:#}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    match args.format {
        TableFormat::Json => show_json(&list)?,
        TableFormat::Table => show(&table(&list, args.pending, Paint::stdout()))?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn read(args: &Args) -> anyhow::Result<DeliveryList> {
    let (kind, index) = args.integration.clone().map_or((None, None), |(k, i)| (Some(k), i));
    let filter = DeliveryFilter {
        pending: args.pending,
        receiver: args.receiver.clone(),
        kind,
        index,
        matchers: Matchers(args.alert.clone()),
        outcome: args.outcome.map(AttemptOutcome::from),
        since: args.since,
        limit: args.limit,
    };
    match args.source.open()? {
        Records::Store { store, .. } => {
            let now = args.time.unwrap_or_else(time::now);
            Ok(list(&store.deliveries(&filter).await?, now))
        }
        Records::Daemon(client) => {
            ask(&client, "/api/watchbell/notifications", &query(&filter)).await
        }
    }
}

/// The same question for the API.
fn query(filter: &DeliveryFilter) -> Vec<(&'static str, String)> {
    let matchers = filter.matchers.0.iter().map(|matcher| ("filter", matcher.to_string()));
    let integration = filter.kind.as_ref().map(|kind| match filter.index {
        Some(index) => format!("{kind}[{index}]"),
        None => kind.clone(),
    });
    let given = [
        ("receiver", filter.receiver.clone()),
        ("integration", integration),
        ("outcome", filter.outcome.map(|outcome| outcome.as_str().to_string())),
        ("since", filter.since.map(Timestamp::rfc3339)),
    ];
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let rest = [("pending", filter.pending.to_string()), ("limit", filter.limit.to_string())];
    matchers.chain(given).chain(rest).collect()
}

fn table(list: &DeliveryList, pending: bool, paint: Paint) -> String {
    let mut out = String::new();
    for warning in &list.warnings {
        let _ = writeln!(out, "{}: {}", paint.red("warning"), one_line(warning));
    }
    let rows = if pending { waiting(list) } else { attempts(list) };
    if rows.is_empty() {
        out.push_str(if pending { "nothing waits\n" } else { "no attempts\n" });
    }
    let widths: Vec<usize> = (0..COLUMNS)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.cells.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    for row in &rows {
        let cells = row.cells.iter().zip(&widths);
        let line: String = cells.map(|(cell, width)| format!("{cell:<width$}  ")).collect();
        let line = match row.tone {
            Tone::Good => paint.green(&line),
            Tone::Bad => paint.red(&line),
            Tone::Plain => line,
        };
        let _ = writeln!(out, "{line}{}", row.alerts);
        if let Some(error) = &row.error {
            let _ = writeln!(out, "{}", paint.dim(&format!("    {error}")));
        }
    }
    if list.more {
        let _ = writeln!(out, "{}", paint.dim("There are more: see them with --limit."));
    }
    out
}

/// How many cells stand before the alerts.
const COLUMNS: usize = 4;

enum Tone {
    Good,
    Bad,
    Plain,
}

struct Row {
    cells: [String; COLUMNS],
    alerts: String,
    error: Option<String>,
    tone: Tone,
}

fn attempts(list: &DeliveryList) -> Vec<Row> {
    let row = |row: &crate::explain::DeliveryRow| {
        let status = row.status.map(|status| format!(" {status}")).unwrap_or_default();
        let next = row.next_attempt.map(|at| format!("; tried again at {}", clock(at, list.at)));
        let error = row.error.as_ref().map(|error| {
            format!("{} (attempt {}){}", one_line(error), row.attempt, next.unwrap_or_default())
        });
        Row {
            cells: [
                clock(row.at, list.at),
                format!("{}{status}", row.outcome.as_str()),
                one_line(&format!("{}/{}", row.receiver, row.integration)),
                row.reason.as_str().to_string(),
            ],
            alerts: named(&row.alerts),
            error,
            tone: match row.outcome {
                AttemptOutcome::Delivered => Tone::Good,
                AttemptOutcome::Retry | AttemptOutcome::Permanent => Tone::Bad,
            },
        }
    };
    list.attempts.iter().map(row).collect()
}

fn waiting(list: &DeliveryList) -> Vec<Row> {
    let row = |row: &crate::explain::WaitingRow| Row {
        cells: [
            clock(row.created_at, list.at),
            format!("next at {}", clock(row.next_attempt, list.at)),
            one_line(&format!("{}/{}", row.receiver, row.integration)),
            row.reason.as_str().to_string(),
        ],
        alerts: named(&row.alerts),
        error: row
            .last_error
            .as_ref()
            .map(|error| format!("attempt {} failed: {}", row.attempts, one_line(error))),
        tone: if row.attempts > 0 { Tone::Bad } else { Tone::Plain },
    };
    list.pending.iter().map(row).collect()
}

/// How many alerts there are and the first of them.
fn named(alerts: &Named) -> String {
    let counts = [(alerts.firing, "firing"), (alerts.resolved, "resolved")];
    let counts = counts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
    let counts = counts.collect::<Vec<_>>().join(", ");
    match (alerts.labels.first(), alerts.firing + alerts.resolved) {
        (None, _) => counts,
        (Some(labels), 1) => format!("{counts}: {}", one_line(&labels.to_string())),
        (Some(labels), _) => format!("{counts}: {}, …", one_line(&labels.to_string())),
    }
}
