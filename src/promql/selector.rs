//! What picks series.

use crate::diag::Span;
use crate::model::label::METRIC_NAME;
use crate::model::{LabelSet, MatchOp, Matcher};
use crate::promql::expr::At;

/// A matcher and its place.
#[derive(Clone, Debug)]
pub struct LabelMatcher {
    /// The test.
    pub matcher: Matcher,
    /// From the label's name to the end of the value.
    pub span: Span,
}

/// Picks series by name and labels, and the time at which they are looked at.
#[derive(Clone, Debug)]
pub struct VectorSelector {
    /// The metric's name where it is written as such: `up`, `up{…}` or `{"up", …}`.
    pub name: Option<String>,
    /// The matchers in braces in source order, a quoted name not among them.
    pub matchers: Vec<LabelMatcher>,
    /// How far to look back, in milliseconds; negative looks ahead.
    pub offset_ms: i64,
    /// The time to look at instead of the evaluation's.
    pub at: Option<At>,
}

impl VectorSelector {
    /// Whether a series passes the name and every matcher.
    pub fn matches(&self, labels: &LabelSet) -> bool {
        self.name.as_deref().is_none_or(|name| labels.value(METRIC_NAME) == name)
            && self.matchers.iter().all(|m| m.matcher.matches(labels))
    }

    /// The one name that the selected series have: the written one, or that of an equality
    /// matcher on `__name__`.
    pub fn metric_name(&self) -> Option<&str> {
        self.name.as_deref().or_else(|| {
            self.matchers_of(METRIC_NAME).find(|m| m.op() == MatchOp::Equal).map(Matcher::value)
        })
    }

    /// The matchers on one label.
    pub fn matchers_of<'a>(&'a self, label: &'a str) -> impl Iterator<Item = &'a Matcher> + 'a {
        self.matchers.iter().map(|m| &m.matcher).filter(move |m| m.name() == label)
    }

    /// Equality apart from places.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        (&self.name, self.offset_ms, self.at) == (&other.name, other.offset_ms, other.at)
            && self.matchers.len() == other.matchers.len()
            && self.matchers.iter().zip(&other.matchers).all(|(a, b)| a.matcher == b.matcher)
    }
}
