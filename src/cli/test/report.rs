//! The answer of `watchbell test` for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ruletest::{CaseReport, FileReport};

/// All files together.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) passed: usize,
    pub(super) failed: usize,
    files: Vec<File>,
    /// The alerting rules that no test makes fire.
    pub(super) never_fired: Vec<Rule>,
}

#[derive(Serialize)]
struct File {
    file: String,
    passed: usize,
    failed: usize,
    /// Why the file cannot be used, and warnings.
    findings: Vec<String>,
    tests: Vec<Test>,
}

#[derive(Serialize)]
struct Test {
    name: String,
    line: usize,
    passed: bool,
    seconds: f64,
    failures: Vec<Failure>,
}

#[derive(Serialize)]
struct Failure {
    message: String,
    line: usize,
    column: usize,
    /// What was expected, in lines; null where there is nothing to compare.
    expected: Option<String>,
    got: Option<String>,
}

/// A rule that never fired.
#[derive(Clone, Serialize)]
pub(super) struct Rule {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) group: String,
    pub(super) alert: String,
}

impl Report {
    /// Whether nothing was tested, and nothing was wrong with a file.
    pub(super) fn is_empty(&self) -> bool {
        self.passed == 0 && self.failed == 0
    }

    pub(super) fn of(reports: &[FileReport]) -> Self {
        let counts = reports.iter().map(FileReport::counts);
        let (passed, failed) = counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let files = reports.iter().map(file).collect();
        Self { passed, failed, files, never_fired: never_fired(reports) }
    }
}

/// The rules that no test of any file makes fire. Several files may test the same rules.
fn never_fired(reports: &[FileReport]) -> Vec<Rule> {
    let mut rules = BTreeMap::new();
    for rule in reports.iter().flat_map(|report| &report.rules) {
        let key = (&rule.file, rule.line, &rule.group, &rule.alert);
        *rules.entry(key).or_insert(false) |= rule.fired;
    }
    let silent = rules.into_iter().filter(|(_, fired)| !fired);
    silent
        .map(|((file, line, group, alert), _)| Rule {
            file: file.clone(),
            line,
            group: group.clone(),
            alert: alert.clone(),
        })
        .collect()
}

fn file(report: &FileReport) -> File {
    let (passed, failed) = report.counts();
    File {
        file: report.path.clone(),
        passed,
        failed,
        findings: report.findings.iter().map(ToString::to_string).collect(),
        tests: report.cases.iter().map(|case| test(report, case)).collect(),
    }
}

fn test(report: &FileReport, case: &CaseReport) -> Test {
    let failures = case.failures.iter().map(|failure| {
        let (line, column) = report.source.line_column(failure.span.start);
        let difference = failure.difference.as_ref();
        Failure {
            message: failure.message.clone(),
            line,
            column,
            expected: difference.map(|d| d.expected.clone()),
            got: difference.map(|d| d.got.clone()),
        }
    });
    Test {
        name: case.name.clone(),
        line: report.source.line_column(case.span.start).0,
        passed: case.failures.is_empty(),
        seconds: case.took.as_secs_f64(),
        failures: failures.collect(),
    }
}
