//! Selectors, ranges, subqueries and times.

use super::support::{at, check, over, store};
use crate::model::Timestamp;
use crate::promql::eval::{Options, instant};
use crate::promql::parse;

#[test]
fn the_last_sample_counts_until_it_is_too_old_or_the_series_ends() {
    let store = store("a 1 2 stale\nb 5");
    check(
        &store,
        10,
        &[("a", r#"{__name__="a"} 2"#), ("a offset 10s", r#"{__name__="a"} 1"#), ("c", "")],
    );
    check(&store, 9, &[("a", r#"{__name__="a"} 1"#), ("a offset -1s", r#"{__name__="a"} 2"#)]);
    // The marker of the end holds at once.
    check(&store, 20, &[("a", "")]);
    // Exactly five minutes old is too old.
    check(&store, 299, &[("b", r#"{__name__="b"} 5"#)]);
    check(&store, 300, &[("b", "")]);
    let options = Options { lookback: std::time::Duration::from_secs(400), ..Options::default() };
    let found = instant(&parse("b").unwrap(), &store, Timestamp::from_secs(399), &options);
    assert_eq!(super::support::told(found), r#"{__name__="b"} 5"#);
}

#[test]
fn ranges_are_open_on_the_left_and_hold_no_ends() {
    let store = store("a 0 1 2 stale 4");
    check(
        &store,
        40,
        &[
            ("a[40s]", r#"{__name__="a"} 1@10 2@20 4@40"#),
            ("a[41s]", r#"{__name__="a"} 0@0 1@10 2@20 4@40"#),
            ("a[10s] offset 20s", r#"{__name__="a"} 2@20"#),
            ("a[20s] @ 10", r#"{__name__="a"} 0@0 1@10"#),
            ("a[5s] offset 5s", ""),
            ("count_over_time(a[10s] offset 10s)", ""),
        ],
    );
}

#[test]
fn times_are_fixed_by_at() {
    let store = store("a 0 1 2 3 4 5");
    check(
        &store,
        50,
        &[
            ("a @ 20", r#"{__name__="a"} 2"#),
            ("a @ 20 offset 10s", r#"{__name__="a"} 1"#),
            ("a @ 20 offset -10s", r#"{__name__="a"} 3"#),
            ("a @ start() + a @ end()", "{} 10"),
        ],
    );
    let a = r#"{__name__="a"}"#;
    assert_eq!(over(&store, (10, 30, 10), "a @ start()"), format!("{a} 1@10 1@20 1@30"));
    assert_eq!(over(&store, (10, 30, 10), "a @ end()"), format!("{a} 3@10 3@20 3@30"));
    assert_eq!(over(&store, (0, 20, 10), "a + a @ 50"), "{} 5@0 6@10 7@20");
    assert_eq!(over(&store, (0, 20, 10), "sum_over_time(a[20s] @ 30)"), "{} 5@0 5@10 5@20");
}

#[test]
fn subqueries_are_evaluated_at_multiples_of_their_step() {
    let store = store("a 0 1 2 3 4 5 6 7 8 9 10 11 12");
    check(
        &store,
        95,
        &[
            ("a[30s:10s]", r#"{__name__="a"} 7@70 8@80 9@90"#),
            ("a[20s:7s]", r#"{__name__="a"} 7@77 8@84 9@91"#),
            ("sum_over_time(a[20s:10s] @ 30)", "{} 5"),
            ("max_over_time(sum_over_time(a[20s])[30s:10s])", "{} 17"),
            ("max_over_time(a[20s:10s] offset 40s)", "{} 5"),
            // Without a step it is the global interval: a minute.
            ("count_over_time(a[2m:])", "{} 2"),
            ("(a * 2)[10s:10s]", "{} 18@90"),
        ],
    );
    let expected = "{} 3@20 5@30 7@40";
    assert_eq!(over(&store, (20, 40, 10), "sum_over_time(a[20s:10s])"), expected);
}

#[test]
fn range_queries_go_from_start_to_end_in_order_of_labels() {
    let store = store("b{x=\"2\"} 1 2 3\nb{x=\"1\"} 1 stale 3");
    let (one, two) = (r#"{__name__="b", x="1"}"#, r#"{__name__="b", x="2"}"#);
    let expected = format!("{one} 1@0 3@20; {two} 1@0 2@10 3@20");
    assert_eq!(over(&store, (0, 25, 10), "b"), expected);
    assert_eq!(over(&store, (0, 20, 20), "time()"), "{} 0@0 20@20");
    assert_eq!(over(&store, (20, 10, 10), "b"), "");
    let refused = r#"error: invalid expression type "range vector" for range query, must be Scalar or instant Vector"#;
    assert_eq!(over(&store, (0, 20, 10), "b[5m]"), refused);
}

#[test]
fn series_that_lose_their_names_are_one_where_they_do_not_overlap() {
    let store = store("a{x=\"1\"} 1 stale\nb{x=\"1\"} _ 2");
    assert_eq!(over(&store, (0, 10, 10), r#"-{x="1"}"#), r#"{x="1"} -1@0 -2@10"#);
    assert_eq!(over(&store, (0, 10, 10), r#"abs({x="1"})"#), r#"{x="1"} 1@0 2@10"#);
    let twice = super::support::store("a{x=\"1\"} 1\nb{x=\"1\"} 2");
    let error = "error: vector cannot contain metrics with the same labelset";
    for expr in [r#"-{x="1"}"#, r#"abs({x="1"})"#, r#"{x="1"} * 2"#, r#"rate({x="1"}[1m:1s])"#] {
        assert_eq!(at(&twice, 5, expr), error, "{expr}");
    }
}
