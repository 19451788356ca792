//! The configurations of a day: rule files and routes, as the process reads them.
//!
//! What they mean is said a second time, in plain code, by [`super::duties`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use watchbell::diag::SourceFile;
use watchbell::engine::RoutingSetup;
use watchbell::model::{IntegrationId, LabelSet};
use watchbell::routing::{
    KnownNames, RoutingTree, read_inhibit_rules, read_route, read_time_intervals,
};
use watchbell::rule::{RuleGroup, check};
use watchbell::yaml::{self, Reader};

use super::plan::{INTEGRATIONS, MINUTE, Ms, Plan, Rule};

/// How many sets of rules there are.
pub const RULESETS: usize = 4;
/// How many routing trees there are.
pub const ROUTINGS: usize = 4;

/// Every route has these intervals.
pub const GROUP_INTERVAL: Ms = 5 * MINUTE;
/// And this one.
pub const REPEAT_INTERVAL: Ms = 180 * MINUTE;

const ROOT: &str = "group_wait: 30s, group_interval: 5m, repeat_interval: 3h";

const ROUTES: [&str; ROUTINGS] = [
    "receiver: a, group_by: [alertname]",
    "receiver: a, group_by: [alertname], routes: [
        {receiver: b, matchers: [severity = critical], group_by: [pod], continue: true},
        {receiver: c, matchers: [pod = p0], group_by: [alertname, pod]}]",
    "receiver: a, group_by: [pod], routes: [
        {receiver: b, matchers: [severity = warning], group_by: [alertname, pod],
         mute_time_intervals: [night]}]",
    "receiver: c, group_by: [pod], routes: [
        {receiver: b, matchers: [severity = critical], group_by: [alertname],
         active_time_intervals: [office]},
        {receiver: a, matchers: [severity = warning], group_by: [pod]}]",
];

const REST: &str = r#"
inhibit_rules:
- source_matchers: [severity = critical]
  target_matchers: [severity = warning]
  equal: [pod]
time_intervals:
- name: night
  time_intervals: [{location: Europe/Berlin, times: [{start_time: "01:30", end_time: "03:30"}]}]
- name: office
  time_intervals: [{location: Europe/Berlin, times: [{start_time: "08:00", end_time: "18:00"}]}]
"#;

/// What of a rule a set of rules changes; `None` where it has no such rule.
pub fn rule_of(plan: &Plan, ruleset: usize, number: usize) -> Option<Rule> {
    let rule = plan.rules[number];
    match (ruleset, number) {
        (1, 1) => Some(Rule { held: 10 * MINUTE, ..rule }),
        (1, 2) => Some(Rule { keep: 0, ..rule }),
        (2, 1 | 3) => None,
        (3, 0) => Some(Rule { held: 0, ..rule }),
        _ => Some(rule),
    }
}

/// The interval of a group; one set of rules has its own.
pub fn interval_of(plan: &Plan, ruleset: usize, group: usize) -> Ms {
    if (ruleset, group) == (3, 1) { 2 * MINUTE } else { plan.intervals[group] }
}

/// The expression of a rule.
pub fn query(rule: usize) -> String {
    format!("r{rule} > 0")
}

/// The rule groups as read from a file.
pub fn groups(plan: &Plan, ruleset: usize) -> Vec<Arc<RuleGroup>> {
    let mut text = "groups:\n".to_string();
    for group in 0..plan.intervals.len() {
        let interval = interval_of(plan, ruleset, group);
        writeln!(text, "- name: g{group}\n  interval: {interval}ms\n  rules:").unwrap();
        let mut any = false;
        for (number, place) in plan.rules.iter().enumerate() {
            let Some(rule) = rule_of(plan, ruleset, number) else { continue };
            if place.group != group {
                continue;
            }
            any = true;
            writeln!(
                text,
                "  - {{alert: R{number}, expr: {}, for: {}ms, keep_firing_for: {}ms, \
                 labels: {{severity: {}}}}}",
                query(number),
                rule.held,
                rule.keep,
                rule.severity
            )
            .unwrap();
        }
        if !any {
            text.truncate(text.rfind("- name").unwrap());
        }
    }
    let (groups, findings) = check(&Arc::new(SourceFile::new("rules.yaml", text)));
    assert!(findings.is_empty(), "{findings:?}");
    groups.into_iter().map(Arc::new).collect()
}

/// Routing as read from a configuration.
pub fn routing(number: usize) -> Arc<RoutingSetup> {
    let routes = ROUTES[number].replace('\n', " ");
    let text = format!("route: {{{ROOT}, {routes}}}\n{REST}");
    let document = yaml::load(&Arc::new(SourceFile::new("watchbell.yml", text))).unwrap();
    let mut reader = Reader::new(&document);
    let mut fields = reader.mapping(&document.root, "the configuration").unwrap();
    let intervals = read_time_intervals(&mut reader, fields.get("time_intervals"), None);
    let inhibit_rules = read_inhibit_rules(&mut reader, fields.get("inhibit_rules").unwrap());
    let route = read_route(&mut reader, fields.get("route").unwrap()).unwrap();
    let receivers = BTreeSet::from(["a", "b", "c"]);
    let known = KnownNames { receivers: &receivers, intervals: &intervals };
    let tree = RoutingTree::build(&route, known, &mut reader);
    let mut integrations: BTreeMap<String, Vec<(IntegrationId, bool)>> = BTreeMap::new();
    for (number, (receiver, _)) in INTEGRATIONS.iter().enumerate() {
        let of_receiver = integrations.entry((*receiver).to_string()).or_default();
        of_receiver.push((integration(number), told_of_ends(number)));
    }
    Arc::new(RoutingSetup {
        tree: tree.unwrap_or_else(|| panic!("{:?}", reader.into_diagnostics())),
        external_labels: LabelSet::new(),
        inhibit_rules,
        intervals,
        receivers: integrations,
    })
}

/// An integration's identity.
pub fn integration(number: usize) -> IntegrationId {
    let (receiver, kind) = INTEGRATIONS[number];
    IntegrationId { receiver: receiver.into(), kind: kind.into(), index: 0 }
}

/// Whether an integration is told of resolved alerts.
pub fn told_of_ends(number: usize) -> bool {
    number + 1 < INTEGRATIONS.len()
}
