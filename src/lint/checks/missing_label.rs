//! A template that uses a label which the query cannot have.

use crate::diag::{Severity, Span};
use crate::lint::checks::no_match;
use crate::lint::template_text::is_condition;
use crate::lint::{About, Check, Context, Findings, families};
use crate::model::label::ALERT_NAME;
use crate::promql::flow::Has;
use crate::rule::{AlertingRule, TextField};
use crate::template::RuleTemplate;

static ABOUT: About = About {
    id: "template/missing-label",
    severity: Severity::Bug,
    title: "A template uses a label that the query cannot have",
    text: "\
A label that is not there expands to nothing: whoever is woken reads “Pod  is crash looping”. \
Aggregations leave only the labels of `by (…)`, `absent` only those of its `=` matchers, and the labels \
that the rule itself sets are not in `$labels`.

Keep the label in the query, or leave it out of the text. A label that is asked for by `{{ if }}` or \
`{{ with }}` is not reported.",
    bad: "alert: CrashLooping\nexpr: sum by (pod) (increase(restarts_total[1h])) > 5\nannotations:\n  summary: 'Pod {{ $labels.pod_name }} restarts again and again'\n",
    good: "alert: CrashLooping\nexpr: sum by (pod) (increase(restarts_total[1h])) > 5\nannotations:\n  summary: 'Pod {{ $labels.pod }} restarts again and again'\n",
};

pub(in crate::lint) struct MissingLabel;

impl Check for MissingLabel {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        let Some(alert) = context.alert() else { return };
        for (field, template) in alert.templates() {
            if !template.is_plain() && template.text().contains("abels") {
                look_at(context, alert, field, template, findings);
            }
        }
    }
}

fn look_at(
    context: &Context<'_>,
    alert: &AlertingRule,
    field: &TextField,
    template: &RuleTemplate,
    findings: &mut Findings,
) {
    let uses = template.label_uses();
    for (label, span) in uses {
        let has = context.labels().has(label);
        if matches!(has, Has::Always | Has::Expected) {
            continue;
        }
        let asked = uses
            .iter()
            .any(|(other, place)| other == label && is_condition(template.text(), place.start));
        if asked {
            continue;
        }
        let place = || field.value.span_of(*span, &alert.source);
        match has {
            // Nothing is expanded where nothing fires, and once pairs are found the label is there.
            Has::Never(_) if no_match::is_only_unpaired(context, label) => {}
            Has::Never(removal) => {
                let message =
                    format!("the query has no label `{label}`, so this expands to nothing");
                let mut finding = context
                    .finding_at(&ABOUT, place(), message)
                    .label(context.place(removal.span), removal.why);
                let near = crate::diag::nearest(label, context.labels().likely());
                let prefix =
                    || context.labels().likely().find(|l| label.starts_with(&format!("{l}_")));
                if let Some(near) = near.or_else(prefix) {
                    finding = finding.help(format!("did you mean `{near}`?"));
                }
                findings.push(finding);
            }
            Has::Maybe => {
                if let Some(finding) = renamed(context, label, &place) {
                    findings.push(finding);
                } else if let Some(finding) = own(context, alert, label, &place) {
                    findings.push(finding);
                }
            }
            Has::Always | Has::Expected => {}
        }
    }
}

/// A label that the exporters of all selectors called otherwise.
fn renamed(
    context: &Context<'_>,
    label: &str,
    place: &dyn Fn() -> Span,
) -> Option<crate::diag::Diagnostic> {
    let renamed = families::renamed(context.expr(), label)?;
    let message = format!("these metrics have no label `{label}`, so this expands to nothing");
    let finding = context.finding_at(&ABOUT, place(), message);
    let finding = finding.label(context.place(renamed.span), "the metric").note(renamed.why);
    Some(finding.help(format!("did you mean `{}`?", renamed.instead)))
}

