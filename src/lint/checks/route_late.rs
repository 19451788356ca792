//! A critical alert that pages late.

use std::time::Duration;

use crate::diag::Severity;
use crate::lint::{About, Check, Findings, Needs, Project};
use crate::model::format_duration;

static ABOUT: About = About {
    id: "route/late",
    severity: Severity::Warning,
    title: "A critical alert pages later than the settings allow",
    text: "\
With `--config FILE` and `page_within` in the settings (`--settings FILE`). From the first bad sample to \
the page pass at most one interval until the rule looks, its `for`, and `group_wait` of the route. \
Severities `critical` and `page` are looked at.",
    bad: "alert: Down\nexpr: up == 0\nfor: 10m\nlabels: {severity: critical}\n# watchbell.yaml\nroute: {receiver: team, group_wait: 1m}\nreceivers: [{name: team}]\n",
    good: "alert: Down\nexpr: up == 0\nfor: 2m\nlabels: {severity: critical}\n# watchbell.yaml\nroute: {receiver: team, group_wait: 10s}\nreceivers: [{name: team}]\n",
};

pub(in crate::lint) struct RouteLate;

impl Check for RouteLate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::PageWithin
    }

    fn project(&self, project: &Project, findings: &mut Findings) {
        let (Some(routes), Some(budget)) = (&project.routes, project.settings.page_within) else {
            return;
        };
        let tree = &routes.config.tree;
        for alert in routes.routed(project) {
            let Some(rule) = alert.rule.as_alerting() else { continue };
            if alert.is_builtin || !alert.is_critical() {
                continue;
            }
            let group = project.rules().find(|(_, other)| std::ptr::eq(*other, alert.rule));
            let interval = group.and_then(|(group, _)| group.interval);
            let interval = interval.unwrap_or(routes.config.global.evaluation_interval);
            let ends = alert.ends.iter().filter_map(|id| tree.get(*id));
            // Whoever is told first is paged.
            let Some(first) = ends.min_by_key(|route| route.group_wait) else { continue };
            let parts: [Duration; 3] = [interval, rule.for_duration, first.group_wait];
            let total: Duration = parts.iter().sum();
            if total <= budget {
                continue;
            }
            let [interval, hold, wait] = parts.map(format_duration);
            let span = rule.places.for_duration.unwrap_or(rule.places.name);
            let message = format!(
                "the page may come {} after the first bad sample, not within {}",
                format_duration(total),
                format_duration(budget)
            );
            let place = routes.place(first.id, &["group_wait", "receiver"]);
            let finding = project.finding(&ABOUT, alert.rule, span, message).label_in(
                routes.source(),
                place,
                format!("group_wait {wait}"),
            );
            findings.push(
                finding.note(format!("interval {interval} + for {hold} + group_wait {wait}")),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Settings;
    use crate::lint::testing::routed_cases_with;

    #[test]
    fn cases_hold() {
        let page_within = Some(Duration::from_secs(300));
        let settings = Settings { page_within, ..Settings::default() };
        let rule = |hold: &str, severity: &str| {
            format!("alert: D\nexpr: sum(up) == 0\nfor: {hold}\nlabels: {{severity: {severity}}}")
        };
        let config = "global: {evaluation_interval: 1m}\nroute: {receiver: a, group_wait: 30s}\nreceivers: [{name: a}]";
        routed_cases_with(
            &RouteLate,
            &settings,
            &[
                (&[&rule("5m", "critical")], config, &["3:6 5m"]),
                (&[&rule("3m", "critical")], config, &[]),
                (&[&rule("5m", "warning")], config, &[]),
            ],
        );
    }
}
