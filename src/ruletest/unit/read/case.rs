//! One entry of `tests`.

use std::time::Duration;

use crate::diag::{Diagnostic, Span};
use crate::model::label::ALERT_NAME;
use crate::model::{LabelSet, Timestamp};
use crate::promql::series::SampleValue;
use crate::promql::series::notation::{SequenceValue, parse_series, parse_values};
use crate::ruletest::unit::read::{interval, notification};
use crate::ruletest::unit::{
    AlertTest, Case, ExpectedAlert, ExpectedSample, ExprTest, InputSeries,
};
use crate::yaml::{Fields, Node, Reader, Scalar};

/// Reads a test. Its samples are `default` apart where it says nothing.
pub(super) fn read(reader: &mut Reader, mut fields: Fields<'_>, default: Duration) -> Case {
    let span = head(reader, &fields);
    let name = fields.string(reader, "name").unwrap_or_default().to_string();
    let interval = interval(reader, &mut fields, "interval").unwrap_or(default);
    let start = fields.get("start_timestamp").and_then(|node| timestamp(reader, node));
    let external_labels = labels(reader, &mut fields, "external_labels");
    let external_url = fields.string(reader, "external_url").unwrap_or_default().to_string();
    let input_series = items(reader, &mut fields, "input_series", series);
    let alerts = items(reader, &mut fields, "alert_rule_test", alert_test);
    let exprs = items(reader, &mut fields, "promql_expr_test", expr_test);
    let silences = items(reader, &mut fields, "silences", notification::silence);
    let notifications = items(reader, &mut fields, "notification_test", notification::test);
    fields.finish(reader);
    Case {
        name,
        span,
        interval,
        start: start.unwrap_or_default(),
        external_labels,
        external_url,
        input_series,
        silences,
        alerts,
        exprs,
        notifications,
    }
}

/// The first line of a mapping: where a whole entry is pointed at.
pub(super) fn head(reader: &Reader, fields: &Fields<'_>) -> Span {
    let span = fields.span();
    let text = reader.source().text().get(span.range()).unwrap_or_default();
    let len = text.lines().next().unwrap_or_default().trim_end().len();
    Span::new(span.start, span.start + len)
}

