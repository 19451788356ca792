//! What is known of labels, expression by expression.

use super::{Has, flow};
use crate::promql::parse;

/// `+` always, `~` expected, `?` maybe, `-` never with the text that removed it.
fn known(text: &str, label: &str) -> String {
    let labels = flow(&parse(text).unwrap(), &|_, _| None);
    match labels.has(label) {
        Has::Always => "+".to_string(),
        Has::Expected => "~".to_string(),
        Has::Maybe => "?".to_string(),
        Has::Never(removal) => format!("- {}", text.get(removal.span.range()).unwrap()),
    }
}

#[track_caller]
fn holds(cases: &[(&str, &str, &str)]) {
    for (text, label, expected) in cases {
        assert_eq!(known(text, label), *expected, "{label} of {text}");
    }
}

#[test]
fn matchers_say_what_series_have() {
    holds(&[
        ("up", "job", "~"),
        ("up", "instance", "~"),
        ("up", "pod", "?"),
        ("up", "__name__", "+"),
        ("job:up:sum", "job", "?"),
        (r#"up{pod="x"}"#, "pod", "+"),
        (r#"up{pod!=""}"#, "pod", "+"),
        (r#"up{pod=~".+"}"#, "pod", "+"),
        (r#"up{pod=~"a|b"}"#, "pod", "+"),
        (r#"up{pod=~"a|"}"#, "pod", "~"),
        (r#"up{pod=~".*"}"#, "pod", "~"),
        (r#"up{pod!="x"}"#, "pod", "~"),
        (r#"up{pod=""}"#, "pod", r#"- pod="""#),
        (r#"rate(up{pod="x"}[5m])"#, "pod", "+"),
        ("rate(up[5m])", "__name__", "- rate"),
        ("last_over_time(up[5m])", "__name__", "+"),
        ("-up", "__name__", "- -up"),
    ]);
}

#[test]
fn aggregations_leave_what_they_say() {
    holds(&[
        ("sum(up)", "job", "- sum"),
        ("sum by (job) (up)", "job", "~"),
        (r#"sum by (job) (up{job="x"})"#, "job", "+"),
        ("sum by (pod) (up)", "pod", "~"),
        ("sum by (job) (up)", "pod", "- sum"),
        ("sum(up) by (job)", "pod", "- sum"),
        ("max without (pod) (up)", "pod", "- max"),
        ("max without (pod) (up)", "node", "?"),
        ("topk(3, up)", "pod", "?"),
        ("topk(3, up)", "__name__", "+"),
        (r#"count_values("version", up)"#, "version", "+"),
        (r#"count_values("version", up)"#, "job", "- count_values"),
        ("max(sum by (pod) (up)) by (pod, node)", "node", "- sum"),
        ("avg_over_time(sum by (job) (up)[5m:])", "pod", "- sum"),
    ]);
}

#[test]
fn functions_add_and_remove() {
    holds(&[
        (r#"absent(up{job="x", pod=~"a.*"})"#, "job", "+"),
        (r#"absent(up{job="x", pod=~"a.*"})"#, "pod", "- absent"),
        (r#"absent(up{job="x", job="y"})"#, "job", "- absent"),
        (r#"absent((up{job="x"}))"#, "job", "+"),
        (r#"absent(sum(up{job="x"}))"#, "job", "- absent"),
        (r#"absent_over_time(up{job="x"}[5m])"#, "job", "+"),
        ("vector(1)", "job", "- vector"),
        ("hour()", "job", "- hour"),
        ("hour(up)", "job", "~"),
        ("time() - up", "job", "~"),
        ("up * scalar(sum(up))", "pod", "?"),
        ("histogram_quantile(0.9, sum by (le, job) (rate(a_bucket[5m])))", "job", "~"),
        ("histogram_quantile(0.9, rate(a_bucket[5m]))", "le", "- histogram_quantile"),
        (r#"label_replace(sum(up), "x", "$1", "y", "(a.*)")"#, "x", "~"),
        (r#"label_replace(sum(up), "x", "const", "y", ".*")"#, "x", "+"),
        (r#"label_replace(up, "x", "", "y", ".*")"#, "x", "- label_replace"),
        (r#"label_join(sum(up), "x", "-", "a", "b")"#, "x", "~"),
        ("info(sum(up))", "x", "?"),
    ]);
}

#[test]
fn operators_match_labels() {
    holds(&[
        ("up + 1", "pod", "?"),
        ("up > 1", "__name__", "+"),
        ("up > bool 1", "__name__", "- >"),
        // Series only match where all labels agree: what one side lacks, the result lacks.
        ("up / sum by (job) (up)", "pod", "- sum"),
        ("up / on (job) up", "pod", "- /"),
        ("up / on (job) up", "job", "~"),
        ("up / ignoring (pod) up", "pod", "- /"),
        ("up / ignoring (pod) up", "node", "?"),
        ("up * on (job) group_left (team) owner", "pod", "?"),
        ("up * on (job) group_left (team) owner", "team", "~"),
        ("up * on (job) group_left (team) sum by (job) (owner)", "team", "- sum"),
        ("sum by (job) (up) * on (job) group_right up", "pod", "?"),
        ("up and on (job) sum by (job) (x)", "pod", "?"),
        ("up and sum by (job) (x)", "pod", "- sum"),
        ("up unless sum(x)", "pod", "?"),
        (r#"up{pod="x"} or up{pod="y"}"#, "pod", "+"),
        (r#"up{pod="x"} or sum(up)"#, "pod", "?"),
        ("sum(up) or sum(x)", "pod", "- sum"),
        ("vector(1) > 0", "pod", "- vector"),
    ]);
}

#[test]
fn what_is_known_of_recorded_series_goes_first() {
    let recorded = flow(&parse("sum by (job) (up)").unwrap(), &|_, _| None);
    let labels = flow(&parse("job:up:sum > 1").unwrap(), &|selector, _| {
        (selector.metric_name() == Some("job:up:sum")).then(|| recorded.clone())
    });
    assert_eq!(labels.has("job"), Has::Expected);
    assert!(labels.has("pod").removal().is_some());
    assert_eq!(labels.likely().collect::<Vec<_>>(), ["job"]);
    assert!(!labels.is_open());
}
