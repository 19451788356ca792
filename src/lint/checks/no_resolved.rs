//! A critical alert whose end nobody hears of.

use crate::diag::Severity;
use crate::lint::{About, Check, Findings, Needs, Project};

static ABOUT: About = About {
    id: "route/no-resolved",
    severity: Severity::Warning,
    title: "A critical alert reaches only receivers that are not told of its end",
    text: "\
With `--config FILE`. Without `send_resolved` nobody is told that an incident is over, and an incident that \
was opened by a machine stays open. Mail and Slack have it off unless it is set. Severities `critical` and \
`page` are looked at.",
    bad: "alert: Down\nexpr: up == 0\nlabels: {severity: critical}\n# watchbell.yaml\nroute: {receiver: team}\nreceivers: [{name: team, webhook_configs: [{url: 'https://example.com/hook', send_resolved: false}]}]\n",
    good: "alert: Down\nexpr: up == 0\nlabels: {severity: critical}\n# watchbell.yaml\nroute: {receiver: team}\nreceivers: [{name: team, webhook_configs: [{url: 'https://example.com/hook', send_resolved: true}]}]\n",
};

pub(in crate::lint) struct NoResolved;

impl Check for NoResolved {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::Routes
    }

    fn project(&self, project: &Project, findings: &mut Findings) {
        let Some(routes) = &project.routes else { return };
        for alert in routes.routed(project) {
            if alert.is_builtin || !alert.is_critical() {
                continue;
            }
            let names = alert.ends.iter().filter_map(|id| routes.config.tree.get(*id));
            let names: Vec<&str> = names.map(|route| route.receiver.as_str()).collect();
            let receivers =
                || routes.config.receivers.iter().filter(|r| names.contains(&r.name.as_str()));
            let mut integrations = receivers().flat_map(|r| &r.integrations).peekable();
            // One that tells nobody anything is another matter.
            if integrations.peek().is_none() || integrations.any(|(_, _, i)| i.send_resolved()) {
                continue;
            }
            let span = alert.rule.places().name;
            let message = "nobody is told when this critical alert is over";
            let mut finding = project.finding(&ABOUT, alert.rule, span, message);
            if let Some(receiver) = receivers().next() {
                finding = finding.label_in(
                    routes.source(),
                    routes.places.receiver(&receiver.name),
                    "ends here, without send_resolved",
                );
            }
            findings.push(finding.help("set `send_resolved: true`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::routed_cases;

    #[test]
    fn cases_hold() {
        let rule = |severity: &str| {
            format!("alert: D\nexpr: sum(up) == 0\nlabels: {{severity: {severity}}}")
        };
        let with = |resolved: &str| {
            format!(
                "route: {{receiver: a}}\nreceivers: [{{name: a, webhook_configs: [{{url: 'http://x', send_resolved: {resolved}}}]}}]"
            )
        };
        routed_cases(
            &NoResolved,
            &[
                (&[&rule("critical")], &with("false"), &["1:8 D"]),
                (&[&rule("page")], &with("false"), &["1:8 D"]),
                (&[&rule("critical")], &with("true"), &[]),
                (&[&rule("warning")], &with("false"), &[]),
                (&[&rule("critical")], "route: {receiver: a}\nreceivers: [{name: a}]", &[]),
            ],
        );
    }
}
