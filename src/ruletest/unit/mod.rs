//! Unit tests of rules in promtool's format, and who must be told.
//!
//! [`run_file`] reads a file, loads the rules that it names and plays each of its tests in the
//! test's own time: samples are fed, the groups are evaluated, alerts and expressions compared.
//! The behaviour is that of `promtool test rules` of Prometheus 3 (`cmd/promtool/unittest.go`);
//! where promtool's order of groups is random, it is that of the files here. `notification_test`
//! is beyond promtool: the alerts go through the routes of a configuration file, and what would be
//! sent is compared.

mod ahead;
mod bench;
mod feed;
mod file;
mod notified;
mod read;
mod recorder;
mod run;
#[cfg(test)]
mod tests;
mod verdict;

pub use feed::{Feed, FeedError};
pub use file::{
    AlertTest, Case, ExpectedAlert, ExpectedHold, ExpectedNotification, ExpectedSample, ExprTest,
    InputSeries, NotificationTest, NotifiedAlertTest, TestSilence, UnitTestFile,
};
pub use read::read;
pub use run::run_file;
