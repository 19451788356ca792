//! What expressions mean.

use std::time::Duration;

use super::{check_places, shape};
use crate::diag::Span;
use crate::model::{LabelSet, Timestamp};
use crate::promql::{At, Cardinality, Expr, ExprKind, Grouping, ValueType, VectorSelector, parse};

fn parsed(text: &str) -> Expr {
    let expr = parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    check_places(text, &expr);
    expr
}

fn selector(text: &str) -> VectorSelector {
    let expr = parsed(text);
    expr.selectors().next().expect("a selector").clone()
}

/// The table of precedences in Prometheus' documentation.
#[test]
fn operators_bind_as_in_prometheus() {
    for (text, tree) in [
        ("1 + 2 * 3", "[1 + [2 * 3]]"),
        ("1 - 2 - 3", "[[1 - 2] - 3]"),
        ("2 ^ 3 ^ 2", "[2 ^ [3 ^ 2]]"),
        ("-2 ^ 2", "[- [2 ^ 2]]"),
        ("2 ^ -1 * 3", "[[2 ^ -1] * 3]"),
        ("-a * b", "[[- a] * b]"),
        ("-a ^ b", "[- [a ^ b]]"),
        ("a atan2 b % c", "[[a atan2 b] % c]"),
        ("a or b and c unless d", "[a or [[b and c] unless d]]"),
        ("a > 1 and b + 1 == 2", "[[a > 1] and [[b + 1] == 2]]"),
        ("(a or b) and c", "[([a or b]) and c]"),
        ("+a + +b", "[a + b]"),
        ("- -1", "1"),
        ("-(1)", "[- (1)]"),
        ("- foo offset 5m", "[- foo offset 5m]"),
        ("sum(a) by (b) / 2", "[sum by (b) (a) / 2]"),
        ("A OR B AND SUM(c)", "[A or [B and sum(c)]]"),
    ] {
        assert_eq!(shape(&parsed(text)), tree, "{text}");
    }
}

#[test]
fn prints_as_prometheus_prints() {
    for (text, printed) in [
        ("sum by() (up)", "sum(up)"),
        ("sum without(a,b,) (up)", "sum without (a, b) (up)"),
        ("topk(3,up) by(job)", "topk by (job) (3, up)"),
        ("a+on(x)group_left(y)b", "a + on (x) group_left (y) b"),
        ("a>bool ignoring(x,y)b", "a > bool ignoring (x, y) b"),
        ("a and on() b", "a and on () b"),
        ("a+fill_right(1)fill_left(-2)b", "a + fill_left (-2) fill_right (1) b"),
        ("rate(x{a='b',}[90s]offset 1h)", "rate(x{a=\"b\"}[1m30s] offset 1h)"),
        ("x[7d:1m] @ 1.5 offset -5m", "x[1w:1m] @ 1.500 offset -5m"),
        ("x @ start() offset 0s", "x @ start()"),
        ("x[300]", "x[5m]"),
        ("{\"a.b\",`c d`='e'}", "{\"a.b\",\"c d\"=\"e\"}"),
        ("{'plain'}", "plain"),
        ("sum by ('a.b', c) (x)", "sum by (\"a.b\", c) (x)"),
        ("1e3 + 0x10 + 1_000 + .5", "1000 + 16 + 1000 + 0.5"),
        ("Inf + -inf + NaN", "+Inf + -Inf + NaN"),
        ("5m", "300"),
        ("-1ms", "-0.001"),
        (
            r#"label_replace(x, "a", "$1", 'b', `(\d+)\n`)"#,
            r#"label_replace(x, "a", "$1", "b", "(\\d+)\\n")"#,
        ),
        ("sum # a comment\n(\nup)", "sum(up)"),
        ("or or or", "or or or"),
        ("sum by ('without', 'nan') (x)", "sum by (\"without\", \"nan\") (x)"),
        (
            "sum by (anchored, bool) (x{smoothed='a'})",
            "sum by (anchored, bool) (x{smoothed=\"a\"})",
        ),
        ("sum + avg{by=\"x\"}", "sum + avg{by=\"x\"}"),
    ] {
        assert_eq!(parsed(text).to_string(), printed, "{text}");
    }
}

#[test]
fn values_have_types() {
    for (text, value_type) in [
        ("1", ValueType::Scalar),
        ("-(1 + 2)", ValueType::Scalar),
        ("(1 + time()) * (2 + scalar(x))", ValueType::Scalar),
        ("(1 + 1) * (2 + x)", ValueType::Vector),
        ("1 > bool 2", ValueType::Scalar),
        ("x > 2", ValueType::Vector),
        ("sum(x)", ValueType::Vector),
        ("x[5m]", ValueType::Matrix),
        ("(x[5m:])", ValueType::Matrix),
        ("'a'", ValueType::String),
    ] {
        assert_eq!(parsed(text).value_type(), value_type, "{text}");
    }
}

