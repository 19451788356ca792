//! A route that groups by a label which its alerts lack.

use crate::diag::Severity;
use crate::lint::routes::Routed;
use crate::lint::{About, Check, Findings, Needs, Project};
use crate::routing::{GroupBy, RouteId};

static ABOUT: About = About {
    id: "route/group-by",
    severity: Severity::Warning,
    title: "A route groups by a label that none of its alerts has",
    text: "\
With `--config FILE`. A label that no alert of a route has makes no groups: everything that was to be told \
apart by it comes as one message.",
    bad: "alert: Down\nexpr: sum by (job) (up) == 0\n# watchbell.yaml\nroute: {receiver: team, group_by: [alertname, cluster]}\nreceivers: [{name: team}]\n",
    good: "alert: Down\nexpr: sum by (job) (up) == 0\n# watchbell.yaml\nroute: {receiver: team, group_by: [alertname, job]}\nreceivers: [{name: team}]\n",
};

pub(in crate::lint) struct GroupByLabel;

impl Check for GroupByLabel {
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
        for route in tree.routes() {
            let GroupBy::Labels(labels) = &route.group_by else { continue };
            // Where it is inherited, it is judged where it is written.
            if route.parent.is_some() && !routes.places.has(route.id, "group_by") {
                continue;
            }
            let mut below = vec![route.id];
            let mut at = 0;
            while let Some(route) = below.get(at).and_then(|id| tree.get(*id)) {
                let inherits = |id: &&RouteId| !routes.places.has(**id, "group_by");
                below.extend(route.children.iter().filter(inherits));
                at += 1;
            }
            let ends = |alert: &&Routed<'_>| alert.ends.iter().any(|id| below.contains(id));
            let here: Vec<&Routed<'_>> =
                alerts.iter().filter(|alert| !alert.is_builtin).filter(ends).collect();
            for label in labels.iter().filter(|_| !here.is_empty()) {
                if !here.iter().all(|alert| alert.labels.lacks(label)) {
                    continue;
                }
                let span = routes.place(route.id, &["group_by", "receiver"]);
                let message = format!("none of the alerts of this route has the label `{label}`");
                let mut finding = routes.finding(&ABOUT, span, message);
                if let Some(alert) = here.first() {
                    finding = finding.label_in(
                        alert.rule.source(),
                        alert.rule.places().name,
                        "ends here, without it",
                    );
                }
                findings.push(finding);
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
        let rule: &[&str] = &["alert: D\nexpr: sum by (job) (up) == 0\nlabels: {severity: x}"];
        let with = |by: &str| {
            format!("route:\n  receiver: a\n  group_by: [{by}]\nreceivers: [{{name: a}}]")
        };
        routed_cases(
            &GroupByLabel,
            &[
                (rule, &with("zone"), &["watchbell.yaml 3:13 [zone]"]),
                (rule, &with("job, severity, alertname"), &[]),
                (rule, &with("'...'"), &[]),
                (rule, &format!("global: {{external_labels: {{zone: x}}}}\n{}", with("zone")), &[]),
                (&["expr: up == 0"], &with("zone"), &[]),
                // Judged once, where it is written, with the routes that inherit it.
                (
                    rule,
                    "route:\n  receiver: a\n  group_by: [zone]\n  routes: [{matchers: [severity=x], receiver: b}]\nreceivers: [{name: a}, {name: b}]",
                    &["watchbell.yaml 3:13 [zone]"],
                ),
            ],
        );
    }
}
