//! Asking a Prometheus what metrics there are, and what alerts would have done.

use std::time::{Duration, Instant};

use anyhow::Context;
use futures::StreamExt;

use crate::cli::collect::{collect, connect};
use crate::clock::{Clock, SystemClock};
use crate::diag::{Diagnostic, Severity};
use crate::lint::{Project, history};
use crate::model::Timestamp;
use crate::query::{Prometheus, Querier};
use crate::rule::Rule;

/// How far back alerts are looked at.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How often, where nobody says how often a rule is evaluated.
const STEP: Duration = Duration::from_secs(60);
/// How many alerts are asked for at once.
const AT_ONCE: usize = 4;

/// The project with what the Prometheus has, and what its alerts would have done.
///
/// # Errors
/// Where the Prometheus does not answer.
pub(super) fn ask(url: &str, mut project: Project) -> anyhow::Result<Project> {
    let prometheus = connect(url)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        let wanted = project.metrics();
        let found = collect(&prometheus, Some(&wanted)).await;
        let mut schema = project.schema.take().unwrap_or_default();
        schema.add(found.context("cannot ask the Prometheus")?);
        project = project.with_schema(schema);
        let now = SystemClock::new().now().wall;
        let alerts = project.checked_rules().filter(|(_, rule)| rule.as_alerting().is_some());
        let told = futures::stream::iter(alerts.map(|(group, rule)| {
            let step = group.interval.or(project.settings.evaluation_interval).unwrap_or(STEP);
            look_back(&prometheus, rule, now, step.max(STEP))
        }));
        let told: Vec<Option<Diagnostic>> = told.buffer_unordered(AT_ONCE).collect().await;
        project.told = Some(told.into_iter().flatten().collect());
        Ok(project)
    })
}

/// What one alert would have done.
async fn look_back(
    prometheus: &Prometheus,
    rule: &Rule,
    now: Timestamp,
    step: Duration,
) -> Option<Diagnostic> {
    let day = i64::try_from(DAY.as_millis()).unwrap_or(i64::MAX);
    let start = Timestamp::from_millis(now.millis().saturating_sub(day));
    let began = Instant::now();
    match prometheus.range(rule.query(), start, now, step).await {
        Ok(result) => history(rule, &result, (start, now, step), began.elapsed()),
        Err(error) => {
            let span = rule.places().name;
            let message = format!("the Prometheus did not evaluate this alert: {error}");
            let id = "online/history";
            let finding = Diagnostic::new(id, Severity::Warning, rule.source(), span, message);
            Some(finding.rule(rule.name()))
        }
    }
}