#[test]
fn selectors_hold_names_matchers_and_times() {
    let full = selector("up{job=~`a\\d`,env!=''}[5m] offset -90s @ 12.3456");
    assert_eq!((full.name.as_deref(), full.offset_ms), (Some("up"), -90_000));
    assert_eq!(full.at, Some(At::Time(Timestamp::from_millis(12_346))));
    assert!(full.matches(&LabelSet::from([("__name__", "up"), ("job", "a1"), ("env", "x")])));
    assert!(!full.matches(&LabelSet::from([("__name__", "up"), ("job", "ab"), ("env", "x")])));
    assert!(!full.matches(&LabelSet::from([("__name__", "up"), ("job", "a1")])));
    assert!(!full.matches(&LabelSet::from([("__name__", "x"), ("job", "a1"), ("env", "x")])));
    assert_eq!(full.matchers[1].span, Span::new(14, 21));
    assert_eq!(selector("x @ -5").at, Some(At::Time(Timestamp::from_secs(-5))));
    assert_eq!(selector("x @ end()").at, Some(At::End));
    assert_eq!(selector("x offset 5").offset_ms, 5_000, "a bare number is seconds");
    let matched = selector("{__name__='x', a='b'}");
    assert_eq!((matched.name.as_deref(), matched.metric_name()), (None, Some("x")));
    assert_eq!(selector("{a='b', 'x.y'}").metric_name(), Some("x.y"));
    // Only here a selector may match everything.
    let info = parse("info(x, {a=~'.*'})").unwrap();
    assert_eq!(info.selectors().map(|s| s.matchers.len()).collect::<Vec<_>>(), [0, 1]);
}

/// The names that only Prometheus 3 takes, and those that it takes twice.
#[test]
fn names_are_as_free_as_in_prometheus() {
    for (text, printed) in [
        ("sum by (a:b) (up)", "sum by (\"a:b\") (up)"),
        ("anchored > smoothed{a='b'}", "anchored > smoothed{a=\"b\"}"),
        ("{'a', 'b'}", "{\"a\",__name__=\"b\"}"),
        ("{'a', __name__=~'b.*'}", "{\"a\",__name__=~\"b.*\"}"),
        ("{'', a='b'}", "{__name__=\"\",a=\"b\"}"),
    ] {
        assert_eq!(parsed(text).to_string(), printed);
    }
}

#[test]
fn places_point_at_operators_names_and_selectors() {
    let text = "sum by (a) (rate(x{b=\"c\"}[5m])) >= on (a) group_left (d) y";
    let own = |span: Span| &text[span.range()];
    let ExprKind::Binary(binary) = parsed(text).kind else { panic!() };
    assert_eq!((own(binary.op_span), own(binary.rhs.span)), (">=", "y"));
    assert!(binary.matching.on && binary.matching.cardinality == Cardinality::ManyToOne);
    assert_eq!(
        (&binary.matching.labels, &binary.matching.include),
        (&vec!["a".into()], &vec!["d".into()])
    );
    let ExprKind::Aggregate(sum) = &binary.lhs.kind else { panic!() };
    assert_eq!((own(sum.op_span), &sum.grouping), ("sum", &Grouping::By(vec!["a".to_string()])));
    let ExprKind::Call(rate) = &sum.expr.kind else { panic!() };
    assert_eq!((own(rate.name_span), own(sum.expr.span)), ("rate", "rate(x{b=\"c\"}[5m])"));
    let ExprKind::MatrixSelector(matrix) = &rate.args[0].kind else { panic!() };
    assert_eq!(own(matrix.selector_span), "x{b=\"c\"}");
    assert_eq!(matrix.range, Duration::from_secs(300));
}

#[test]
fn same_as_ignores_places_and_nothing_else() {
    for (a, b, same) in [
        ("a+b", " a  + b ", true),
        ("NaN", "nan", true),
        ("60", "1m", true),
        ("a + b", "a - b", false),
        ("(a)", "a", false),
        ("a{x='1'}", "a{x='2'}", false),
        ("a + on (x) b", "a + ignoring (x) b", false),
        ("a > b", "a > bool b", false),
        ("0", "-0", false),
        ("sum by (x) (a)", "sum without (x) (a)", false),
        ("x[5m:]", "x[5m:1m]", false),
        ("round(x)", "round(x, 1)", false),
    ] {
        assert_eq!(parsed(a).same_as(&parsed(b)), same, "{a} | {b}");
    }
}

#[test]
fn a_walk_goes_through_every_part_in_source_order() {
    let expr = parsed("a + topk(2, b) - rate(c[5m:])");
    let parts: Vec<String> = expr.walk().map(ToString::to_string).collect();
    let expected = [
        "a + topk(2, b) - rate(c[5m:])",
        "a + topk(2, b)",
        "a",
        "topk(2, b)",
        "2",
        "b",
        "rate(c[5m:])",
        "c[5m:]",
        "c",
    ];
    assert_eq!(parts, expected);
}
