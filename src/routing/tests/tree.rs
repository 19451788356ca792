use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::{MatchOp, Matcher, Matchers};

/// The tree that Alertmanager's documentation explains, with short names: `a` the default, `b` the
/// database pager, `c` the frontend pager, `d` muted at night with `continue`, `e` on call at night.
const DOCUMENTED: &str = "
route:
  receiver: a
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  group_by: [cluster, alertname]
  routes:
  - receiver: b
    group_wait: 10s
    matchers:
    - service=~\"mysql|cassandra\"
  - receiver: c
    group_by: [product, environment]
    matchers:
    - team=\"frontend\"
  - receiver: d
    matchers:
    - service=\"inhouse-service\"
    mute_time_intervals: [offhours, holidays]
    continue: true
  - receiver: e
    matchers:
    - service=\"inhouse-service\"
    active_time_intervals: [offhours, holidays]
time_intervals:
- name: offhours
  time_intervals:
  - times: [{start_time: '18:00', end_time: '24:00'}]
- name: holidays
  time_intervals:
  - months: ['12']
    days_of_month: ['25:26']
";

fn receivers(tree: &RoutingTree, labels: &LabelSet) -> Vec<String> {
    tree.matches(labels).iter().map(|id| tree.get(*id).unwrap().receiver.clone()).collect()
}

#[test]
fn the_documented_tree_routes_as_documented() {
    let tree = tree(DOCUMENTED);
    for (labels, expected) in [
        (LabelSet::from([("alertname", "X")]), vec!["a"]),
        (LabelSet::from([("service", "mysql")]), vec!["b"]),
        (LabelSet::from([("service", "mysql-2")]), vec!["a"]),
        (LabelSet::from([("service", "cassandra"), ("team", "frontend")]), vec!["b"]),
        (LabelSet::from([("team", "frontend")]), vec!["c"]),
        (LabelSet::from([("service", "inhouse-service")]), vec!["d", "e"]),
        (LabelSet::from([("service", "inhouse-service"), ("team", "frontend")]), vec!["c"]),
    ] {
        assert_eq!(receivers(&tree, &labels), expected, "{labels}");
    }
}

#[test]
fn children_inherit_what_they_do_not_set() {
    let tree = tree(DOCUMENTED);
    let routes: Vec<&Route> = tree.routes().collect();
    let labels = |names: &[&str]| GroupBy::labels(names.iter().copied());
    let seconds = |route: &Route| route.group_wait.as_secs();
    assert_eq!(routes.iter().map(|r| seconds(r)).collect::<Vec<_>>(), [30, 10, 30, 30, 30]);
    assert_eq!(routes[1].group_by, labels(&["alertname", "cluster"]));
    assert_eq!(routes[2].group_by, labels(&["environment", "product"]));
    assert_eq!(routes[3].mute_time_intervals, ["offhours", "holidays"]);
    assert!(routes[3].continue_ && !routes[4].continue_);
    assert!(routes.iter().all(|r| r.repeat_interval == Duration::from_secs(4 * 3600)));
    assert!(routes.iter().enumerate().all(|(i, r)| r.id == RouteId(i)));
}

#[test]
fn defaults_and_overrides() {
    let tree = tree(
        "
route:
  receiver: a
  routes:
  - group_by: ['...']
    mute_time_intervals: [never]
    routes:
    - matchers: [x=1]
      group_by: []
      receiver: b
      continue: true
    - matchers: [x=1]
      group_wait: 0s
      group_interval: 1m
      repeat_interval: 1h
time_intervals: [{name: never}]
",
    );
    let routes: Vec<&Route> = tree.routes().collect();
    let root = routes[0];
    assert_eq!(root.group_by, GroupBy::labels::<&str>([]));
    let seconds = [root.group_wait, root.group_interval, root.repeat_interval].map(|d| d.as_secs());
    assert_eq!(seconds, [30, 300, 14_400], "Alertmanager's defaults");
    assert_eq!(routes[1].group_by, GroupBy::All);
    assert_eq!(routes[2].group_by, GroupBy::labels::<&str>([]), "[] overrides the parent");
    assert_eq!(routes[3].group_by, GroupBy::All, "inherited");
    assert_eq!(routes[3].group_wait, Duration::ZERO);
    assert_eq!(routes[3].receiver, "a");
    assert!(routes[2].mute_time_intervals.is_empty(), "not inherited");
    assert_eq!(root.children, [RouteId(1)]);
    assert_eq!(routes[1].children, [RouteId(2), RouteId(3)]);
    assert_eq!((root.parent, routes[3].parent), (None, Some(RouteId(1))));
}

