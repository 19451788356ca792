//! What the store takes and finds.

use crate::model::{FloatHistogram, HistogramError, LabelSet, Timestamp};
use crate::promql::series::{AppendError, SampleValue, SeriesStore, is_stale, stale_marker};
use crate::promql::{ExprKind, VectorSelector, parse};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

fn selector(text: &str) -> VectorSelector {
    match parse(text).unwrap().kind {
        ExprKind::VectorSelector(selector) => *selector,
        other => panic!("{other:?}"),
    }
}

#[test]
fn samples_are_kept_in_order_and_once() {
    let mut store = SeriesStore::new();
    let labels = LabelSet::from([("__name__", "up")]);
    store.append(&labels, at(10), SampleValue::Float(1.0)).unwrap();
    let late = store.append(&labels, at(9), SampleValue::Float(1.0));
    assert_eq!(late, Err(AppendError::OutOfOrder));
    let other = store.append(&labels, at(10), SampleValue::Float(2.0));
    assert_eq!(other, Err(AppendError::Duplicate));
    store.append(&labels, at(10), SampleValue::Float(1.0)).unwrap();
    store.append(&labels, at(11), SampleValue::Float(stale_marker())).unwrap();
    let id = store.series(&labels);
    store.append_to(id, at(12), SampleValue::Float(f64::NAN), Some(at(5))).unwrap();
    store.append_to(id, at(12), SampleValue::Float(f64::NAN), None).unwrap();
    let up = selector("up");
    let found: Vec<_> = store.select(&up).collect();
    let [only] = found[..] else { panic!("{found:?}") };
    assert_eq!(only.labels, &labels);
    assert_eq!(only.series.floats().len(), 3);
    assert!(only.series.has_ends() && !is_stale(f64::NAN));
    assert_eq!(only.series.float_starts(), [0, 0, 5000]);
}

#[test]
fn histograms_that_make_no_sense_are_refused() {
    let mut store = SeriesStore::new();
    let labels = LabelSet::from([("__name__", "h")]);
    let bad = FloatHistogram { count: -1.0, ..FloatHistogram::default() };
    let refused = store.append(&labels, at(0), SampleValue::Histogram(bad.into()));
    let reason = HistogramError::NegativeCount { what: "count", count: -1.0 };
    assert_eq!(refused, Err(AppendError::Invalid(reason)));
    // Nothing is there at this time.
    let good = SampleValue::Histogram(FloatHistogram::default().into());
    assert_eq!(store.append(&labels, at(0), good), Ok(()));
}

#[test]
fn series_are_found_by_name_and_by_matchers() {
    let mut store = SeriesStore::new();
    for (name, job) in [("up", "a"), ("up", "b"), ("down", "a"), ("", "a")] {
        let labels = LabelSet::from([("__name__", name), ("job", job)]);
        store.append(&labels, at(0), SampleValue::Float(0.0)).unwrap();
    }
    let found = |text: &str| {
        let selector = selector(text);
        let labels = store.select(&selector).map(|s| s.labels.to_string());
        labels.collect::<Vec<_>>().join(" ")
    };
    let up_a = "{__name__=\"up\", job=\"a\"}";
    assert_eq!(found("up"), format!("{up_a} {{__name__=\"up\", job=\"b\"}}"));
    assert_eq!(found("up{job!=\"b\"}"), up_a);
    assert_eq!(found("{__name__=\"up\", job=\"a\"}"), up_a);
    assert_eq!(found("{__name__=\"up\", __name__!~\"u.*\"}"), "");
    assert_eq!(
        found("{job=\"a\", __name__!=\"up\"}"),
        "{__name__=\"down\", job=\"a\"} {job=\"a\"}"
    );
    assert_eq!(found("missing"), "");
}
