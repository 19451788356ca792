//! A route that no alert takes.

use crate::diag::{Severity, nearest};
use crate::lint::routes::{Answer, Routed, Value};
use crate::lint::{About, Check, Findings, Needs, Project};
use crate::model::Matcher;

static ABOUT: About = About {
    id: "route/unreached",
    severity: Severity::Bug,
    title: "A route wants a label or a value that no rule can give",
    text: "\
With `--config FILE`. A route whose matchers no alert of any rule can pass is dead: whoever it was written \
for hears nothing. Mostly a label or a value is spelled otherwise than in the rules. A value that a query \
takes from its series, or that a template makes, may be anything and is not reported.",
    bad: "alert: Down\nexpr: sum(up) == 0\nlabels: {severity: critical}\n# watchbell.yaml\nroute:\n  receiver: team\n  routes:\n    - matchers: [severity=\"crit\"]\n      receiver: oncall\nreceivers: [{name: team}, {name: oncall}]\n",
    good: "alert: Down\nexpr: sum(up) == 0\nlabels: {severity: critical}\n# watchbell.yaml\nroute:\n  receiver: team\n  routes:\n    - matchers: [severity=\"critical\"]\n      receiver: oncall\nreceivers: [{name: team}, {name: oncall}]\n",
};

pub(in crate::lint) struct RouteUnreached;

impl Check for RouteUnreached {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::Routes
    }

    fn project(&self, project: &Project, findings: &mut Findings) {
        let Some(routes) = &project.routes else { return };
        let alerts = routes.routed(project);
        for route in routes.config.tree.routes() {
            let Some(matcher) = route.matchers.0.iter().find(|m| nobody(&alerts, m)) else {
                continue;
            };
            let place = routes.place(route.id, &["matchers", "match", "match_re"]);
            let finding = routes.finding(&ABOUT, place, message(&alerts, matcher));
            let finding =
                finding.caret(format!("so {:?} hears nothing by this route", route.receiver));
            findings.push(match near(&alerts, matcher) {
                Some(near) => finding.help(format!("did you mean {near:?}?")),
                None => finding,
            });
        }
    }
}

fn nobody(alerts: &[Routed<'_>], matcher: &Matcher) -> bool {
    alerts.iter().all(|alert| alert.labels.matches(matcher) == Answer::No)
}

/// Why no alert passes a matcher.
pub(in crate::lint) fn message(alerts: &[Routed<'_>], matcher: &Matcher) -> String {
    let name = matcher.name();
    if alerts.iter().all(|alert| alert.labels.lacks(name)) {
        format!("no rule gives the label `{name}`")
    } else {
        format!("no alert passes `{matcher}`")
    }
}

/// The value of a label that alerts have and that is nearest to the one that a matcher wants.
pub(in crate::lint) fn near(alerts: &[Routed<'_>], matcher: &Matcher) -> Option<String> {
    let values: Vec<String> = alerts
        .iter()
        .filter_map(|alert| match alert.labels.value(matcher.name()) {
            Value::Exactly(value) if !value.is_empty() => Some(value),
            _ => None,
        })
        .collect();
    let wanted = matcher.value();
    let begins = || values.iter().map(String::as_str).find(|value| value.starts_with(wanted));
    nearest(wanted, values.iter().map(String::as_str)).or_else(begins).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::routed_cases;

    #[test]
    fn cases_hold() {
        let config = |matcher: &str| {
            format!(
                "route:\n  receiver: a\n  routes:\n  - matchers: ['{matcher}']\n    receiver: b\nreceivers: [{{name: a}}, {{name: b}}]"
            )
        };
        let rule: &[&str] = &["alert: D\nexpr: sum(up) == 0\nlabels: {severity: critical}"];
        routed_cases(
            &RouteUnreached,
            &[
                (rule, &config("team=x"), &["watchbell.yaml 4:15 ['team=x']"]),
                (rule, &config("severity=crit"), &["watchbell.yaml 4:15 ['severity=crit']"]),
                (rule, &config("alertname=E"), &["watchbell.yaml 4:15 ['alertname=E']"]),
                (rule, &config("severity=critical"), &[]),
                (rule, &config("severity!=critical"), &[]),
                (rule, &config("team!=x"), &[]),
                // The program's own alerts.
                (rule, &config("service=watchbell"), &[]),
                (&["alert: D\nexpr: up == 0"], &config("team=x"), &[]),
            ],
        );
    }
}
