//! `watchbell silence import`.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::StreamExt;

use crate::cli::client::{Client, Refused, Server};
use crate::cli::output::show;
use crate::cli::silence::change::all_done;
use crate::cli::silence::{Listed, SILENCES, Set, Usage, client, has_status};

/// The largest file that is read.
const MAX_FILE: u64 = 256 * 1024 * 1024;
/// How often a server that has too many requests is asked again.
const MAX_TRIES: u32 = 20;
/// How long to wait for such a server where it does not say.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest wait that a server is granted.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Set silences from a file that `watchbell silence query --output json` or amtool wrote.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell silence query --output json > silences.json
  watchbell silence import silences.json
  amtool silence query -o json | watchbell silence import

A silence that is there already is changed to what the file says; one that is not gets a new id.
The ids are printed. A server that has too many requests (429) is asked again when it says.
Exit code: 0, 1 where one could not be set (the others are), 2 where the file cannot be read.")]
pub(super) struct Args {
    /// The file; standard input where absent
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    server: Server,
    /// Set every silence as a new one, also where it is there already
    #[arg(short, long)]
    force: bool,
    /// How many requests are made at once
    #[arg(short, long, default_value = "8", value_parser = clap::value_parser!(u16).range(1..=64))]
    worker: u16,
}

pub(super) async fn run(args: Args) -> anyhow::Result<()> {
    let silences = read(&args).map_err(|error| Usage(format!("{error:#}")))?;
    let client = client(&args.server)?;
    let sets = futures::stream::iter(&silences).map(async |silence| {
        let result = set(&client, silence, args.force).await;
        (silence.id.as_str(), result)
    });
    let mut sets = sets.buffered(usize::from(args.worker));
    let mut failed = 0;
    while let Some((id, result)) = sets.next().await {
        match result {
            Ok(id) => show(&format!("{id}\n"))?,
            Err(error) => {
                eprintln!("watchbell: {}: {error:#}", crate::cli::output::one_line(id));
                failed += 1;
            }
        }
    }
    all_done(failed, silences.len())
}

fn read(args: &Args) -> anyhow::Result<Vec<Listed>> {
    let mut text = Vec::new();
    let (from, name): (Box<dyn Read>, String) = match &args.file {
        Some(path) => {
            let name = path.display().to_string();
            let file = std::fs::File::open(path).with_context(|| format!("cannot read {name}"))?;
            (Box::new(file), name)
        }
        None => (Box::new(std::io::stdin()), "standard input".to_string()),
    };
    from.take(MAX_FILE + 1)
        .read_to_end(&mut text)
        .with_context(|| format!("cannot read {name}"))?;
    if text.len() as u64 > MAX_FILE {
        bail!("{name} is too large: {MAX_FILE} bytes are read at most");
    }
    serde_json::from_slice(&text).with_context(|| format!("{name} holds no list of silences"))
}

/// Sets one silence; returns its id.
async fn set(client: &Client, silence: &Listed, force: bool) -> anyhow::Result<String> {
    let mut posted = silence.postable();
    if force {
        posted.id.clear();
    }
    match post(client, &posted).await {
        Err(error) if has_status(&error, 404) && !posted.id.is_empty() => {
            posted.id.clear();
            post(client, &posted).await
        }
        result => result,
    }
}

/// Posts one silence, as often as it takes where the server only wants fewer requests.
async fn post(client: &Client, silence: &Listed) -> anyhow::Result<String> {
    let mut tries = 1;
    loop {
        let error = match client.post::<Set>(SILENCES, silence).await {
            Ok(set) => return Ok(set.id),
            Err(error) => error,
        };
        let wait = error.downcast_ref::<Refused>().and_then(wait_for);
        let Some(wait) = wait.filter(|_| tries < MAX_TRIES) else { return Err(error) };
        tries += 1;
        tokio::time::sleep(wait).await;
    }
}

/// How long to wait before asking again; `None` where that would not help.
fn wait_for(refused: &Refused) -> Option<Duration> {
    (refused.status == 429).then(|| refused.retry_after.unwrap_or(PAUSE).clamp(PAUSE, MAX_PAUSE))
}
