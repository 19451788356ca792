//! The same rule twice.

use std::collections::HashMap;

use crate::diag::{Diagnostic, Severity};
use crate::lint::{About, Check, Findings, Project};
use crate::rule::{Rule, TextField};

static ABOUT: About = About {
    id: "rule/duplicate",
    severity: Severity::Warning,
    title: "Two rules are the same",
    text: "\
Two alerts of the same name, labels and expression are one alert to everybody who reads it, but each has \
its own `for` and its own end: what one has resolved the other still fires. Two recording rules of the \
same name and labels write to the same series, and Prometheus drops samples of one of them.

Remove one of them, or tell them apart by a label.",
    bad: "alert: Down\nexpr: up == 0\n---\nalert: Down\nexpr: up == 0\n",
    good: "alert: Down\nexpr: up == 0\n",
};

pub(in crate::lint) struct Duplicate;

impl Check for Duplicate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn project(&self, project: &Project, findings: &mut Findings) {
        let mut by_name: HashMap<(&str, bool), Vec<&Rule>> = HashMap::new();
        for (_, rule) in project.rules() {
            let key = (rule.name(), rule.as_alerting().is_some());
            let others = by_name.entry(key).or_default();
            if let Some(first) = others.iter().find(|other| same(other, rule)) {
                findings.push(twice(first, rule));
            } else {
                others.push(rule);
            }
        }
    }
}

fn same(a: &Rule, b: &Rule) -> bool {
    a.expr().same_as(b.expr()) && same_labels(a, b)
}

/// Whether two rules set the same labels to the same texts.
pub(super) fn same_labels(a: &Rule, b: &Rule) -> bool {
    let (a, b) = (&a.places().labels, &b.places().labels);
    let same =
        |a: &TextField, b: &TextField| (a.name.text(), a.text()) == (b.name.text(), b.text());
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

fn twice(first: &Rule, second: &Rule) -> Diagnostic {
    let span = second.places().name;
    let message = "the same rule stands here a second time";
    Diagnostic::new(ABOUT.id, ABOUT.severity, second.source(), span, message)
        .label_in(first.source(), first.places().name, "the first")
        .help("remove one, or tell them apart by a label")
        .rule(second.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        let down = "alert: Down\nexpr: up == 0";
        cases(
            &Duplicate,
            &[
                (&[down, "alert: Down\nexpr: up   == 0\nfor: 5m"], &["3:8 Down"]),
                (&["record: a:b\nexpr: sum(a)", "record: a:b\nexpr: (sum(a))"], &[]),
                (&["record: a:b\nexpr: sum(a)", "record: a:b\nexpr: sum(a)"], &["3:9 a:b"]),
                (&[down, "alert: Down\nexpr: up == 1"], &[]),
                (&[down, "alert: Down\nexpr: up == 0\nlabels: {severity: page}"], &[]),
                (&[down, "alert: Other\nexpr: up == 0"], &[]),
            ],
        );
    }
}
