//! Tier 8: tests of rules and expressions, without a server.
//!
//! [`find_files`] looks for test files, [`run_files`] runs them side by side: `unit` has those in
//! promtool's format, `script` those in the language of Prometheus' own tests of PromQL.

mod find;
mod junit;
mod report;
mod run;
pub mod script;
pub mod unit;

pub use find::find_files;
pub use junit::junit;
pub use report::{CaseReport, Difference, Failure, FileReport, RuleCoverage};
pub use run::{run_file, run_files};
