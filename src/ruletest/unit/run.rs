//! Running a file of unit tests in its own time.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use regex::Regex;

use crate::diag::{Diagnostic, Severity};
use crate::model::{Timestamp, format_duration};
use crate::promql::eval::Options;
use crate::rule::{Rule, RuleGroup, RuleSet, load_files};
use crate::ruletest::report::{CaseReport, Failure, FileReport, RuleCoverage};
use crate::ruletest::unit::bench::Bench;
use crate::ruletest::unit::notified::{Site, Watch};
use crate::ruletest::unit::{Case, UnitTestFile, read, verdict};
use crate::yaml::read_file;

/// The most rounds of one test: a test over a year at every minute has half a million.
const MAX_ROUNDS: u64 = 2_000_000;
/// So many rounds are played without looking at them all at once.
const FEW_ROUNDS: u32 = 2;
/// The most failures that one test tells of.
const MAX_FAILURES: usize = 100;

/// Reads a file of unit tests and runs those tests whose name `only` matches. Nothing outside
/// the file, its rules and its configuration counts: time is the test's own.
pub fn run_file(path: &Path, only: &[Regex]) -> FileReport {
    let source = match read_file(path) {
        Ok(source) => source,
        Err(error) => return FileReport::unreadable(path, &error),
    };
    let broken = |findings| FileReport::broken(&source, findings);
    let (file, mut findings) = match read::read(&source) {
        Ok(read) => read,
        Err(findings) => return broken(findings),
    };
    let rules = match load_files(&file.directory, &file.rule_files) {
        Ok(rules) => rules,
        Err(errors) => return broken(errors),
    };
    findings.extend(rules.warnings.iter().cloned());
    findings.extend(unmatched(&rules));
    let site = match Site::load(&file) {
        Ok(site) => site,
        Err(errors) => return broken(errors),
    };
    let order = match in_order(&file, &rules.groups) {
        Ok(groups) => groups,
        Err(finding) => return broken(vec![*finding]),
    };
    let mut coverage = coverage(&rules.groups);
    let mut cases = Vec::new();
    for (index, case) in file.cases.iter().enumerate() {
        if only.is_empty() || only.iter().any(|regex| regex.is_match(&case.name)) {
            cases.push(run_case(&file, case, index, &order, site.as_ref(), &mut coverage));
        }
    }
    let path = source.path().to_string();
    FileReport { path, source, cases, findings, broken: false, rules: coverage }
}

/// A pattern without files is most likely a slip, but promtool goes on.
fn unmatched(rules: &RuleSet) -> Vec<Diagnostic> {
    let finding = |pattern: &crate::rule::RulePattern| {
        let message = format!("no file matches `{}`", pattern.pattern);
        let source = &pattern.source;
        Diagnostic::new("test/no-rules", Severity::Warning, source, pattern.span, message)
    };
    rules.unmatched.iter().map(finding).collect()
}

/// The groups in the order of evaluation: those that `group_eval_order` names come as it says,
/// and the first of them beside those that it does not name, which are in order of the files.
fn in_order<'r>(
    file: &UnitTestFile,
    groups: &'r [Arc<RuleGroup>],
) -> Result<Vec<&'r RuleGroup>, Box<Diagnostic>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (index, name) in file.group_eval_order.iter().enumerate() {
        if places.insert(name, index).is_some() {
            let span = crate::diag::Span::at(0);
            let message = format!("group name repeated in `group_eval_order`: {name}");
            return Err(Box::new(Diagnostic::error("test/order", &file.source, span, message)));
        }
    }
    let mut ordered: Vec<&RuleGroup> = groups.iter().map(Arc::as_ref).collect();
    ordered.sort_by_key(|group| places.get(group.name.as_str()).copied().unwrap_or(0));
    Ok(ordered)
}

