//! Alerts that end at a receiver which tells nobody.

use crate::diag::Severity;
use crate::lint::routes::Routed;
use crate::lint::{About, Check, Findings, Needs, Project};
use crate::routing::RouteId;

static ABOUT: About = About {
    id: "route/silent-receiver",
    severity: Severity::Bug,
    title: "Alerts end at a receiver that tells nobody",
    text: "\
With `--config FILE`. A receiver without an integration is valid and sends nothing. Where the default \
route ends there, or a critical alert, nobody is told. A route that leads there by its own matchers is \
taken for deliberate, unless a critical alert takes it.",
    bad: "alert: Down\nexpr: up == 0\nlabels: {severity: critical}\n# watchbell.yaml\nroute: {receiver: team}\nreceivers: [{name: team}]\n",
    good: "alert: Down\nexpr: up == 0\nlabels: {severity: critical}\n# watchbell.yaml\nroute: {receiver: team}\nreceivers: [{name: team, webhook_configs: [{url: 'https://example.com/hook'}]}]\n",
};

pub(in crate::lint) struct ReceiverSilent;

impl Check for ReceiverSilent {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::Routes
    }

    fn project(&self, project: &Project, findings: &mut Findings) {
        let Some(routes) = &project.routes else { return };
        let alerts = routes.routed(project);
        for receiver in routes.config.receivers.iter().filter(|r| r.integrations.is_empty()) {
            let ends_here = |id: &RouteId| {
                routes.config.tree.get(*id).is_some_and(|route| route.receiver == receiver.name)
            };
            let only_here = |alert: &&Routed<'_>| alert.ends.iter().all(ends_here);
            let lost: Vec<&Routed<'_>> = alerts
                .iter()
                .filter(only_here)
                .filter(|alert| alert.ends == [RouteId::ROOT] || alert.is_critical())
                .collect();
            let Some(first) = lost.first() else { continue };
            let more = match lost.len() - 1 {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            let message = format!(
                "the receiver {:?} has no integration: nobody is told of {}{more}",
                receiver.name,
                first.rule.name()
            );
            let mut finding =
                routes.finding(&ABOUT, routes.places.receiver(&receiver.name), message);
            if let Some(alert) = lost.iter().find(|alert| !alert.is_builtin) {
                finding =
                    finding.label_in(alert.rule.source(), alert.rule.places().name, "ends there");
            }
            findings.push(finding.help("give it an integration, such as `email_configs`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::routed_cases;

    #[test]
    fn cases_hold() {
        let hook = "webhook_configs: [{url: 'http://x'}]";
        let critical = "alert: D\nexpr: sum(up) == 0\nlabels: {severity: critical}";
        let info = "alert: D\nexpr: sum(up) == 0\nlabels: {severity: info}";
        let to = |matcher: &str| {
            format!(
                "receivers:\n- name: 'null'\n- {{name: a, {hook}}}\nroute: {{receiver: a, routes: [{{matchers: ['{matcher}'], receiver: 'null'}}]}}"
            )
        };
        routed_cases(
            &ReceiverSilent,
            &[
                (&[info], "receivers:\n- name: a\nroute: {receiver: a}", &["watchbell.yaml 2:9 a"]),
                (&[critical], &to("alertname=D"), &["watchbell.yaml 2:9 'null'"]),
                (&[info], &to("alertname=D"), &[]),
                // The program's own alerts are critical.
                (&[info], &to("severity=critical"), &["watchbell.yaml 2:9 'null'"]),
                (
                    &[info],
                    &format!("receivers: [{{name: a, {hook}}}]\nroute: {{receiver: a}}"),
                    &[],
                ),
            ],
        );
    }
}
