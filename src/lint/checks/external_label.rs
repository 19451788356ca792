//! A label that is also an external one.

use crate::diag::Severity;
use crate::lint::{About, Check, Findings, Needs, Project};

static ABOUT: About = About {
    id: "rule/external-label",
    severity: Severity::Warning,
    title: "A rule sets a label that is also an external label",
    text: "\
With `--config FILE`. External labels are added to every alert, unless it has a label of that name \
already. So a rule that sets it hides where its alerts come from, and routes that go by it lead astray.",
    bad: "alert: Down\nexpr: up == 0\nlabels: {cluster: a}\n# watchbell.yaml\nglobal: {external_labels: {cluster: prod}}\nroute: {receiver: team}\nreceivers: [{name: team}]\n",
    good: "alert: Down\nexpr: up == 0\nlabels: {area: a}\n# watchbell.yaml\nglobal: {external_labels: {cluster: prod}}\nroute: {receiver: team}\nreceivers: [{name: team}]\n",
};

pub(in crate::lint) struct ExternalLabel;

impl Check for ExternalLabel {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::Routes
    }

    fn project(&self, project: &Project, findings: &mut Findings) {
        let Some(routes) = &project.routes else { return };
        let external = &routes.config.global.external_labels;
        for (_, rule) in project.rules() {
            for field in &rule.places().labels {
                let Some(value) = external.get(field.name.text()) else { continue };
                if field.text() == value {
                    continue;
                }
                let message = format!(
                    "`{}` is also an external label, {value:?}, and is not added here",
                    field.name.text()
                );
                let finding = project.finding(&ABOUT, rule, field.name.span(), message);
                findings.push(finding.help("give the rule's label another name"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::routed_cases;

    #[test]
    fn cases_hold() {
        let config = "global: {external_labels: {cluster: prod}}\nroute: {receiver: a}\nreceivers: [{name: a}]";
        routed_cases(
            &ExternalLabel,
            &[
                (&["expr: up == 0\nlabels: {cluster: a}"], config, &["2:10 cluster"]),
                (&["expr: up == 0\nlabels: {cluster: prod}"], config, &[]),
                (&["expr: up == 0\nlabels: {zone: a}"], config, &[]),
            ],
        );
    }
}
