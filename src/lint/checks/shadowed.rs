//! Two alerts of which one holds whenever the other does, and nobody can tell them apart.

use std::collections::HashMap;

use crate::diag::{Diagnostic, Severity};
use crate::lint::checks::duplicate::same_labels;
use crate::lint::shape::threshold;
use crate::lint::{About, Check, Findings, Project};
use crate::promql::bounds::{Bounds, Verdict};
use crate::rule::Rule;

static ABOUT: About = About {
    id: "rule/shadowed",
    severity: Severity::Warning,
    title: "Two alerts differ in their threshold only, and nothing tells them apart",
    text: "\
The labels are the identity of an alert. Two rules of the same name and the same labels give the same \
alert, so the graver threshold is never seen: it is the alert that fires already. And when one of them \
resolves it, the other still fires.

Tell them apart by `severity`.",
    bad: "alert: DiskFull\nexpr: disk_used_ratio > 0.8\n---\nalert: DiskFull\nexpr: disk_used_ratio > 0.95\n",
    good: "alert: DiskFull\nexpr: disk_used_ratio > 0.8\nlabels: {severity: warning}\n---\nalert: DiskFull\nexpr: disk_used_ratio > 0.95\nlabels: {severity: critical}\n",
};

pub(in crate::lint) struct Shadowed;

impl Check for Shadowed {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn project(&self, project: &Project, findings: &mut Findings) {
        let mut by_name: HashMap<&str, Vec<&Rule>> = HashMap::new();
        for (_, rule) in project.rules().filter(|(_, rule)| rule.as_alerting().is_some()) {
            by_name.entry(rule.name()).or_default().push(rule);
        }
        let mut several: Vec<&Vec<&Rule>> = by_name.values().filter(|all| all.len() > 1).collect();
        several.sort_by_key(|all| all.first().map(|rule| rule.name()));
        for rules in several {
            for (index, rule) in rules.iter().enumerate() {
                let mut others = rules.iter().enumerate().filter(|(other, _)| *other != index);
                if let Some((_, other)) = others.find(|(_, other)| shadows(other, rule)) {
                    findings.push(finding(other, rule));
                }
            }
        }
    }
}

/// Whether the first fires wherever the second does, as the same alert.
fn shadows(wide: &Rule, narrow: &Rule) -> bool {
    let (Some(a), Some(b)) = (threshold(wide.expr()), threshold(narrow.expr())) else {
        return false;
    };
    // Where nothing differs, `rule/duplicate` says so.
    if a.op == b.op && a.value == b.value {
        return false;
    }
    let point = |value| Bounds::new(value, value);
    let passing = Bounds::ANY.passing(b.op, point(b.value));
    a.vector.same_as(b.vector)
        && passing.compare(a.op, point(a.value)) == Verdict::Always
        && same_labels(wide, narrow)
}

fn finding(wide: &Rule, narrow: &Rule) -> Diagnostic {
    let span = narrow.expr_span(narrow.expr().span);
    let message = "this alert is the one that a lower threshold fires already";
    Diagnostic::new(ABOUT.id, ABOUT.severity, narrow.source(), span, message)
        .label_in(wide.source(), wide.expr_span(wide.expr().span), "same name, same labels")
        .help("tell them apart by a label such as severity")
        .rule(narrow.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        let (low, high) = ("alert: D\nexpr: a > 8", "alert: D\nexpr: a > 9");
        cases(
            &Shadowed,
            &[
                (&[low, high], &["4:7 a > 9"]),
                (&[high, low], &["2:7 a > 9"]),
                (&["alert: D\nexpr: a < 3", "alert: D\nexpr: a < 1"], &["4:7 a < 1"]),
                (&[low, "alert: D\nexpr: a > 9\nlabels: {severity: x}"], &[]),
                (&[low, "alert: D\nexpr: b > 9"], &[]),
                (&[low, "alert: E\nexpr: a > 9"], &[]),
                (&[low, "alert: D\nexpr: a < 3"], &[]),
                (&[low, low], &[]),
                (&["alert: D\nexpr: up == 0", "alert: D\nexpr: up == 0"], &[]),
            ],
        );
    }
}
