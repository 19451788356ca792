//! Where alerts go: rules and routes looked at together.

mod alert;
mod places;

#[cfg(test)]
mod tests;

pub use alert::{AlertLabels, Answer, Value};
pub use places::Places;

use std::sync::Arc;

use crate::config::Config;
use crate::diag::{Diagnostic, SourceFile, Span};
use crate::lint::{About, Project};
use crate::model::Matchers;
use crate::routing::{Route, RouteId, RoutingTree};
use crate::rule::Rule;

/// The configuration that rules are looked at with, and the places of its parts.
#[derive(Debug)]
pub struct Routes {
    /// The configuration.
    pub config: Config,
    /// Where its parts stand.
    pub places: Places,
}

/// An alerting rule, what is known of the labels of its alerts, and where they go.
pub struct Routed<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Whether it is one of the program's own alerts.
    pub is_builtin: bool,
    /// The labels of its alerts.
    pub labels: AlertLabels<'a>,
    /// The routes at which its alerts may end.
    pub ends: Vec<RouteId>,
}

impl Routes {
    /// A configuration with its places.
    pub fn new(config: Config) -> Self {
        let places = Places::of(&config);
        Self { config, places }
    }

    /// The configuration's file.
    pub fn source(&self) -> &Arc<SourceFile> {
        &self.config.source
    }

    /// A finding at a place in the configuration.
    pub fn finding(
        &self,
        about: &'static About,
        span: Span,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::new(about.id, about.severity, self.source(), span, message)
    }

    /// The place of the first of these keys that a route has, or of the route.
    pub fn place(&self, id: RouteId, keys: &[&str]) -> Span {
        self.places.route(id, keys, self.source().text())
    }

    /// Every alert of the rules, and of the program itself, with where it goes.
    pub fn routed<'a>(&'a self, project: &'a Project) -> Vec<Routed<'a>> {
        let own = self.config.builtin_alerts.group.rules.iter().map(|rule| (rule, true));
        let rules = project.rules().map(|(_, rule)| (rule, false));
        let alerts = rules.chain(own).filter(|(rule, _)| rule.as_alerting().is_some());
        alerts
            .map(|(rule, is_builtin)| {
                let external = &self.config.global.external_labels;
                let labels = match is_builtin {
                    true => AlertLabels::of_builtin(rule, external),
                    false => AlertLabels::new(rule, project.labels_of(rule), external),
                };
                let mut ends = Vec::new();
                let tree = &self.config.tree;
                walk(tree, tree.root(), &labels, &mut ends);
                Routed { rule, is_builtin, labels, ends }
            })
            .collect()
    }
}

impl Routed<'_> {
    /// Whether someone is woken by it: its severity is `critical` or `page`.
    pub fn is_critical(&self) -> bool {
        let severity = self.labels.value("severity");
        ["critical", "page"].iter().any(|name| severity == Value::Exactly((*name).to_string()))
    }
}

/// Adds the routes at or below one at which an alert may end; whether it matches that one.
fn walk(
    tree: &RoutingTree,
    route: &Route,
    alert: &AlertLabels<'_>,
    ends: &mut Vec<RouteId>,
) -> Answer {
    let answer = alert.all(&route.matchers);
    if answer == Answer::No {
        return Answer::No;
    }
    let mut taken = false;
    for child in route.children.iter().filter_map(|id| tree.get(*id)) {
        if walk(tree, child, alert, ends) == Answer::Yes {
            taken = true;
            if !child.continue_ {
                break;
            }
        }
    }
    if !taken {
        ends.push(route.id);
    }
    answer
}

/// Whether no alert can match these.
pub fn matches_none(alerts: &[Routed<'_>], matchers: &Matchers) -> bool {
    alerts.iter().all(|alert| alert.labels.all(matchers) == Answer::No)
}
