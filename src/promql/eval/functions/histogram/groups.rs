//! Native histograms and classic buckets, told apart.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diag::Span;
use crate::model::label::METRIC_NAME;
use crate::model::{FloatHistogram, LabelSet};
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::functions::histogram::classic::ClassicBucket;
use crate::promql::eval::functions::histogram::words;
use crate::promql::eval::value::Series;
use crate::promql::series::SampleValue;

/// The label that holds the upper bound of a classic bucket.
const BUCKET_LABEL: &str = "le";

/// A classic histogram at one time.
pub(super) struct Group {
    /// The labels of its buckets without `le`.
    pub labels: LabelSet,
    /// Its buckets in the order of the series.
    pub buckets: Vec<ClassicBucket>,
}

/// A series of the vector.
struct Member<'s> {
    series: &'s Series,
    /// The bound in `le`.
    bound: Option<f64>,
    /// The classic histogram of which it is a bucket.
    group: usize,
    /// The classic histogram with exactly its labels.
    namesake: Option<usize>,
}

/// The histograms in a vector.
pub(super) struct Groups<'s> {
    members: Vec<Member<'s>>,
    groups: Vec<Group>,
    /// The series that have a native histogram at the time.
    natives: Vec<(usize, Arc<FloatHistogram>)>,
}

impl<'s> Groups<'s> {
    pub fn new(series: &'s [Series]) -> Self {
        let mut places: HashMap<LabelSet, usize> = HashMap::new();
        let mut groups = Vec::new();
        let mut members: Vec<Member<'s>> = Vec::with_capacity(series.len());
        for series in series {
            let labels = series.labels.without(BUCKET_LABEL);
            let group = *places.entry(labels).or_insert_with_key(|labels| {
                groups.push(Group { labels: labels.clone(), buckets: Vec::new() });
                groups.len() - 1
            });
            let bound = series.labels.value(BUCKET_LABEL).parse().ok();
            members.push(Member { series, bound, group, namesake: None });
        }
        for member in &mut members {
            member.namesake = places.get(&member.series.labels).copied();
        }
        Self { members, groups, natives: Vec::new() }
    }

    /// Takes in the samples of a time. A native histogram beside buckets with the same name and
    /// labels is ignored like them.
    pub fn fill(
        &mut self,
        samples: impl Iterator<Item = (usize, &'s Series, SampleValue)>,
        ev: &mut Evaluator<'_>,
        place: Span,
    ) {
        self.natives.clear();
        self.groups.iter_mut().for_each(|group| group.buckets.clear());
        let late = ev.options.delayed_name_removal;
        let metric = |series: &'s Series| match late {
            true => series.labels.value(METRIC_NAME),
            false => "",
        };
        for (index, series, value) in samples {
            let Some(member) = self.members.get(index) else { continue };
            match (value, member.bound) {
                (SampleValue::Histogram(histogram), _) => self.natives.push((index, histogram)),
                (SampleValue::Float(count), Some(upper)) => {
                    if let Some(group) = self.groups.get_mut(member.group) {
                        group.buckets.push(ClassicBucket { upper, count });
                    }
                }
                (SampleValue::Float(_), None) => {
                    let bound = series.labels.value(BUCKET_LABEL);
                    ev.notes.warn(place, words::bad_bucket_label(metric(series), bound));
                }
            }
        }
        let (members, groups) = (&self.members, &mut self.groups);
        self.natives.retain(|(index, _)| {
            let Some(member) = members.get(*index) else { return false };
            let namesake = member.namesake.and_then(|group| groups.get_mut(group));
            let Some(group) = namesake.filter(|group| !group.buckets.is_empty()) else {
                return true;
            };
            group.buckets.clear();
            ev.notes.warn(place, words::mixed_classic_native(metric(member.series)));
            false
        });
    }

    /// The native histograms of the time and their series.
    pub fn natives(&self) -> impl Iterator<Item = (&'s Series, &FloatHistogram)> {
        self.natives.iter().filter_map(|(index, histogram)| {
            Some((self.members.get(*index)?.series, histogram.as_ref()))
        })
    }

    /// The classic histograms of the time.
    pub fn classic(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(|group| !group.buckets.is_empty())
    }
}
