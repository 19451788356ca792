//! The commands of a script.

use std::time::Duration;

use regex::Regex;

use crate::diag::Span;
use crate::model::{LabelSet, Timestamp};
use crate::promql::series::notation::SequenceValue;
use crate::ruletest::script::starts::Starts;

/// A command.
#[derive(Debug)]
pub(super) enum Command {
    /// Forgets all samples.
    Clear,
    Load(Load),
    Eval(Box<Eval>),
}

/// Samples at every `step` from the beginning of 1970 on.
#[derive(Debug)]
pub(super) struct Load {
    pub step: Duration,
    /// Classic histograms are also loaded as native ones with custom buckets.
    pub with_custom_buckets: bool,
    pub series: Vec<LoadedSeries>,
    /// The place of the command.
    pub span: Span,
}

#[derive(Debug)]
pub(super) struct LoadedSeries {
    pub labels: LabelSet,
    pub values: Vec<Option<SequenceValue>>,
    /// For each value when its counting began.
    pub starts: Starts,
    /// The place of the line.
    pub span: Span,
}

/// An expression and what is expected of it.
#[derive(Debug)]
pub(super) struct Eval {
    /// From 1.
    pub line: usize,
    pub expression: String,
    pub times: EvalTimes,
    pub expected: Expected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EvalTimes {
    At(Timestamp),
    Range { start: Timestamp, end: Timestamp, step: Duration },
}

/// All that is expected of an evaluation.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// The order of an instant vector counts.
    pub ordered: bool,
    /// It fails, with this message.
    pub fail: Option<Words>,
    pub warn: Remarks,
    pub info: Remarks,
    pub value: ExpectedValue,
}

/// What is expected of the warnings or infos.
#[derive(Debug, Default)]
pub(super) enum Remarks {
    #[default]
    Whatever,
    None,
    /// Each of these is there, and nothing that none of these describes.
    Some(Vec<Words>),
}

/// A text that is expected.
#[derive(Debug)]
pub(super) enum Words {
    Any,
    Exactly(String),
    Matching(Regex),
}

impl Words {
    pub fn describe(&self, text: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(words) => words == text,
            Self::Matching(regex) => regex.is_match(text),
        }
    }
}

/// The value that is expected.
#[derive(Debug)]
pub(super) enum ExpectedValue {
    Scalar(f64),
    String(String),
    /// Samples of series, in order; at the times of the evaluation, or of a range vector.
    Series {
        series: Vec<ExpectedSeries>,
        range: Option<(Timestamp, Timestamp, Duration)>,
    },
}

impl Default for ExpectedValue {
    fn default() -> Self {
        Self::Series { series: Vec::new(), range: None }
    }
}

#[derive(Debug)]
pub(super) struct ExpectedSeries {
    pub labels: LabelSet,
    pub values: Vec<Option<SequenceValue>>,
}
