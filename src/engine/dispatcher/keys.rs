//! The groups that alerts were put into last.

use std::collections::HashMap;

use crate::model::LabelSet;
use crate::routing::{Route, RouteId, RoutingTree};
use crate::storage::GroupId;

/// How many are remembered. A rule's alerts come together and mostly fall into few groups.
const MAX_KNOWN: usize = 1000;

/// The identities of groups by route and group labels. It only saves work: to write a key costs more
/// than everything else that is done to put an alert into its group.
#[derive(Default)]
pub(super) struct GroupIds(HashMap<(RouteId, LabelSet), GroupId>);

impl GroupIds {
    /// The group of a route that has these labels.
    pub(super) fn of(&mut self, route: &Route, labels: &LabelSet) -> GroupId {
        if self.0.len() >= MAX_KNOWN {
            self.0.clear();
        }
        let id = self
            .0
            .entry((route.id, labels.clone()))
            .or_insert_with(|| GroupId::new(route.key_of(labels), route.receiver.as_str()));
        id.clone()
    }

    /// The groups that the configuration gives a label set.
    pub(super) fn of_labels(&mut self, tree: &RoutingTree, labels: &LabelSet) -> Vec<GroupId> {
        let routes = tree.matches(labels).into_iter().filter_map(|id| tree.get(id));
        routes.map(|route| self.of(route, &route.group_by.group_labels(labels))).collect()
    }

    /// Forgets everything: the routes are others now.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::dispatcher::tests::harness;

    #[test]
    fn what_is_remembered_is_what_the_routes_say() {
        let below = "[{receiver: other, matchers: ['node=n'], continue: true}, \
                      {matchers: ['node=n'], group_by: [alertname, node]}]";
        let route = format!("receiver: r, group_by: [alertname], routes: {below}");
        let setup = harness::setup(&route, "", &[]);
        let mut ids = GroupIds::default();
        // Twice, so that the second time all that is left of the first is remembered.
        for number in (0..MAX_KNOWN + 7).chain(0..MAX_KNOWN + 7) {
            let labels = LabelSet::from([("alertname", &*format!("A{number}")), ("node", "n")]);
            let said = setup.tree.groups_of(&labels).into_iter();
            let said: Vec<_> = said.map(|(_, key, _)| key).collect();
            let known = ids.of_labels(&setup.tree, &labels).into_iter();
            assert_eq!(known.map(|id| id.key.clone()).collect::<Vec<_>>(), said);
            assert_eq!((said.len(), ids.0.len() <= MAX_KNOWN), (2, true));
        }
    }
}
