//! Whether the heartbeat is told often enough to be one.

use std::time::Duration;

use crate::alerting::{BuiltinAlert, BuiltinConfig};
use crate::diag::{Diagnostic, Severity};
use crate::model::label::ALERT_NAME;
use crate::model::{LabelSet, format_duration};
use crate::routing::RoutingTree;
use crate::yaml::Reader;

/// A heartbeat that comes more seldom is hardly meant: an outside service would notice only after
/// so long that nobody is paged any more.
const SELDOM: Duration = Duration::from_secs(3600);

/// Warns where a route tells the heartbeat seldom.
pub(super) fn check(
    config: &BuiltinConfig,
    tree: &RoutingTree,
    external_labels: &LabelSet,
    reader: &mut Reader,
) {
    let name = BuiltinAlert::Watchdog.as_str();
    let rule = config.group.rules.iter().find(|rule| rule.name() == name);
    let (Some(span), Some(rule)) = (config.heartbeat, rule.and_then(|rule| rule.as_alerting()))
    else {
        return;
    };
    let mut labels = external_labels.to_builder();
    for (name, text) in &rule.labels {
        labels.set(name.as_str(), text.text());
    }
    labels.set(ALERT_NAME, name);
    for id in tree.matches(&labels.build()) {
        let Some(route) = tree.get(id).filter(|route| route.repeat_interval > SELDOM) else {
            continue;
        };
        let message = format!(
            "the receiver {:?} hears of the heartbeat only every {}",
            route.receiver,
            format_duration(route.repeat_interval)
        );
        let finding =
            Diagnostic::new("config/heartbeat", Severity::Warning, reader.source(), span, message);
        reader.report(finding.help(format!(
            "give it a route: matchers [alertname=\"{name}\"], group_interval 1m, repeat_interval 1m"
        )));
    }
}
