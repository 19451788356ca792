//! From series to one step, and from the results of steps back to series.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::diag::Span;
use crate::model::LabelSet;
use crate::promql::eval::EvalError;
use crate::promql::eval::names::has_same_labels;
use crate::promql::eval::value::{Series, StepSample};
use crate::promql::series::SampleValue;

/// Reads series step by step, for times that rise.
pub(in crate::promql) struct Steps<'s> {
    series: &'s [Series],
    /// How many floats and histograms of each series have been passed.
    passed: Vec<(usize, usize)>,
}

impl<'s> Steps<'s> {
    pub fn new(series: &'s [Series]) -> Self {
        Self { series, passed: vec![(0, 0); series.len()] }
    }

    /// The numbers and values of the series that have one at a time.
    pub fn at(&mut self, at: i64) -> impl Iterator<Item = (usize, &'s Series, SampleValue)> {
        let each = self.series.iter().zip(&mut self.passed).enumerate();
        each.filter_map(move |(index, (series, (floats, histograms)))| {
            if let Some(point) = series.floats.get(*floats).filter(|point| point.at == at) {
                *floats += 1;
                return Some((index, series, SampleValue::Float(point.value)));
            }
            let point = series.histograms.get(*histograms).filter(|point| point.at == at)?;
            *histograms += 1;
            Some((index, series, SampleValue::Histogram(point.histogram.clone())))
        })
    }

    /// The samples at a time.
    pub fn samples(&mut self, at: i64) -> Vec<StepSample> {
        let sample = |(_, series, value): (usize, &Series, SampleValue)| StepSample {
            labels: series.labels.clone(),
            drop_name: series.drop_name,
            value,
        };
        self.at(at).map(sample).collect()
    }
}

/// Collects the samples of steps to series. At a single step the order stays as it is.
pub(in crate::promql) struct Output {
    series: Vec<Series>,
    places: HashMap<LabelSet, usize>,
    /// At a single step, whether equal labels are looked for at the end.
    single: Option<bool>,
    span: Span,
}

impl Output {
    /// For one step (`single`) or several. Where names are removed late, one step may have samples
    /// with the same labels that differ in whether the name is to go.
    pub fn new(single: bool, late_names: bool, span: Span) -> Self {
        let single = single.then_some(!late_names);
        Self { series: Vec::new(), places: HashMap::new(), single, span }
    }

    /// The place of the series with these labels.
    pub fn place(&mut self, labels: &LabelSet, drop_name: bool) -> usize {
        let next = self.series.len();
        if self.single.is_none() {
            match self.places.entry(labels.clone()) {
                Entry::Occupied(place) => return *place.get(),
                Entry::Vacant(place) => drop(place.insert(next)),
            }
        }
        self.series.push(Series::new(labels.clone(), drop_name));
        next
    }

    /// Adds a sample at a place.
    ///
    /// # Errors
    /// When there is one at this time.
    pub fn push_at(&mut self, place: usize, at: i64, value: SampleValue) -> Result<(), EvalError> {
        let Some(series) = self.series.get_mut(place) else { return Ok(()) };
        let float = series.floats.last().map(|point| point.at);
        if float.max(series.histograms.last().map(|point| point.at)) == Some(at) {
            return Err(EvalError::same_labels(self.span));
        }
        series.push(at, value);
        Ok(())
    }

    /// Adds a sample to the series with its labels.
    ///
    /// # Errors
    /// When that has one at this time.
    pub fn push(&mut self, at: i64, sample: StepSample) -> Result<(), EvalError> {
        let place = self.place(&sample.labels, sample.drop_name);
        self.push_at(place, at, sample.value)
    }

    /// The series.
    ///
    /// # Errors
    /// When two samples of a single step have the same labels.
    pub fn finish(self) -> Result<Vec<Series>, EvalError> {
        if self.single == Some(true) && has_same_labels(&self.series) {
            return Err(EvalError::same_labels(self.span));
        }
        Ok(self.series)
    }
}
