//! From the configuration to what the engine runs on.

use std::path::Path;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{Config, Loaded};
use crate::daemon::app::StartError;
use crate::daemon::rules::RuleSettings;
use crate::engine::{Evaluator, MeasuredQuerier, Notifiers, RoutingSetup, SharedFacts};
use crate::notify::ReceiverConfig;
use crate::query::{DatasourceConfig, Prometheus};
use crate::telemetry::Metrics;

/// Routing as the dispatcher needs it.
pub fn routing_setup(config: &Config) -> RoutingSetup {
    let integrations = |receiver: &ReceiverConfig| {
        let of_receiver = receiver.integrations.iter();
        of_receiver.map(|(id, _, config)| (id.clone(), config.send_resolved())).collect()
    };
    RoutingSetup {
        tree: config.tree.clone(),
        external_labels: config.global.external_labels.clone(),
        inhibit_rules: config.inhibit_rules.clone(),
        intervals: config.intervals.clone(),
        receivers: config.receivers.iter().map(|r| (r.name.clone(), integrations(r))).collect(),
    }
}

/// Who delivers to each integration.
pub(super) fn notifiers(loaded: &Loaded) -> Notifiers {
    let integrations = loaded.receivers.iter().flat_map(|receiver| &receiver.integrations);
    integrations.map(|i| (i.id.clone(), Arc::clone(&i.notifier))).collect()
}

/// How rules are evaluated.
pub(super) fn rule_settings(
    path: &Path,
    config: &Config,
    clock: &Arc<dyn Clock>,
    metrics: &Arc<Metrics>,
    facts: &SharedFacts,
) -> Result<RuleSettings, StartError> {
    let datasource =
        config.datasource.as_ref().ok_or_else(|| StartError::NoDatasource(path.to_path_buf()))?;
    let prometheus = Prometheus::new(datasource)?;
    let querier =
        MeasuredQuerier::new(prometheus, Arc::clone(clock), Arc::clone(metrics), facts.clone());
    let evaluator = Evaluator {
        querier: Arc::new(querier),
        external_labels: config.global.external_labels.clone(),
        external_url: datasource.link_base(),
    };
    Ok(RuleSettings {
        evaluator,
        evaluation_interval: config.global.evaluation_interval,
        query_offset: config.global.rule_query_offset,
        fingerprint: fingerprint(config, datasource),
        builtin: config.builtin_alerts.group.clone(),
        policies: config.rule_policies.clone(),
        facts: facts.clone(),
    })
}

/// What the evaluator is made of. The address counts by a hash, since it may hold a password.
fn fingerprint(config: &Config, datasource: &DatasourceConfig) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    datasource.url.expose().hash(&mut hasher);
    format!(
        "{:x} {datasource:?} {} {:?} {:?}",
        hasher.finish(),
        config.global.external_labels,
        config.global.rule_query_offset,
        config.rule_policies.effect()
    )
}
