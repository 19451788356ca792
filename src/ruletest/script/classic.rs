//! Classic histograms as native ones with custom buckets, for `load_with_nhcb`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::LabelSet;
use crate::model::histogram::{BucketCount, CUSTOM_BUCKETS_SCHEMA, FloatHistogram};
use crate::model::label::METRIC_NAME;
use crate::promql::series::SampleValue;
use crate::ruletest::script::command::LoadedSeries;

/// The label that holds the upper bound of a classic bucket.
const BUCKET_LABEL: &str = "le";

/// What is known of a histogram at one time.
#[derive(Default)]
struct Classic {
    /// Upper bounds and cumulative counts.
    buckets: Vec<(f64, f64)>,
    count: Option<f64>,
    sum: f64,
}

/// Histograms by their labels and by the index of the sample.
pub(super) type Converted = BTreeMap<LabelSet, BTreeMap<usize, SampleValue>>;

/// The native histograms that the classic ones among the series make.
///
/// # Errors
/// Where the counts of a histogram fall from one bucket to the next.
pub(super) fn converted(series: &[LoadedSeries]) -> Result<Converted, String> {
    let mut found: BTreeMap<LabelSet, BTreeMap<usize, Classic>> = BTreeMap::new();
    for one in series {
        let name = one.labels.value(METRIC_NAME);
        let parts = ["_bucket", "_count", "_sum"];
        let part = parts.into_iter().find(|end| name.ends_with(end));
        let Some((part, base)) = part.and_then(|end| Some((end, name.strip_suffix(end)?))) else {
            continue;
        };
        let bound = one.labels.value(BUCKET_LABEL).parse::<f64>().ok().filter(|le| !le.is_nan());
        if part == "_bucket" && bound.is_none() {
            continue;
        }
        let mut labels = one.labels.without(BUCKET_LABEL).to_builder();
        labels.set(METRIC_NAME, base);
        let histograms = found.entry(labels.build()).or_default();
        for (index, value) in one.values.iter().enumerate() {
            let Some(value) = value.as_ref().and_then(|value| value.value.float()) else {
                continue;
            };
            let classic = histograms.entry(index).or_default();
            match (part, bound) {
                ("_bucket", Some(bound)) => classic.buckets.push((bound, value)),
                ("_count", _) => classic.count = Some(value),
                _ => classic.sum = value,
            }
        }
    }
    let native = found.into_iter().map(|(labels, histograms)| {
        let native = histograms.into_iter().map(|(index, classic)| {
            let histogram = native(classic).map_err(|reason| format!("{labels}: {reason}"))?;
            Ok((index, SampleValue::Histogram(Arc::new(histogram))))
        });
        let native = native.collect::<Result<_, String>>()?;
        Ok((labels, native))
    });
    native.collect()
}

fn native(mut classic: Classic) -> Result<FloatHistogram, &'static str> {
    classic.buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let last = classic.buckets.last().map_or(0.0, |(_, count)| *count);
    let count = classic.count.unwrap_or(last);
    classic.buckets.retain(|(bound, _)| *bound != f64::INFINITY);
    let bounds: Vec<f64> = classic.buckets.iter().map(|(bound, _)| *bound).collect();
    let cumulative = classic.buckets.iter().map(|(_, count)| *count).chain([count]);
    let mut positive = Vec::new();
    let mut below = 0.0;
    for (index, cumulative) in (0..).zip(cumulative) {
        let own = cumulative - below;
        if own < 0.0 {
            return Err("the counts of its buckets fall");
        }
        if own > 0.0 {
            positive.push(BucketCount { index, count: own });
        }
        below = cumulative;
    }
    Ok(FloatHistogram {
        schema: CUSTOM_BUCKETS_SCHEMA,
        count,
        sum: classic.sum,
        positive,
        custom_values: bounds.into(),
        ..FloatHistogram::default()
    })
}
