//! The report as a table.

use std::fmt::Write;

use crate::alerting::AlertState;
use crate::cli::eval::report::{Active, HeldBack, Problem, Report, Way};
use crate::cli::output::{Paint, count, one_line, value};
use crate::cli::route::held_back;
use crate::model::format_duration;
use crate::rule::AlertingRule;

/// The columns before the last, which is as wide as it needs.
const COLUMNS: [&str; 4] = ["STATE", "FOR", "ALERT", "VALUE"];
/// How many characters of a summary are shown.
const MAX_SUMMARY: usize = 200;

pub(super) fn table(report: &Report<'_>, paint: Paint) -> String {
    let rows: Vec<[String; 4]> = report.alerts.iter().map(cells).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(String::as_str);
        let head = COLUMNS.get(column).copied();
        cells.chain(head).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let mut out = String::new();
    if !rows.is_empty() {
        let head = line(&COLUMNS, &widths) + "LABELS";
        let _ = writeln!(out, "{}", paint.dim(&head));
    }
    for (active, row) in report.alerts.iter().zip(&rows) {
        let text = line(&row.each_ref().map(String::as_str), &widths);
        let text = match active.alert.state {
            AlertState::Firing => paint.red(&text),
            _ => paint.yellow(&text),
        };
        let _ = writeln!(out, "{text}{}", active.labels);
        let indent = " ".repeat(widths.first().copied().unwrap_or(0) + 2);
        for detail in details(active, report.routed, paint) {
            let _ = writeln!(out, "{indent}{detail}");
        }
    }
    if !rows.is_empty() {
        out.push('\n');
    }
    for problem in &report.problems {
        out.push_str(&problem_text(problem, paint));
    }
    for (rule, policy) in &report.policies {
        if let Some(effect) = policy.effect() {
            let (word, place) = (paint.yellow("policy"), rule_place(rule));
            let _ = writeln!(out, "{word}: {place}: {effect}");
        }
    }
    let _ = writeln!(
        out,
        "{} evaluated: {} firing, {} pending, {} failed",
        count(report.rules, "alerting rule"),
        report.count(AlertState::Firing),
        report.count(AlertState::Pending),
        report.failed,
    );
    out
}

fn cells(active: &Active<'_>) -> [String; 4] {
    [
        active.alert.state.to_string(),
        format_duration(active.rule.for_duration),
        one_line(&active.rule.name),
        value(active.alert.value),
    ]
}

fn line(cells: &[&str], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths);
    cells.map(|(cell, width)| format!("{cell:<width$}  ")).collect()
}

/// The lines below an alert: what it says, and who would hear it.
fn details(active: &Active<'_>, routed: bool, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(summary) = active.alert.annotations.get("summary") {
        lines.push(one_line(summary).chars().take(MAX_SUMMARY).collect());
    }
    if routed {
        lines.extend(active.ways.iter().map(|way| way_text(way, paint)));
    }
    lines
}

fn way_text(way: &Way, paint: Paint) -> String {
    let integrations = match way.integrations.join(", ") {
        none if none.is_empty() => "no integrations, nobody is told".to_string(),
        some => some,
    };
    let receiver = format!("-> {} ({integrations})", one_line(&way.receiver));
    let reason = match &way.held_back {
        None => return receiver,
        Some(HeldBack::Inhibited { rule, source }) => {
            let source = one_line(source.alertname());
            format!("held back: inhibited by {source} (rule {})", one_line(rule))
        }
        Some(HeldBack::Muted(reason)) => held_back(reason),
    };
    format!("{receiver} {}", paint.yellow(&reason))
}

fn rule_place(rule: &AlertingRule) -> String {
    format!("{}:{}: {}", rule.key.file, rule.line, one_line(&rule.name))
}

fn problem_text(problem: &Problem<'_>, paint: Paint) -> String {
    let rule = problem.rule;
    let place = rule_place(rule);
    let error = problem.error.iter().map(|text| (paint.red("error"), text));
    let warnings = problem.warnings.iter().map(|text| (paint.yellow("warning"), text));
    let lines = error.chain(warnings);
    lines.map(|(word, text)| format!("{word}: {place}: {}\n", one_line(text))).collect()
}
