//! Where the parts of a configuration stand.

use crate::config::Config;
use crate::diag::Span;
use crate::routing::RouteId;
use crate::yaml::{self, Node};

/// Where the parts of a configuration stand.
#[derive(Debug, Default)]
pub struct Places {
    /// The routes by id: depth-first, the root first.
    routes: Vec<Node>,
    /// The inhibit rules in the order of the file.
    inhibit_rules: Vec<Node>,
    /// The receivers.
    receivers: Vec<Node>,
}

impl Places {
    /// Reads the file of a configuration again, this time for places.
    pub(super) fn of(config: &Config) -> Self {
        let Ok(document) = yaml::load(&config.source) else { return Self::default() };
        let mut routes = Vec::new();
        if let Some(root) = document.root.get("route") {
            let mut open = vec![root];
            while let Some(node) = open.pop() {
                routes.push(node.clone());
                let children = node.get("routes").and_then(Node::as_sequence).unwrap_or_default();
                open.extend(children.iter().rev());
            }
        }
        let list = |key| document.root.get(key).and_then(Node::as_sequence).unwrap_or_default();
        Self {
            routes,
            inhibit_rules: list("inhibit_rules").to_vec(),
            receivers: list("receivers").to_vec(),
        }
    }

    /// Whether a route says something by itself.
    pub fn has(&self, id: RouteId, key: &str) -> bool {
        self.routes.get(id.0).is_some_and(|node| node.get(key).is_some_and(|v| !v.is_null()))
    }

    /// The place of a key's value of a route, or of the route's first line.
    pub fn route(&self, id: RouteId, keys: &[&str], text: &str) -> Span {
        part(self.routes.get(id.0), keys, text)
    }

    /// The place of a receiver's name.
    pub fn receiver(&self, name: &str) -> Span {
        let names = self.receivers.iter().filter_map(|node| node.get("name"));
        let mut own = names.filter(|node| node.as_scalar().is_some_and(|s| s.text() == name));
        own.next().map_or(Span::at(0), |node| node.span)
    }

    /// The place of a key's value of an inhibit rule, or of the rule's first line.
    pub fn inhibit_rule(&self, index: usize, keys: &[&str], text: &str) -> Span {
        part(self.inhibit_rules.get(index), keys, text)
    }
}

/// The place of the first of these keys that a node has, or of the node's first line.
fn part(node: Option<&Node>, keys: &[&str], text: &str) -> Span {
    let Some(node) = node else { return Span::at(0) };
    let span = keys.iter().find_map(|key| node.get(key)).map_or(node.span, |value| value.span);
    let first = text.get(span.range()).and_then(|text| text.lines().next()).unwrap_or_default();
    Span::new(span.start, span.start + first.trim_end().len())
}
