//! An inhibit rule that can hold nothing back.

use crate::diag::{Diagnostic, Severity};
use crate::lint::checks::route_unreached::{message, near};
use crate::lint::routes::{Answer, Routed, matches_none};
use crate::lint::{About, Check, Findings, Needs, Project};
use crate::model::Matchers;

static ABOUT: About = About {
    id: "inhibit/never",
    severity: Severity::Bug,
    title: "An inhibit rule can never hold an alert back",
    text: "\
With `--config FILE`. Where no alert can match the source or the target of an inhibit rule, it holds \
nothing back. Nor does it where a label of `equal` is on one side always and on the other never, since a \
missing label is an empty one.",
    bad: "alert: NodeDown\nexpr: up == 0\nlabels: {severity: critical}\n# watchbell.yaml\nroute: {receiver: team}\nreceivers: [{name: team}]\ninhibit_rules:\n  - source_matchers: [alertname=\"NodesDown\"]\n    target_matchers: [severity=\"warning\"]\n",
    good: "alert: NodeDown\nexpr: up == 0\nlabels: {severity: critical}\n---\nalert: Slow\nexpr: latency > 1\nlabels: {severity: warning}\n# watchbell.yaml\nroute: {receiver: team}\nreceivers: [{name: team}]\ninhibit_rules:\n  - source_matchers: [alertname=\"NodeDown\"]\n    target_matchers: [severity=\"warning\"]\n",
};

const SIDES: [(&str, [&str; 3]); 2] = [
    ("source", ["source_matchers", "source_match", "source_match_re"]),
    ("target", ["target_matchers", "target_match", "target_match_re"]),
];

pub(in crate::lint) struct InhibitNever;

impl Check for InhibitNever {
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
            let sides = [&rule.source, &rule.target];
            let never = sides.into_iter().zip(SIDES).find(|(m, _)| matches_none(&alerts, m));
            if let Some((matchers, (side, keys))) = never {
                let span = routes.places.inhibit_rule(index, &keys, routes.source().text());
                let text = format!("no alert can be the {side} of this inhibit rule");
                let mut finding = routes.finding(&ABOUT, span, text);
                if let Some(matcher) = refusing(&alerts, matchers) {
                    finding = finding.caret(message(&alerts, matcher));
                    if let Some(near) = near(&alerts, matcher) {
                        finding = finding.help(format!("did you mean {near:?}?"));
                    }
                }
                findings.push(finding);
                continue;
            }
            for label in &rule.equal {
                let lacks = |m: &Matchers| all_lack(&alerts, m, label);
                if let Some(side) = one_sided(lacks(&rule.source), lacks(&rule.target)) {
                    let span =
                        routes.places.inhibit_rule(index, &["equal"], routes.source().text());
                    let text = format!(
                        "no {side} of this inhibit rule has the label `{label}` of `equal`"
                    );
                    let mut finding =
                        Diagnostic::new(ABOUT.id, Severity::Warning, routes.source(), span, text);
                    finding =
                        finding.caret("a missing label is an empty one, which must be equal too");
                    findings.push(finding);
                }
            }
        }
    }
}

/// The first matcher that no alert passes by itself.
fn refusing<'m>(
    alerts: &[Routed<'_>],
    matchers: &'m Matchers,
) -> Option<&'m crate::model::Matcher> {
    let nobody = |matcher: &&crate::model::Matcher| {
        alerts.iter().all(|alert| alert.labels.matches(matcher) == Answer::No)
    };
    matchers.0.iter().find(nobody)
}

fn all_lack(alerts: &[Routed<'_>], side: &Matchers, label: &str) -> bool {
    let mut of_side = alerts.iter().filter(|alert| alert.labels.all(side) != Answer::No);
    of_side.all(|alert| alert.labels.lacks(label))
}

fn one_sided(source: bool, target: bool) -> Option<&'static str> {
    match (source, target) {
        (true, false) => Some("source"),
        (false, true) => Some("target"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::routed_cases;

    #[test]
    fn cases_hold() {
        let down = "alert: Down\nexpr: sum by (node) (up) == 0\nlabels: {severity: critical}";
        let slow = "alert: Slow\nexpr: sum by (node) (x) > 1\nlabels: {severity: warning}";
        let total = "alert: Total\nexpr: sum(x) > 1\nlabels: {severity: warning}";
        let with = |source: &str, target: &str, equal: &str| {
            format!(
                "route: {{receiver: a}}\nreceivers: [{{name: a}}]\ninhibit_rules:\n- source_matchers: ['{source}']\n  target_matchers: ['{target}']\n  equal: [{equal}]"
            )
        };
        routed_cases(
            &InhibitNever,
            &[
                (
                    &[down, slow],
                    &with("alertname=Dawn", "severity=warning", ""),
                    &["watchbell.yaml 4:20 ['alertname=Dawn']"],
                ),
                (
                    &[down, slow],
                    &with("alertname=Down", "team=x", ""),
                    &["watchbell.yaml 5:20 ['team=x']"],
                ),
                (
                    &[down, total],
                    &with("alertname=Down", "alertname=Total", "node"),
                    &["watchbell.yaml 6:10 [node]"],
                ),
                (&[down, slow], &with("alertname=Down", "severity=warning", "node"), &[]),
                (&[down, slow], &with("alertname=Down", "alertname=Slow", "zone"), &[]),
            ],
        );
    }
}
