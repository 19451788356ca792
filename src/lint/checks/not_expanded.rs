//! A variable outside of a template's braces.

use crate::diag::{Severity, Span};
use crate::lint::template_text::outside;
use crate::lint::{About, Check, Context, Findings};

static ABOUT: About = About {
    id: "template/not-expanded",
    severity: Severity::Warning,
    title: "A variable stands outside of `{{ }}` and is not expanded",
    text: "\
Only what stands in `{{ … }}` is expanded. `$labels.instance` or `{ $labels.instance }` is sent as it is \
written.",
    bad: "alert: Down\nexpr: up == 0\nannotations:\n  summary: '$labels.instance does not answer'\n",
    good: "alert: Down\nexpr: up == 0\nannotations:\n  summary: '{{ $labels.instance }} does not answer'\n",
};

pub(in crate::lint) struct NotExpanded;

impl Check for NotExpanded {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        let Some(alert) = context.alert() else { return };
        for field in alert.places.labels.iter().chain(&alert.places.annotations) {
            let words = ["$labels.", "$value", ".Labels.", "$externalLabels."];
            let Some((at, word)) = outside(field.text(), &words) else { continue };
            let place = Span::new(at, at + word.len());
            let span = field.value.span_of(place, &alert.source);
            let finding =
                context.finding_at(&ABOUT, span, "this is not expanded: it has no braces");
            findings.push(finding.help("write `{{ $labels.… }}` or `{{ $value }}`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        let with = |text: &str| format!("expr: up == 0\nannotations: {{s: '{text}'}}");
        for (text, expected) in [
            ("$labels.instance is down", Some("2:19 $labels.")),
            ("{ $labels.instance } is down", Some("2:21 $labels.")),
            ("at $value", Some("2:22 $value")),
            ("{{ $labels.a }} at $value", Some("2:38 $value")),
            ("{{ $labels.instance }} at {{ $value }}", None),
            ("costs 5$", None),
            ("{{ printf \"$labels.x\" }}", None),
        ] {
            cases(&NotExpanded, &[(&[&with(text)], expected.as_slice())]);
        }
    }
}
