//! Reports in JUnit's XML, which CI systems show.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::ruletest::report::{Difference, Failure, FileReport};

/// The reports as JUnit's XML: a suite for each file, a test case for each test. A file that
/// cannot be used is one test case with an error.
///
/// # Errors
/// Where the XML cannot be written, which no text causes.
pub fn junit(reports: &[FileReport]) -> Result<String, quick_junit::SerializeError> {
    let mut all = Report::new("watchbell");
    for report in reports {
        let mut suite = TestSuite::new(report.path.as_str());
        for case in &report.cases {
            let status = match case.failures.as_slice() {
                [] => TestCaseStatus::success(),
                failures => failed(report, failures),
            };
            let mut case_report = TestCase::new(case.name.as_str(), status);
            case_report.set_classname(report.path.as_str()).set_time(case.took);
            suite.add_test_case(case_report);
        }
        if report.broken {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
            status.set_message(crate::diag::summary(&report.findings));
            status.set_description(findings.join("\n"));
            suite.add_test_case(TestCase::new(report.path.as_str(), status));
        }
        all.add_test_suite(suite);
    }
    all.to_string()
}

fn failed(report: &FileReport, failures: &[Failure]) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    if let Some(first) = failures.first() {
        status.set_message(first.message.as_str());
    }
    let texts: Vec<String> = failures.iter().map(|failure| text(report, failure)).collect();
    status.set_description(texts.join("\n"));
    status
}

fn text(report: &FileReport, failure: &Failure) -> String {
    let (line, column) = report.source.line_column(failure.span.start);
    let head = format!("{}:{line}:{column}: {}", report.path, failure.message);
    match &failure.difference {
        Some(Difference { expected, got }) => format!("{head}\nexpected:\n{expected}got:\n{got}"),
        None => head,
    }
}
