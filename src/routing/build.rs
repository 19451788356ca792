//! From routes as written to the checked tree: inheritance, names looked up, keys.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::diag::{Diagnostic, Severity, Span, nearest};
use crate::model::Matchers;
use crate::routing::{GroupBy, Located, RawRoute, Route, RouteId, RoutingTree, TimeIntervals};
use crate::yaml::Reader;

/// How deep routes may nest: far more than anyone writes, far less than a stack holds.
const MAX_DEPTH: usize = 100;

/// The names that routes may refer to.
#[derive(Clone, Copy, Debug)]
pub struct KnownNames<'a> {
    /// The names of the receivers.
    pub receivers: &'a BTreeSet<&'a str>,
    /// The time intervals.
    pub intervals: &'a TimeIntervals,
}

impl RoutingTree {
    /// Checks the routes of a configuration as a whole and fills in what children inherit. Every
    /// mistake is noted with its place in the reader's file; the tree is `None` if there is one.
    ///
    /// What the root leaves out is Alertmanager's default: one group of everything, 30 s, 5 m, 4 h.
    pub fn build(root: &RawRoute, known: KnownNames<'_>, reader: &mut Reader) -> Option<Self> {
        let mut builder = Builder { known, reader, below: Vec::new(), failed: false };
        builder.check_root(root);
        let defaults = Route {
            id: RouteId::ROOT,
            parent: None,
            receiver: String::new(),
            matchers: Matchers::default(),
            continue_: false,
            group_by: GroupBy::Labels(Vec::new()),
            group_wait: Duration::from_secs(30),
            group_interval: Duration::from_secs(5 * 60),
            repeat_interval: Duration::from_secs(4 * 3600),
            mute_time_intervals: Vec::new(),
            active_time_intervals: Vec::new(),
            key: "{}".to_string(),
            children: Vec::new(),
        };
        let mut checked = builder.inherit(root, &defaults);
        checked.children = builder.children(&root.routes, &checked, 1);
        let Builder { below, failed, .. } = builder;
        (!failed).then_some(Self { root: checked, below })
    }
}

struct Builder<'a> {
    known: KnownNames<'a>,
    reader: &'a mut Reader,
    below: Vec<Route>,
    failed: bool,
}

impl Builder<'_> {
    fn error(&mut self, id: &'static str, span: Span, message: String, help: Option<String>) {
        self.failed = true;
        let mut finding = Diagnostic::error(id, self.reader.source(), span, message);
        finding.help = help;
        self.reader.report(finding);
    }

    /// The root takes every alert, so it has a receiver and nothing that keeps an alert out.
    fn check_root(&mut self, root: &RawRoute) {
        if root.receiver.is_none() {
            let message = "the root route has no receiver".to_string();
            self.error("route/root-receiver", root.span, message, None);
        }
        let continue_ = root.continue_.as_ref().filter(|c| c.value).map(|c| c.span);
        let mute = root.mute_time_intervals.first().map(|l| l.span);
        let active = root.active_time_intervals.first().map(|l| l.span);
        for (what, span) in [
            ("matchers", root.matchers_span),
            ("continue", continue_),
            ("mute_time_intervals", mute),
            ("active_time_intervals", active),
        ] {
            if let Some(span) = span {
                let message = format!("the root route cannot have {what}: it takes every alert");
                let help = Some("put it on a route under `routes`".to_string());
                self.error("route/root-setting", span, message, help);
            }
        }
    }

    /// A route with its own settings over its parent's. Id, parent and key are still the parent's.
    fn inherit(&mut self, raw: &RawRoute, parent: &Route) -> Route {
        if let Some(receiver) = &raw.receiver {
            self.check_receiver(receiver);
        }
        let mut matchers = raw.matchers.clone();
        matchers
            .0
            .sort_by(|a, b| (a.name(), a.value(), a.op()).cmp(&(b.name(), b.value(), b.op())));
        let route = Route {
            id: parent.id,
            parent: parent.parent,
            receiver: raw.receiver.as_ref().map_or(&parent.receiver, |r| &r.value).clone(),
            matchers,
            continue_: raw.continue_.as_ref().is_some_and(|c| c.value),
            group_by: raw.group_by.as_ref().unwrap_or(&parent.group_by).clone(),
            group_wait: raw.group_wait.unwrap_or(parent.group_wait),
            group_interval: raw.group_interval.unwrap_or(parent.group_interval),
            repeat_interval: raw.repeat_interval.unwrap_or(parent.repeat_interval),
            mute_time_intervals: self.interval_names(&raw.mute_time_intervals),
            active_time_intervals: self.interval_names(&raw.active_time_intervals),
            key: parent.key.clone(),
            children: Vec::new(),
        };
        self.check_intervals(raw, &route);
        route
    }

    /// Warns of intervals that cannot be kept, at the route that sets one of them.
    fn check_intervals(&mut self, raw: &RawRoute, route: &Route) {
        let own = raw.group_interval.is_some() || raw.repeat_interval.is_some();
        if own && route.repeat_interval < route.group_interval {
            let message = "repeat_interval is shorter than group_interval";
            let (id, source) = ("route/repeat-interval", self.reader.source());
            let finding = Diagnostic::new(id, Severity::Warning, source, raw.span, message)
                .note("a group is looked at once every group_interval, not more often");
            self.reader.report(finding);
        }
    }

    fn check_receiver(&mut self, receiver: &Located<String>) {
        let name = receiver.value.as_str();
        if self.known.receivers.contains(name) {
            return;
        }
        let near = nearest(name, self.known.receivers.iter().copied()).map(str::to_string);
        let message = format!("receiver {name:?} is not defined");
        let help = near.map(|near| format!("did you mean `{near}`?"));
        self.error("route/unknown-receiver", receiver.span, message, help);
    }

    fn interval_names(&mut self, names: &[Located<String>]) -> Vec<String> {
        for Located { value, span } in names {
            if self.known.intervals.get(value).is_none() {
                let near = nearest(value, self.known.intervals.names()).map(str::to_string);
                let message = format!("time interval {value:?} is not defined");
                let help = near.map(|near| format!("did you mean `{near}`?"));
                self.error("route/unknown-interval", *span, message, help);
            }
        }
        names.iter().map(|n| n.value.clone()).collect()
    }

    /// Adds routes and all below them, depth-first.
    fn children(&mut self, raws: &[RawRoute], parent: &Route, depth: usize) -> Vec<RouteId> {
        if let (true, Some(first)) = (depth > MAX_DEPTH, raws.first()) {
            let message = format!("routes nest deeper than {MAX_DEPTH} levels");
            self.error("route/depth", first.span, message, None);
            return Vec::new();
        }
        let mut keys = BTreeSet::new();
        let mut ids = Vec::new();
        for (index, raw) in raws.iter().enumerate() {
            let mut route = self.inherit(raw, parent);
            route.id = RouteId(self.below.len() + 1);
            route.parent = Some(parent.id);
            route.key = format!("{}/{}", parent.key, route.matchers);
            // Matchers begin with a brace, so a key with an index is never another route's key.
            if !keys.insert(route.key.clone()) {
                route.key = format!("{}/{index}", route.key);
            }
            let id = route.id;
            self.below.push(route.clone());
            let children = self.children(&raw.routes, &route, depth + 1);
            if let Some(route) = self.below.get_mut(id.0 - 1) {
                route.children = children;
            }
            ids.push(id);
        }
        ids
    }
}
