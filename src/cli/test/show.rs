//! The answer of `watchbell test` for people.

use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

use crate::cli::output::{Paint, count, one_line};
use crate::cli::test::report::Report;
use crate::diag::{self, Diagnostic};
use crate::ruletest::{CaseReport, Difference, FileReport};

/// How many rules that never fired are named.
const MAX_NAMED: usize = 20;

/// What was wrong, the rules that never fired, and the counts as the last line.
pub(super) fn text(reports: &[FileReport], report: &Report, verbose: bool, paint: Paint) -> String {
    let mut text = String::new();
    for file in reports {
        one_file(&mut text, file, verbose, paint);
    }
    if !report.never_fired.is_empty() {
        let n = count(report.never_fired.len(), "rule");
        let _ = writeln!(text, "{}: no test makes {n} fire", paint.yellow("coverage"));
        for rule in report.never_fired.iter().take(MAX_NAMED) {
            let place = format!("{}:{}", rule.file, rule.line);
            let _ = writeln!(text, "  {} {}", rule.alert, paint.dim(&place));
        }
        if report.never_fired.len() > MAX_NAMED {
            let _ = writeln!(text, "  … and {} more", report.never_fired.len() - MAX_NAMED);
        }
    }
    let counts = format!("{} passed, {} failed", report.passed, report.failed);
    let counts = if report.failed == 0 { paint.green(&counts) } else { paint.red(&counts) };
    let _ = writeln!(text, "{counts}");
    text
}

fn one_file(text: &mut String, file: &FileReport, verbose: bool, paint: Paint) {
    let (passed, failed) = file.counts();
    let word = if failed == 0 { paint.green("ok  ") } else { paint.red("FAIL") };
    let counts = if failed == 0 {
        count(passed, "test")
    } else {
        format!("{passed} passed, {failed} failed")
    };
    let _ = writeln!(text, "{word} {} {}", file.path, paint.dim(&format!("({counts})")));
    text.push_str(&diag::render_text(&file.findings, paint.style()));
    for case in &file.cases {
        if verbose && case.failures.is_empty() {
            let _ = writeln!(text, "  {} {}", paint.green("ok  "), one_line(&case.name));
        }
        if !case.failures.is_empty() {
            one_case(text, file, case, paint);
        }
    }
}

fn one_case(text: &mut String, file: &FileReport, case: &CaseReport, paint: Paint) {
    let _ = writeln!(text, "  {} {}", paint.red("FAIL"), one_line(&case.name));
    for failure in &case.failures {
        let finding =
            Diagnostic::error("test/failed", &file.source, failure.span, failure.message.as_str());
        text.push_str(&diag::render_text(&[finding], paint.style()));
        if let Some(difference) = &failure.difference {
            lines(text, difference, paint);
        }
    }
}

/// What was expected and what was there, as a diff.
fn lines(text: &mut String, difference: &Difference, paint: Paint) {
    let Difference { expected, got } = difference;
    let (minus, plus) = (paint.red("- expected"), paint.green("+ got"));
    let _ = writeln!(text, "    {minus}  {plus}");
    for change in TextDiff::from_lines(expected, got).iter_all_changes() {
        let line = change.value().trim_end_matches('\n');
        let line = match change.tag() {
            ChangeTag::Delete => paint.red(&format!("    - {line}")),
            ChangeTag::Insert => paint.green(&format!("    + {line}")),
            ChangeTag::Equal => format!("      {line}"),
        };
        let _ = writeln!(text, "{line}");
    }
    text.push('\n');
}
