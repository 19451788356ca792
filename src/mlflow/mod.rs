//! Tier 5: MLflow's tracking server, of which failed training runs are asked.
//!
//! No exporter tells of them: MLflow's own metrics are about its HTTP requests. [`poll`] reads the
//! experiments and the runs that have ended from MLflow's REST API into a
//! [`Ledger`](crate::collect::Ledger).

mod client;
mod config;
mod poll;
#[cfg(test)]
mod tests;

pub use client::{MlflowClient, RunPage, Tracking, TrackingError};
pub use config::MlflowConfig;
pub use poll::poll;
