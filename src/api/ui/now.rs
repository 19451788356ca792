//! The alerts of this moment, as pages show them.

use std::cmp::Reverse;

use crate::alerting::AlertState;
use crate::api::Shared;
use crate::engine::Whereabouts;
use crate::model::{LabelSet, Matchers, Timestamp};
use crate::template::severity_rank;

/// How many alerts the dispatch loop is asked about at once. It delivers nothing meanwhile.
const MAX_ASKED: usize = 500;

/// One alert that is pending or fires.
pub(super) struct AlertNow {
    /// The labels under which it is routed and silenced.
    pub(super) labels: LabelSet,
    pub(super) annotations: LabelSet,
    pub(super) state: AlertState,
    pub(super) value: f64,
    pub(super) since: Timestamp,
}

/// All alerts that match, what fires and is grave first.
pub(super) async fn alerts(shared: &Shared, matchers: &Matchers) -> Vec<AlertNow> {
    // An alert without labels has those of all alerts.
    let external = ask(shared, vec![LabelSet::new()]).await.pop();
    let external = external.map(|whereabouts| whereabouts.labels).unwrap_or_default();
    let groups = shared.daemon.board.groups();
    let rules = groups.iter().flat_map(|group| &group.rules);
    let active = rules.flat_map(|rule| rule.alerts.active()).map(|(_, alert)| AlertNow {
        labels: with_external(&external, &alert.labels),
        annotations: alert.annotations.clone(),
        state: alert.state,
        value: alert.value,
        since: alert.fired_at.unwrap_or(alert.active_at),
    });
    let mut alerts: Vec<AlertNow> =
        active.filter(|alert| matchers.matches(&alert.labels)).collect();
    alerts.sort_by(|a, b| a.order().cmp(&b.order()));
    alerts
}

impl AlertNow {
    fn order(&self) -> (bool, Reverse<u8>, Timestamp, &LabelSet) {
        let rank = severity_rank(self.labels.value("severity"));
        (self.state != AlertState::Firing, Reverse(rank), self.since, &self.labels)
    }
}

fn with_external(external: &LabelSet, labels: &LabelSet) -> LabelSet {
    if external.is_empty() {
        return labels.clone();
    }
    let mut all = external.to_builder();
    for (name, value) in labels.iter() {
        all.set(name, value);
    }
    all.build()
}

/// Where alerts go and what holds them back, in their order; nothing where the daemon stops.
pub(super) async fn whereabouts(shared: &Shared, alerts: &[AlertNow]) -> Vec<Whereabouts> {
    let mut found = Vec::with_capacity(alerts.len());
    for some in alerts.chunks(MAX_ASKED) {
        let labels = some.iter().map(|alert| alert.labels.clone()).collect();
        found.extend(ask(shared, labels).await);
    }
    found
}

async fn ask(shared: &Shared, labels: Vec<LabelSet>) -> Vec<Whereabouts> {
    shared.daemon.dispatch.whereabouts(labels).await.unwrap_or_default()
}
