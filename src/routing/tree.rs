//! The routing tree: which routes an alert ends at, and why.

use serde::{Serialize, Serializer};

use crate::model::{GroupKey, LabelSet, Matcher};
use crate::routing::{Route, RouteId};

/// A checked routing tree; see [`RoutingTree::build`].
#[derive(Clone, Debug, PartialEq)]
pub struct RoutingTree {
    pub(super) root: Route,
    /// The routes below the root, depth-first; the route with id `n` is the one before `n`.
    pub(super) below: Vec<Route>,
}

/// The list of all routes, depth-first.
impl Serialize for RoutingTree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.routes())
    }
}

/// How one route met a label set.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// This matcher did not pass, so neither the route nor those below were looked at further.
    Refused(Matcher),
    /// The route matched and so did one below it: it only led there.
    Passed,
    /// The route matched and none below did: the alert ends here.
    Ends,
}

/// One route that was looked at on the way of a label set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RouteStep {
    /// The route.
    pub route: RouteId,
    /// How far below the root it stands.
    pub depth: usize,
    /// What came of it.
    pub outcome: StepOutcome,
    /// Whether this route keeps its later siblings from being tried: it matched, has siblings
    /// behind it, and does not `continue`.
    pub stops_siblings: bool,
}

impl RoutingTree {
    /// The root route.
    pub fn root(&self) -> &Route {
        &self.root
    }

    /// The route with this id, if it is of this tree.
    pub fn get(&self, id: RouteId) -> Option<&Route> {
        match id.0.checked_sub(1) {
            None => Some(&self.root),
            Some(index) => self.below.get(index),
        }
    }

    /// All routes, depth-first, the root first.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        std::iter::once(&self.root).chain(&self.below)
    }

    /// The routes that an alert ends at, depth-first in the order of the file. There is always at
    /// least one. A route is an end when it matches and none below it does; later siblings of a
    /// route that matched are tried only if it says `continue`.
    pub fn matches(&self, labels: &LabelSet) -> Vec<RouteId> {
        let mut ends = Vec::new();
        self.walk(self.root(), labels, &mut ends);
        ends
    }

    /// Adds the ends at or below a route; whether the route matched.
    fn walk(&self, route: &Route, labels: &LabelSet, ends: &mut Vec<RouteId>) -> bool {
        if !route.matchers.matches(labels) {
            return false;
        }
        let before = ends.len();
        for child in route.children.iter().filter_map(|id| self.get(*id)) {
            if self.walk(child, labels, ends) && !child.continue_ {
                break;
            }
        }
        if ends.len() == before {
            ends.push(route.id);
        }
        true
    }

    /// Every route that is looked at on the way of a label set, in order, and what came of it.
    pub fn trace(&self, labels: &LabelSet) -> Vec<RouteStep> {
        let mut steps = Vec::new();
        self.trace_route(self.root(), 0, true, labels, &mut steps);
        steps
    }

    fn trace_route(
        &self,
        route: &Route,
        depth: usize,
        is_last: bool,
        labels: &LabelSet,
        steps: &mut Vec<RouteStep>,
    ) -> bool {
        let id = route.id;
        if let Some(matcher) = route.matchers.0.iter().find(|m| !m.matches(labels)) {
            let outcome = StepOutcome::Refused(matcher.clone());
            steps.push(RouteStep { route: id, depth, outcome, stops_siblings: false });
            return false;
        }
        let own = steps.len();
        let stops_siblings = !is_last && !route.continue_;
        steps.push(RouteStep { route: id, depth, outcome: StepOutcome::Ends, stops_siblings });
        let mut passed = false;
        for (index, child) in route.children.iter().enumerate() {
            let Some(child) = self.get(*child) else { continue };
            let is_last = index + 1 == route.children.len();
            let matched = self.trace_route(child, depth + 1, is_last, labels, steps);
            passed |= matched;
            if matched && !child.continue_ {
                break;
            }
        }
        if let (true, Some(step)) = (passed, steps.get_mut(own)) {
            step.outcome = StepOutcome::Passed;
        }
        true
    }

    /// The groups that an alert belongs to: one for each route it ends at.
    pub fn groups_of(&self, labels: &LabelSet) -> Vec<(RouteId, GroupKey, LabelSet)> {
        self.matches(labels)
            .into_iter()
            .filter_map(|id| self.get(id))
            .map(|route| {
                let (key, group) = route.group_of(labels);
                (route.id, key, group)
            })
            .collect()
    }
}