/// The items of a list, each read by `one`. Those with mistakes are left out.
pub(super) fn items<T>(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    one: impl Fn(&mut Reader, Fields<'_>) -> Option<T>,
) -> Vec<T> {
    let what = format!("an item of `{key}`");
    let items = fields.list(reader, key).unwrap_or_default().iter();
    items
        .filter_map(|node| {
            let fields = reader.mapping(node, &what)?;
            one(reader, fields)
        })
        .collect()
}

/// Labels or annotations as they are written; those with an empty value are none.
pub(super) fn labels(reader: &mut Reader, fields: &mut Fields<'_>, key: &'static str) -> LabelSet {
    let pairs = fields.string_map(reader, key).unwrap_or_default();
    let text = |node: &Node| {
        node.as_scalar().map_or("", |s| if s.is_null() { "" } else { s.text() }).to_string()
    };
    pairs.into_iter().map(|(name, value)| (name.text().to_string(), text(value))).collect()
}

/// The time of a check; the test's start where it is not said.
pub(super) fn eval_time(reader: &mut Reader, fields: &mut Fields<'_>) -> Duration {
    fields.duration(reader, "eval_time").unwrap_or_default()
}

fn timestamp(reader: &mut Reader, node: &Node) -> Option<Timestamp> {
    let text = reader.string(node, "`start_timestamp`")?;
    match text.parse() {
        Ok(at) => Some(at),
        Err(_) => {
            let reason = "expected seconds since 1970, or a time such as 2026-05-04T10:00:00Z";
            reader.wrong_value(node, "`start_timestamp`", reason);
            None
        }
    }
}

fn series(reader: &mut Reader, mut fields: Fields<'_>) -> Option<InputSeries> {
    let metric = fields.require(reader, "series").and_then(|node| metric(reader, node, "`series`"));
    let values = match fields.get("values") {
        Some(node) => values(reader, node, "`values`"),
        None => Some(Vec::new()),
    };
    fields.finish(reader);
    let values = values?.into_iter().map(|value| value.map(|value| value.value));
    Some(InputSeries { labels: metric?, values: values.collect() })
}

/// A metric such as `up{job="a"}`.
fn metric(reader: &mut Reader, node: &Node, what: &str) -> Option<LabelSet> {
    let scalar = reader.scalar(node, what)?;
    match parse_series(scalar.text()) {
        Ok(labels) => Some(labels),
        Err(error) => {
            refuse(reader, "test/series", scalar, error.span, error.message, error.help);
            None
        }
    }
}

/// Samples in promtool's notation.
fn values(reader: &mut Reader, node: &Node, what: &str) -> Option<Vec<Option<SequenceValue>>> {
    let scalar = reader.scalar(node, what)?;
    match parse_values(scalar.text()) {
        Ok(values) => Some(values),
        Err(error) => {
            refuse(reader, "test/values", scalar, error.span, error.message, error.help);
            None
        }
    }
}

/// Notes a mistake at a place inside a scalar's text.
fn refuse(
    reader: &mut Reader,
    id: &'static str,
    scalar: &Scalar,
    span: Span,
    message: String,
    help: Option<String>,
) {
    let span = scalar.span_of(span, reader.source());
    let mut finding = Diagnostic::error(id, reader.source(), span, message);
    finding.help = help;
    reader.report(finding);
}

fn alert_test(reader: &mut Reader, mut fields: Fields<'_>) -> Option<AlertTest> {
    let span = head(reader, &fields);
    let eval_time = eval_time(reader, &mut fields);
    let alertname = fields.require_string(reader, "alertname").map(str::to_string);
    let expected = items(reader, &mut fields, "exp_alerts", |reader, mut fields| {
        let named = labels(reader, &mut fields, "exp_labels");
        let annotations = labels(reader, &mut fields, "exp_annotations");
        fields.finish(reader);
        Some(ExpectedAlert { labels: named, annotations })
    });
    fields.finish(reader);
    let alertname = alertname?;
    let named = expected.into_iter().map(|mut alert| {
        let mut labels = alert.labels.to_builder();
        labels.set(ALERT_NAME, &alertname);
        alert.labels = labels.build();
        alert
    });
    Some(AlertTest { span, eval_time, expected: named.collect(), alertname })
}

fn expr_test(reader: &mut Reader, mut fields: Fields<'_>) -> Option<ExprTest> {
    let node = fields.require(reader, "expr");
    let eval_time = eval_time(reader, &mut fields);
    let expected = items(reader, &mut fields, "exp_samples", sample);
    fields.finish(reader);
    let scalar = reader.scalar(node?, "`expr`")?;
    match crate::promql::parse(scalar.text()) {
        Ok(expr) => {
            let query = scalar.text().to_string();
            Some(ExprTest { span: scalar.span(), eval_time, expr, query, expected })
        }
        Err(error) => {
            refuse(reader, "promql/syntax", scalar, error.span, error.message, error.help);
            None
        }
    }
}

fn sample(reader: &mut Reader, mut fields: Fields<'_>) -> Option<ExpectedSample> {
    let labels = match fields.get("labels") {
        Some(node) => metric(reader, node, "`labels`"),
        None => Some(LabelSet::new()),
    };
    let value = fields.get("value").map(|node| number(reader, node));
    let histogram = fields.get("histogram").map(|node| histogram(reader, node));
    fields.finish(reader);
    // As in promtool: a histogram counts before a value, and no value is 0.
    let value = match (histogram, value) {
        (Some(histogram), _) => histogram?,
        (None, Some(value)) => plain(value?),
        (None, None) => plain(0.0),
    };
    Some(ExpectedSample { labels: labels?, value })
}

/// A number as YAML has it, `.inf` and `.nan`, or as Prometheus writes it.
fn number(reader: &mut Reader, node: &Node) -> Option<f64> {
    let text = node.as_scalar().map_or("", Scalar::text);
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    reader.float(node, "`value`")
}

fn plain(number: f64) -> SequenceValue {
    SequenceValue { value: SampleValue::Float(number), hint_given: false }
}

fn histogram(reader: &mut Reader, node: &Node) -> Option<SequenceValue> {
    let what = "`histogram`";
    let mut found = values(reader, node, what)?;
    match (found.pop().flatten(), found.is_empty()) {
        (Some(value), true) if value.value.histogram().is_some() => Some(value),
        _ => {
            reader.wrong_value(node, what, "expected one histogram, such as {{schema:0 count:1}}");
            None
        }
    }
}
