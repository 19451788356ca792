//! `watchbell test`: unit tests of rules, and who must be told.

mod report;
mod show;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use regex::Regex;

use crate::cli::output::{Format, Paint, show, show_json};
use crate::cli::{FAILED, USAGE};
use crate::ruletest::{FileReport, find_files, junit, run_files};

use report::Report;

/// Run unit tests of rules in promtool's format, and say who would be told.
///
/// PATH is a test file, a folder, or a glob pattern. In folders, files count that hold `tests`, and
/// scripts of PromQL (*.test).
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell test rules/
  watchbell test rules/*_test.yaml --run 'fires'
  watchbell test rules/ --require-coverage --junit report.xml      in CI

A test file may hold more than promtool knows: `config_file`, and in a test `silences` and
`notification_test` with `exp_notifications` and `exp_held`; see docs/unit-tests.md.

Exit code: 0 where all pass; 1 where a test fails, or a rule never fires and --require-coverage is
given; 2 where a file or the command line cannot be used (the other files still run).")]
pub(super) struct Args {
    /// Test files, folders or glob patterns
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Only tests whose name matches somewhere; of scripts, evaluations whose expression does
    #[arg(long, value_name = "REGEX")]
    run: Vec<Regex>,
    /// Also write the results as JUnit's XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Fail where no test makes an alerting rule fire
    #[arg(long, conflicts_with = "run")]
    require_coverage: bool,
    /// How many files are run at once [default: as many as there are processors]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Show the tests that pass, too
    #[arg(short, long)]
    verbose: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let files = match find_files(&args.paths) {
        Ok(files) => files,
        Err(error) => {
            eprintln!("watchbell: {error}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let threads = args.jobs.map(usize::from);
    let threads = threads.or_else(|| thread::available_parallelism().ok().map(Into::into));
    let reports = run_all(&files, &args.run, threads.unwrap_or(1));
    let mut report = Report::of(&reports);
    if !args.run.is_empty() {
        // Nothing can be said of coverage by some of the tests.
        report.never_fired.clear();
    }
    if !args.run.is_empty() && report.is_empty() {
        eprintln!(
            "watchbell: --run matches no test: --verbose without it names those that there are"
        );
        return Ok(ExitCode::from(USAGE));
    }
    if let Some(path) = &args.junit {
        let xml = junit(&reports).context("cannot write JUnit's XML")?;
        std::fs::write(path, xml).with_context(|| format!("cannot write {}", path.display()))?;
    }
    match args.format {
        Format::Json => show_json(&report)?,
        Format::Text => show(&show::text(&reports, &report, args.verbose, Paint::stdout()))?,
    }
    let uncovered = args.require_coverage && !report.never_fired.is_empty();
    Ok(match reports.iter().any(|report| report.broken) {
        true => ExitCode::from(USAGE),
        false if report.failed > 0 || uncovered => ExitCode::from(FAILED),
        false => ExitCode::SUCCESS,
    })
}

/// Runs all files; a person at a terminal sees how far it is.
fn run_all(files: &[PathBuf], only: &[Regex], threads: usize) -> Vec<FileReport> {
    let bar = if std::io::stderr().is_terminal() {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} files{msg}");
        ProgressBar::new(files.len() as u64)
            .with_style(style.unwrap_or(ProgressStyle::default_bar()))
    } else {
        ProgressBar::hidden()
    };
    let failed = AtomicUsize::new(0);
    let reports = run_files(files, only, threads, |report| {
        let (_, more) = report.counts();
        let failed = failed.fetch_add(more, Ordering::Relaxed) + more;
        if failed > 0 {
            bar.set_message(format!(", {failed} failed"));
        }
        bar.inc(1);
    });
    bar.finish_and_clear();
    reports
}
