//! An inhibit rule that an alert would use on itself.

use crate::diag::Severity;
use crate::lint::routes::Answer;
use crate::lint::{About, Check, Findings, Needs, Project};

static ABOUT: About = About {
    id: "inhibit/self",
    severity: Severity::Warning,
    title: "An alert is source and target of the same inhibit rule",
    text: "\
With `--config FILE`. An alert that matches both sides does not hold itself back, nor others that match \
both; so an inhibit rule whose every target is also a source never does anything, and one that only some \
match on both sides does less than it seems to.

Leave the sources out of the target: `target_matchers: [alertname!=\"NodeDown\", …]`.",
    bad: "alert: NodeDown\nexpr: up == 0\nlabels: {severity: critical}\n# watchbell.yaml\nroute: {receiver: team}\nreceivers: [{name: team}]\ninhibit_rules:\n  - source_matchers: [severity=\"critical\"]\n    target_matchers: [alertname=\"NodeDown\"]\n",
    good: "alert: NodeDown\nexpr: up == 0\nlabels: {severity: critical}\n# watchbell.yaml\nroute: {receiver: team}\nreceivers: [{name: team}]\ninhibit_rules:\n  - source_matchers: [severity=\"critical\"]\n    target_matchers: [severity=\"warning\"]\n",
};

pub(in crate::lint) struct InhibitSelf;

impl Check for InhibitSelf {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::Routes
    }

    fn project(&self, project: &Project, findings: &mut Findings) {
        let Some(routes) = &project.routes else { return };
        let alerts = routes.routed(project);
        for (index, rule) in routes.config.inhibit_rules.iter().enumerate() {
            let both = alerts.iter().find(|alert| {
                let labels = &alert.labels;
                labels.all(&rule.source) == Answer::Yes && labels.all(&rule.target) == Answer::Yes
            });
            let Some(alert) = both else { continue };
            let span =
                routes.places.inhibit_rule(index, &["target_matchers"], routes.source().text());
            let name = alert.rule.name();
            let message = format!("{name} is source and target of this inhibit rule");
            let mut finding =
                routes.finding(&ABOUT, span, message).caret("so it is never held back by its like");
            if !alert.is_builtin {
                finding = finding.label_in(
                    alert.rule.source(),
                    alert.rule.places().name,
                    "matches both sides",
                );
            }
            findings.push(finding.help("leave the sources out of the target"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::routed_cases;

    #[test]
    fn cases_hold() {
        let down = "alert: Down\nexpr: sum(up) == 0\nlabels: {severity: critical}";
        let with = |source: &str, target: &str| {
            format!(
                "route: {{receiver: a}}\nreceivers: [{{name: a}}]\ninhibit_rules:\n- source_matchers: ['{source}']\n  target_matchers: ['{target}']"
            )
        };
        routed_cases(
            &InhibitSelf,
            &[
                (
                    &[down],
                    &with("alertname=Down", "severity=critical"),
                    &["watchbell.yaml 5:20 ['severity=critical']"],
                ),
                (&[down], &with("alertname=Down", "severity=warning"), &[]),
                // Only some alerts may have it.
                (&["alert: Down\nexpr: up == 0"], &with("alertname=Down", "zone=x"), &[]),
            ],
        );
    }
}
