//! `watchbell check config`: what is wrong with a configuration, before it is used.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::output::{self, Format, Paint, count};
use crate::cli::{FAILED, USAGE, findings, print_config};
use crate::config::{ConfigError, Loaded};
use crate::diag::{self, Diagnostic, Severity};

/// Check configurations with the rules, templates and receivers that they name.
///
/// Every mistake is reported with its place. Nothing is sent or written.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell check config watchbell.yaml
  watchbell check config --print watchbell.yaml     with all defaults and inherited values
  watchbell check config --format json *.yaml

Exit code: 0 where all files can be used, 1 where one has a mistake, 2 where one cannot be read.")]
pub(super) struct Args {
    /// The configuration files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The form of the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Also print what is in effect, as YAML: defaults and inherited values filled in, secrets as
    /// <secret>
    #[arg(long, conflicts_with = "format")]
    print: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let checked: Vec<Checked> = args.files.iter().map(|path| Checked::new(path)).collect();
    match args.format {
        Format::Json => {
            let files: Vec<Value> = checked.iter().map(Checked::json).collect();
            output::show_json(&json!({ "files": files }))?;
        }
        Format::Text => {
            for file in &checked {
                output::show(&file.text(Paint::stdout()))?;
                if let (true, Outcome::Good(loaded)) = (args.print, &file.outcome) {
                    output::show(&print_config::yaml(&loaded.config)?)?;
                }
            }
        }
    }
    Ok(ExitCode::from(checked.iter().map(Checked::exit_code).max().unwrap_or(0)))
}

/// What came of one file.
struct Checked {
    path: String,
    findings: Vec<Diagnostic>,
    outcome: Outcome,
}

enum Outcome {
    Good(Box<Loaded>),
    Bad,
    Unreadable(String),
}

impl Checked {
    fn new(path: &Path) -> Self {
        let (mut findings, outcome) = match Loaded::load(path) {
            Ok(loaded) => (loaded.warnings().cloned().collect(), Outcome::Good(Box::new(loaded))),
            Err(ConfigError::Invalid(findings)) => (findings, Outcome::Bad),
            Err(ConfigError::File(error)) => (Vec::new(), Outcome::Unreadable(error.to_string())),
        };
        diag::sort(&mut findings);
        Self { path: path.display().to_string(), findings, outcome }
    }

    fn exit_code(&self) -> u8 {
        match self.outcome {
            // What is never read would be missed as much as what is refused.
            Outcome::Good(_) if self.findings.iter().any(|f| f.severity >= Severity::Bug) => FAILED,
            Outcome::Good(_) => 0,
            Outcome::Bad => FAILED,
            Outcome::Unreadable(_) => USAGE,
        }
    }

    fn text(&self, paint: Paint) -> String {
        let findings = diag::render_text(&self.findings, paint.style());
        let counted = findings::counted(&self.findings);
        let summary = match &self.outcome {
            Outcome::Good(loaded) => {
                format!("{}: {}; {counted}", self.path, Contents::of(loaded).text())
            }
            Outcome::Bad => format!("{}: {counted}", self.path),
            Outcome::Unreadable(error) => error.clone(),
        };
        let verdict = match (&self.outcome, self.exit_code()) {
            (Outcome::Good(_), 0) => paint.green("good"),
            (Outcome::Good(_), _) => paint.red("failed"),
            _ => paint.red("refused"),
        };
        format!("{findings}{verdict}: {summary}\n")
    }

    fn json(&self) -> Value {
        let findings: Value =
            serde_json::from_str(&diag::render_json(&self.findings)).unwrap_or_default();
        let (error, contents) = match &self.outcome {
            Outcome::Good(loaded) => (None, Some(Contents::of(loaded).json())),
            Outcome::Bad => (None, None),
            Outcome::Unreadable(error) => (Some(error), None),
        };
        json!({
            "file": self.path,
            "good": matches!(self.outcome, Outcome::Good(_)),
            "error": error,
            "findings": findings,
            "contents": contents,
        })
    }
}

/// How much a configuration holds.
struct Contents {
    alerting: usize,
    recording: usize,
    groups: usize,
    receivers: usize,
    integrations: usize,
    routes: usize,
}

impl Contents {
    fn of(loaded: &Loaded) -> Self {
        let recording = loaded.rules.recording_rules().count();
        let rules: usize = loaded.rules.groups.iter().map(|group| group.rules.len()).sum();
        Self {
            alerting: rules - recording,
            recording,
            groups: loaded.rules.groups.len(),
            receivers: loaded.receivers.len(),
            integrations: loaded.receivers.iter().map(|r| r.integrations.len()).sum(),
            routes: loaded.config.tree.routes().count(),
        }
    }

    fn text(&self) -> String {
        let recording = match self.recording {
            0 => String::new(),
            n => format!(" and {}", count(n, "recording rule")),
        };
        format!(
            "{}{recording} in {}, {}, {} with {}",
            count(self.alerting, "alerting rule"),
            count(self.groups, "group"),
            count(self.routes, "route"),
            count(self.receivers, "receiver"),
            count(self.integrations, "integration"),
        )
    }

    fn json(&self) -> Value {
        json!({
            "alerting_rules": self.alerting,
            "recording_rules": self.recording,
            "groups": self.groups,
            "routes": self.routes,
            "receivers": self.receivers,
            "integrations": self.integrations,
        })
    }
}
