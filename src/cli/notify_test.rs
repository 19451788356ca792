//! `watchbell notify-test`: a sample notification to a receiver.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::future::join_all;

use crate::cli::output::{self, Paint, one_line};
use crate::cli::{FAILED, USAGE, findings, time};
use crate::config::Loaded;
use crate::diag::nearest;
use crate::model::Timestamp;
use crate::notify::{Delivery, Integration, Receiver, sample};
use crate::outbox::Outcome;

/// No attempt lasts longer; every integration has a shorter limit of its own.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Send a sample notification to a receiver, for real.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell notify-test oncall
  watchbell notify-test --integration slack[0] oncall
  watchbell notify-test --resolved oncall        with a resolved alert beside the firing one
  watchbell notify-test --dry-run oncall         print the messages, send nothing

The message says that it is a test. PagerDuty opens an incident all the same: resolve it by hand.
Exit code: 0, 1 where a message was not delivered, 2 where there is nothing to send.")]
pub(super) struct Args {
    /// The receiver's name
    receiver: String,
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "watchbell.yaml", env = "WATCHBELL_CONFIG")]
    config: PathBuf,
    /// Add a resolved alert to the firing one
    #[arg(long)]
    resolved: bool,
    /// Only this integration of the receiver: a kind (slack) or one of a kind (slack[0])
    #[arg(long, value_name = "KIND[N]")]
    integration: Option<String>,
    /// Print the messages instead of sending them
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run, the time that the messages speak of: RFC 3339 or seconds since 1970; now
    /// where absent
    #[arg(long, value_parser = time::parse, requires = "dry_run")]
    time: Option<Timestamp>,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Some(loaded) = findings::load(&args.config) else {
        return Ok(ExitCode::from(USAGE));
    };
    let integrations = match wanted(&loaded, &args) {
        Ok(integrations) => integrations,
        Err(error) => {
            eprintln!("watchbell: {error}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let good = if args.dry_run {
        preview(&integrations, args.resolved, args.time.unwrap_or_else(time::now))?
    } else {
        eprintln!("warning: this really sends a message to the receiver {:?}", args.receiver);
        let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
        runtime.block_on(send(&integrations, args.resolved))?
    };
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// The integrations that are asked for, at least one.
fn wanted(loaded: &Loaded, args: &Args) -> Result<Vec<Integration>, String> {
    let name = args.receiver.as_str();
    let names = || loaded.receivers.iter().map(|receiver| receiver.name.as_str());
    let Some(receiver) = loaded.receivers.iter().find(|receiver| receiver.name == name) else {
        let hint = match nearest(name, names()) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("there are {}", names().collect::<Vec<_>>().join(", ")),
        };
        return Err(format!("there is no receiver {name:?}, {hint}"));
    };
    let is_wanted = |integration: &&Integration| {
        args.integration
            .as_deref()
            .is_none_or(|w| *w == *integration.id.kind || w == short(integration))
    };
    let found: Vec<Integration> = receiver.integrations.iter().filter(is_wanted).cloned().collect();
    if found.is_empty() { Err(nothing_to_send(receiver)) } else { Ok(found) }
}

fn nothing_to_send(receiver: &Receiver) -> String {
    if receiver.integrations.is_empty() {
        return format!("the receiver {:?} has no integrations, nobody is told", receiver.name);
    }
    let all: Vec<String> = receiver.integrations.iter().map(short).collect();
    format!("the receiver {:?} has no such integration, it has {}", receiver.name, all.join(", "))
}

/// `slack[0]`
fn short(integration: &Integration) -> String {
    format!("{}[{}]", integration.id.kind, integration.id.index)
}

fn delivery(integration: &Integration, resolved: bool, now: Timestamp) -> Delivery {
    Delivery {
        notification: sample(&integration.id, resolved, now),
        idempotency_key: format!("notify-test-{}", now.millis()),
        receiver_state: None,
        announced: true,
        attempt: 1,
    }
}

/// Prints every message; whether all could be rendered.
fn preview(integrations: &[Integration], resolved: bool, now: Timestamp) -> anyhow::Result<bool> {
    let mut good = true;
    for integration in integrations {
        let mut out = format!("== {}\n", one_line(&integration.id.to_string()));
        match integration.notifier.preview(&delivery(integration, resolved, now), now) {
            Ok(preview) => {
                for (name, text) in preview.parts {
                    let text = text.trim_end();
                    let gap = if text.contains('\n') { "\n" } else { " " };
                    out.push_str(&format!("-- {name}:{gap}{}\n", steerless(text)));
                }
            }
            Err(error) => {
                good = false;
                out.push_str(&format!("{error}\n"));
            }
        }
        output::show(&out)?;
    }
    Ok(good)
}

/// The text without characters that steer a terminal, line ends and tabs apart.
fn steerless(text: &str) -> String {
    let harmless = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().map(|c| if harmless(c) { c } else { '\u{fffd}' }).collect()
}

/// Sends every message at once; whether all were delivered.
async fn send(integrations: &[Integration], resolved: bool) -> anyhow::Result<bool> {
    let attempts = integrations.iter().map(async |integration| {
        let began = Instant::now();
        let now = time::now();
        let delivery = delivery(integration, resolved, now);
        let attempt = integration.notifier.deliver(&delivery, now);
        let outcome = tokio::time::timeout(TIMEOUT, attempt).await;
        let outcome = outcome.unwrap_or_else(|_| {
            Outcome::retry(format!("no outcome within {} s", TIMEOUT.as_secs()))
        });
        (integration, outcome, began.elapsed())
    });
    let mut good = true;
    let paint = Paint::stdout();
    for (integration, outcome, took) in join_all(attempts).await {
        good &= matches!(outcome, Outcome::Delivered { .. });
        let (verdict, status, error) = match outcome {
            Outcome::Delivered { status, .. } => (paint.green("delivered"), status, String::new()),
            Outcome::Retry { error, status, .. } => (paint.red("failed, may pass"), status, error),
            Outcome::Permanent { error, status } => (paint.red("failed"), status, error),
        };
        let status = status.map(|status| format!(", status {status}")).unwrap_or_default();
        let error = if error.is_empty() { error } else { format!(": {}", one_line(&error)) };
        output::show(&format!(
            "{}  {verdict} in {:.3} s{status}{error}\n",
            one_line(&integration.id.to_string()),
            took.as_secs_f64(),
        ))?;
    }
    Ok(good)
}
