//! What DESIGN.md says of time, one sentence to a test: whole days of the core with one alert and
//! one thing that happens to the clock, to the process or to the datasource.

use watchbell::model::Timestamp;

use super::plan::{Crash, DAYS, Effect, Event, HOUR, MINUTE, Ms, Outage, Plan, Rule, SECOND, Span};
use super::process::run_plan;

const AUTUMN: usize = 0;
const SPRING: usize = 1;

/// A day on which rule `R0` has one alert from 1:00 to 7:00, with a `for` of ten minutes.
fn day() -> Plan {
    let rule = Rule { group: 0, severity: "critical", held: 10 * MINUTE, keep: 0 };
    Plan {
        start: Timestamp::from_secs(DAYS[2]),
        intervals: [MINUTE; 3],
        rules: vec![rule],
        toggles: vec![[vec![HOUR, 7 * HOUR], vec![]]],
        scraped_after: [20 * SECOND, 40 * SECOND],
        outages: Vec::new(),
        store: Vec::new(),
        receivers: Vec::new(),
        events: Vec::new(),
        crashes: Vec::new(),
        first: (0, 0),
        latency: std::time::Duration::ZERO,
    }
}

fn restarted(at: Ms, down: Ms) -> Plan {
    Plan { events: vec![(at, Event::Restart(down))], ..day() }
}

fn outage(from: Ms, to: Ms) -> Outage {
    Outage { span: Span { from, to }, hangs: false, stops: true }
}

/// What an integration is told: minutes of the day, alert, and whether it fires.
fn told(plan: Plan, integration: &str) -> Vec<(Ms, String)> {
    let report = run_plan(plan, true);
    assert_eq!(report.failure, None, "{}", report.lines.join("\n"));
    let told = format!(" told {integration}[0] ");
    let message = |line: &String| {
        let (time, rest) = line.split_once(&told)?;
        let (hour, rest_of_time) = time.split_once(':')?;
        let (minute, _) = rest_of_time.split_once(':')?;
        let minutes = hour.parse::<Ms>().ok()? * 60 + minute.parse::<Ms>().ok()?;
        let words = rest.split_once("}: ")?.1.split_once(" [")?.0;
        Some((minutes, words.to_string()))
    };
    report.lines.iter().filter_map(message).collect()
}

/// Compares with what has to be told from when to when.
fn assert_told(told: &[(Ms, String)], expected: &[(Ms, Ms, &str)]) {
    let fits = |((at, words), (from, to, expected)): (&(Ms, String), &(Ms, Ms, &str))| {
        (*from..=*to).contains(at) && words == expected
    };
    let all = told.len() == expected.len() && told.iter().zip(expected).all(fits);
    assert!(all, "{told:?}, not {expected:?}");
}

const FIRES: &str = "R0/p0 fires";
const OVER: &str = "R0/p0 over";

#[test]
fn a_day_without_events_has_three_messages() {
    let expected = [(70, 73, FIRES), (250, 253, FIRES), (420, 427, OVER)];
    assert_told(&told(day(), "a/webhook"), &expected);
}

#[test]
fn a_restart_of_seconds_changes_nothing() {
    for at in [65 * MINUTE, 72 * MINUTE, 3 * HOUR] {
        let plan = restarted(at, 30 * SECOND);
        assert_eq!(told(plan, "a/webhook"), told(day(), "a/webhook"));
    }
}

#[test]
fn a_stop_of_minutes_is_settled_by_what_the_datasource_saw() {
    // It was active all the time: it fires at the first evaluation.
    let plan = restarted(65 * MINUTE, 8 * MINUTE);
    assert_told(&told(plan, "a/webhook")[..1], &[(73, 75, FIRES)]);
    // It was away for a while: `for` counts from the end of the hole.
    let mut plan = restarted(65 * MINUTE, 8 * MINUTE);
    plan.toggles[0][0] = vec![HOUR, 66 * MINUTE, 70 * MINUTE, 7 * HOUR];
    assert_told(&told(plan, "a/webhook")[..1], &[(80, 83, FIRES)]);
}

#[test]
fn where_the_datasource_does_not_answer_prometheus_rule_holds() {
    let mut plan = restarted(65 * MINUTE, 8 * MINUTE);
    let away = Outage { stops: false, ..outage(72 * MINUTE, 80 * MINUTE) };
    plan.outages = vec![away];
    // Grace: ten minutes from the start.
    assert_told(&told(plan.clone(), "a/webhook")[..1], &[(83, 85, FIRES)]);
    // A `for` shorter than that begins anew.
    plan.rules[0].held = 9 * MINUTE;
    assert_told(&told(plan.clone(), "a/webhook")[..1], &[(89, 92, FIRES)]);
    // A stop of more than an hour, too.
    plan.rules[0].held = 10 * MINUTE;
    plan.events = vec![(65 * MINUTE, Event::Restart(70 * MINUTE))];
    plan.outages = vec![Outage { span: Span { from: 130 * MINUTE, to: 140 * MINUTE }, ..away }];
    assert_told(&told(plan, "a/webhook")[..1], &[(150, 153, FIRES)]);
}

