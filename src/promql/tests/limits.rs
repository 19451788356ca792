//! Hostile texts: long, deep, wide, broken. Nothing panics, and what would take minutes
//! without the caps is over at once.

use proptest::prelude::*;

use super::check_places;
use crate::promql::{MAX_HEIGHT, MAX_LENGTH, MAX_NESTING, parse};

#[test]
fn what_exceeds_a_cap_is_refused() {
    let parens = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    let chain = |n: usize| vec!["up"; n].join(" or ");
    for (text, message) in [
        ("x".repeat(10 << 20), "the expression has 10485760 bytes, at most 100000 are allowed"),
        (parens(40_000), "nested deeper than 100 levels"),
        (parens(MAX_NESTING), "nested deeper than 100 levels"),
        ("(".repeat(99_999), "nested deeper than 100 levels"),
        ("-".repeat(99_999), "nested deeper than 100 levels"),
        (vec!["1"; 20_000].join("^"), "nested deeper than 100 levels"),
        (vec!["1"; 20_000].join("+"), "more than 500 operators and calls in a row"),
        (chain(MAX_HEIGHT + 1), "more than 500 operators and calls in a row"),
    ] {
        let error = parse(&text).unwrap_err();
        assert_eq!(error.message, message);
        assert!(text.is_char_boundary(error.span.end) && error.span.end <= text.len());
    }
}

#[test]
fn what_just_fits_is_parsed_printed_walked_and_dropped() {
    let parens = format!("{}1{}", "(".repeat(MAX_NESTING - 1), ")".repeat(MAX_NESTING - 1));
    let sums = format!("{}up{}", "sum(".repeat(MAX_NESTING - 1), ")".repeat(MAX_NESTING - 1));
    let chain = vec!["up"; MAX_HEIGHT].join(" or ");
    // A chain of chains.
    let wide = |leaf: &str, n: usize| vec![format!("({})", vec![leaf; n].join("+")); 20].join("+");
    let scalars = wide("1", 400);
    let long = format!("sum({})", vec!["up"; MAX_HEIGHT - 1].join(" or "));
    let deep = format!("{}{}{}", "sum(".repeat(90), wide("x", 300), ")".repeat(90));
    for text in [&parens, &sums, &chain, &scalars, &long, &deep] {
        let expr = parse(text).unwrap_or_else(|e| panic!("{e:?}"));
        assert!(text.len() <= MAX_LENGTH);
        assert!(expr.walk().count() > 90);
        assert_eq!(expr.to_string().replace(' ', ""), text.replace(' ', ""));
        assert!(expr.clone().same_as(&expr));
    }
}

/// Pieces that make expressions, whole and broken.
const PIECES: [&str; 63] = [
    "up",
    "foo:bar",
    "{",
    "}",
    "{job=\"a\"}",
    "{\"a.b\", x=~\"y.*\"}",
    "{__name__=\"x\"}",
    "=",
    "=~",
    "!~",
    "!=",
    "==",
    ">",
    "<=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "atan2",
    "and",
    "or",
    "unless",
    "bool",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "(a)",
    "(a, b)",
    "()",
    "(",
    ")",
    "[5m]",
    "[5m:]",
    "[1h:1m]",
    "[",
    "]",
    "offset",
    "offset 5m",
    "offset -1h",
    "@",
    "@ 12.5",
    "@ start()",
    "1",
    "0x1f",
    "1e-3",
    "Inf",
    "nan",
    "5m",
    "\"s\"",
    "'a\\n'",
    "`\\d`",
    "sum",
    "by",
    "without",
    "anchored",
    "rate",
    "vector",
    "absent(",
    ",",
    "# note\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_text_is_parsed_or_refused_at_a_place_in_it(text in "\\PC{0,60}") {
        check_any(&text);
    }

    #[test]
    fn any_sequence_of_pieces_is_parsed_or_refused(
        picks in prop::collection::vec((prop::sample::select(PIECES.as_slice()), any::<bool>()), 1..14),
    ) {
        let text: String =
            picks.iter().flat_map(|(piece, gap)| [*piece, if *gap { " " } else { "" }]).collect();
        check_any(&text);
    }

    #[test]
    fn a_real_expression_with_a_slip_is_parsed_or_refused(
        which in 0..REAL.len(),
        at in 0.0..1.0f64,
        cut in 0usize..4,
        put in prop::sample::select(PIECES.as_slice()),
    ) {
        let real = REAL[which];
        let chars: Vec<char> = real.chars().collect();
        let at = (chars.len() as f64 * at) as usize;
        let text: String = chars[..at]
            .iter()
            .chain(put.chars().collect::<Vec<_>>().iter())
            .chain(chars.iter().skip(at + cut))
            .collect();
        check_any(&text);
    }
}

const REAL: [&str; 5] = [
    "min by (job) (up{job=\"mlflow\"} or 0 * absent(up{job=\"mlflow\"})) == 0",
    "100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode=~\"idle|iowait\"}[5m]))) > 80",
    "histogram_quantile(0.95, sum without (pod) (rate(x_bucket{path!~`/v\\d+/.*`}[5m] offset 1h))) > 1",
    "a * on (namespace, pod) group_left (node) (b{phase=\"Running\"} == 1) unless ignoring (c) d",
    "max_over_time((rate(errors_total[5m]) > bool 0.1)[1h:1m] @ end()) - -predict_linear(x[6h], 4 * 3600)",
];

/// How a refusal by promql-parser begins.
const LAST_RESORT: &str = "not understood";

/// What is accepted has right places; what is refused names a place inside the text.
fn check_any(text: &str) {
    match parse(text) {
        Ok(expr) => check_places(text, &expr),
        Err(error) => {
            assert!(text.get(error.span.range()).is_some(), "{text}: {error:?}");
            let by_us =
                !error.message.starts_with(LAST_RESORT) && !error.message.contains("two ways");
            assert!(by_us, "{text}: {error:?}");
        }
    }
}

#[test]
fn the_real_expressions_of_these_tests_are_right() {
    for text in REAL {
        let expr = parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        check_places(text, &expr);
    }
}
