//! What people require of every alert.

use crate::diag::Severity;
use crate::lint::settings::Required;
use crate::lint::{About, Check, Context, Findings, Needs};

static ABOUT: About = About {
    id: "policy/required",
    severity: Severity::Warning,
    title: "An alert lacks what the settings require of every alert",
    text: "\
Off until the settings (`--settings FILE`) say what every alert must have: `labels` and `annotations`, each \
with a regular expression that the whole text must match, or nothing where any text will do. Templates \
are not looked into.

```yaml
labels: {severity: critical|warning|info}
annotations: {runbook_url: https://.+}
```",
    bad: "alert: Down\nexpr: up == 0\n",
    good: "alert: Down\nexpr: up == 0\nannotations:\n  runbook_url: https://example.com/down\n",
};

pub(in crate::lint) struct Policy;

impl Check for Policy {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn needs(&self) -> Needs {
        Needs::Required
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        if context.alert().is_none() {
            return;
        }
        for required in &context.project.settings.required {
            look_at(context, required, findings);
        }
    }
}

fn look_at(context: &Context<'_>, required: &Required, findings: &mut Findings) {
    let places = context.rule.places();
    let (kind, fields) = match required.is_label {
        true => ("label", &places.labels),
        false => ("annotation", &places.annotations),
    };
    let name = &required.name;
    let field = fields.iter().find(|f| f.name.text() == name && !f.text().trim().is_empty());
    let Some(field) = field else {
        if required.is_label && context.labels().has(name).is_likely() {
            return;
        }
        let message = format!("the alert has no {kind} `{name}`, which the settings require");
        return findings.push(context.finding_at(&ABOUT, places.name, message));
    };
    let is_template = field.text().contains("{{");
    if let Some(pattern) =
        required.pattern.as_ref().filter(|p| !is_template && !p.is_match(field.text()))
    {
        let span = if field.from_group { places.name } else { field.value.span() };
        let message = format!("the {kind} `{name}` is not what the settings require");
        let wanted = pattern.as_str().trim_start_matches("^(?s:").trim_end_matches(")$");
        let finding = context.finding_at(&ABOUT, span, message);
        findings.push(finding.caret(format!("does not match {wanted}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Settings;
    use crate::lint::testing::{cases, cases_with};
    use crate::model::regexp::compile_anchored;

    #[test]
    fn cases_hold() {
        let required = |is_label, name: &str, pattern: Option<&str>| Required {
            is_label,
            name: name.to_string(),
            pattern: pattern.map(|p| compile_anchored(p).unwrap()),
        };
        let settings = Settings {
            required: vec![
                required(true, "severity", Some("page|ticket")),
                required(false, "runbook", None),
            ],
            ..Settings::default()
        };
        let good = "expr: up == 0\nlabels: {severity: page}\nannotations: {runbook: x}";
        cases_with(
            &Policy,
            &settings,
            &[
                (&["alert: B\nexpr: up == 0"], &["1:8 B", "1:8 B"]),
                (
                    &["expr: up == 0\nlabels: {severity: hi}\nannotations: {runbook: x}"],
                    &["2:20 hi"],
                ),
                (
                    &[
                        "alert: B\nexpr: up == 0\nlabels: {severity: page}\nannotations: {runbook: ''}",
                    ],
                    &["1:8 B"],
                ),
                (&[good], &[]),
                (
                    &[
                        "expr: up == 0\nlabels: {severity: '{{ $labels.x }}'}\nannotations: {runbook: x}",
                    ],
                    &[],
                ),
                (&["expr: sum by (severity) (a) > 1\nannotations: {runbook: x}"], &[]),
                (&["record: a:b\nexpr: up"], &[]),
            ],
        );
        cases(&Policy, &[(&["expr: up == 0"], &[])]);
    }
}
