//! Limits: nothing that can be written overflows memory, time or the stack.

use std::time::Duration;

use super::support::{at, store};
use crate::model::Timestamp;
use crate::promql::eval::{Options, instant, range};
use crate::promql::{MAX_HEIGHT, MAX_NESTING, parse};

const TOO_MANY: &str =
    "query processing would load too many samples into memory in query execution";

#[test]
fn samples_in_memory_are_counted() {
    let store = store("a{x=\"1\"} 1 2 3\na{x=\"2\"} 1 2 3");
    let options = Options { max_samples: 3, ..Options::default() };
    let fails = |expr: &str| {
        let expr = parse(expr).unwrap();
        let outcome = instant(&expr, &store, Timestamp::from_secs(20), &options);
        outcome.err().map(|error| error.to_string())
    };
    assert_eq!(fails("a"), None);
    assert_eq!(fails("sum(a) + sum(a)"), None, "what is worked on is let go");
    assert_eq!(fails("a + a").as_deref(), Some(TOO_MANY));
    assert_eq!(fails("a[1m]").as_deref(), Some(TOO_MANY));
    assert_eq!(fails("sum_over_time(a[1m:10s])").as_deref(), Some(TOO_MANY));
    let expr = parse("1").unwrap();
    let times = (Timestamp::from_secs(0), Timestamp::from_millis(i64::MAX));
    let outcome = range(&expr, &store, times, Duration::from_millis(1), &Options::default());
    assert_eq!(outcome.unwrap_err().message, TOO_MANY);
}

#[test]
fn the_work_is_counted_and_the_place_is_named() {
    let store = store("a 1 2 3");
    let options = Options { max_reads: 5, ..Options::default() };
    let text = "1 + max_over_time(a[1m])";
    let expr = parse(text).unwrap();
    let outcome = instant(&expr, &store, Timestamp::from_secs(20), &options);
    assert!(outcome.is_ok());
    let times = (Timestamp::from_secs(0), Timestamp::from_secs(20));
    let error = range(&expr, &store, times, Duration::from_secs(10), &options).unwrap_err();
    assert_eq!(error.message, "the expression looks at more than 5 samples");
    assert_eq!(&text[error.span.range()], "max_over_time(a[1m])");
}

/// On a thread with little stack, in a build without optimization.
#[test]
fn trees_as_high_as_the_parser_allows_need_little_stack() {
    let chain = vec!["a"; MAX_HEIGHT - 1].join(" or ");
    // As deep as is parsed.
    let nested = |open: &str, inner: &str, close: &str| {
        let text = |depth: usize| format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
        let mut texts = (1..=MAX_NESTING).rev().map(text);
        texts.find(|text| parse(text).is_ok()).unwrap()
    };
    let texts = [
        chain,
        nested("abs(", "a", ")"),
        nested("sum_over_time(", "a", "[1s:1s])"),
        nested("-(", "a", " * 2)"),
        nested("(a or a and a == a + a * ", "a", ")"),
        nested("sum(", "a", ") by (x)"),
    ];
    let parsed: Vec<_> = texts.iter().map(|text| parse(text).unwrap()).collect();
    let run = move || {
        let store = store("a 1 2 3");
        for expr in &parsed {
            let outcome = instant(expr, &store, Timestamp::from_secs(20), &Options::default());
            assert!(outcome.is_ok(), "{outcome:?}");
        }
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap();
    thread.join().unwrap();
}

#[test]
fn far_times_and_long_ranges_do_not_overflow() {
    let store = store("a 1 2 3");
    for text in [
        "a offset 100y",
        "a offset -100y",
        "sum_over_time(a[100y])",
        "a @ 9e9",
        "a @ -9e9 offset 200y",
        "sum_over_time(a[10y:200y])",
        "rate(a[1ms])",
        "predict_linear(a[1m], 1e300)",
        "sort_by_label(a, \"\")",
        "topk(9e17, a)",
        "quantile(Inf, a)",
        "round(a, 0)",
    ] {
        for seconds in [0, -1, i64::MAX / 1000, i64::MIN / 1000] {
            let outcome = at(&store, seconds, text);
            assert!(!outcome.contains("cannot be evaluated"), "{text}: {outcome}");
        }
    }
}
