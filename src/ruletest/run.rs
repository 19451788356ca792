//! Many test files side by side.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use regex::Regex;

use crate::diag::{Diagnostic, SourceFile, Span};
use crate::model::parallel::map_on;
use crate::ruletest::report::{CaseReport, Failure, FileReport};
use crate::ruletest::script::{self, EvalResult, Verdict};
use crate::ruletest::unit;
use crate::yaml::read_file;

/// Runs test files on so many threads; `done` hears of each as it ends. The reports are in the
/// order of the files.
pub fn run_files(
    files: &[PathBuf],
    only: &[Regex],
    threads: usize,
    done: impl Fn(&FileReport) + Sync,
) -> Vec<FileReport> {
    // The largest first, so that no long one runs alone at the end.
    let mut order: Vec<(u64, usize)> = files.iter().map(|file| size(file)).zip(0..).collect();
    order.sort_by_key(|(size, _)| Reverse(*size));
    let reports = map_on(threads, &order, |(_, index)| {
        let report = run_file(files.get(*index)?, only);
        done(&report);
        Some((*index, report))
    });
    let mut reports: Vec<_> = reports.into_iter().flatten().collect();
    reports.sort_by_key(|(index, _)| *index);
    reports.into_iter().map(|(_, report)| report).collect()
}

/// How large a file is, in bytes; 0 where that cannot be asked.
fn size(file: &Path) -> u64 {
    file.metadata().map_or(0, |file| file.len())
}

/// Runs one file: a script where its name ends in `.test`, otherwise unit tests in promtool's
/// format.
pub fn run_file(path: &Path, only: &[Regex]) -> FileReport {
    match path.extension() {
        Some(extension) if extension == "test" => run_script(path, only),
        _ => unit::run_file(path, only),
    }
}

fn run_script(path: &Path, only: &[Regex]) -> FileReport {
    let source = match read_file(path) {
        Ok(source) => source,
        Err(error) => return FileReport::unreadable(path, &error),
    };
    let began = Instant::now();
    let results = match script::run(source.text(), &script::options()) {
        Ok(results) => results,
        Err(error) => {
            let finding = Diagnostic::error("test/script", &source, error.span, error.message);
            return FileReport::broken(&source, vec![finding]);
        }
    };
    // The evaluations of a script share their time.
    let share = u32::try_from(results.len().max(1)).unwrap_or(u32::MAX);
    let took = began.elapsed() / share;
    let wanted = |result: &EvalResult| {
        only.is_empty() || only.iter().any(|regex| regex.is_match(&result.expression))
    };
    let results = results.into_iter().filter(wanted);
    let cases = results.map(|result| case(&source, result, took)).collect();
    let (path, source) = (source.path().to_string(), Arc::clone(&source));
    FileReport { path, source, cases, findings: Vec::new(), broken: false, rules: Vec::new() }
}

fn case(source: &SourceFile, result: EvalResult, took: Duration) -> CaseReport {
    let span: Span = line_span(source, result.line);
    let failures = match result.verdict {
        Verdict::Passed => Vec::new(),
        Verdict::Failed(reason) => vec![Failure::new(span, reason)],
        Verdict::NotParsed(reason) => {
            vec![Failure::new(span, format!("the expression is not understood: {reason}"))]
        }
    };
    let name = format!("line {}: {}", result.line, result.expression);
    CaseReport { name, span, failures, took }
}

/// A line, from 1, without its indentation.
fn line_span(source: &SourceFile, line: usize) -> Span {
    let range = source.lines_range(line, line);
    let text = source.text().get(range.clone()).unwrap_or_default();
    let start = range.start + (text.len() - text.trim_start().len());
    Span::new(start, start + text.trim().len())
}
