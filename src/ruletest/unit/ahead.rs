//! What rules will see, for many rounds at once.
//!
//! A rule that looks at nothing but the samples of its test, and never ahead, gives in each round what
//! it gives when its expression is evaluated for many rounds at once, as a range query is. That costs
//! a small part of evaluating it in each.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::model::{InstantVector, LabelSet, Timestamp};
use crate::promql::eval::{MatrixSeries, Options, Value, range};
use crate::promql::series::{SampleValue, SeriesStore};
use crate::promql::{Expr, ExprKind, VectorSelector};
use crate::query::{MemoryQuerier, Querier, QueryError, QueryResult, QueryValue, RangeResult};
use crate::rule::{Rule, RuleGroup};
use crate::ruletest::unit::{Case, Feed};

/// How many rounds are evaluated at once.
const ROUNDS: u32 = 256;
/// Functions of the whole query, and the one that looks at series which it does not name.
const BOUND: [&str; 5] = ["start", "end", "step", "range", "info"];

/// All samples of a test, those included that have not come yet.
pub(super) struct Ahead {
    store: SeriesStore,
    /// The names of the series that rules write.
    written: HashSet<String>,
    step: Duration,
    end: Timestamp,
}

impl Ahead {
    /// The samples of a test that ends at `end` and has a round at every `step`. `None` where they
    /// cannot all be: the round that meets the first bad one says so.
    pub(super) fn new<'r>(
        groups: impl Iterator<Item = &'r RuleGroup>,
        case: &Case,
        step: Duration,
        end: Timestamp,
    ) -> Option<Self> {
        let mut store = SeriesStore::new();
        let mut feed = Feed::new(&case.input_series, (case.start, case.interval), &mut store);
        feed.until(end, &mut store).ok()?;
        let recording = groups.flat_map(|group| &group.rules).filter_map(Rule::as_recording);
        let mut written: HashSet<String> = recording.map(|rule| rule.name.clone()).collect();
        written.extend(["ALERTS", "ALERTS_FOR_STATE"].map(str::to_string));
        Some(Self { store, written, step, end })
    }

    /// Whether an expression looks at the test's own samples only, and not ahead.
    pub(super) fn covers(&self, expr: &Expr) -> bool {
        expr.walk().all(|part| match &part.kind {
            ExprKind::VectorSelector(selector) => self.sees(selector),
            ExprKind::MatrixSelector(matrix) => self.sees(&matrix.selector),
            ExprKind::Subquery(subquery) => subquery.at.is_none() && subquery.offset_ms >= 0,
            ExprKind::Call(call) => !BOUND.contains(&call.function.name),
            _ => true,
        })
    }

    fn sees(&self, selector: &VectorSelector) -> bool {
        let is_own = |name: &str| !self.written.contains(name);
        selector.at.is_none()
            && selector.offset_ms >= 0
            && selector.metric_name().is_some_and(is_own)
    }
}

/// What one expression gives in the rounds to come.
#[derive(Default)]
pub(super) struct Foreseen {
    /// The last round that is known.
    until: Option<Timestamp>,
    /// Each series, and how many numbers and histograms of it have been passed.
    series: Vec<(MatrixSeries, usize, usize)>,
}

impl Foreseen {
    /// What the expression gives at a time; times rise. `None` where that is not to be known so: then
    /// evaluating it at that time has to say why.
    pub(super) fn at(
        &mut self,
        ahead: &Ahead,
        expr: &Expr,
        at: Timestamp,
        options: &Options,
    ) -> Option<Vec<(LabelSet, SampleValue)>> {
        if self.until.is_none_or(|until| at > until) {
            let last = (at + ahead.step.saturating_mul(ROUNDS - 1)).min(ahead.end).max(at);
            let done = range(expr, &ahead.store, (at, last), ahead.step, options).ok()?;
            let Value::Matrix(series) = done.value else { return None };
            self.series = series.into_iter().map(|series| (series, 0, 0)).collect();
            self.until = Some(last);
        }
        let at = at.millis();
        let mut samples = Vec::new();
        for (series, floats, histograms) in &mut self.series {
            let passed = series.floats.iter().skip(*floats).take_while(|point| point.at < at);
            *floats += passed.count();
            let passed = series.histograms.iter().skip(*histograms);
            *histograms += passed.take_while(|point| point.at < at).count();
            let float = series.floats.get(*floats).filter(|point| point.at == at);
            let histogram = series.histograms.get(*histograms).filter(|point| point.at == at);
            let value = float.map(|point| SampleValue::Float(point.value));
            let value = value
                .or_else(|| histogram.map(|point| SampleValue::Histogram(point.histogram.clone())));
            samples.extend(value.map(|value| (series.labels.clone(), value)));
        }
        Some(samples)
    }
}

/// Answers from memory, and what is foreseen for the next question.
pub(super) struct ForeseeingQuerier {
    memory: Arc<MemoryQuerier>,
    next: Mutex<Option<(Timestamp, InstantVector)>>,
}

impl ForeseeingQuerier {
    pub(super) fn new(memory: Arc<MemoryQuerier>) -> Self {
        Self { memory, next: Mutex::default() }
    }

    /// Gives the answer to the next question, which is asked at this time.
    pub(super) fn foresee(&self, at: Timestamp, vector: InstantVector) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some((at, vector));
    }
}

#[async_trait]
impl Querier for ForeseeingQuerier {
    async fn instant(&self, query: &str, at: Timestamp) -> Result<QueryResult, QueryError> {
        let next = self.next.lock().unwrap_or_else(PoisonError::into_inner).take();
        match next.filter(|(foreseen, _)| *foreseen == at) {
            Some((_, vector)) => Ok(QueryResult {
                value: QueryValue::Vector(vector),
                warnings: Vec::new(),
                infos: Vec::new(),
            }),
            None => self.memory.instant(query, at).await,
        }
    }

    async fn range(
        &self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    ) -> Result<RangeResult, QueryError> {
        self.memory.range(query, start, end, step).await
    }
}
