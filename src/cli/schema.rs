//! `watchbell schema`: what metrics there are, for checks without a server.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::cli::USAGE;
use crate::cli::collect::{collect, connect};
use crate::cli::output::{count, show};
use crate::lint::Schema;
use crate::yaml::read_file;

/// Save what metrics there are, with labels, values and types, for `watchbell check --schema`.
///
/// They are asked of a Prometheus, read from the texts of /metrics pages, or both.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell schema --prometheus http://localhost:9090 -o schema.json
  curl -s localhost:9100/metrics > node.txt && watchbell schema node.txt -o schema.json
  watchbell check --schema schema.json rules/

Of a label with more than 1000 values only the name is kept. A page of /metrics lacks what Prometheus
adds: `job` and `instance` may have any value then.

Exit code: 0; 1 where the Prometheus does not answer; 2 where a file or the command line cannot be
used.")]
pub(super) struct Args {
    /// Texts of /metrics pages, or other schemas, to be put together
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The Prometheus to ask
    #[arg(long, value_name = "URL")]
    prometheus: Option<String>,
    /// Where to write it; standard output where absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut schema = match read(&args) {
        Ok(schema) => schema,
        Err(error) => {
            eprintln!("watchbell: {error:#}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    if let Some(url) = &args.prometheus {
        let prometheus = match connect(url) {
            Ok(prometheus) => prometheus,
            Err(error) => {
                eprintln!("watchbell: {error:#}");
                return Ok(ExitCode::from(USAGE));
            }
        };
        let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
        let found = runtime.block_on(collect(&prometheus, None));
        schema.add(found.context("cannot ask the Prometheus")?);
    }
    let text = schema.to_text()?;
    match &args.output {
        None => show(&text)?,
        Some(path) => {
            std::fs::write(path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
            let series: usize = schema.metrics.values().map(|metric| metric.series).sum();
            let metrics = count(schema.metrics.len(), "metric");
            eprintln!("{metrics} with {series} series in {}", path.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(args: &Args) -> anyhow::Result<Schema> {
    if args.files.is_empty() && args.prometheus.is_none() {
        bail!("give a file, or --prometheus URL");
    }
    let mut schema = Schema::new();
    for path in &args.files {
        let source = read_file(path)?;
        let read = Schema::read(source.text());
        schema.add(read.with_context(|| format!("cannot use {}", path.display()))?);
    }
    Ok(schema)
}