/// A label that the rule sets, or that every alert has: `$labels` holds those of the query only.
fn own(
    context: &Context<'_>,
    alert: &AlertingRule,
    label: &str,
    place: &dyn Fn() -> Span,
) -> Option<crate::diag::Diagnostic> {
    let set = alert.places.labels.iter().find(|field| field.name.text() == label);
    let knows =
        context.expr().selectors().any(|s| s.metric_name().is_none_or(|n| n.starts_with("ALERTS")));
    if knows || (set.is_none() && label != ALERT_NAME) {
        return None;
    }
    let message =
        format!("`$labels` has no `{label}` unless the query has: the rule adds it later");
    let mut finding = context.finding_at(&ABOUT, place(), message);
    finding.severity = Severity::Warning;
    if let Some(field) = set.filter(|field| !field.from_group) {
        finding = finding.label(field.name.span(), "set here, after templates are expanded");
    }
    Some(finding.help("write its text out, or take it from the query"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    fn with(expr: &str, text: &str) -> String {
        format!("expr: {expr}\nannotations:\n  summary: '{text}'")
    }

    #[track_caller]
    fn holds(expr: &str, text: &str, expected: &[&str]) {
        cases(&MissingLabel, &[(&[&with(expr, text)], expected)]);
    }

    #[test]
    fn what_the_query_cannot_have_is_found_at_its_place() {
        holds("sum by (pod) (a) > 1", "{{ $labels.pod_name }}", &["3:24 pod_name"]);
        holds("sum(a) > 1", "{{ .Labels.pod }}", &["3:24 pod"]);
        // That the conditions never meet is a finding of its own, and all that is wrong here.
        let unpaired = "a{pod=~\".+\"} > 1 and sum(b) > 1";
        holds(unpaired, "{{ $labels.pod }} {{ $labels.job }}", &[]);
        holds("sum(b) > 1 and a{pod=~\".+\"} > 1", "{{ $labels.pod }}", &["3:24 pod"]);
        holds("absent(up{job=\"x\"})", "{{ $labels.instance }}", &["3:24 instance"]);
        holds("sum(a) > 1", "{{ index $labels \"pod\" }}", &["3:30 \"pod\""]);
        holds("a / on (job) b > 1", "{{ $labels.instance }}", &["3:24 instance"]);
        holds("rate(a[5m]) > 1", "{{ $labels.__name__ }}", &["3:24 __name__"]);
        let text = "{{ $labels.pod_name }}";
        holds("kube_pod_status_ready == 0", text, &["3:24 pod_name"]);
        holds("rate(container_cpu_usage_seconds_total[5m]) > 1", text, &["3:24 pod_name"]);
    }

    #[test]
    fn what_it_may_have_is_left_alone() {
        holds("sum by (pod) (a) > 1", "{{ $labels.pod }}", &[]);
        holds("up == 0", "{{ $labels.anything }}", &[]);
        holds("absent(up{job=\"x\"})", "{{ $labels.job }}", &[]);
        holds("sum(a) > 1", "{{ if $labels.pod }}{{ $labels.pod }}{{ end }}", &[]);
        holds("sum(a) > 1", "{{ with $labels.pod }}{{ . }}{{ end }}", &[]);
        holds("sum(a) > 1 or b > 2", "{{ $labels.pod }}", &[]);
        holds(
            "container_cpu_usage_seconds_total{pod_name!=\"\"} > 1",
            "{{ $labels.pod_name }}",
            &[],
        );
        holds("my_metric > 1", "{{ $labels.pod_name }}", &[]);
        holds("sum(a) > 1", "{{ range query \"up\" }}{{ .Labels.pod }}{{ end }}", &[]);
    }

    #[test]
    fn the_labels_of_the_rule_are_not_those_of_the_query() {
        let rule =
            "expr: a > 1\nlabels: {severity: x}\nannotations: {summary: '{{ $labels.severity }}'}";
        cases(&MissingLabel, &[(&[rule], &["3:36 severity"])]);
        holds("a > 1", "{{ $labels.alertname }}", &["3:24 alertname"]);
        holds("ALERTS > 0", "{{ $labels.alertname }}", &[]);
    }
}
