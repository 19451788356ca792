//! `watchbell route`: the way of a label set through the routing tree.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::output::{self, Format, Paint, one_line};
use crate::cli::{FAILED, USAGE, findings, time};
use crate::config::Config;
use crate::daemon::routing_setup;
use crate::model::label::{ALERT_NAME, Quoted};
use crate::model::{LabelSet, Matcher, Timestamp, format_duration};
use crate::routing::{MuteReason, Route, RouteStep, StepOutcome, mute_reason};

/// Show the way of an alert's labels through the routing tree.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  watchbell route severity=critical team=ml
  watchbell route --config watchbell.yaml alertname=ModelServerDown severity=critical
  watchbell route --verify-receivers=oncall,audit severity=critical     in CI

External labels of the configuration are added, as they are to alerts.
Exit code: 0, 1 where --verify-receivers is not what comes out, 2 when something cannot be read.")]
pub(super) struct Args {
    /// The labels of an alert
    #[arg(value_name = "LABEL=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "watchbell.yaml", env = "WATCHBELL_CONFIG")]
    config: PathBuf,
    /// The form of the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The receivers that must come out, in any order
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    verify_receivers: Option<Vec<String>>,
    /// The time for which time intervals are looked at: RFC 3339 or seconds since 1970; now where
    /// absent
    #[arg(long, value_parser = time::parse)]
    time: Option<Timestamp>,
}

/// A label with its value, which may be in double quotes as amtool takes it.
fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it like severity=critical")?;
    if name.is_empty() || name.ends_with(['!', '=']) || value.starts_with('~') {
        return Err("it is a label, not a matcher: write it like severity=critical".to_string());
    }
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    Ok((name.to_string(), quoted.unwrap_or(value).to_string()))
}

pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    // Rules and receivers may be broken or elsewhere: only the tree counts.
    let config = match Config::load(&args.config) {
        Ok(config) => config,
        Err(error) => {
            findings::show_error(&error);
            return Ok(ExitCode::from(USAGE));
        }
    };
    let given: LabelSet = args.labels.into_iter().collect();
    let labels = routing_setup(&config).routed_labels(&given);
    let way = Way::new(&config, &labels, args.time.unwrap_or_else(time::now));
    match args.format {
        Format::Json => output::show_json(&way.json())?,
        Format::Text => output::show(&way.text(Paint::stdout()))?,
    }
    let reached: BTreeSet<&str> = way.ends.iter().map(|end| end.route.receiver.as_str()).collect();
    if let Some(wanted) = &args.verify_receivers {
        let wanted: BTreeSet<&str> = wanted.iter().map(|name| name.trim()).collect();
        if wanted != reached {
            let list = |set: &BTreeSet<&str>| set.iter().copied().collect::<Vec<_>>().join(", ");
            eprintln!("watchbell: expected {}, got {}", list(&wanted), list(&reached));
            return Ok(ExitCode::from(FAILED));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The way of a label set.
struct Way<'a> {
    config: &'a Config,
    labels: &'a LabelSet,
    at: Timestamp,
    steps: Vec<RouteStep>,
    ends: Vec<End<'a>>,
}

/// A route at which it ends.
struct End<'a> {
    route: &'a Route,
    integrations: Vec<String>,
    muted: Option<MuteReason>,
}

