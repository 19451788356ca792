//! What the dispatcher needs of the configuration.

use std::collections::BTreeMap;

use crate::model::{IntegrationId, LabelSet};
use crate::routing::{InhibitRule, RoutingTree, TimeIntervals};

/// Routing as configured: the tree, what holds alerts back, and who is behind each receiver.
pub struct RoutingSetup {
    /// The routing tree.
    pub tree: RoutingTree,
    /// Labels that every alert has, unless it has its own value for them.
    pub external_labels: LabelSet,
    /// Which alerts hold back which.
    pub inhibit_rules: Vec<InhibitRule>,
    /// The time intervals that routes name.
    pub intervals: TimeIntervals,
    /// For each receiver its integrations, and whether each is told of resolved alerts.
    pub receivers: BTreeMap<String, Vec<(IntegrationId, bool)>>,
}

impl RoutingSetup {
    /// The labels under which an alert is routed: external labels fill in what is missing.
    pub fn routed_labels(&self, labels: &LabelSet) -> LabelSet {
        if self.external_labels.is_empty() {
            return labels.clone();
        }
        let mut all = self.external_labels.to_builder();
        for (name, value) in labels.iter() {
            all.set(name, value);
        }
        all.build()
    }

    /// The integrations of a receiver; none where there is no such receiver.
    pub(super) fn integrations(&self, receiver: &str) -> &[(IntegrationId, bool)] {
        self.receivers.get(receiver).map_or(&[], Vec::as_slice)
    }
}
