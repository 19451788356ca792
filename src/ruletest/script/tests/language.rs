//! What a script says, and what is made of mistakes in it.

use crate::ruletest::script::{Verdict, options, run};

/// The verdicts of a script in a few words.
fn verdicts(script: &str) -> Vec<String> {
    let results = run(script, &options()).unwrap_or_else(|e| panic!("{e} {:?}", e.span));
    let told = results.into_iter().map(|result| match result.verdict {
        Verdict::Passed => format!("{} passed", result.line),
        Verdict::Failed(reason) => format!("{} failed: {reason}", result.line),
        Verdict::NotParsed(reason) => format!("{} not parsed: {reason}", result.line),
    });
    told.collect()
}

/// The mistake of a script and the text at its place.
fn mistake(script: &str) -> (String, &str) {
    let error = run(script, &options()).unwrap_err();
    (error.message, &script[error.span.range()])
}

#[test]
fn what_is_expected_passes() {
    let script = "\
# A comment.
load 10s
  a{x=\"1\"} 1 2 _ 4
  a{x=\"2\"} 1+1x3
  rising_total 0+1x10

eval instant at 30s a
  a{x=\"1\"} 4
  a{x=\"2\"} 4

eval range from 0 to 30s step 10s sum(a)
  expect no_info
  expect no_warn
  {} 2 4 5 8

eval instant at 10s 1 + 1
  2
eval instant at 10s \"a\\tb\"
  expect string 'a\\tb'

eval instant at 30s a[20s]
  expect range vector from 20s to 30s step 10s
  a{x=\"1\"} _ 4
  a{x=\"2\"} 3 4

eval instant at 30s sort_desc(a * 2 + on (x) group_left vector(0) or a)
  expect ordered
  a{x=\"1\"} 4
  a{x=\"2\"} 4

eval_ordered instant at 0 topk(1, a)
  a{x=\"1\"} 1

eval instant at 30s rate(a[30s])
  expect info regex: PromQL info: metric might not be a counter.*
  {x=\"1\"} 0.1
  {x=\"2\"} 0.1

eval instant at 30s a + on () a
  expect fail regex: found duplicate series .*

eval_fail instant at 30s topk(NaN, a)
  expected_fail_message Parameter value is NaN

clear
eval instant at 30s a
";
    for verdict in verdicts(script) {
        assert!(verdict.ends_with(" passed"), "{verdict}");
    }
}

#[test]
fn what_differs_fails_and_says_how() {
    let load = "load 10s\n  a{x=\"1\"} 1 2\n  b_total 1 2\n\n";
    for (eval, reason) in [
        ("eval instant at 10s a\n  a{x=\"1\"} 3", r#"{__name__="a", x="1"}: expected 3, got 2"#),
        ("eval instant at 10s a", r#"not expected: {__name__="a", x="1"} 2"#),
        (
            "eval instant at 10s a\n  a{x=\"1\"} 2\n  a{x=\"2\"} 2",
            r#"missing: {__name__="a", x="2"}"#,
        ),
        ("eval instant at 10s 1\n  2", "expected 2, got 1"),
        ("eval instant at 10s 1\n  {} 1", "expected series, got a scalar"),
        ("eval instant at 10s \"a\"\n  expect string \"b\"", r#"expected "b", got "a""#),
        (
            "eval instant at 10s a[10s]\n  a{x=\"1\"} 2",
            "got a range vector; write `expect range vector`",
        ),
        (
            "eval range from 0 to 10s step 10s a\n  a{x=\"1\"} 1",
            "{__name__=\"a\", x=\"1\"}: expected 1@0\n  got 1@0 2@10000",
        ),
        ("eval instant at 10s a\n  expect fail\n  a{x=\"1\"} 2", "expected an error, got none"),
        (
            "eval instant at 10s topk(NaN, a)\n  expect fail msg: no",
            "expected the error no, got Parameter value is NaN",
        ),
        ("eval instant at 10s topk(NaN, a)", "Parameter value is NaN"),
        (
            "eval instant at 10s b_total\n  expect warn\n  b_total 2",
            "expected the warning of any words, got []",
        ),
        (
            "eval instant at 10s quantile(2, a)\n  expect no_warn\n  {} Inf",
            "expected no warning, got PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)",
        ),
        (
            "eval instant at 10s sort(a or b_total)\n  expect ordered\n  b_total 2\n  a{x=\"1\"} 2",
            r#"{__name__="a", x="1"} is expected at position 2, but is at 1"#,
        ),
    ] {
        assert_eq!(verdicts(&format!("{load}{eval}")), [format!("5 failed: {reason}")]);
    }
    let verdict = verdicts(&format!("{load}eval instant at 10s a +\n\neval instant at 10s 1\n  1"));
    assert_eq!(verdict.len(), 2);
    assert!(verdict[0].starts_with("5 not parsed: "), "{verdict:?}");
    assert_eq!(verdict[1], "7 passed");
}

#[test]
fn mistakes_of_a_script_have_their_place() {
    for (script, place, message) in [
        ("lode 5m", "lode 5m", "unknown command: expected `load`, `eval` or `clear`"),
        ("clear\n  eval soon 1", "eval soon 1", "expected `instant at TIME` or"),
        ("eval instant 5m 1", "eval instant 5m 1", "expected `at` and a time, found \"5m\""),
        ("eval instant at 5m", "eval instant at 5m", "the expression is missing"),
        (
            "eval range from 5m to 0 step 1m a",
            "eval range from 5m to 0 step 1m a",
            "the end lies before",
        ),
        ("eval range from 0 to 0 step 0 a", "eval range from 0 to 0 step 0 a", "the step is zero"),
        ("load x\n  a 1", "load x", "not a valid duration"),
        ("load 1m\n  a 1 zwei", "zwei", ""),
        ("eval instant at 0 a\n  expect luck", "expect luck", "unknown expectation `luck`"),
        ("eval instant at 0 a\n  expect fail because", "expect fail because", "expected `msg:` or"),
        (
            "eval instant at 0 a\n  expect info\n  expect no_info",
            "expect no_info",
            "remarks are expected",
        ),
        ("eval instant at 0 a\n  a 1 2", "a 1 2", "an instant query gives one value"),
        ("load 1m\n  a@st -1m\n  b 1", "a@st -1m", "the next line must have the same series"),
        ("load 1m\n  a@st -1m", "a@st -1m", "the line with the samples is missing"),
    ] {
        let (found, at) = mistake(script);
        assert!(found.contains(message), "{script:?}: {found}");
        assert!(at.starts_with(place) || place.starts_with(at), "{script:?}: {at:?}");
    }
    let (message, at) = mistake("load 1m\n  a 1 2\n\nload 30s\n  a 1 2 3");
    assert_eq!(
        (message.as_str(), at),
        ("sample 1: the series already has a later sample", "a 1 2 3")
    );
}

#[test]
fn counts_may_begin_at_a_time() {
    // The first sample of the range began at zero inside of it: all five are counted, and no more.
    let script = "\
load 1m
  c_total@st _ -30s -1m30s
  c_total    1 5 7

eval instant at 2m increase(c_total[2m])
  {} 7

eval instant at 2m start_timestamp(c_total)
  {} 30
";
    assert_eq!(verdicts(script), ["5 passed", "8 passed"]);
}

#[test]
fn classic_histograms_are_loaded_as_native_ones_besides() {
    let script = "\
load_with_nhcb 1m
  h_bucket{le=\"1\"}    1 2
  h_bucket{le=\"5\"}    1 4
  h_bucket{le=\"+Inf\"} 3 7
  h_sum                9 20
  h_count              3 7

eval instant at 1m h
  h {{schema:-53 sum:20 count:7 custom_values:[1 5] buckets:[2 2 3]}}

eval instant at 1m h_count
  h_count 7
";
    assert_eq!(verdicts(script), ["8 passed", "11 passed"]);
    let falling = "load_with_nhcb 1m\n  h_bucket{le=\"1\"} 2\n  h_bucket{le=\"5\"} 1";
    let (message, at) = mistake(falling);
    assert_eq!(
        (message.contains("the counts of its buckets fall"), at),
        (true, "load_with_nhcb 1m")
    );
}
