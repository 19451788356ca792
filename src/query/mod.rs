//! Tier 5: questions to a datasource.
//!
//! [`Querier`] is what the engine asks; [`Prometheus`] answers over HTTP, [`MemoryQuerier`] from
//! series in memory. Warnings of the server
//! (a store that did not answer, say) come with the result and are never dropped.

mod config;
mod decode;
mod elements;
mod error;
mod memory;
mod metadata;
mod prometheus;
mod range;

pub use config::DatasourceConfig;
pub use error::{ApiErrorKind, QueryError};
pub use memory::MemoryQuerier;
pub use prometheus::{BuildInfo, Prometheus};

use std::time::Duration;

use async_trait::async_trait;

use crate::model::{InstantVector, LabelSet, Timestamp};

/// Answers PromQL queries.
#[async_trait]
pub trait Querier: Send + Sync {
    /// The value of an expression at one time.
    ///
    /// # Errors
    /// A [`QueryError`] where there is no whole answer.
    async fn instant(&self, query: &str, at: Timestamp) -> Result<QueryResult, QueryError>;

    /// The values of an expression from `start` to `end`, both included, every `step`.
    ///
    /// # Errors
    /// A [`QueryError`] where there is no whole answer.
    async fn range(
        &self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    ) -> Result<RangeResult, QueryError>;
}

/// The answer to an instant query.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryResult {
    /// The value.
    pub value: QueryValue,
    /// What the server warns of: the value may be partial.
    pub warnings: Vec<String>,
    /// What the server remarks on the query.
    pub infos: Vec<String>,
}

/// What an expression can be.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryValue {
    /// One sample per series.
    Vector(InstantVector),
    /// A number without labels.
    Scalar(f64),
    /// A text.
    String(String),
    /// Several samples per series: the expression is a range selector.
    Matrix(Vec<Series>),
}

/// The answer to a range query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RangeResult {
    /// The series, each with at least one sample.
    pub series: Vec<Series>,
    /// What the server warns of: the series may be partial.
    pub warnings: Vec<String>,
    /// What the server remarks on the query.
    pub infos: Vec<String>,
}

/// Samples of one series in order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The series' labels.
    pub labels: LabelSet,
    /// Times and values. A native histogram counts as 0, as in [`crate::model::Sample`].
    pub samples: Vec<(Timestamp, f64)>,
}

#[cfg(test)]
mod tests;
