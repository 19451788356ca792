//! Schemas out of pages and files.

use super::{MAX_VALUES, Schema};
use crate::diag::Span;
use crate::model::LabelSet;
use crate::promql::flow::Has;
use crate::promql::parse;

const PAGE: &str = "\
# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{code=\"200\",path=\"a \\\"b\\\" {c}\"} 5 1700000000000
http_requests_total{code=\"500\"} 1e3 # {trace=\"x\"} 1

# TYPE latency histogram
latency_bucket{le=\"0.5\"} 1
latency_bucket{le=\"+Inf\"} 2
latency_sum 1.5
up +Inf
";

#[test]
fn a_page_gives_names_labels_values_and_types() {
    let schema = Schema::read(PAGE).unwrap();
    let requests = &schema.metrics["http_requests_total"];
    assert_eq!((requests.kind.as_deref(), requests.series), (Some("counter"), 2));
    let codes: Vec<&str> = requests.labels["code"].values.iter().map(String::as_str).collect();
    assert_eq!(codes, ["200", "500"]);
    assert!(requests.labels["path"].values.contains("a \"b\" {c}"));
    assert!(requests.labels["job"].more && requests.labels["job"].values.is_empty());
    assert_eq!(schema.metrics["latency_bucket"].kind.as_deref(), Some("histogram"));
    assert_eq!(schema.metrics["latency_sum"].kind.as_deref(), Some("histogram"));
    assert_eq!(schema.metrics["up"].kind, None);
}

#[test]
fn labels_are_known_exactly() {
    let schema = Schema::read(PAGE).unwrap();
    let expr = parse("http_requests_total").unwrap();
    let selector = expr.selectors().next().unwrap();
    let labels = schema.labels(selector, Span::new(0, 3)).unwrap();
    assert_eq!(labels.has("code"), Has::Always);
    assert_eq!(labels.has("path"), Has::Maybe);
    assert_eq!(labels.has("instance"), Has::Always);
    assert_eq!(labels.has("pod").removal().unwrap().span, Span::new(0, 3));
}

#[test]
fn a_schema_is_read_as_it_was_written() {
    let mut schema = Schema::read(PAGE).unwrap();
    schema.scrape_intervals.insert("api".to_string(), 15_000);
    let again = Schema::read(&schema.to_text().unwrap()).unwrap();
    assert_eq!(again, schema);
    schema.add(again);
    assert_eq!(schema.metrics["up"].series, 2);
    let many: Vec<LabelSet> =
        (0..=MAX_VALUES).map(|n| LabelSet::from([("id", n.to_string().as_str())])).collect();
    for labels in &many {
        schema.add_series("many", labels);
    }
    let id = &schema.metrics["many"].labels["id"];
    assert!(id.more && id.values.is_empty() && id.series == MAX_VALUES + 1);
}

#[test]
fn what_is_neither_is_refused_with_its_line() {
    for (text, expected) in [
        ("<html>\n", "line 1 is no line of a /metrics page: it has no value"),
        ("a 1\nb{c=\"d\" 1\n", "line 2 is no line of a /metrics page: a label has no value"),
        ("a{b=\"c} 1", "line 1 is no line of a /metrics page: a value is not closed"),
        ("a x", "line 1 is no line of a /metrics page: its value is no number"),
        ("", "no metrics are in it"),
        ("# only\n", "no metrics are in it"),
        ("{\"format\": \"other\", \"metrics\": {}}", "this schema has the format \"other\", which"),
        ("{\"format\": 1}", "this is no schema: "),
    ] {
        let error = Schema::read(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
}
