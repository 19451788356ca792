//! The recorded incident: samples, rules and routes, all of them in the program.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::config::{Config, Loaded};
use crate::diag::SourceFile;
use crate::rule::RuleSet;
use crate::ruletest::unit::{InputSeries, read};

/// The samples, as a file of unit tests: its test says what the incident must lead to.
const SAMPLES: &str = include_str!("incident_test.yaml");
const CONFIG: &str = include_str!("watchbell.yaml");
const RULES: &[(&str, &str)] = &[
    ("rules/mlflow.yaml", include_str!("../../../rules/mlflow.yaml")),
    ("rules/mlflow_training.yaml", include_str!("../../../rules/mlflow_training.yaml")),
];

/// What lies before the beginning: rates need a past, or they say that nothing is idle.
const PRELUDE: Duration = Duration::from_secs(240);

/// What is played.
pub(super) struct Incident {
    /// The series, one sample at every interval.
    pub(super) series: Vec<InputSeries>,
    /// The distance of two samples.
    pub(super) interval: Duration,
    /// How long before the beginning the samples begin.
    pub(super) prelude: Duration,
    /// How long it lasts.
    pub(super) length: Duration,
    /// Rules, routes and receivers.
    pub(super) loaded: Loaded,
}

impl Incident {
    /// The one that is shipped.
    ///
    /// # Errors
    /// None, unless the program was built with a broken one.
    pub(super) fn recorded() -> anyhow::Result<Self> {
        let source = Arc::new(SourceFile::new("incident", SAMPLES));
        let (file, _) = read(&source).map_err(|findings| mistakes("incident", &findings))?;
        let Some(case) = file.cases.into_iter().next() else { bail!("the incident is empty") };
        let mut rules = RuleSet::default();
        for (name, text) in RULES {
            let (groups, findings) = crate::rule::check(&Arc::new(SourceFile::new(*name, *text)));
            if crate::diag::has_errors(&findings) {
                return Err(mistakes(name, &findings));
            }
            rules.groups.extend(groups.into_iter().map(Arc::new));
        }
        let source = Arc::new(SourceFile::new("watchbell.yaml", CONFIG));
        let config = Config::parse(&source).context("the demo's configuration")?;
        let loaded = Loaded::of(config, rules).context("the demo's configuration")?;
        let samples = case.input_series.iter().map(|series| series.values.len()).max();
        let steps = u32::try_from(samples.unwrap_or(0)).unwrap_or(u32::MAX);
        let length = case.interval.saturating_mul(steps).saturating_sub(PRELUDE);
        Ok(Self {
            series: case.input_series,
            interval: case.interval,
            prelude: PRELUDE,
            length,
            loaded,
        })
    }
}

fn mistakes(name: &str, findings: &[crate::diag::Diagnostic]) -> anyhow::Error {
    anyhow::anyhow!("{name}: {}", crate::diag::summary(findings))
}
