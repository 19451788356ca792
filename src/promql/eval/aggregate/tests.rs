//! Aggregations.

use crate::model::Timestamp;
use crate::promql::eval::tests::support::{at, check, over, remarks, store};
use crate::promql::eval::{Options, Value, instant};
use crate::promql::parse;
use crate::promql::series::SeriesStore;

fn samples() -> SeriesStore {
    store(
        r#"m{g="1",i="a"} 1 4
           m{g="1",i="b"} 3 2
           m{g="2",i="a"} 5 NaN
           m{g="2",i="b"} 5 7"#,
    )
}

/// Expressions at 0 s.
const CASES: &[(&str, &str)] = &[
    ("sum(m)", "{} 14"),
    ("sum by (g) (m)", r#"{g="1"} 4; {g="2"} 10"#),
    ("sum by (g, none) (m)", r#"{g="1"} 4; {g="2"} 10"#),
    ("sum without (i) (m)", r#"{g="1"} 4; {g="2"} 10"#),
    ("sum by (__name__) (m)", r#"{__name__="m"} 14"#),
    ("avg by (g) (m)", r#"{g="1"} 2; {g="2"} 5"#),
    ("count(m)", "{} 4"),
    ("min by (g) (m)", r#"{g="1"} 1; {g="2"} 5"#),
    ("max by (g) (m)", r#"{g="1"} 3; {g="2"} 5"#),
    ("group by (g) (m)", r#"{g="1"} 1; {g="2"} 1"#),
    ("stddev by (g) (m)", r#"{g="1"} 1; {g="2"} 0"#),
    ("stdvar(m)", "{} 2.75"),
    ("quantile by (g) (0.25, m)", r#"{g="1"} 1.5; {g="2"} 5"#),
    (r#"count_values("v", m)"#, r#"{v="1"} 1; {v="3"} 1; {v="5"} 2"#),
    (r#"count_values by (g) ("v", m)"#, r#"{g="1", v="1"} 1; {g="1", v="3"} 1; {g="2", v="5"} 2"#),
    (r#"count_values without (i, g) ("g", m)"#, "{} 4"),
    (r#"count_values("", m)"#, "error: invalid label name \"\""),
    ("topk(1, m{g=\"1\"})", r#"{__name__="m", g="1", i="b"} 3"#),
    ("bottomk(1, m{g=\"1\"})", r#"{__name__="m", g="1", i="a"} 1"#),
    ("count(topk(3, m))", "{} 3"),
    (
        "topk by (g) (1, m{i=\"a\"})",
        r#"{__name__="m", g="1", i="a"} 1; {__name__="m", g="2", i="a"} 5"#,
    ),
    ("topk(0, m)", ""),
    ("topk(-3, m)", ""),
    ("topk(NaN, m)", "error: Parameter value is NaN"),
    ("topk(1e30, m)", "error: Scalar value 1e+30 overflows int64"),
    ("count(limitk by (g) (1, m))", "{} 2"),
    ("limitk(NaN, m)", "error: Parameter value is NaN"),
    ("count(limit_ratio(1, m))", "{} 4"),
    ("limit_ratio(0, m)", ""),
    ("count(limit_ratio(0.4, m) or limit_ratio(-0.6, m))", "{} 4"),
    ("limit_ratio(0.4, m) and limit_ratio(-0.6, m)", ""),
    ("limit_ratio(NaN, m)", "error: Ratio value is NaN"),
    ("sum(missing)", ""),
    ("count(missing)", ""),
];

#[test]
fn groups_are_aggregated() {
    check(&samples(), 0, CASES);
}

#[test]
fn nan_is_smaller_and_greater_than_nothing() {
    check(
        &samples(),
        10,
        &[
            ("min(m)", "{} 2"),
            ("max(m)", "{} 7"),
            ("sum(m)", "{} NaN"),
            ("min(m{g=\"2\",i=\"a\"})", "{} NaN"),
            ("quantile(0, m)", "{} NaN"),
            (r#"count_values("v", m{g="2"})"#, r#"{v="7"} 1; {v="NaN"} 1"#),
        ],
    );
}

/// The values of a vector in its order.
fn order(store: &SeriesStore, expr: &str) -> Vec<String> {
    let outcome =
        instant(&parse(expr).unwrap(), store, Timestamp::from_secs(10), &Options::default());
    match outcome.unwrap().value {
        Value::Vector(samples) => {
            samples.iter().map(|s| s.value.float().unwrap().to_string()).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_picked_is_in_order_with_nan_last() {
    let store = samples();
    assert_eq!(order(&store, "topk(4, m)"), ["7", "4", "2", "NaN"]);
    assert_eq!(order(&store, "bottomk(4, m)"), ["2", "4", "7", "NaN"]);
    assert_eq!(order(&store, "bottomk(3, m)"), ["2", "4", "7"]);
    assert_eq!(order(&store, "sort(m)"), ["2", "4", "7", "NaN"]);
    assert_eq!(order(&store, "sort_desc(m)"), ["7", "4", "2", "NaN"]);
    assert_eq!(order(&store, r#"sort_by_label_desc(m, "g", "i")"#), ["7", "NaN", "2", "4"]);
}

#[test]
fn parameters_may_change_from_step_to_step() {
    let store = store("m{i=\"a\"} 1 4 9\nm{i=\"b\"} 3 2 1\nk 0 1 2");
    assert_eq!(
        over(&store, (0, 20, 10), "topk(scalar(k), m)"),
        r#"{__name__="m", i="a"} 4@10 9@20; {__name__="m", i="b"} 1@20"#
    );
    assert_eq!(over(&store, (0, 20, 10), "quantile(scalar(k) / 2, m)"), "{} 1@0 3@10 9@20");
    assert_eq!(over(&store, (0, 20, 10), "sum(m)"), "{} 4@0 6@10 10@20");
}

#[test]
fn parameters_out_of_range_are_remarked_on() {
    let store = samples();
    for (expr, expected) in [
        (
            "quantile(1.5, m)",
            "PromQL warning: quantile value should be between 0 and 1, got 1.5 (1:10)",
        ),
        (
            "quantile(-1, m)",
            "PromQL warning: quantile value should be between 0 and 1, got -1 (1:10)",
        ),
        (
            "limit_ratio(-2, m)",
            "PromQL warning: ratio value should be between -1 and 1, got -2, capping to -1 (1:13)",
        ),
    ] {
        assert_eq!(remarks(&store, expr), [expected]);
    }
    assert_eq!(at(&store, 0, "quantile(1.5, m)"), "{} inf");
}