impl<'a> Way<'a> {
    fn new(config: &'a Config, labels: &'a LabelSet, at: Timestamp) -> Self {
        let routes = config.tree.matches(labels);
        let end = |route: &'a Route| {
            let receiver = config.receivers.iter().find(|r| r.name == route.receiver);
            let of_receiver = receiver.iter().flat_map(|receiver| &receiver.integrations);
            End {
                route,
                integrations: of_receiver
                    .map(|(id, _, _)| format!("{}[{}]", id.kind, id.index))
                    .collect(),
                muted: mute_reason(route, &config.intervals, at),
            }
        };
        let ends = routes.into_iter().filter_map(|id| config.tree.get(id)).map(end).collect();
        Self { config, labels, at, steps: config.tree.trace(labels), ends }
    }

    fn text(&self, paint: Paint) -> String {
        let mut out = format!("labels: {}\n\n", self.labels);
        for step in &self.steps {
            out.push_str(&self.step(step, paint));
        }
        if self.labels.get(ALERT_NAME).is_none() {
            let note = "The labels have no alertname; every real alert has one.";
            out.push_str(&format!("\n{}\n", paint.dim(note)));
        }
        for end in &self.ends {
            out.push_str(&self.end(end, paint));
        }
        out
    }

    /// One line of the tree.
    fn step(&self, step: &RouteStep, paint: Paint) -> String {
        let Some(route) = self.config.tree.get(step.route) else { return String::new() };
        let name = match route.parent {
            None => "all alerts".to_string(),
            Some(_) => one_line(&route.matchers.to_string()),
        };
        let good = paint.green(paint.sign("✔", "+"));
        let (sign, words) = match &step.outcome {
            StepOutcome::Refused(matcher) => {
                (paint.red(paint.sign("✘", "-")), self.refusal(matcher))
            }
            StepOutcome::Passed => (good, String::new()),
            StepOutcome::Ends => (good, format!("ends here: {}", one_line(&route.receiver))),
        };
        let continues = match (&step.outcome, route.continue_) {
            (StepOutcome::Refused(_), _) | (_, false) => "",
            (_, true) => "continues",
        };
        let stops = if step.stops_siblings { "no later sibling is tried" } else { "" };
        let notes: Vec<&str> =
            [words.as_str(), continues, stops].into_iter().filter(|n| !n.is_empty()).collect();
        let notes = match notes.join("; ") {
            notes if notes.is_empty() => notes,
            notes => format!("  ({notes})"),
        };
        format!("{}{sign} {name}{}\n", "  ".repeat(step.depth), paint.dim(&notes))
    }

    fn refusal(&self, matcher: &Matcher) -> String {
        let name = matcher.name();
        match self.labels.get(name) {
            Some(value) => format!("refused by {matcher}: {name} is {}", Quoted(value)),
            None => format!("refused by {matcher}: there is no {name}"),
        }
    }

    fn end(&self, end: &End<'_>, paint: Paint) -> String {
        let (key, _) = end.route.group_of(self.labels);
        let integrations = match end.integrations.join(", ") {
            none if none.is_empty() => "none: nobody is told".to_string(),
            some => some,
        };
        let mut rows = vec![
            ("integrations", integrations),
            ("group key", one_line(&key.to_string())),
            ("group_wait", format_duration(end.route.group_wait)),
            ("group_interval", format_duration(end.route.group_interval)),
            ("repeat_interval", format_duration(end.route.repeat_interval)),
        ];
        let (active, mute) = (&end.route.active_time_intervals, &end.route.mute_time_intervals);
        if !active.is_empty() {
            rows.push(("active in", active.join(", ")));
        }
        if !mute.is_empty() {
            rows.push(("muted in", mute.join(", ")));
        }
        if !active.is_empty() || !mute.is_empty() {
            let told = match &end.muted {
                None => paint.green("told"),
                Some(reason) => paint.yellow(&held_back(reason)),
            };
            rows.push(("state", format!("{told} at {}", self.at)));
        }
        let rows = rows.into_iter().map(|(name, value)| format!("  {name:<16} {value}\n"));
        format!("\nreceiver {}\n{}", one_line(&end.route.receiver), rows.collect::<String>())
    }

    fn json(&self) -> Value {
        let step = |step: &RouteStep| {
            let route = self.config.tree.get(step.route);
            let (outcome, refused_by) = match &step.outcome {
                StepOutcome::Refused(matcher) => ("refused", Some(matcher)),
                StepOutcome::Passed => ("passed", None),
                StepOutcome::Ends => ("ends", None),
            };
            json!({
                "route": step.route,
                "depth": step.depth,
                "matchers": route.map(|route| &route.matchers),
                "receiver": route.map(|route| &route.receiver),
                "outcome": outcome,
                "refused_by": refused_by,
                "stops_siblings": step.stops_siblings,
            })
        };
        let end = |end: &End<'_>| {
            let (key, labels) = end.route.group_of(self.labels);
            json!({
                "route": end.route.id,
                "receiver": end.route.receiver,
                "integrations": end.integrations,
                "group_key": key,
                "group_labels": labels,
                "group_wait": format_duration(end.route.group_wait),
                "group_interval": format_duration(end.route.group_interval),
                "repeat_interval": format_duration(end.route.repeat_interval),
                "active_time_intervals": end.route.active_time_intervals,
                "mute_time_intervals": end.route.mute_time_intervals,
                "held_back": end.muted.as_ref().map(held_back_json),
            })
        };
        json!({
            "labels": self.labels,
            "time": self.at.rfc3339(),
            "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
            "ends": self.ends.iter().map(end).collect::<Vec<_>>(),
        })
    }
}

/// Why a route tells of nothing, in words.
pub(super) fn held_back(reason: &MuteReason) -> String {
    match reason {
        MuteReason::Inhibited(_) => "held back: inhibited".to_string(),
        MuteReason::OutsideActiveInterval => "held back: outside its active intervals".to_string(),
        MuteReason::InMuteInterval { name } => format!("held back: muted in {}", one_line(name)),
        MuteReason::Silenced { .. } => "held back: silenced".to_string(),
    }
}

/// The same for programs.
pub(super) fn held_back_json(reason: &MuteReason) -> Value {
    match reason {
        MuteReason::InMuteInterval { name } => {
            json!({"reason": reason.as_str(), "interval": name})
        }
        reason => json!({"reason": reason.as_str()}),
    }
}