fn coverage(groups: &[Arc<RuleGroup>]) -> Vec<RuleCoverage> {
    let rules = groups.iter().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)));
    let alerting = rules.filter_map(|(group, rule)| Some((group, rule.as_alerting()?)));
    alerting
        .map(|(group, rule)| RuleCoverage {
            file: rule.source.path().to_string(),
            line: rule.line,
            group: group.name.clone(),
            alert: rule.name.clone(),
            fired: false,
        })
        .collect()
}

fn run_case(
    file: &UnitTestFile,
    case: &Case,
    index: usize,
    groups: &[&RuleGroup],
    site: Option<&Site>,
    coverage: &mut [RuleCoverage],
) -> CaseReport {
    let began = Instant::now();
    let options = Options { subquery_step: file.evaluation_interval, ..Options::default() };
    let mut bench = Bench::new(groups, case, options);
    let mut failures = play(file, case, site, &mut bench);
    failures.truncate(MAX_FAILURES);
    for run in bench.groups.iter().flat_map(|group| &group.rules) {
        let Rule::Alerting(rule) = run.rule else { continue };
        let place = (rule.source.path(), rule.line);
        if run.fired
            && let Some(known) = coverage.iter_mut().find(|c| (c.file.as_str(), c.line) == place)
        {
            known.fired = true;
        }
    }
    let name = if case.name.is_empty() { format!("#{}", index + 1) } else { case.name.clone() };
    CaseReport { name, span: case.span, failures, took: began.elapsed() }
}

/// Evaluates the rules until the last check, then the expressions.
fn play(
    file: &UnitTestFile,
    case: &Case,
    site: Option<&Site>,
    bench: &mut Bench<'_>,
) -> Vec<Failure> {
    let step = file.evaluation_interval;
    let end = last_check(case);
    if end.as_millis() / step.as_millis().max(1) > u128::from(MAX_ROUNDS) {
        let message = format!("the test lasts more than {MAX_ROUNDS} evaluation intervals");
        return vec![Failure::new(case.span, message)];
    }
    if end > step.saturating_mul(FEW_ROUNDS) {
        bench.look_ahead(case, step, case.start + end);
    }
    let mut failures = Vec::new();
    let mut checks: Vec<_> = case.alerts.iter().collect();
    checks.sort_by_key(|check| check.eval_time);
    let mut checks = checks.into_iter().peekable();
    let mut watch = match site.map(|site| Watch::new(site, case)).transpose() {
        Ok(watch) => watch,
        Err(failure) => return vec![failure],
    };
    let mut since = Duration::ZERO;
    while since <= end {
        let ts = case.start + since;
        if let Err(error) = bench.feed(ts) {
            return vec![Failure::new(case.span, error.to_string())];
        }
        let failed = match &mut watch {
            Some(watch) => {
                failures.extend(watch.until(since));
                let failed = bench.round(ts, |told| watch.observe(&told, ts));
                watch.settle();
                failed
            }
            None => bench.round(ts, |_| {}),
        };
        if !failed.is_empty() {
            // As promtool: what comes after a failed evaluation says nothing.
            let at = format_duration(since);
            failures.extend(failed.into_iter().map(|failure| {
                let message =
                    format!("{} cannot be evaluated at {at}: {}", failure.rule, failure.error);
                Failure::new(case.span, message)
            }));
            return failures;
        }
        // A check between two rounds looks at the earlier one.
        while let Some(check) = checks.next_if(|check| check.eval_time < since + step) {
            failures.extend(verdict::alerts(bench, check));
        }
        since += step;
    }
    if let Some(watch) = &mut watch {
        failures.extend(watch.until(Duration::MAX));
    }
    let start: Timestamp = case.start;
    let of_expr = |test| verdict::expression(bench.querier(), test, start, file.fuzzy_compare);
    failures.extend(case.exprs.iter().filter_map(of_expr));
    failures
}

/// When the last check of a test is.
fn last_check(case: &Case) -> Duration {
    let alerts = case.alerts.iter().map(|check| check.eval_time);
    let exprs = case.exprs.iter().map(|check| check.eval_time);
    let notifications = case.notifications.iter().map(|check| check.eval_time);
    alerts.chain(exprs).chain(notifications).max().unwrap_or_default()
}
