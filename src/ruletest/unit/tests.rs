//! Unit-test files as people write them: verdicts, mistakes, and who is told.

mod corpus;
mod mistakes;
mod notified;
mod verdicts;

use std::path::PathBuf;

use crate::ruletest::FileReport;
use crate::ruletest::unit::run_file;

/// A folder with test files and what they name.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, name: &str) -> FileReport {
        run_file(&self.path(name), &[])
    }
}

/// All failures of a file that can be used, in order.
fn failures(report: &FileReport) -> Vec<String> {
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(!report.broken, "{findings:?}");
    let failures = report.cases.iter().flat_map(|case| &case.failures);
    failures.map(|failure| failure.message.clone()).collect()
}
