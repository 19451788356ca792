//! An alert without the label `severity`.

use crate::diag::Severity;
use crate::lint::{About, Check, Context, Findings};

static ABOUT: About = About {
    id: "alert/no-severity",
    severity: Severity::Warning,
    title: "An alert has no label `severity`",
    text: "\
Routes and inhibition mostly go by `severity`. An alert without it ends where everything else does, \
which is seldom where someone is woken.",
    bad: "alert: Down\nexpr: up == 0\n",
    good: "alert: Down\nexpr: up == 0\nlabels:\n  severity: critical\n",
};

pub(in crate::lint) struct NoSeverity;

impl Check for NoSeverity {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        let places = context.rule.places();
        let own = places.labels.iter().find(|label| label.name.text() == "severity");
        let is_set = own.is_some_and(|label| !label.text().is_empty());
        if context.alert().is_none() || is_set || context.result().has("severity").is_likely() {
            return;
        }
        let span = own.map_or(places.name, |label| label.name.span());
        let finding = context.finding_at(&ABOUT, span, "the alert has no label `severity`");
        findings.push(finding.note("routes that choose by severity do not take it"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        cases(
            &NoSeverity,
            &[
                (&["alert: Down\nexpr: up == 0"], &["1:8 Down"]),
                (&["expr: up == 0\nlabels: {severity: ''}\nalert: B"], &["2:10 severity"]),
                (&["expr: up == 0\nlabels: {severity: page}"], &[]),
                (&["expr: sum by (severity) (a) > 1"], &[]),
                (&["record: a:b\nexpr: up"], &[]),
            ],
        );
    }
}
