//! Remarks about an evaluation: what Prometheus returns as warnings and infos.

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::Span;
use crate::promql::eval::monotonicity::{Forced, ForcedMonotonicity};

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnnotationLevel {
    /// The result is most likely not what was meant, or lacks something.
    Warning,
    /// Worth knowing.
    Info,
}

/// A remark and its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Annotation {
    /// The place in the expression's text, in bytes.
    pub span: Span,
    /// How much it matters.
    pub level: AnnotationLevel,
    /// Prometheus' words, without level and place.
    pub message: String,
}

impl Annotation {
    /// The text that Prometheus returns: level, message, and line and column in the expression's
    /// text, the column in bytes.
    pub fn render(&self, text: &str) -> String {
        let level = match self.level {
            AnnotationLevel::Warning => "PromQL warning",
            AnnotationLevel::Info => "PromQL info",
        };
        let before = text.get(..self.span.start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1) + 1;
        format!("{level}: {} ({line}:{column})", self.message)
    }
}

/// The most different remarks that are kept; further ones are counted.
const MAX_ANNOTATIONS: usize = 1000;

/// The remarks of an evaluation, each once, in order of their places.
#[derive(Clone, Debug, Default)]
pub struct Annotations {
    found: BTreeSet<Annotation>,
    /// The one that was made last: most are made again for the next sample.
    last: Option<Annotation>,
    omitted: usize,
    /// What was remarked about counts that had to be forced to rise, by place and metric.
    forced: BTreeMap<(Span, String), ForcedMonotonicity>,
}

impl Annotations {
    /// The remarks in order of their places.
    pub fn iter(&self) -> impl Iterator<Item = &Annotation> {
        self.found.iter()
    }

    /// Those of one level.
    pub fn of(&self, level: AnnotationLevel) -> impl Iterator<Item = &Annotation> {
        self.iter().filter(move |annotation| annotation.level == level)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many were left out because there were too many.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// Notes a warning.
    pub(in crate::promql) fn warn(&mut self, span: Span, message: impl Into<String>) {
        self.add(Annotation { span, level: AnnotationLevel::Warning, message: message.into() });
    }

    /// Notes something worth knowing.
    pub(in crate::promql) fn info(&mut self, span: Span, message: impl Into<String>) {
        self.add(Annotation { span, level: AnnotationLevel::Info, message: message.into() });
    }

    /// Notes that the counts of a classic histogram did not rise at a time. There is one remark for
    /// all times and histograms of a metric.
    pub(in crate::promql) fn forced_monotonicity(
        &mut self,
        span: Span,
        metric: &str,
        at: i64,
        forced: Forced,
    ) {
        let level = AnnotationLevel::Info;
        let state = self.forced.entry((span, metric.to_string())).or_default();
        let before = Annotation { span, level, message: state.message(metric) };
        state.add(at, forced);
        let now = Annotation { span, level, message: state.message(metric) };
        self.found.remove(&before);
        self.add(now);
    }

    fn add(&mut self, annotation: Annotation) {
        if self.last.as_ref() == Some(&annotation) {
            return;
        }
        if self.found.len() < MAX_ANNOTATIONS {
            self.found.insert(annotation.clone());
        } else if !self.found.contains(&annotation) {
            self.omitted += 1;
        }
        self.last = Some(annotation);
    }
}
