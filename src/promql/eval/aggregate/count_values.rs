//! `count_values`: how many series have each value, the value as a label.

use std::collections::HashMap;

use crate::model::LabelSet;
use crate::model::label::{METRIC_NAME, Quoted};
use crate::promql::Grouping;
use crate::promql::eval::EvalError;
use crate::promql::eval::aggregate::{Site, group_labels};
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::steps::{Output, Steps};
use crate::promql::eval::value::{Series, StepSample};
use crate::promql::series::SampleValue;

pub(super) fn apply(
    ev: &Evaluator<'_>,
    site: &Site<'_>,
    label: &str,
    series: &[Series],
) -> Result<Vec<Series>, EvalError> {
    if label.is_empty() {
        let message = format!("invalid label name {}", Quoted(label));
        return Err(EvalError::new(site.param(), message));
    }
    let grouping = match &site.aggregate.grouping {
        Grouping::By(names) => {
            let names = names.iter().cloned().chain([label.to_string()]);
            Grouping::By(names.collect())
        }
        without @ Grouping::Without(_) => without.clone(),
    };
    let mut steps = Steps::new(series);
    let late = ev.options.delayed_name_removal;
    let mut output = Output::new(site.times.is_instant(), late, site.span);
    for at in site.times.iter() {
        let mut places: HashMap<LabelSet, usize> = HashMap::new();
        let mut counts: Vec<(LabelSet, bool, u32)> = Vec::new();
        for sample in steps.samples(at) {
            let mut builder = sample.labels.to_builder();
            builder.set(label, text(&sample.value));
            let labels = group_labels(&builder.build(), &grouping);
            let drop_name = sample.drop_name && labels.get(METRIC_NAME).is_some();
            let place = *places.entry(labels).or_insert_with_key(|labels| {
                counts.push((labels.clone(), false, 0));
                counts.len() - 1
            });
            if let Some((_, drops, count)) = counts.get_mut(place) {
                *drops |= drop_name;
                *count += 1;
            }
        }
        for (labels, drop_name, count) in counts {
            let value = SampleValue::Float(f64::from(count));
            output.push(at, StepSample { labels, drop_name, value })?;
        }
    }
    output.finish()
}

/// A value as Go's `%f` with the shortest digits writes it.
fn text(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(value) if *value == f64::INFINITY => "+Inf".to_string(),
        SampleValue::Float(value) if *value == f64::NEG_INFINITY => "-Inf".to_string(),
        SampleValue::Float(value) => value.to_string(),
        SampleValue::Histogram(histogram) => histogram.to_string(),
    }
}
