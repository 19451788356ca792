//! Answers from series in memory: what tests of rules and the demo ask instead of a server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use async_trait::async_trait;

use crate::model::{Sample, Timestamp};
use crate::promql::eval::{
    AnnotationLevel, Annotations, EvalError, Options, Value, instant, range,
};
use crate::promql::series::{FloatPoint, SampleValue, SeriesStore};
use crate::promql::{Expr, parse};
use crate::query::{
    ApiErrorKind, Querier, QueryError, QueryResult, QueryValue, RangeResult, Series,
};

/// How many parsed expressions are kept: as many as rules and their templates ask over and over.
const MAX_PARSED: usize = 10_000;

/// Evaluates queries on series in memory, which may grow between two queries.
#[derive(Debug, Default)]
pub struct MemoryQuerier {
    store: RwLock<SeriesStore>,
    options: Options,
    parsed: Mutex<HashMap<String, Arc<Expr>>>,
}

impl MemoryQuerier {
    /// A querier without series. `options` are what Prometheus sets by flags.
    pub fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// The series.
    pub fn series(&self) -> RwLockReadGuard<'_, SeriesStore> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The series, to append to them.
    pub fn series_mut(&self) -> RwLockWriteGuard<'_, SeriesStore> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// How queries are evaluated.
    pub fn options(&self) -> &Options {
        &self.options
    }

    fn parsed(&self, query: &str) -> Result<Arc<Expr>, QueryError> {
        let mut known: MutexGuard<'_, _> =
            self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(expr) = known.get(query) {
            return Ok(Arc::clone(expr));
        }
        let expr = parse(query).map_err(|error| QueryError::Api {
            kind: ApiErrorKind::BadData,
            status: 400,
            message: format!("invalid parameter \"query\": {error}"),
        })?;
        let expr = Arc::new(expr);
        if known.len() >= MAX_PARSED {
            known.clear();
        }
        known.insert(query.to_string(), Arc::clone(&expr));
        Ok(expr)
    }
}

#[async_trait]
impl Querier for MemoryQuerier {
    async fn instant(&self, query: &str, at: Timestamp) -> Result<QueryResult, QueryError> {
        let expr = self.parsed(query)?;
        let done = instant(&expr, &self.series(), at, &self.options).map_err(refused)?;
        let (warnings, infos) = remarks(&done.annotations, query);
        Ok(QueryResult { value: value(done.value), warnings, infos })
    }

    async fn range(
        &self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    ) -> Result<RangeResult, QueryError> {
        if step.is_zero() || end < start {
            return Err(QueryError::Range {
                reason: "it needs a step, and an end after its start",
            });
        }
        let expr = self.parsed(query)?;
        let store = self.series();
        let done = range(&expr, &store, (start, end), step, &self.options).map_err(refused)?;
        let (warnings, infos) = remarks(&done.annotations, query);
        let series = match done.value {
            Value::Matrix(series) => series.into_iter().map(floats).collect(),
            _ => Vec::new(),
        };
        Ok(RangeResult { series, warnings, infos })
    }
}

/// An evaluation that fails, as Prometheus' API says it.
fn refused(error: EvalError) -> QueryError {
    QueryError::Api { kind: ApiErrorKind::Execution, status: 422, message: error.message }
}

fn remarks(annotations: &Annotations, query: &str) -> (Vec<String>, Vec<String>) {
    let of = |level| annotations.of(level).map(|remark| remark.render(query)).collect();
    (of(AnnotationLevel::Warning), of(AnnotationLevel::Info))
}

/// A value as it comes from Prometheus' API; a native histogram counts as 0.
fn value(value: Value) -> QueryValue {
    match value {
        Value::Scalar(number) => QueryValue::Scalar(number),
        Value::String(text) => QueryValue::String(text),
        Value::Vector(samples) => {
            let samples = samples.into_iter().map(|sample| Sample {
                labels: sample.labels,
                timestamp: sample.timestamp,
                value: number(&sample.value),
            });
            QueryValue::Vector(samples.collect())
        }
        Value::Matrix(series) => QueryValue::Matrix(series.into_iter().map(floats).collect()),
    }
}

