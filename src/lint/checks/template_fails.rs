//! A template that parses and fails when it is expanded.

use crate::diag::Severity;
use crate::lint::template_text::is_simple;
use crate::lint::{About, Check, Context, Findings};
use crate::model::{LabelSet, Sample, Timestamp};
use crate::rule::{AlertingRule, Rule, TextField};
use crate::template::{Expansion, QueryAnswers, RuleData, RuleTemplate};

static ABOUT: About = About {
    id: "template/fails",
    severity: Severity::Bug,
    title: "A template fails when it is expanded",
    text: "\
A template that parses may still fail with real data: a function that wants a number and gets a text, an \
index into something that is empty. So may a label of a group that does not parse at all, since Prometheus \
looks at those no sooner. It then sends the error in place of the text. Each template \
is tried here with a value, with the labels that the query gives, and with one sample as the answer to \
every `query`. A format that does not fit its argument leaves `%!` in the text.",
    bad: "alert: Full\nexpr: disk_used_ratio > 0.9\nannotations:\n  summary: '{{ $labels.instance.name }} is full'\n",
    good: "alert: Full\nexpr: disk_used_ratio > 0.9\nannotations:\n  summary: '{{ humanizePercentage $value }} full'\n",
};

/// The most queries that one template may ask.
const MAX_QUERIES: usize = 20;

pub(in crate::lint) struct TemplateFails;

impl Check for TemplateFails {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        let Some(alert) = context.alert() else { return };
        for (field, template) in alert.templates() {
            if template.is_plain() || is_told_before(context, alert, field) {
                continue;
            }
            let mut fails = |span, reason| {
                let message = "this template fails when it is expanded";
                let finding = context.finding_at(&ABOUT, span, message).caret(reason);
                findings.push(finding.note("the error is sent in place of the text"));
            };
            if let Some(error) = template.refusal() {
                fails(field.value.span_of(error.span, &alert.source), error.message.clone());
                continue;
            }
            if is_simple(template.text()) {
                continue;
            }
            match expanded(context, template) {
                Err(reason) => fails(field.value.span(), reason),
                Ok(text) if text.contains("%!") => {
                    let message = "a format does not fit its argument";
                    let mut finding = context.finding_at(&ABOUT, field.value.span(), message);
                    finding.severity = Severity::Warning;
                    findings.push(finding.caret(format!("expands to {text:?}")));
                }
                Ok(_) => {}
            }
        }
    }
}

/// Whether a label is the group's and an alert before this one has it too: one finding of it will do.
fn is_told_before(context: &Context<'_>, alert: &AlertingRule, field: &TextField) -> bool {
    let rules = context.group.rules.iter().filter_map(Rule::as_alerting);
    let before = rules.take_while(|other| other.key != alert.key);
    let is_same = |label: &TextField| label.from_group && label.name.text() == field.name.text();
    field.from_group && before.flat_map(|other| &other.places.labels).any(is_same)
}

/// The text that a template gives for a sample as the query would give it.
fn expanded(context: &Context<'_>, template: &RuleTemplate) -> Result<String, String> {
    let mut labels = LabelSet::new().to_builder();
    let names = template.label_uses().iter().map(|(name, _)| name.as_str());
    for name in names.chain(context.labels().likely()) {
        if context.labels().has(name).removal().is_none() {
            labels.set(name, "1");
        }
    }
    let labels = labels.build();
    let data = RuleData {
        labels: &labels,
        value: 1.5,
        external_labels: &LabelSet::new(),
        external_url: "http://localhost:9090",
        now: Timestamp::default(),
    };
    let mut answers = QueryAnswers::new();
    for _ in 0..MAX_QUERIES {
        match template.expand(&data, &answers) {
            Ok(Expansion::Text(text)) => return Ok(text.into_owned()),
            Ok(Expansion::NeedsQuery(query)) => {
                let (labels, timestamp) = (labels.clone(), Timestamp::default());
                answers.insert(query, Ok(vec![Sample { labels, timestamp, value: 1.5 }]));
            }
            Err(error) => return Err(error.message),
        }
    }
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diag::SourceFile;
    use crate::lint::testing::{cases, run};
    use crate::lint::{Project, RuleFile, Settings};
    use crate::rule;

    #[test]
    fn cases_hold() {
        let with = |text: &str| format!("expr: a > 1\nannotations:\n  s: '{text}'");
        for (text, fails) in [
            ("{{ humanize \"x\" }}", true),
            ("{{ $labels.job.name }}", true),
            ("{{ printf \"%d\" $value }}", true),
            ("{{ humanize $value }}", false),
            ("{{ template \"x\" . }}", true),
            ("{{ \"x\" | $value }}", true),
            ("{{ $x = 1 }}", true),
            ("{{ $value | humanize.x }}", true),
            ("{{ $value | humanizePercentage | humanize }}", true),
            ("{{ $value | }}", false),
            ("{{ with . }}{{ $x := 1 }}{{ else }}{{ $x }}{{ end }}", false),
            ("{{ query \"up\" | first | value }}", false),
            ("{{ printf \"%.2f\" $value }}", false),
            ("{{ $labels.job | title }}", false),
            ("100%!", false),
        ] {
            let rule = with(text);
            let expected = format!("3:6 '{text}'");
            let expected: &[&str] = if fails { &[&expected] } else { &[] };
            cases(&TemplateFails, &[(&[&rule], expected)]);
        }
    }

    /// A label of a group is told of once, and not where every alert has one of its own.
    #[test]
    fn labels_of_groups_are_told_of_once() {
        for (label, own, expected) in [
            ("{{ foo }}", "", Some((3, 19, "unknown function `foo`"))),
            ("{{ humanize \"x\" }}", "", Some((3, 15, "humanize: \"x\" is not a number"))),
            ("{{ foo }}", "    labels: {a: b}\n", None),
            ("{{ $value }}", "", None),
        ] {
            let alert = |name: &str| format!("  - alert: {name}\n    expr: up\n{own}");
            let (one, two) = (alert("A"), alert("B"));
            let text =
                format!("groups:\n- name: g\n  labels: {{a: '{label}'}}\n  rules:\n{one}{two}");
            let source = Arc::new(SourceFile::new("rules.yaml", text));
            let (groups, read) = rule::check(&source);
            assert!(read.is_empty(), "{label}");
            let file = RuleFile { source, groups, findings: read, documents: Vec::new() };
            let found = run(&TemplateFails, &Project::new(vec![file], Settings::default()));
            let found: Vec<_> = found.iter().map(|f| (f.line_column(), f.caret.as_str())).collect();
            let expected: Vec<_> =
                expected.iter().map(|(line, column, why)| ((*line, *column), *why)).collect();
            assert_eq!(found, expected, "{label}");
        }
    }
}
