//! Tables of cases: a rule, and what a check must say of it.

use std::sync::Arc;

use crate::config::Config;
use crate::diag::{Diagnostic, SourceFile};
use crate::lint::{Check, Context, Findings, Project, Routes, RuleFile, Schema, Settings};
use crate::rule;

/// A rule file of one group with these rules. A rule is written without indentation; one that has no
/// name is the alert `A`, or its continuation lines are indented by their author.
pub(super) fn file(rules: &[&str]) -> RuleFile {
    let mut text = "groups:\n- name: g\n  rules:\n".to_string();
    for rule in rules {
        let named = rule.lines().any(|l| l.starts_with("alert:") || l.starts_with("record:"));
        let lines = rule.lines().chain((!named).then_some("alert: A"));
        for (number, line) in lines.enumerate() {
            text.push_str(if number == 0 { "  - " } else { "    " });
            text.push_str(line);
            text.push('\n');
        }
    }
    let source = Arc::new(SourceFile::new("rules.yaml", text));
    let (groups, findings) = rule::check(&source);
    assert!(findings.is_empty(), "{}", crate::diag::summary(&findings));
    RuleFile { source, groups, findings, documents: Vec::new() }
}

/// What a check finds in a project.
pub(super) fn run(check: &dyn Check, project: &Project) -> Vec<Diagnostic> {
    let mut findings = Findings::default();
    for (group, rule) in project.rules() {
        check.rule(&Context::new(project, group, rule), &mut findings);
    }
    check.project(project, &mut findings);
    let mut findings = findings.into_inner();
    crate::diag::sort(&mut findings);
    findings
}

/// The name of the configuration in cases.
const CONFIG: &str = "watchbell.yaml";

/// A configuration of that text.
pub(super) fn routes(text: &str) -> Routes {
    let source = Arc::new(SourceFile::new(CONFIG, text));
    Routes::new(Config::parse(&source).unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// A finding as `line:column text`, counted in the rules as they are written in the table.
pub(super) fn shown(finding: &Diagnostic) -> String {
    let (line, column) = finding.line_column();
    let text = finding.source.text().get(finding.span.range()).unwrap_or_default();
    let text = text.lines().next().unwrap_or_default();
    if finding.source.path() == CONFIG {
        return format!("{CONFIG} {line}:{column} {text}");
    }
    format!("{}:{} {text}", line.saturating_sub(3), column.saturating_sub(4))
}

/// Runs a check over each case: rules without indentation, and for each finding its line and column
/// in them and what stands there.
#[track_caller]
pub(super) fn cases(check: &dyn Check, cases: &[(&[&str], &[&str])]) {
    cases_with(check, &Settings::default(), cases);
}

/// Expressions that a check finds fault with, the advice that it gives, and the expressions that come
/// of it, which must be good.
#[track_caller]
pub(super) fn advised(check: &dyn Check, table: &[(&str, &str, &str)]) {
    for (expr, advice, better) in table {
        let project = Project::new(vec![file(&[&format!("expr: {expr}")])], Settings::default());
        let helps: Vec<_> = run(check, &project).into_iter().map(|found| found.help).collect();
        assert!(format!("{helps:?}").contains(advice), "{expr}: {helps:?}");
        cases(check, &[(&[&format!("expr: {better}")], &[])]);
    }
}

/// The same with settings.
#[track_caller]
pub(super) fn cases_with(check: &dyn Check, settings: &Settings, cases: &[(&[&str], &[&str])]) {
    for (rules, expected) in cases {
        let project = Project::new(vec![file(rules)], settings.clone());
        holds(check, &project, rules, expected);
    }
}

/// Cases of rules and findings, with a schema.
#[track_caller]
pub(super) fn schema_cases(check: &dyn Check, schema: &str, cases: &[(&[&str], &[&str])]) {
    for (rules, expected) in cases {
        let schema = Schema::read(schema).unwrap();
        let project = Project::new(vec![file(rules)], Settings::default()).with_schema(schema);
        holds(check, &project, rules, expected);
    }
}

/// Cases of rules, configuration and findings. A finding in the configuration has its name in front.
#[track_caller]
pub(super) fn routed_cases(check: &dyn Check, cases: &[(&[&str], &str, &[&str])]) {
    routed_cases_with(check, &Settings::default(), cases);
}

/// The same with settings.
#[track_caller]
pub(super) fn routed_cases_with(
    check: &dyn Check,
    settings: &Settings,
    cases: &[(&[&str], &str, &[&str])],
) {
    for (rules, config, expected) in cases {
        let project = Project::new(vec![file(rules)], settings.clone());
        holds(check, &project.with_routes(routes(config)), rules, expected);
    }
}

#[track_caller]
fn holds(check: &dyn Check, project: &Project, rules: &[&str], expected: &[&str]) {
    let findings = run(check, project);
    let found: Vec<String> = findings.iter().map(shown).collect();
    let said: Vec<&str> = findings.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(found, expected, "{rules:?}: {said:?}");
    for finding in &findings {
        assert_eq!(finding.id, check.about().id);
        let in_config = finding.source.path() == CONFIG;
        assert!(finding.rule.is_some() || in_config, "{finding}");
    }
}
