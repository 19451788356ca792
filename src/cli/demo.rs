//! `watchbell demo`: a recorded incident through the real pipeline, with nothing but this program.

mod incident;
mod show;
mod stage;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::api;
use crate::cli::output::{Paint, show};
use crate::cli::{USAGE, time};
use crate::clock::{Clock, FastClock};
use crate::daemon::{Core, DaemonHandle};
use crate::telemetry::{BuildInfo, Metrics};
use crate::web::Web;

use incident::Incident;
use show::Screen;
use stage::Stage;

/// How long a stop waits for what is in flight: here nothing ever is for long.
const DRAIN: Duration = Duration::from_secs(1);

/// Play a recorded MLflow incident: from the first bad sample to the page, and to its end.
///
/// The shipped rules are evaluated over recorded samples, and alerts go through routes, grouping
/// and templates as in `watchbell run`, in accelerated time. The messages are printed; nothing is
/// sent anywhere, nothing is stored.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell demo
  watchbell demo --speed 300 --messages none
  amtool --alertmanager.url=http://127.0.0.1:9093 silence add HighCPUUsage -c demo   while it runs
  watchbell explain HighModelLatency --url http://127.0.0.1:9093

It ends with the incident, or at a terminal with Ctrl-C: until then pages and API can be looked at.
Exit code: 0, 1 where it cannot run, 2 where the command line cannot be used.")]
pub(super) struct Args {
    /// How much faster than a clock the time runs
    #[arg(long, value_name = "N", default_value = "60", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    speed: u32,
    /// Where pages and API listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9093")]
    listen: SocketAddr,
    /// How much of each message is printed
    #[arg(long, value_enum, default_value = "short")]
    messages: Messages,
    /// End with the incident also at a terminal
    #[arg(long)]
    exit: bool,
}

/// How much of each message is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Messages {
    /// That it was sent, and to whom
    None,
    /// Its subject and the first lines
    Short,
    /// All of it
    Full,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let incident = Incident::recorded()?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(play(args, incident))
}

async fn play(args: Args, incident: Incident) -> anyhow::Result<ExitCode> {
    let listener = match TcpListener::bind(args.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!(
                "watchbell: cannot listen on {}: {error}; choose another with --listen",
                args.listen
            );
            return Ok(ExitCode::from(USAGE));
        }
    };
    let address = listener.local_addr().context("the listener has no address")?;
    // What is told of lies in the past, so that no page shows a time that has not come yet.
    let start = time::now() - incident.length;
    let clock: Arc<dyn Clock> = Arc::new(FastClock::new(start, args.speed));
    let build =
        BuildInfo { version: env!("CARGO_PKG_VERSION").to_string(), revision: String::new() };
    let metrics = Arc::new(Metrics::new(&build, start));
    let (sender, events) = mpsc::unbounded_channel();
    let stage = Stage::new(&incident, start, sender);
    let setup = stage.setup(&incident);
    let core =
        Core::start(setup, stage.store(), Arc::clone(&clock), Arc::clone(&metrics), DRAIN).await?;
    let web = Arc::new(Web::open(None, Arc::clone(&metrics)).context("cannot open the way in")?);
    let handle = DaemonHandle::of_core(&core, stage.store(), metrics, Arc::clone(&clock));
    let mut screen = Screen::new(Paint::stdout(), args.messages, start);
    show(&screen.opening(&incident, args.speed, address))?;
    let (finished, finishing) = oneshot::channel::<()>();
    let api = tokio::spawn(api::serve(listener, handle, web, async move { drop(finishing.await) }));
    let stays = std::io::stdout().is_terminal() && !args.exit;
    watch(&mut screen, events, &incident, &clock, stays).await?;
    core.stop().await;
    drop(finished);
    // It ends with the demo, and has nothing to lose.
    let _ = api.await;
    Ok(ExitCode::SUCCESS)
}

/// Shows what happens until the incident is over and, where it stays, somebody has seen enough.
async fn watch(
    screen: &mut Screen,
    mut events: mpsc::UnboundedReceiver<stage::Event>,
    incident: &Incident,
    clock: &Arc<dyn Clock>,
    stays: bool,
) -> anyhow::Result<()> {
    let end = clock.now().mono + incident.length;
    let mut over = false;
    loop {
        tokio::select! {
            biased;
            stop = tokio::signal::ctrl_c() => {
                stop.context("cannot watch for Ctrl-C")?;
                return show(&screen.closing());
            }
            Some(event) = events.recv() => show(&screen.event(&event))?,
            () = clock.sleep_until(end), if !over => {
                over = true;
                if !stays {
                    return show(&screen.closing());
                }
                show(&screen.over())?;
            }
        }
    }
}
