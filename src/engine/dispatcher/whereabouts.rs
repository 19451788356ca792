//! Where an alert would go now.

use crate::engine::dispatcher::Dispatcher;
use crate::engine::whereabouts::{HeldBack, RouteEnd, Whereabouts};
use crate::model::{LabelSet, Timestamp};
use crate::routing::{MuteReason, mute_reason};

impl Dispatcher {
    /// Where an alert with these labels goes, and what holds it back on each way.
    pub fn whereabouts(&self, labels: &LabelSet, now: Timestamp) -> Whereabouts {
        let labels = self.setup.routed_labels(labels);
        let routes = self.setup.tree.matches(&labels);
        let ends = routes.into_iter().filter_map(|id| self.setup.tree.get(id)).map(|route| {
            let muted = mute_reason(route, &self.setup.intervals, now);
            let held = self.holds(&labels, muted.as_ref(), now);
            let held = held.map(|reason| HeldBack {
                reason: reason.as_str(),
                words: self.explain(&reason),
                silences: match reason {
                    MuteReason::Silenced { ids } => ids,
                    _ => Vec::new(),
                },
            });
            RouteEnd { receiver: route.receiver.clone(), held }
        });
        Whereabouts { ends: ends.collect(), labels: labels.clone() }
    }
}