#[test]
fn keys_are_alertmanagers_and_name_one_route() {
    let tree = tree(
        "
route:
  receiver: a
  routes:
  - matchers: ['{team=\"x\",severity=~\"warning|critical\"}', area!=test]
    routes: [{match: {z: '1'}, match_re: {a: b.*}}]
  - matchers: [severity=\"critical\"]
    continue: true
  - matchers: [severity=\"critical\"]
    routes: [{matchers: [z=1]}]
  - {}
",
    );
    let keys: Vec<&str> = tree.routes().map(|r| r.key.as_str()).collect();
    let first = r#"{}/{area!="test",severity=~"warning|critical",team="x"}"#;
    let expected = [
        "{}",
        first,
        &format!(r#"{first}/{{a=~"b.*",z="1"}}"#),
        r#"{}/{severity="critical"}"#,
        r#"{}/{severity="critical"}/2"#,
        r#"{}/{severity="critical"}/2/{z="1"}"#,
        "{}/{}",
    ];
    assert_eq!(keys, expected);
    let labels = LabelSet::from([("alertname", "X"), ("b", "2")]);
    let root =
        Route { group_by: GroupBy::labels(["b", "alertname", "none"]), ..tree.root().clone() };
    let (key, group) = root.group_of(&labels);
    assert_eq!(key.to_string(), r#"{}:{alertname="X", b="2"}"#);
    assert_eq!(group, labels);
}

#[test]
fn the_trace_tells_every_route_that_was_asked() {
    let tree = tree(DOCUMENTED);
    let trace = |labels| {
        let steps = tree.trace(&labels).into_iter();
        let step = |s: RouteStep| {
            let outcome = match s.outcome {
                StepOutcome::Refused(matcher) => format!("refused by {matcher}"),
                StepOutcome::Passed => "passed".to_string(),
                StepOutcome::Ends => "ends".to_string(),
            };
            format!(
                "{} {} {outcome}{}",
                s.depth,
                s.route.0,
                if s.stops_siblings { ", stops" } else { "" }
            )
        };
        steps.map(step).collect::<Vec<_>>()
    };
    let service = r#"refused by service=~"mysql|cassandra""#;
    assert_eq!(
        trace(LabelSet::from([("team", "frontend")])),
        ["0 0 passed".to_string(), format!("1 1 {service}"), "1 2 ends, stops".to_string(),]
    );
    assert_eq!(
        trace(LabelSet::from([("service", "inhouse-service")])),
        [
            "0 0 passed".to_string(),
            format!("1 1 {service}"),
            r#"1 2 refused by team="frontend""#.to_string(),
            "1 3 ends".to_string(),
            "1 4 ends".to_string(),
        ]
    );
    assert_eq!(trace(LabelSet::new()).first().unwrap(), "0 0 ends");
}

/// Small trees over labels x, y and z with values 0 to 2.
fn raw_route() -> impl Strategy<Value = RawRoute> {
    let matcher = ("[xyz]", prop::bool::ANY, "[012]?").prop_map(|(name, equal, value)| {
        let op = if equal { MatchOp::Equal } else { MatchOp::NotEqual };
        Matcher::new(name, op, value).unwrap()
    });
    let group_by = prop::option::of(prop_oneof![
        Just(GroupBy::All),
        prop::collection::vec("[xyzw]", 0..3).prop_map(GroupBy::labels),
    ]);
    let leaf = (prop::collection::vec(matcher, 0..3), prop::bool::ANY, group_by).prop_map(
        |(matchers, continue_, group_by)| RawRoute {
            matchers: Matchers(matchers),
            continue_: Some(Located { value: continue_, ..Located::default() }),
            group_by,
            ..RawRoute::default()
        },
    );
    leaf.prop_recursive(3, 20, 4, |inner| {
        (inner.clone(), prop::collection::vec(inner, 0..4))
            .prop_map(|(route, routes)| RawRoute { routes, ..route })
    })
}

fn build(routes: Vec<RawRoute>) -> RoutingTree {
    let (tree, findings) = try_build(routes);
    tree.unwrap_or_else(|| panic!("{findings:?}"))
}

fn try_build(routes: Vec<RawRoute>) -> (Option<RoutingTree>, Vec<Diagnostic>) {
    let receiver = Some(Located { value: "a".to_string(), ..Located::default() });
    let root = RawRoute { receiver, routes, ..RawRoute::default() };
    let source = Arc::new(SourceFile::new("f", ""));
    let mut reader = Reader::new(&yaml::load(&source).unwrap());
    let known =
        KnownNames { receivers: &BTreeSet::from(["a"]), intervals: &TimeIntervals::default() };
    (RoutingTree::build(&root, known, &mut reader), reader.into_diagnostics())
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth| {
        let wrap = |routes, _| vec![RawRoute { routes, ..RawRoute::default() }];
        try_build((0..depth).fold(Vec::new(), wrap))
    };
    let (tree, _) = nested(100);
    assert_eq!(tree.unwrap().matches(&LabelSet::new()), [RouteId(100)]);
    let (tree, findings) = nested(101);
    assert!(tree.is_none());
    assert_eq!(findings[0].message, "routes nest deeper than 100 levels");
}

fn label_set() -> impl Strategy<Value = LabelSet> {
    prop::collection::vec(("[xyzw]", "[012]"), 0..4).prop_map(LabelSet::from_iter)
}

/// Alertmanager's rule in one sentence: a route is an end if its whole path matches, no child of it
/// does, and no earlier sibling on the path matched without `continue`.
fn is_end(tree: &RoutingTree, route: &Route, labels: &LabelSet) -> bool {
    let matches = |id: &RouteId| tree.get(*id).unwrap().matchers.matches(labels);
    let reached = |route: &Route| {
        let Some(parent) = route.parent.and_then(|id| tree.get(id)) else { return true };
        let earlier = parent.children.iter().take_while(|id| **id != route.id);
        matches(&route.id)
            && !earlier.into_iter().any(|id| matches(id) && !tree.get(*id).unwrap().continue_)
    };
    let mut path = vec![route];
    while let Some(parent) = path.last().and_then(|r| r.parent) {
        path.push(tree.get(parent).unwrap());
    }
    path.into_iter().all(reached) && !route.children.iter().any(matches)
}

proptest! {
    #[test]
    fn an_alert_is_in_exactly_the_groups_of_its_routes(
        routes in prop::collection::vec(raw_route(), 0..4),
        sets in prop::collection::vec(label_set(), 1..6),
    ) {
        let tree = build(routes);
        let mut groups = Vec::new();
        for labels in &sets {
            let ends: Vec<RouteId> =
                tree.routes().filter(|r| is_end(&tree, r, labels)).map(|r| r.id).collect();
            prop_assert!(!ends.is_empty());
            prop_assert_eq!(tree.matches(labels), ends.clone());
            let traced: Vec<RouteId> = tree.trace(labels).into_iter()
                .filter(|step| step.outcome == StepOutcome::Ends).map(|step| step.route).collect();
            prop_assert_eq!(traced, ends.clone());
            let of: Vec<RouteId> = tree.groups_of(labels).iter().map(|g| g.0).collect();
            prop_assert_eq!(of, ends);
            groups.extend(tree.groups_of(labels));
        }
        for (route, key, labels) in &groups {
            for (other_route, other_key, other_labels) in &groups {
                prop_assert_eq!(key == other_key, route == other_route && labels == other_labels);
            }
        }
    }

    #[test]
    fn group_labels_are_those_of_group_by(labels in label_set(), names in prop::collection::vec("[xyzw]", 0..4)) {
        let group = GroupBy::labels(names.clone()).group_labels(&labels);
        for name in ["w", "x", "y", "z"] {
            let expected = if names.iter().any(|n| n == name) { labels.get(name) } else { None };
            prop_assert_eq!(group.get(name), expected);
        }
        prop_assert_eq!(GroupBy::All.group_labels(&labels), labels);
    }
}