fn number(value: &SampleValue) -> f64 {
    value.float().unwrap_or(0.0)
}

fn floats(series: crate::promql::eval::MatrixSeries) -> Series {
    let floats = series.floats.into_iter().map(|FloatPoint { at, value }| (at, value));
    let histograms = series.histograms.into_iter().map(|point| (point.at, 0.0));
    let mut samples: Vec<(i64, f64)> = floats.chain(histograms).collect();
    samples.sort_by_key(|(at, _)| *at);
    let samples = samples.into_iter().map(|(at, value)| (Timestamp::from_millis(at), value));
    Series { labels: series.labels, samples: samples.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LabelSet;

    fn labels(pairs: &[(&str, &str)]) -> LabelSet {
        pairs.iter().copied().collect()
    }

    async fn asked(querier: &MemoryQuerier, query: &str) -> Result<QueryValue, String> {
        let result = querier.instant(query, Timestamp::from_millis(60_000)).await;
        result.map(|result| result.value).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn it_answers_as_a_server_does() {
        let querier = MemoryQuerier::new(Options::default());
        let up = labels(&[("__name__", "up"), ("job", "a")]);
        for (at, value) in [(0, 1.0), (30_000, 0.0)] {
            let at = Timestamp::from_millis(at);
            querier.series_mut().append(&up, at, SampleValue::Float(value)).unwrap();
        }
        let at = Timestamp::from_millis(60_000);
        let sample = Sample { labels: up.clone(), timestamp: at, value: 0.0 };
        assert_eq!(asked(&querier, "up == 0").await, Ok(QueryValue::Vector(vec![sample])));
        assert_eq!(asked(&querier, "1 + 1").await, Ok(QueryValue::Scalar(2.0)));
        assert_eq!(asked(&querier, "'a'").await, Ok(QueryValue::String("a".to_string())));
        let samples = vec![(Timestamp::from_millis(30_000), 0.0)];
        let series = Series { labels: up.clone(), samples };
        assert_eq!(asked(&querier, "up[31s]").await, Ok(QueryValue::Matrix(vec![series])));
        let error = asked(&querier, "up +").await.unwrap_err();
        assert!(error.starts_with("bad_data: invalid parameter \"query\""), "{error}");
        let error = asked(&querier, "up + on () group_left up").await;
        assert!(error.is_ok(), "{error:?}");

        let step = Duration::from_secs(30);
        let start = Timestamp::from_millis(0);
        let result = querier.range("up + 1", start, at, step).await.unwrap();
        let values: Vec<f64> = result.series[0].samples.iter().map(|(_, value)| *value).collect();
        assert_eq!(values, [2.0, 1.0, 1.0]);
        assert!(querier.range("up", at, start, step).await.is_err());
    }

    #[tokio::test]
    async fn what_is_appended_is_seen_by_the_next_query() {
        let querier = MemoryQuerier::new(Options::default());
        let up = labels(&[("__name__", "up")]);
        assert_eq!(asked(&querier, "up").await, Ok(QueryValue::Vector(Vec::new())));
        let at = Timestamp::from_millis(50_000);
        querier.series_mut().append(&up, at, SampleValue::Float(3.0)).unwrap();
        assert_eq!(asked(&querier, "scalar(up)").await, Ok(QueryValue::Scalar(3.0)));
    }

    #[tokio::test]
    async fn remarks_come_with_the_answer() {
        let querier = MemoryQuerier::new(Options::default());
        let name = labels(&[("__name__", "temperature")]);
        for at in [0, 30_000, 60_000] {
            let at = Timestamp::from_millis(at);
            querier.series_mut().append(&name, at, SampleValue::Float(1.0)).unwrap();
        }
        let at = Timestamp::from_millis(60_000);
        let result = querier.instant("rate(temperature[1m])", at).await.unwrap();
        assert_eq!(result.infos.len(), 1, "{:?}", result.infos);
        assert!(result.infos[0].contains("might not be a counter"), "{:?}", result.infos);
    }
}
