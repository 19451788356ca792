use crate::diag::{Diagnostic, has_errors};
use crate::routing::tests::read;

/// The findings of a configuration as `line:column message`, with the help behind an arrow.
fn findings(text: &str) -> Vec<String> {
    let findings = read(text).3;
    let show = |f: &Diagnostic| {
        let (line, column) = f.line_column();
        let help = f.help.as_ref().map_or(String::new(), |help| format!(" -> {help}"));
        format!("{line}:{column} {}{help}", f.message)
    };
    findings.iter().map(show).collect()
}

#[test]
fn every_mistake_of_a_tree_is_told_at_once() {
    let text = "\
route:
  receiver: a
  group_by: [x, x, '...']
  group_interval: 0s
  continue: true
  matchers: [x=1]
  mute_time_intervals: [night]
  active_time_intervals: [nihgt]
  routes:
  - receiver: aa
    group_wait: 5
    matchers: ['a.b=', 'x=~\"(\"', x=1]
    match: {y: 1}
    match_re: {z: '['}
    repeat_intervall: 1h
    labels: {team: x}
  - receiver: nobody
    mute_time_intervals: [night, day]
time_intervals:
- name: night
  time_intervals: [{}]
";
    let expected = [
        "3:17 `group_by`: label \"x\" stands here twice",
        "3:20 `group_by`: `...` means all labels and stands alone",
        "4:19 `group_interval`: must not be zero",
        "5:3 the root route cannot have continue: it takes every alert -> put it on a route under `routes`",
        "6:3 the root route cannot have matchers: it takes every alert -> put it on a route under `routes`",
        "7:25 the root route cannot have mute_time_intervals: it takes every alert -> put it on a route under `routes`",
        "8:27 the root route cannot have active_time_intervals: it takes every alert -> put it on a route under `routes`",
        "8:27 time interval \"nihgt\" is not defined -> did you mean `night`?",
        "10:15 receiver \"aa\" is not defined -> did you mean `a`?",
        "11:17 `group_wait`: not a valid duration: \"5\" (write it like 30s, 5m or 1h30m)",
        "12:16 bad matcher \"a.b=\": expected a value at the end",
        "12:24 bad regular expression \"(\": a closing parenthesis is missing",
        "14:19 bad regular expression \"[\": the class at character 1 has no closing bracket",
        "15:5 unknown key `repeat_intervall` in a route -> did you mean `repeat_interval`?",
        "16:5 `labels` in a route is not supported yet",
        "17:15 receiver \"nobody\" is not defined",
        "18:34 time interval \"day\" is not defined",
    ];
    assert_eq!(findings(text), expected);
}

#[test]
fn a_root_needs_a_receiver_and_a_warning_refuses_nothing() {
    let missing = "1:8 the root route has no receiver";
    assert_eq!(findings("route: {routes: []}"), [missing]);
    assert_eq!(findings("route: {receiver: ''}"), [missing]);
    assert_eq!(findings("route: []"), ["1:8 a route must be a mapping, found a list"]);
    let (tree, _, _, warned) = read("route: {receiver: a, repeat_interval: 1m}");
    assert_eq!(warned.len(), 1);
    assert!(tree.is_some() && !has_errors(&warned));
}

#[test]
fn mistakes_in_time_intervals_have_their_place() {
    for (spec, message) in [
        ("weekdays: [freitag]", "`weekdays`: \"freitag\" is not a day of the week"),
        ("weekdays: ['friday:monday']", "`weekdays`: \"friday:monday\" ends before it begins"),
        ("days_of_month: [0]", "`days_of_month`: \"0\" is not a day of the month"),
        ("days_of_month: ['1:32']", "`days_of_month`: \"32\" is not a day of the month"),
        (
            "days_of_month: ['-2147483648']",
            "`days_of_month`: \"-2147483648\" is not a day of the month",
        ),
        (
            "days_of_month: ['-3:2']",
            "`days_of_month`: \"-3:2\" begins at the end of the month, so it must end there too",
        ),
        ("days_of_month: ['-1:-3']", "`days_of_month`: \"-1:-3\" ends before it begins"),
        ("days_of_month: ['28:-5']", "`days_of_month`: \"28:-5\" ends before it begins"),
        ("months: [brumaire]", "`months`: \"brumaire\" is not a month"),
        ("months: [13]", "`months`: \"13\" is not a month"),
        ("months: ['may:april']", "`months`: \"may:april\" ends before it begins"),
        ("years: ['2030:2020']", "`years`: \"2030:2020\" ends before it begins"),
        ("years: ['1:2:3']", "`years`: \"2:3\" is not a number"),
        (
            "times: [{start_time: '9:00', end_time: '10:00'}]",
            "`start_time`: must be a time from 00:00 to 24:00",
        ),
        (
            "times: [{start_time: '09:00', end_time: '24:01'}]",
            "`end_time`: must be a time from 00:00 to 24:00",
        ),
        (
            "times: [{start_time: '09:60', end_time: '24:00'}]",
            "`start_time`: must be a time from 00:00 to 24:00",
        ),
        ("times: [{start_time: '09:00'}]", "a range of times needs `end_time`"),
        ("location: Mars/Olympus", "`location`: \"Mars/Olympus\" is not a known time zone"),
        ("time: 1", "unknown key `time` in a part of a time interval"),
    ] {
        let text = format!(
            "route: {{receiver: a}}\ntime_intervals: [{{name: i, time_intervals: [{{{spec}}}]}}]"
        );
        let found = findings(&text);
        assert!(
            found.len() == 1 && found[0].starts_with("2:") && found[0].contains(message),
            "{spec}: {found:?}"
        );
    }
    let twice = "route: {receiver: a}\ntime_intervals: [{name: i}]\nmute_time_intervals:\n- name: i\n- {}\n";
    assert_eq!(
        findings(twice),
        ["4:9 a second time interval has the name \"i\"", "5:3 a time interval needs `name`",]
    );
    let night = "route: {receiver: a}\ntime_intervals: [{name: i, time_intervals: [{times: [{start_time: '22:00', end_time: '06:00'}]}]}]";
    assert!(
        findings(night)[0].contains("write a range over midnight as two"),
        "{:?}",
        findings(night)
    );
}

#[test]
fn inhibit_rules_take_old_and_new_forms() {
    let (_, rules, _, found) = read(
        "
route: {receiver: a}
inhibit_rules:
- name: n
  source_matchers: ['a=1, b=2']
  source_match: {c: 3}
  target_match_re: {d: 4|5}
  equal: [x, y, x]
- target_matchers: [t!=1]
",
    );
    assert!(found.is_empty(), "{found:?}");
    let shown: Vec<String> = rules
        .iter()
        .map(|r| format!("{}|{}|{}|{}", r.name, r.source, r.target, r.equal.join(",")))
        .collect();
    assert_eq!(shown, [r#"n|{c="3",a="1",b="2"}|{d=~"4|5"}|x,y"#, r#"|{}|{t!="1"}|"#]);
    let bad = "route: {receiver: a}\ninhibit_rules:\n- source_matchers: [x]\n  source_match: {a.b: c}\n  equal: ['']\n  target: 1\n- 3\n";
    assert_eq!(
        findings(bad),
        [
            "3:21 bad matcher \"x\": expected an operator: =, !=, =~ or !~ at the end",
            "4:18 \"a.b\" is not a label name for `source_match`",
            "5:11 `equal`: a label name is empty",
            "6:3 unknown key `target` in an inhibit rule",
            "7:3 an inhibit rule must be a mapping, found a number",
        ]
    );
}