#[test]
fn a_stop_of_hours_neither_forgets_nor_announces_again() {
    // The repetition of 4:11 was due while nothing ran; it waits for the first look at the rules.
    let plan = restarted(2 * HOUR, 3 * HOUR);
    let expected = [(70, 73, FIRES), (300, 306, FIRES), (420, 427, OVER)];
    assert_told(&told(plan, "a/webhook"), &expected);
    // It ended meanwhile.
    let mut plan = restarted(2 * HOUR, 3 * HOUR);
    plan.toggles[0][0] = vec![HOUR, 3 * HOUR];
    assert_told(&told(plan, "a/webhook"), &[(70, 73, FIRES), (300, 307, OVER)]);
}

#[test]
fn a_step_of_the_wall_clock_changes_nothing() {
    for by in [HOUR, -HOUR] {
        // While it is pending, while it fires, and while only `keep_firing_for` keeps it.
        for at in [65 * MINUTE, 3 * HOUR, 425 * MINUTE] {
            for restart in [None, Some((at + 2 * MINUTE, Event::Restart(30 * SECOND)))] {
                let kept = |mut plan: Plan| {
                    plan.rules[0].keep = 20 * MINUTE;
                    told(plan, "a/webhook")
                };
                let events = [Some((at, Event::Step(by))), restart].into_iter().flatten();
                let steps = Plan { events: events.collect(), ..day() };
                assert_eq!(kept(steps), kept(day()), "{by} at {at}, {restart:?}");
            }
        }
    }
}

#[test]
fn a_muted_night_is_three_hours_long_in_autumn_and_one_in_spring() {
    // Muted from 1:30 to 3:30 in Berlin. The alert of `p0` is told before, that of `p1` after.
    for (which, begins, ends) in
        [(AUTUMN, 3 * 60 + 30, 6 * 60 + 30), (SPRING, 4 * 60 + 30, 5 * 60 + 30)]
    {
        let mut plan = Plan { start: Timestamp::from_secs(DAYS[which]), first: (0, 2), ..day() };
        plan.rules[0] = Rule { severity: "warning", held: 0, ..plan.rules[0] };
        plan.toggles[0] = [
            vec![(begins - 5) * MINUTE, (begins + 20) * MINUTE],
            vec![(begins + 5) * MINUTE, (ends + 20) * MINUTE],
        ];
        let expected = [
            (begins - 5, begins - 2, "R0/p0 fires"),
            // An end goes out through the night.
            (begins + 20, begins + 27, "R0/p0 over"),
            (ends, ends + 5, "R0/p1 fires"),
            (ends + 20, ends + 27, "R0/p1 over"),
        ];
        assert_told(&told(plan, "b/slack"), &expected);
    }
}

#[test]
fn office_hours_begin_by_the_clock_on_the_wall() {
    // Active from 8:00 in Berlin; the days begin at 20:00 UTC.
    for (which, office) in [(AUTUMN, 11 * 60), (SPRING, 10 * 60), (2, 10 * 60)] {
        let mut plan = Plan { start: Timestamp::from_secs(DAYS[which]), first: (0, 3), ..day() };
        plan.toggles[0][0] = vec![HOUR, 13 * HOUR];
        let told = told(plan, "b/slack");
        assert_told(&told, &[(office, office + 5, FIRES), (13 * 60, 13 * 60 + 7, OVER)]);
    }
}

#[test]
fn nothing_is_over_because_the_datasource_has_just_started() {
    let away = vec![outage(2 * HOUR, 2 * HOUR + 10 * MINUTE)];
    let plan = Plan { outages: away.clone(), ..day() };
    assert_eq!(told(plan, "a/webhook"), told(day(), "a/webhook"));
    // What ended meanwhile is told once all targets are back.
    let mut plan = Plan { outages: away.clone(), ..day() };
    plan.toggles[0][0] = vec![HOUR, 125 * MINUTE];
    assert_told(&told(plan, "a/webhook"), &[(70, 73, FIRES), (130, 142, OVER)]);
    // Nor where a reload or a kill comes on top.
    let kill = Crash {
        from: 131 * MINUTE - SECOND,
        effect: Some(Effect::QueryAsked),
        nth: 1,
        down: SECOND,
    };
    let reload = (130 * MINUTE + 5 * SECOND, Event::Reload(3, 0));
    for (events, crashes) in [(vec![reload], vec![]), (vec![], vec![kill])] {
        let mut plan = Plan { outages: away.clone(), events, crashes, ..day() };
        // With the other rules, `for` is zero.
        plan.rules[0].held = 0;
        let told = told(plan, "a/webhook");
        assert_eq!(told.iter().filter(|(_, words)| words == OVER).count(), 1, "{told:?}");
        assert!(told.len() <= 4 && told.last().is_some_and(|(at, _)| *at >= 420), "{told:?}");
    }
}
