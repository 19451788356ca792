//! Operators and how series find each other.

use crate::promql::eval::tests::support::{at, check, over, store};
use crate::promql::series::SeriesStore;

fn samples() -> SeriesStore {
    store(
        r#"l{a="1",x="p"} 10
           l{a="2",x="q"} 20
           r{a="1",y="s"} 4
           r{a="3",y="t"} 6
           many{a="1",k="1"} 1
           many{a="1",k="2"} 2
           many{a="9",k="3"} 3"#,
    )
}

#[test]
fn scalars_are_computed() {
    check(
        &samples(),
        0,
        &[
            ("1 + 2 * 3 - 4 / 2", "5"),
            ("2 ^ 3 ^ 2", "512"),
            ("-7 % 3", "-1"),
            ("1 / 0", "inf"),
            ("0 / 0", "NaN"),
            ("5 % 0", "NaN"),
            ("1 atan2 1", "0.7853981633974483"),
            ("1 == bool 1", "1"),
            ("2 <= bool 1", "0"),
            ("NaN != bool NaN", "1"),
            ("-(1 + 2)", "-3"),
            ("\"text\"", "\"text\""),
        ],
    );
}

#[test]
fn vectors_meet_numbers() {
    let l = |a: u32, x: &str| format!(r#"{{__name__="l", a="{a}", x="{x}"}}"#);
    check(
        &samples(),
        0,
        &[
            ("l * 2", r#"{a="1", x="p"} 20; {a="2", x="q"} 40"#),
            ("100 - l", r#"{a="1", x="p"} 90; {a="2", x="q"} 80"#),
            ("-l", r#"{a="1", x="p"} -10; {a="2", x="q"} -20"#),
            ("l > 10", &format!("{} 20", l(2, "q"))),
            ("10 < l", &format!("{} 20", l(2, "q"))),
            ("l > bool 10", r#"{a="1", x="p"} 0; {a="2", x="q"} 1"#),
            ("15 > bool l", r#"{a="1", x="p"} 1; {a="2", x="q"} 0"#),
        ],
    );
}

#[test]
fn series_match_one_to_one() {
    check(
        &samples(),
        0,
        &[
            ("l + r", ""),
            ("l + on (a) r", r#"{a="1"} 14"#),
            ("l - ignoring (x, y) r", r#"{a="1"} 6"#),
            ("l > on (a) r", r#"{a="1"} 10"#),
            ("l < on (a) r", ""),
            ("l < bool on (a) r", r#"{a="1"} 0"#),
            ("l + on (a) fill (0) r", r#"{a="1"} 14; {a="2"} 20; {a="3"} 6"#),
            ("l + on (a) fill_left (1) r", r#"{a="1"} 14; {a="3"} 7"#),
            ("l + on (a) fill_right (1) r", r#"{a="1"} 14; {a="2"} 21"#),
        ],
    );
}

#[test]
fn many_series_match_one() {
    check(
        &samples(),
        0,
        &[
            ("many * on (a) group_left r", r#"{a="1", k="1"} 4; {a="1", k="2"} 8"#),
            ("r * on (a) group_right many", r#"{a="1", k="1"} 4; {a="1", k="2"} 8"#),
            (
                "many * on (a) group_left (y) r",
                r#"{a="1", k="1", y="s"} 4; {a="1", k="2", y="s"} 8"#,
            ),
            // A label that the one side lacks is taken away.
            ("many{k=\"1\"} == on (a) group_left (k) (r - 3)", r#"{__name__="many", a="1"} 1"#),
            (
                "many + on (a) group_left fill_right (5) r",
                r#"{a="1", k="1"} 5; {a="1", k="2"} 6; {a="9", k="3"} 8"#,
            ),
            (
                "r - on (a) group_right fill_left (5) many",
                r#"{a="1", k="1"} 3; {a="1", k="2"} 2; {a="3"} 1"#,
            ),
        ],
    );
}

#[test]
fn ambiguous_matches_are_refused() {
    let group = "found duplicate series for the match group {a=\"1\"} on the";
    let pair = r#"[{__name__="many", a="1", k="1"}, {__name__="many", a="1", k="2"}]"#;
    let rest = "many-to-many matching not allowed: matching labels must be unique on one side";
    check(
        &samples(),
        0,
        &[
            (
                "r + on (a) many",
                &format!("error: {group} right hand-side of the operation: {pair};{rest}"),
            ),
            (
                "many + on (a) group_right r",
                &format!("error: {group} left hand-side of the operation: {pair};{rest}"),
            ),
            (
                "many + on (a) r",
                "error: multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
            ),
            (
                "many + on (a) group_left (k) r",
                "error: multiple matches for labels: grouping labels must ensure unique matches",
            ),
        ],
    );
}

#[test]
fn sets_keep_series_as_they_are() {
    let l1 = r#"{__name__="l", a="1", x="p"} 10"#;
    let l2 = r#"{__name__="l", a="2", x="q"} 20"#;
    let r3 = r#"{__name__="r", a="3", y="t"} 6"#;
    check(
        &samples(),
        0,
        &[
            ("l and on (a) r", l1),
            ("l unless on (a) r", l2),
            ("l or on (a) r", &format!("{l1}; {l2}; {r3}")),
            ("l and r", ""),
            ("l unless missing", &format!("{l1}; {l2}")),
            ("missing or l", &format!("{l1}; {l2}")),
            ("l and on () vector(1)", &format!("{l1}; {l2}")),
        ],
    );
}

#[test]
fn each_step_matches_anew() {
    let store = store(
        r#"l{a="1"} 1 2 stale 4
           r{a="1"} 10 stale 30 40
           s{a="1"} _ 5 5 5"#,
    );
    let times = (0, 30, 10);
    assert_eq!(over(&store, times, "l + r"), r#"{a="1"} 11@0 44@30"#);
    assert_eq!(over(&store, times, "l + fill (0) r"), r#"{a="1"} 11@0 2@10 30@20 44@30"#);
    assert_eq!(
        over(&store, times, "l or r"),
        [r#"{__name__="l", a="1"} 1@0 2@10 4@30"#, r#"{__name__="r", a="1"} 30@20"#,].join("; ")
    );
    assert_eq!(over(&store, times, "l unless s"), r#"{__name__="l", a="1"} 1@0"#);
    assert_eq!(over(&store, times, "r > l and s"), r#"{__name__="r", a="1"} 40@30"#);
}

#[test]
fn places_of_errors_are_those_of_the_operation() {
    use crate::model::Timestamp;
    use crate::promql::eval::{Options, instant};
    let text = "1 + sum(many + on (a) r)";
    let expr = crate::promql::parse(text).unwrap();
    let outcome = instant(&expr, &samples(), Timestamp::from_secs(0), &Options::default());
    assert_eq!(&text[outcome.unwrap_err().span.range()], "many + on (a) r");
    assert_eq!(at(&samples(), 0, "1 + 1"), "2");
}
