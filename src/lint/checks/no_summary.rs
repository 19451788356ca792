//! An alert that says nothing to people.

use crate::diag::Severity;
use crate::lint::{About, Check, Context, Findings};

static ABOUT: About = About {
    id: "alert/no-summary",
    severity: Severity::Info,
    title: "An alert has no annotation that says what it means",
    text: "\
Who is woken reads the annotations. Without `summary`, `description` or `message` the mail holds a \
name and labels only.",
    bad: "alert: Down\nexpr: up == 0\n",
    good: "alert: Down\nexpr: up == 0\nannotations:\n  summary: '{{ $labels.instance }} does not answer'\n",
};

/// Any of these tells people what happened.
const TELLING: [&str; 4] = ["summary", "description", "message", "title"];

pub(in crate::lint) struct NoSummary;

impl Check for NoSummary {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        let places = context.rule.places();
        let mut annotations = places.annotations.iter();
        let tells =
            annotations.any(|a| TELLING.contains(&a.name.text()) && !a.text().trim().is_empty());
        if context.alert().is_some() && !tells {
            let message = "the alert has no summary";
            let finding = context.finding_at(&ABOUT, places.name, message);
            findings.push(finding.help("add the annotation `summary`: what, where, and the value"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        cases(
            &NoSummary,
            &[
                (&["alert: Down\nexpr: up == 0"], &["1:8 Down"]),
                (&["alert: Down\nexpr: up == 0\nannotations: {runbook: x}"], &["1:8 Down"]),
                (&["expr: up == 0\nannotations: {summary: x}"], &[]),
                (&["expr: up == 0\nannotations: {description: x}"], &[]),
                (&["record: a:b\nexpr: up"], &[]),
            ],
        );
    }
}
