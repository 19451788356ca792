//! `watchbell run`: the daemon.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};

use crate::api;
use crate::cli::findings;
use crate::cli::{FAILED, USAGE};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::daemon::Daemon;
use crate::storage::{LateStore, Opening, Store};
use crate::telemetry::{self, BuildInfo, LogFormat, Metrics};
use crate::web::Web;

/// Evaluate rules, route alerts and deliver notifications until stopped.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell run --config watchbell.yaml
  watchbell run --config /etc/watchbell/watchbell.yaml --listen 0.0.0.0:9093 \\
    --web-config-file /etc/watchbell/web.yaml --log-format json

Signals: SIGHUP reloads the configuration, SIGTERM and SIGINT finish what has begun and stop.
Exit code: 0 after a stop, 1 when it cannot start, 2 when the configuration has mistakes.")]
pub(super) struct Args {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "watchbell.yaml", env = "WATCHBELL_CONFIG")]
    config: PathBuf,
    /// Where the API listens; port 0 takes a free one, which the log names
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9093")]
    listen: SocketAddr,
    /// Who may use the API, with TLS, users and tokens: a file in the format of Prometheus' exporter
    /// toolkit. Without it requests from other machines get health and metrics only
    #[arg(
        long,
        visible_alias = "web.config.file",
        value_name = "FILE",
        env = "WATCHBELL_WEB_CONFIG_FILE"
    )]
    web_config_file: Option<PathBuf>,
    /// How long a stop waits for deliveries that are in flight
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = humantime::parse_duration)]
    drain_timeout: Duration,
    /// The form of log lines
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text")]
    log_format: LogFormat,
    /// What is logged: a level, or levels by part (`info,watchbell::engine=debug`)
    #[arg(long, value_name = "FILTER", default_value = "info", env = "WATCHBELL_LOG")]
    log_filter: String,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Err(error) = telemetry::init(args.log_format, &args.log_filter) {
        eprintln!("watchbell: {error}");
        return Ok(ExitCode::from(USAGE));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(serve(args))
}

async fn serve(args: Args) -> anyhow::Result<ExitCode> {
    let mut opening = None;
    let begin = |config: &Config| opening = Some(Opening::begin(&config.storage.path));
    let loaded = findings::load_beside(&args.config, begin);
    let (Some(loaded), Some(opening)) = (loaded, opening) else {
        return Ok(ExitCode::from(USAGE));
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let build =
        BuildInfo { version: env!("CARGO_PKG_VERSION").to_string(), revision: String::new() };
    let metrics = Arc::new(Metrics::new(&build, clock.now().wall));
    let web = match Web::open(args.web_config_file.as_deref(), Arc::clone(&metrics)) {
        Ok(web) => Arc::new(web),
        Err(error) => {
            findings::show_web_error(&error);
            return Ok(ExitCode::from(USAGE));
        }
    };
    findings::show_all(&web.ready().warnings);
    // Signals are taken before anything runs, so that an early one is not lost.
    let stop = stop_signal()?;
    let hangup = hangups(Arc::clone(&web))?;
    let _too_large = outlive_file_limits()?;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    let store = match LateStore::finish(opening, clock.now().wall).await {
        Ok(store) => Arc::new(store),
        Err(error) => {
            eprintln!("watchbell: {error}");
            return Ok(ExitCode::from(FAILED));
        }
    };
    if let Some(problem) = store.problem() {
        tracing::error!(problem, "the store cannot be used, going on from memory");
    }
    let address = listener.local_addr().context("the listener has no address")?;
    let (daemon, handle) =
        Daemon::start(args.config, loaded, store, Arc::clone(&clock), metrics, args.drain_timeout)
            .await?;
    let scheme = if web.ready().tls.is_some() { "https" } else { "http" };
    tracing::info!(%scheme, %address, "listening");
    if !address.ip().is_loopback() && args.web_config_file.is_none() {
        tracing::info!(
            "other machines get health and metrics only, `--web-config-file FILE` opens the rest"
        );
    }
    // The API goes down last, so that it says until the end that the daemon is stopping.
    let (finished, finishing) = oneshot::channel::<()>();
    let api = tokio::spawn(api::serve(listener, handle, web, async move { drop(finishing.await) }));
    let mut stop = stop;
    daemon.run(async move { drop(stop.wait_for(|stop| *stop).await) }, hangup).await;
    drop(finished);
    if api.await.is_err() {
        tracing::error!("the API has failed");
    }
    Ok(ExitCode::SUCCESS)
}

/// True once the process has been asked to stop.
fn stop_signal() -> anyhow::Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        sender.send_replace(true);
        // A second signal means that someone does not want to wait.
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(130);
    });
    Ok(receiver)
}

/// Takes the signal that would end the process where a file meets the limit on its size
/// (`ulimit -f`): the write fails instead, and the store is one that fails.
fn outlive_file_limits() -> anyhow::Result<Signal> {
    /// SIGXFSZ has this number on all but a few old machines (MIPS, PA-RISC).
    const SIGXFSZ: i32 = 25;
    signal(SignalKind::from_raw(SIGXFSZ)).context("cannot watch for SIGXFSZ")
}

/// One item for each SIGHUP. The web configuration is read again at once.
fn hangups(web: Arc<Web>) -> anyhow::Result<mpsc::Receiver<()>> {
    let mut hangup = signal(SignalKind::hangup()).context("cannot watch for SIGHUP")?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            // What is wrong has been logged, and the former one goes on.
            let _ = web.reload().await;
            // One that is waiting already covers this one.
            let _ = sender.try_send(());
        }
    });
    Ok(receiver)
}
