//! Findings as JUnit's XML, which CI systems show.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{advice, sentence};
use crate::diag::Diagnostic;

/// Findings as JUnit's XML: a suite for each file, in it a case for each finding, failed where
/// `fails` says so, and one that passes where a file has none.
///
/// # Errors
/// Where the XML cannot be written, which no text causes.
pub fn render_junit(
    files: &[&str],
    diagnostics: &[Diagnostic],
    fails: &dyn Fn(&Diagnostic) -> bool,
) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("watchbell");
    for file in files {
        let mut suite = TestSuite::new(*file);
        let found: Vec<&Diagnostic> =
            diagnostics.iter().filter(|d| d.source.path() == *file).collect();
        if found.is_empty() {
            suite.add_test_case(case(file, "no findings".to_string(), TestCaseStatus::success()));
        }
        for diagnostic in found {
            let rule =
                diagnostic.rule.as_deref().map(|rule| format!("{rule}: ")).unwrap_or_default();
            let (line, column) = diagnostic.line_column();
            let name = format!("{rule}{} at {line}:{column}", diagnostic.id);
            let mut status = if fails(diagnostic) {
                TestCaseStatus::non_success(NonSuccessKind::Failure)
            } else {
                TestCaseStatus::success()
            };
            let text = format!("{file}:{line}:{column}: {}", sentence(diagnostic));
            let text =
                advice(diagnostic).map_or(text.clone(), |advice| format!("{text}\n{advice}"));
            if fails(diagnostic) {
                status.set_message(diagnostic.message.as_str());
                status.set_type(diagnostic.severity.as_str());
                status.set_description(text.as_str());
            }
            let mut case = case(file, name, status);
            case.set_system_out(text);
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report.to_string()
}

fn case(file: &str, name: String, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(file);
    case
}
