//! Samples in memory, for expressions that are evaluated without a server.

pub mod notation;
mod sample;
mod store;
#[cfg(test)]
mod tests;

pub(in crate::promql) use sample::weight;
pub use sample::{FloatPoint, HistogramPoint, STALE_BITS, SampleValue, is_stale, stale_marker};
pub use store::{AppendError, Labelled, SeriesId, SeriesStore, StoredSeries};
