//! `watchbell eval`: one evaluation of all rules, and who would be told.

mod policy;
mod report;
mod show;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use futures::StreamExt;
use regex::Regex;

use crate::alerting::RuleAlerts;
use crate::cli::output::{Paint, TableFormat, show, show_json};
use crate::cli::{FAILED, USAGE, findings, time};
use crate::config::{ConfigError, Loaded};
use crate::engine::Evaluator;
use crate::http::parse_url;
use crate::model::{LabelSet, Secret, Timestamp};
use crate::query::{DatasourceConfig, Prometheus};
use crate::rule::{AlertingRule, RuleGroup, RulePattern, RuleSet, load_files};

use policy::Found;
use report::{Evaluated, Report};

/// Evaluate all alerting rules once and show what would fire, and who would be told.
///
/// Nothing is sent and nothing is stored. One evaluation knows no past: an alert of a rule with a
/// `for` is shown as pending, however long its expression has held.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell eval --config watchbell.yaml
  watchbell eval --prometheus http://localhost:9090 rules/*.yaml     without routes
  watchbell eval --rule 'MLflow.*' --time 2026-05-04T10:00:00Z
  watchbell eval --exit-code --format json                           in a script

Exit code: 0; 1 where a rule could not be evaluated, and with --exit-code also where an alert is
pending or fires; 2 where a file or the command line cannot be used.")]
pub(super) struct Args {
    /// Rule files to evaluate instead of those of the configuration
    #[arg(value_name = "RULES")]
    files: Vec<PathBuf>,
    /// The configuration file [default: watchbell.yaml, or none where rule files are given]
    #[arg(long, value_name = "FILE", env = "WATCHBELL_CONFIG")]
    config: Option<PathBuf>,
    /// The Prometheus to ask instead of the configuration's datasource
    #[arg(long, value_name = "URL")]
    prometheus: Option<String>,
    /// The time of the evaluation: RFC 3339 or seconds since 1970; now where absent
    #[arg(long, value_parser = time::parse)]
    time: Option<Timestamp>,
    /// Only rules whose whole name matches
    #[arg(long, value_name = "REGEX")]
    rule: Option<String>,
    /// The form of the answer
    #[arg(long, value_enum, default_value = "table")]
    format: TableFormat,
    /// Exit with 1 where an alert is pending or fires
    #[arg(long)]
    exit_code: bool,
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let plan = match Plan::new(&args) {
        Ok(plan) => plan,
        Err(refused) => {
            match refused {
                Refused::Config(error) => findings::show_error(&error),
                Refused::Text(text) => eprintln!("watchbell: {text}"),
            }
            return Ok(ExitCode::from(USAGE));
        }
    };
    if args.rule.is_some() && plan.wanted().is_empty() {
        // A slip in a script must not look like a quiet system.
        eprintln!("watchbell: --rule: no alerting rule has a name that matches");
        return Ok(ExitCode::from(USAGE));
    }
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let evaluated = runtime.block_on(plan.evaluate());
    let config = plan.loaded.as_ref().map(|loaded| &loaded.config);
    let report = Report::new(evaluated, config, plan.at);
    match args.format {
        TableFormat::Json => show_json(&report.json())?,
        TableFormat::Table => show(&show::table(&report, Paint::stdout()))?,
    }
    let active = args.exit_code && !report.alerts.is_empty();
    Ok(if report.failed > 0 || active { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// Why nothing is evaluated.
enum Refused {
    Config(ConfigError),
    Text(String),
}

impl From<ConfigError> for Refused {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<String> for Refused {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// What to evaluate, and against what.
struct Plan {
    loaded: Option<Loaded>,
    rules: RuleSet,
    evaluator: Evaluator,
    concurrency: usize,
    default_offset: std::time::Duration,
    only: Option<Regex>,
    at: Timestamp,
}

impl Plan {
    fn new(args: &Args) -> Result<Self, Refused> {
        let only = args.rule.as_deref().map(|text| {
            let regex = Regex::new(&format!("^(?:{text})$"));
            regex.map_err(|error| format!("--rule: {error}"))
        });
        let path = match &args.config {
            Some(path) => Some(path.clone()),
            None if args.files.is_empty() => Some(PathBuf::from("watchbell.yaml")),
            None => None,
        };
        let loaded = path.as_deref().map(Loaded::load).transpose()?;
        if let Some(loaded) = &loaded {
            findings::show_warnings(loaded);
        }
        let rules = match &loaded {
            Some(loaded) if args.files.is_empty() => loaded.rules.clone(),
            _ => rules(&args.files)?,
        };
        let datasource = datasource(args, loaded.as_ref())?;
        let prometheus = Prometheus::new(&datasource).map_err(|error| error.to_string())?;
        let global = loaded.as_ref().map(|loaded| &loaded.config.global);
        let evaluator = Evaluator {
            querier: Arc::new(prometheus),
            external_labels: global.map_or_else(LabelSet::new, |g| g.external_labels.clone()),
            external_url: datasource.link_base(),
        };
        Ok(Self {
            rules,
            evaluator,
            concurrency: datasource.max_concurrency,
            default_offset: global.map(|g| g.rule_query_offset).unwrap_or_default(),
            only: only.transpose()?,
            at: args.time.unwrap_or_else(time::now),
            loaded,
        })
    }

    fn wanted(&self) -> Vec<(&RuleGroup, &AlertingRule)> {
        let groups = self.rules.groups.iter();
        let rules =
            groups.flat_map(|group| group.rules.iter().map(move |rule| (group.as_ref(), rule)));
        let alerting = rules.filter_map(|(group, rule)| Some((group, rule.as_alerting()?)));
        let only = self.only.as_ref();
        alerting.filter(|(_, rule)| only.is_none_or(|only| only.is_match(&rule.name))).collect()
    }

    /// Evaluates the wanted rules, several at once, in the order of the files.
    async fn evaluate(&self) -> Vec<Evaluated<'_>> {
        let wanted = self.wanted();
        let count = wanted.len();
        let rules = futures::stream::iter(wanted).map(|(group, rule)| self.one(group, rule));
        let mut rules = rules.buffered(self.concurrency.clamp(1, 64));
        let mut done = Vec::with_capacity(count);
        while let Some(evaluated) = rules.next().await {
            done.push(evaluated);
            progress(&format!("\r{} of {count} rules evaluated", done.len()));
        }
        progress("\r\x1b[K");
        done
    }

    async fn one<'a>(&self, group: &RuleGroup, rule: &'a AlertingRule) -> Evaluated<'a> {
        let mut alerts = RuleAlerts::default();
        let query_at = self.at - group.query_offset.unwrap_or(self.default_offset);
        let result =
            self.evaluator.evaluate(rule, group.limit, &mut alerts, self.at, query_at).await;
        let policy = match &self.loaded {
            Some(loaded) => {
                let policies = &loaded.config.rule_policies;
                let done = result.as_ref().ok();
                Found::new(policies, rule, done, &self.evaluator, query_at).await
            }
            None => None,
        };
        let (error, warnings) = match result {
            Ok(done) => (done.step.error.map(|error| error.to_string()), done.warnings),
            Err(error) => (Some(error.to_string()), Vec::new()),
        };
        Evaluated { rule, alerts, error, warnings, policy }
    }
}

/// Says how far it is, to a person who waits.
fn progress(text: &str) {
    let mut err = std::io::stderr().lock();
    if err.is_terminal() {
        // Nobody looks at it where it cannot be written.
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }
}

/// The rules of the files on the command line.
fn rules(files: &[PathBuf]) -> Result<RuleSet, Refused> {
    let pattern = |path: &PathBuf| RulePattern::argument(path.display().to_string());
    let patterns: Vec<RulePattern> = files.iter().map(pattern).collect();
    let rules = load_files(Path::new(""), &patterns).map_err(ConfigError::Invalid)?;
    findings::show_all(&rules.warnings);
    Ok(rules)
}

fn datasource(args: &Args, loaded: Option<&Loaded>) -> Result<DatasourceConfig, String> {
    let configured = loaded.and_then(|loaded| loaded.config.datasource.clone());
    match (&args.prometheus, configured) {
        (None, Some(datasource)) => Ok(datasource),
        (Some(url), configured) => {
            if parse_url(url).is_err() {
                return Err("--prometheus: it is no http or https address".to_string());
            }
            let url = Secret::new(url.as_str());
            // Another server gets no credentials that were not meant for it.
            let mut datasource = DatasourceConfig::new(url);
            if let Some(configured) = configured {
                datasource.timeout = configured.timeout;
                datasource.max_concurrency = configured.max_concurrency;
            }
            Ok(datasource)
        }
        (None, None) => Err("there is no datasource: give --prometheus, or a configuration that \
                             names one"
            .to_string()),
    }
}
