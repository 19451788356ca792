//! A template that parses and fails when it is expanded.

use crate::diag::Severity;
use crate::lint::template_text::is_simple;
use crate::lint::{About, Check, Context, Findings};
use crate::model::{LabelSet, Sample, Timestamp};
use crate::template::{Expansion, QueryAnswers, RuleData, RuleTemplate};

static ABOUT: About = About {
    id: "template/fails",
    severity: Severity::Bug,
    title: "A template fails when it is expanded",
    text: "\
A template that parses may still fail with real data: a function that wants a number and gets a text, an \
index into something that is empty. Prometheus then sends the error in place of the text. Each template \
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
            if template.is_plain() || field.from_group || is_simple(template.text()) {
                continue;
            }
            match expanded(context, template) {
                Err(reason) => {
                    let message = "this template fails when it is expanded";
                    let finding = context.finding_at(&ABOUT, field.value.span(), message);
                    findings
                        .push(finding.caret(reason).note("the error is sent in place of the text"));
                }
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
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        let with = |text: &str| format!("expr: a > 1\nannotations:\n  s: '{text}'");
        for (text, fails) in [
            ("{{ humanize \"x\" }}", true),
            ("{{ $labels.job.name }}", true),
            ("{{ printf \"%d\" $value }}", true),
            ("{{ humanize $value }}", false),
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
}
