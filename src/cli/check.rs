//! `watchbell check`: what is wrong with rules, before anybody relies on them.

mod base;
mod fixes;
mod load;
mod online;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use crate::cli::output::{Paint, show};
use crate::cli::{FAILED, USAGE, check_config, check_web};
use crate::diag::{Diagnostic, Severity, nearest, sort};
use crate::lint::{Project, lint, only_changed, pages};
use crate::model::parallel::processors;
use crate::model::parse_duration;

use load::{Loaded, load};
use show::Format;

/// Check rules: can each alert fire, does it say what it should, and does it reach someone.
///
/// PATH is a rule file, a folder, a glob pattern, or - for standard input. In folders, files count
/// that end in .yaml, .yml or .rules and hold rules. A path that is called like a subcommand is
/// written with its folder: ./config.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
  watchbell check rules/
  watchbell check --fail-on warning 'rules/**/*.yaml'
  watchbell check --format github rules/                     annotations in a pull request
  watchbell check --scrape-interval 30s --fix rules/         change what is safe to change
  watchbell check --config watchbell.yaml                    its rules together with its routes
  watchbell check --schema schema.json rules/                against metrics that were saved
  watchbell check --prometheus http://localhost:9090 rules/  against metrics that there are now
  watchbell check --diff origin/main rules/                  only what a change touches
  kustomize build . | watchbell check -
  watchbell check --explain alert/always-fires               why a check is there
  watchbell check config watchbell.yaml                      a whole configuration, as `run` reads it

Severities: error (Prometheus refuses the file), bug (the rule cannot do what it is there for),
warning, info.

Exit code: 0 where nothing is found at or above --fail-on, 1 where something is, 2 where a file or the
command line cannot be used."
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    rules: RulesArgs,
}

#[derive(clap::Subcommand)]
enum What {
    Config(check_config::Args),
    WebConfig(check_web::Args),
}

#[derive(clap::Args)]
struct RulesArgs {
    /// Rule files, folders or glob patterns; - is standard input
    #[arg(value_name = "PATH", required_unless_present_any = ["explain", "config"])]
    paths: Vec<PathBuf>,
    /// Also check the rules with the routes and receivers of this configuration; without a PATH its
    /// own rule files
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Also check the rules against what metrics there are: a file of `watchbell schema`, or the text
    /// of a /metrics page; may be given several times
    #[arg(long, value_name = "FILE")]
    schema: Vec<PathBuf>,
    /// Also check the rules against the metrics of this Prometheus, and tell what each alert would
    /// have done over the last day
    #[arg(long, value_name = "URL")]
    prometheus: Option<String>,
    /// Severities, intervals and what every alert must have
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Report only what has changed since this commit, and what depends on it
    #[arg(long, value_name = "COMMIT", conflicts_with = "fix")]
    diff: Option<String>,
    /// The least severity that fails the check
    #[arg(long, value_name = "SEVERITY", value_enum, default_value = "bug")]
    fail_on: FailOn,
    /// The form of the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Print the page of a check
    #[arg(long, value_name = "ID", exclusive = true)]
    explain: Option<String>,
    /// Change files where that is safe, then report what is left
    #[arg(long)]
    fix: bool,
    /// How often targets are scraped, to judge ranges by
    #[arg(long, value_name = "DURATION", value_parser = parse_interval)]
    scrape_interval: Option<Duration>,
    /// How often groups are evaluated that do not say it themselves
    #[arg(long, value_name = "DURATION", value_parser = parse_interval)]
    evaluation_interval: Option<Duration>,
    /// A feature flag of the Prometheus that is asked; known are promql-experimental-functions and
    /// promql-binop-fill-modifiers
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    enable_feature: Vec<String>,
}

/// The least severity that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    Info,
    Warning,
    Bug,
    Error,
}

impl FailOn {
    fn severity(self) -> Severity {
        match self {
            Self::Info => Severity::Info,
            Self::Warning => Severity::Warning,
            Self::Bug => Severity::Bug,
            Self::Error => Severity::Error,
        }
    }
}

fn parse_interval(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(duration) if duration.is_zero() => Err("must be more than 0".to_string()),
        other => other.map_err(|error| error.to_string()),
    }
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.what {
        Some(What::Config(args)) => check_config::run(&args),
        Some(What::WebConfig(args)) => check_web::run(&args),
        None => check_rules(&args.rules),
    }
}

fn check_rules(args: &RulesArgs) -> anyhow::Result<ExitCode> {
    if let Some(id) = &args.explain {
        return explain(id);
    }
    let checked = match check(args) {
        Ok(checked) => checked,
        Err(error) => {
            eprintln!("watchbell: {error:#}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    show(&show::findings(args.format, &checked, args.fail_on.severity(), Paint::stdout())?)?;
    let fails = |finding: &Diagnostic| finding.severity >= args.fail_on.severity();
    let code = match checked.findings.iter().any(fails) {
        true => ExitCode::from(FAILED),
        false => ExitCode::SUCCESS,
    };
    // The process ends here. To free thousands of rules piece by piece would cost a tenth of its time.
    std::mem::forget(checked);
    Ok(code)
}

/// What came of a check run.
struct Checked {
    project: Project,
    findings: Vec<Diagnostic>,
    /// How many changes `--fix` has made.
    fixed: usize,
}

fn check(args: &RulesArgs) -> anyhow::Result<Checked> {
    let threads = processors();
    let once = || -> anyhow::Result<(Project, Vec<Diagnostic>)> {
        let Loaded { mut project, mistakes } = load(args)?;
        if let Some(url) = &args.prometheus {
            project = online::ask(url, project)?;
        }
        let mut findings = lint(&project, threads);
        findings.extend(mistakes);
        if let Some(base) = &args.diff {
            only_changed(&project, &base::at(base, &project)?, &mut findings);
        }
        sort(&mut findings);
        Ok((project, findings))
    };
    let (project, findings) = once()?;
    if !args.fix {
        return Ok(Checked { project, findings, fixed: 0 });
    }
    let fixed = fixes::write(&project, &findings)?;
    let (project, findings) = once()?;
    Ok(Checked { project, findings, fixed })
}

fn explain(id: &str) -> anyhow::Result<ExitCode> {
    let pages = pages();
    if let Some(page) = pages.iter().find(|page| page.id == id) {
        show(&page.page)?;
        return Ok(ExitCode::SUCCESS);
    }
    let near = nearest(id, pages.iter().map(|page| page.id));
    let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
    eprintln!("watchbell: there is no check {id:?}{near}");
    for page in &pages {
        eprintln!("  {:<28} {}", page.id, page.title);
    }
    Ok(ExitCode::from(USAGE))
}
