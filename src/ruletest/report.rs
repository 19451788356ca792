//! What came of the tests of a file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::diag::{Diagnostic, SourceFile, Span};
use crate::yaml::FileError;

/// What came of one file.
#[derive(Debug)]
pub struct FileReport {
    /// The file, as it was named.
    pub path: String,
    /// Its text, that failures point into.
    pub source: Arc<SourceFile>,
    /// What came of its tests; empty where the file does not parse.
    pub cases: Vec<CaseReport>,
    /// Mistakes that keep the file from being run, and warnings.
    pub findings: Vec<Diagnostic>,
    /// Whether the file could not be used.
    pub broken: bool,
    /// The alerting rules that it loads.
    pub rules: Vec<RuleCoverage>,
}

/// What came of one test.
#[derive(Debug)]
pub struct CaseReport {
    /// Its name, or which one it is in the file.
    pub name: String,
    /// Where it begins.
    pub span: Span,
    /// What was wrong; a test without failures has passed.
    pub failures: Vec<Failure>,
    /// How long it took.
    pub took: Duration,
}

/// One thing that was not as expected.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Where the expectation stands in the test file.
    pub span: Span,
    /// One sentence.
    pub message: String,
    /// What was expected and what was there, line by line, where that can be compared.
    pub difference: Option<Difference>,
}

/// Two texts of many lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What was expected.
    pub expected: String,
    /// What was there.
    pub got: String,
}

/// Whether a test made a rule fire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleCoverage {
    /// The rule file.
    pub file: String,
    /// The rule's line in it.
    pub line: usize,
    /// The group.
    pub group: String,
    /// The alert's name.
    pub alert: String,
    /// Whether any test of the file made it fire.
    pub fired: bool,
}

impl FileReport {
    /// A file that cannot be used.
    pub(super) fn broken(source: &Arc<SourceFile>, findings: Vec<Diagnostic>) -> Self {
        let (path, source) = (source.path().to_string(), Arc::clone(source));
        Self { path, source, cases: Vec::new(), findings, broken: true, rules: Vec::new() }
    }

    /// A file that cannot be read.
    pub(super) fn unreadable(path: &Path, error: &FileError) -> Self {
        let source = Arc::new(SourceFile::new(path.display().to_string(), ""));
        let finding = Diagnostic::error("test/file", &source, Span::at(0), error.to_string());
        Self::broken(&source, vec![finding])
    }

    /// How many tests have passed and failed. A file that cannot be used counts as one failure.
    pub fn counts(&self) -> (usize, usize) {
        let failed = self.cases.iter().filter(|case| !case.failures.is_empty()).count();
        (self.cases.len() - failed, failed + usize::from(self.broken))
    }
}

impl Failure {
    /// A failure without anything to compare.
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), difference: None }
    }

    /// A failure with two texts.
    pub(super) fn differs(
        span: Span,
        message: impl Into<String>,
        expected: String,
        got: String,
    ) -> Self {
        Self { span, message: message.into(), difference: Some(Difference { expected, got }) }
    }
}
