//! An alert that only the default route takes.

use crate::diag::Severity;
use crate::lint::{About, Check, Findings, Project};
use crate::routing::RouteId;

static ABOUT: About = About {
    id: "route/only-default",
    severity: Severity::Warning,
    title: "No route but the default takes an alert",
    text: "\
With `--config FILE`. An alert whose labels no route matches ends at the root's receiver, where nobody may \
look at night. Often a label is missing or spelled otherwise than in the routes.",
    bad: "alert: Down\nexpr: sum(up) == 0\nlabels: {severity: crit}\n# watchbell.yaml\nroute:\n  receiver: team\n  routes:\n    - matchers: [severity=\"critical\"]\n      receiver: oncall\nreceivers: [{name: team}, {name: oncall}]\n",
    good: "alert: Down\nexpr: sum(up) == 0\nlabels: {severity: critical}\n# watchbell.yaml\nroute:\n  receiver: team\n  routes:\n    - matchers: [severity=\"critical\"]\n      receiver: oncall\nreceivers: [{name: team}, {name: oncall}]\n",
};

pub(in crate::lint) struct RouteDefault;

impl Check for RouteDefault {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn project(&self, project: &Project, findings: &mut Findings) {
        let Some(routes) = &project.routes else { return };
        if routes.config.tree.root().children.is_empty() {
            return;
        }
        for alert in routes.routed(project) {
            if alert.is_builtin || alert.ends != [RouteId::ROOT] {
                continue;
            }
            let receiver = &routes.config.tree.root().receiver;
            let place = routes.place(RouteId::ROOT, &["receiver"]);
            let span = alert.rule.places().name;
            let message =
                format!("no route takes this alert; it ends at the default, {receiver:?}");
            let finding = project.finding(&ABOUT, alert.rule, span, message).label_in(
                routes.source(),
                place,
                "the default",
            );
            findings.push(finding.help("`watchbell route` shows the way of a label set"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::routed_cases;

    #[test]
    fn cases_hold() {
        let config = "route: {receiver: a, routes: [{matchers: [team=x], receiver: b}]}\nreceivers: [{name: a}, {name: b}]";
        let alone = "route: {receiver: a}\nreceivers: [{name: a}]";
        let with = |team: &str| format!("alert: D\nexpr: sum(up) == 0\nlabels: {{team: {team}}}");
        routed_cases(
            &RouteDefault,
            &[
                (&[&with("y")], config, &["1:8 D"]),
                (&["alert: D\nexpr: sum(up) == 0"], config, &["1:8 D"]),
                (&[&with("x")], config, &[]),
                // The query may have the label.
                (&["alert: D\nexpr: up == 0"], config, &[]),
                (&[&with("y")], alone, &[]),
                (&["record: a:b\nexpr: sum(up)"], config, &[]),
            ],
        );
    }
}
