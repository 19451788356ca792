//! An alert that only the default route takes.

use crate::diag::{Severity, nearest};
use crate::lint::routes::{Routed, Value};
use crate::lint::{About, Check, Findings, Needs, Project, Routes};
use crate::model::{MatchOp, Matcher};
use crate::routing::RouteId;

static ABOUT: About = About {
    id: "route/only-default",
    severity: Severity::Warning,
    title: "No route but the default takes an alert",
    text: "\
With `--config FILE`. An alert whose labels no route matches ends at the root's receiver, where nobody may \
look at night. Often a label is missing or spelled otherwise than in the routes. For an alert that says of itself that it is less than critical the \
default may be where it belongs: that is told as a remark.",
    bad: "alert: Down\nexpr: sum(up) == 0\nlabels: {severity: crit}\n# watchbell.yaml\nroute:\n  receiver: team\n  routes:\n    - matchers: [severity=\"critical\"]\n      receiver: oncall\nreceivers: [{name: team}, {name: oncall}]\n",
    good: "alert: Down\nexpr: sum(up) == 0\nlabels: {severity: critical}\n# watchbell.yaml\nroute:\n  receiver: team\n  routes:\n    - matchers: [severity=\"critical\"]\n      receiver: oncall\nreceivers: [{name: team}, {name: oncall}]\n",
};

pub(in crate::lint) struct RouteDefault;

impl Check for RouteDefault {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::Routes
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
            let mut finding = project.finding(&ABOUT, alert.rule, span, message).label_in(
                routes.source(),
                place,
                "the default",
            );
            if let Some(matcher) = near_miss(&alert, routes) {
                let labels = &alert.rule.places().labels;
                let label = labels.iter().find(|l| l.name.text() == matcher.name());
                let says = format!("a route has `{matcher}`");
                finding = match label.filter(|label| !label.from_group) {
                    Some(label) => finding.label(label.value.span(), says),
                    None => finding.note(says),
                };
            } else if is_lesser(&alert) {
                finding.severity = Severity::Info;
            }
            findings.push(finding.help("`watchbell route` shows the way of a label set"));
        }
    }
}

/// Whether an alert says of itself that it is less than critical.
fn is_lesser(alert: &Routed<'_>) -> bool {
    matches!(alert.labels.value("severity"), Value::Exactly(v) if !v.is_empty())
        && !alert.is_critical()
}

/// A matcher of a route that an alert misses by a slip of the keys.
fn near_miss<'r>(alert: &Routed<'_>, routes: &'r Routes) -> Option<&'r Matcher> {
    let matchers = routes.config.tree.routes().flat_map(|route| &route.matchers.0);
    let mut equal = matchers.filter(|matcher| matcher.op() == MatchOp::Equal);
    equal.find(|matcher| match alert.labels.value(matcher.name()) {
        Value::Exactly(value) if !value.is_empty() && value != matcher.value() => {
            let wanted = matcher.value();
            nearest(&value, [wanted]).is_some() || wanted.starts_with(&value)
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Settings;
    use crate::lint::testing::{file, routed_cases, routes, run};

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

    #[test]
    fn only_what_may_have_been_meant_for_a_route_is_a_warning() {
        let config = "route: {receiver: a, routes: [{matchers: [severity=critical], receiver: b}]}\nreceivers: [{name: a}, {name: b}]";
        for (severity, expected) in [
            ("crit", Severity::Warning),
            ("critcal", Severity::Warning),
            ("page", Severity::Warning),
            ("", Severity::Warning),
            ("warning", Severity::Info),
        ] {
            let rule = format!("alert: D\nexpr: sum(up) == 0\nlabels: {{severity: '{severity}'}}");
            let project = Project::new(vec![file(&[&rule])], Settings::default());
            let found = run(&RouteDefault, &project.with_routes(routes(config)));
            assert_eq!(found[0].severity, expected, "{severity}");
        }
    }
}
