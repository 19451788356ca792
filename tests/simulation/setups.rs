//! The configurations that a run changes between.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use watchbell::diag::SourceFile;
use watchbell::engine::RoutingSetup;
use watchbell::model::{IntegrationId, LabelSet};
use watchbell::routing::{
    KnownNames, RoutingTree, read_inhibit_rules, read_route, read_time_intervals,
};
use watchbell::yaml::{self, Reader};

/// Every tree has these intervals at its root.
const TIMING: &str = "group_wait: 10s, group_interval: 30s, repeat_interval: 2m";

/// While a critical alert of a pod fires, its warnings are held back.
const INHIBIT: &str = r#"
inhibit_rules:
- source_matchers: [severity = critical]
  target_matchers: [severity = warning]
  equal: [pod]
time_intervals:
- {name: morning, time_intervals: [{times: [{start_time: "10:10", end_time: "10:20"}]}]}
"#;

/// What of a setup the routes are.
const ROUTES: [&str; 5] = [
    "{receiver: a, group_by: [alertname]}",
    "{receiver: a, group_by: [pod], routes: [
        {receiver: b, matchers: [severity = critical], continue: true},
        {receiver: c, matchers: [team = x], group_by: [alertname, pod]}]}",
    "{receiver: a, group_by: [alertname], routes: [
        {receiver: b, matchers: [team = x], repeat_interval: 5m},
        {receiver: c, matchers: [severity = warning], group_wait: 0s,
         mute_time_intervals: [morning]}]}",
    "{receiver: b, group_by: ['...'], routes: [
        {receiver: a, matchers: [severity = critical], group_interval: 1m}]}",
    "{receiver: c}",
];

/// How many different configurations there are.
pub const COUNT: usize = ROUTES.len() * 3;

/// One of the configurations. The routes differ, then the external labels or the receivers.
pub fn setup(number: usize) -> Arc<RoutingSetup> {
    let routes = ROUTES[number % ROUTES.len()];
    let root = format!("{{{TIMING}, {}", routes.strip_prefix('{').unwrap());
    let text = format!("route: {}\n{INHIBIT}", root.replace('\n', " "));
    let source = Arc::new(SourceFile::new("watchbell.yml", text));
    let document = yaml::load(&source).unwrap();
    let mut reader = Reader::new(&document);
    let mut fields = reader.mapping(&document.root, "the configuration").unwrap();
    let intervals = read_time_intervals(&mut reader, fields.get("time_intervals"), None);
    let inhibit_rules = read_inhibit_rules(&mut reader, fields.get("inhibit_rules").unwrap());
    let route = read_route(&mut reader, fields.get("route").unwrap()).unwrap();
    let receivers = BTreeSet::from(["a", "b", "c"]);
    let known = KnownNames { receivers: &receivers, intervals: &intervals };
    let tree = RoutingTree::build(&route, known, &mut reader);
    let variant = number / ROUTES.len();
    let external_labels = match variant {
        1 => LabelSet::from([("cluster", "one")]),
        _ => LabelSet::new(),
    };
    Arc::new(RoutingSetup {
        tree: tree.unwrap_or_else(|| panic!("{:?}", reader.into_diagnostics())),
        external_labels,
        inhibit_rules,
        intervals,
        receivers: receiver_integrations(variant == 2),
    })
}

/// Receiver `a` has an integration that is not told of resolved alerts. Where `fewer`, it has
/// lost the other one, and `b` has gained one.
fn receiver_integrations(fewer: bool) -> BTreeMap<String, Vec<(IntegrationId, bool)>> {
    let id = |receiver: &str, kind: &str| IntegrationId {
        receiver: receiver.into(),
        kind: kind.into(),
        index: 0,
    };
    let mut a = vec![(id("a", "email"), false)];
    let mut b = vec![(id("b", "webhook"), true)];
    if fewer {
        b.push((id("b", "slack"), true));
    } else {
        a.push((id("a", "slack"), true));
    }
    let c = vec![(id("c", "pagerduty"), true)];
    BTreeMap::from([("a".to_string(), a), ("b".to_string(), b), ("c".to_string(), c)])
}
