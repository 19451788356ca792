//! A receiver that no alert reaches.

use crate::diag::Severity;
use crate::lint::{About, Check, Findings, Needs, Project};

static ABOUT: About = About {
    id: "route/unused-receiver",
    severity: Severity::Warning,
    title: "No alert can reach a receiver",
    text: "\
With `--config FILE`. A receiver that no route names, or whose routes no alert can take, tells nobody \
anything. Often it is what is left of a change, sometimes the route to it was lost.",
    bad: "alert: Down\nexpr: up == 0\n# watchbell.yaml\nroute:\n  receiver: team\nreceivers: [{name: team}, {name: oncall}]\n",
    good: "alert: Down\nexpr: up == 0\n# watchbell.yaml\nroute:\n  receiver: team\nreceivers: [{name: team}]\n",
};

pub(in crate::lint) struct ReceiverUnused;

impl Check for ReceiverUnused {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::Routes
    }

    fn project(&self, project: &Project, findings: &mut Findings) {
        let Some(routes) = &project.routes else { return };
        let alerts = routes.routed(project);
        let tree = &routes.config.tree;
        let ends: Vec<&str> = alerts
            .iter()
            .flat_map(|alert| &alert.ends)
            .filter_map(|id| tree.get(*id))
            .map(|route| route.receiver.as_str())
            .collect();
        for receiver in &routes.config.receivers {
            let name = receiver.name.as_str();
            if ends.contains(&name) {
                continue;
            }
            let route = tree.routes().find(|route| route.receiver == name);
            let message = match route {
                Some(_) => format!("no alert reaches the receiver {name:?}"),
                None => format!("no route names the receiver {name:?}"),
            };
            let finding = routes.finding(&ABOUT, routes.places.receiver(&receiver.name), message);
            findings.push(match route {
                Some(route) => finding.label(
                    routes.place(route.id, &["matchers", "receiver"]),
                    "no alert ends at this route",
                ),
                None => finding,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::routed_cases;

    #[test]
    fn cases_hold() {
        let rule: &[&str] = &["expr: sum(up) == 0\nlabels: {severity: x}"];
        let with = |routes: &str| {
            format!("receivers:\n- name: a\n- name: b\nroute: {{receiver: a, routes: [{routes}]}}")
        };
        routed_cases(
            &ReceiverUnused,
            &[
                (rule, &with(""), &["watchbell.yaml 3:9 b"]),
                (rule, &with("{matchers: [severity=y], receiver: b}"), &["watchbell.yaml 3:9 b"]),
                (rule, &with("{matchers: [severity=x], receiver: b}"), &[]),
            ],
        );
    }
}
