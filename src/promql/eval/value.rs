//! Results, and what parts of an expression hand on to one another.

use smallvec::SmallVec;

use crate::model::{LabelSet, Timestamp};
use crate::promql::series::{FloatPoint, HistogramPoint, SampleValue};

/// The result of an evaluation.
#[derive(Clone, Debug)]
pub enum Value {
    /// One number.
    Scalar(f64),
    /// A text.
    String(String),
    /// At most one sample per series. The order means something behind `sort`, `topk` and their like.
    Vector(Vec<VectorSample>),
    /// Samples of each series: of a range selector in an instant query, or of a range query, there
    /// in order of labels.
    Matrix(Vec<MatrixSeries>),
}

/// One sample of an instant vector.
#[derive(Clone, Debug)]
pub struct VectorSample {
    /// The series' labels.
    pub labels: LabelSet,
    /// The time of the evaluation.
    pub timestamp: Timestamp,
    /// The value.
    pub value: SampleValue,
}

/// The samples of one series, each kind in order of time.
#[derive(Clone, Debug)]
pub struct MatrixSeries {
    /// The series' labels.
    pub labels: LabelSet,
    /// The numbers.
    pub floats: Vec<FloatPoint>,
    /// The histograms.
    pub histograms: Vec<HistogramPoint>,
}

/// A series on its way through an expression. An instant query has one point of it.
#[derive(Clone, Debug)]
pub(in crate::promql) struct Series {
    pub labels: LabelSet,
    /// The name is no longer right and goes when the whole is evaluated (only where names are
    /// removed late).
    pub drop_name: bool,
    pub floats: SmallVec<[FloatPoint; 1]>,
    pub histograms: Vec<HistogramPoint>,
}

impl Series {
    pub fn new(labels: LabelSet, drop_name: bool) -> Self {
        Self { labels, drop_name, floats: SmallVec::new(), histograms: Vec::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.floats.is_empty() && self.histograms.is_empty()
    }

    pub fn push(&mut self, at: i64, value: SampleValue) {
        match value {
            SampleValue::Float(value) => self.floats.push(FloatPoint { at, value }),
            SampleValue::Histogram(histogram) => {
                self.histograms.push(HistogramPoint { at, histogram });
            }
        }
    }

    /// How many samples it counts for in limits.
    pub fn weight(&self) -> usize {
        let histograms = self.histograms.iter();
        let weights = histograms.map(|p| crate::promql::series::weight(&p.histogram));
        self.floats.len() + weights.sum::<usize>()
    }
}

/// The value of a part of an expression at all times of the evaluation.
#[derive(Clone, Debug)]
pub(in crate::promql) enum Evaluated {
    /// One number for each time.
    Scalar(SmallVec<[f64; 1]>),
    Vector(Vec<Series>),
    String(String),
}

impl Evaluated {
    /// How many samples it counts for in limits.
    pub fn weight(&self) -> usize {
        match self {
            Self::Scalar(numbers) => numbers.len(),
            Self::Vector(series) => series.iter().map(Series::weight).sum(),
            Self::String(_) => 0,
        }
    }
}

/// A sample on its way through one step of an expression.
#[derive(Clone, Debug)]
pub(in crate::promql) struct StepSample {
    pub labels: LabelSet,
    pub drop_name: bool,
    pub value: SampleValue,
}
