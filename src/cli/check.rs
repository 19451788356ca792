//! `watchbell check`: what is wrong with rules, before anybody relies on them.

mod show;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::cli::output::{Paint, show};
use crate::cli::{FAILED, USAGE, check_config, check_web};
use crate::diag::{Diagnostic, Severity, SourceFile, nearest};
use crate::lint::{Found, Project, RuleFile, Settings, find_files, fix, lint, pages, read};
use crate::model::parse_duration;
use crate::yaml::{MAX_TEXT, read_file};

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
    #[arg(value_name = "PATH", required_unless_present = "explain")]
    paths: Vec<PathBuf>,
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
    /// A feature flag of the Prometheus that is asked; known is promql-experimental-functions
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
    Ok(match checked.findings.iter().any(fails) {
        true => ExitCode::from(FAILED),
        false => ExitCode::SUCCESS,
    })
}

/// What came of a check run.
struct Checked {
    project: Project,
    findings: Vec<Diagnostic>,
    /// How many changes `--fix` has made.
    fixed: usize,
}

fn check(args: &RulesArgs) -> anyhow::Result<Checked> {
    let threads = thread::available_parallelism().map_or(1, Into::into);
    let once = || -> anyhow::Result<(Project, Vec<Diagnostic>)> {
        let project = Project::new(load(&args.paths)?, settings(args)?);
        let findings = lint(&project, threads);
        Ok((project, findings))
    };
    let (project, findings) = once()?;
    if !args.fix {
        return Ok(Checked { project, findings, fixed: 0 });
    }
    let fixed = write_fixes(&project, &findings)?;
    let (project, findings) = once()?;
    Ok(Checked { project, findings, fixed })
}

fn settings(args: &RulesArgs) -> anyhow::Result<Settings> {
    let mut settings = Settings {
        scrape_interval: args.scrape_interval,
        evaluation_interval: args.evaluation_interval,
        ..Settings::default()
    };
    for feature in &args.enable_feature {
        match feature.as_str() {
            "promql-experimental-functions" => settings.experimental_functions = true,
            other => bail!("unknown feature {other:?}: known is promql-experimental-functions"),
        }
    }
    Ok(settings)
}

/// The rule files of all paths.
fn load(paths: &[PathBuf]) -> anyhow::Result<Vec<RuleFile>> {
    let (stdin, paths): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.iter().cloned().partition(|path| path == Path::new("-"));
    let mut files = Vec::new();
    if !stdin.is_empty() {
        files.extend(read(&standard_input()?, true));
    }
    for Found { path, named } in find_files(&paths)? {
        files.extend(read(&read_file(&path)?, named));
    }
    if files.is_empty() {
        bail!("no rules to check: no file there has `groups`");
    }
    Ok(files)
}

fn standard_input() -> anyhow::Result<Arc<SourceFile>> {
    let mut text = String::new();
    let limit = MAX_TEXT as u64 + 1;
    std::io::stdin().take(limit).read_to_string(&mut text).context("cannot read standard input")?;
    if text.len() > MAX_TEXT {
        bail!("standard input is too large: a file may have {MAX_TEXT} bytes");
    }
    Ok(Arc::new(SourceFile::new("stdin", text)))
}

/// Makes the safe changes; how many.
fn write_fixes(project: &Project, findings: &[Diagnostic]) -> anyhow::Result<usize> {
    let mut count = 0;
    for file in &project.files {
        let path = file.source.path();
        let own: Vec<&Diagnostic> =
            findings.iter().filter(|f| Arc::ptr_eq(&f.source, &file.source)).collect();
        let (text, changes) = fix(file.source.text(), &own);
        if changes == 0 {
            continue;
        }
        if path == "stdin" {
            bail!("--fix changes files, and standard input is none");
        }
        std::fs::write(path, text).with_context(|| format!("cannot write {path}"))?;
        count += changes;
    }
    Ok(count)
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
