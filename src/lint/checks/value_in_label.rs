//! The value of a sample in a label.

use crate::diag::{Severity, Span};
use crate::lint::template_text::{is_condition, places_of};
use crate::lint::{About, Check, Context, Findings};
use crate::promql::bounds::bounds;

static ABOUT: About = About {
    id: "template/value-in-label",
    severity: Severity::Bug,
    title: "A label of an alert holds the value of its sample",
    text: "\
The labels are the identity of an alert. Where one of them holds the value, each evaluation gives a new \
alert and ends the former: with `for` none ever fires, and without it each change of the value is a new \
page.

Put the value into an annotation. A label that is chosen by `{{ if }}` on the value changes only when \
the choice does, and is not reported.",
    bad: "alert: DiskFull\nexpr: disk_used_ratio > 0.9\nfor: 5m\nlabels:\n  used: '{{ $value }}'\n",
    good: "alert: DiskFull\nexpr: disk_used_ratio > 0.9\nfor: 5m\nannotations:\n  summary: 'used: {{ $value }}'\n",
};

pub(in crate::lint) struct ValueInLabel;

impl Check for ValueInLabel {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        let Some(alert) = context.alert() else { return };
        for (field, (_, template)) in alert.places.labels.iter().zip(&alert.labels) {
            let text = template.text();
            if template.is_plain() || is_constant(context) {
                continue;
            }
            let words = ["$value", ".Value", "$.Value"];
            let uses = words.iter().flat_map(|w| places_of(text, w).map(move |at| (at, w.len())));
            // Values of what `query` found stand in a loop.
            let looped = text.contains("range ");
            let shown = |(at, _): &(usize, usize)| !is_condition(text, *at);
            let sample = |(at, _): &(usize, usize)| !looped || text.get(*at..*at + 1) == Some("$");
            let Some((at, len)) = uses.filter(shown).find(sample) else { continue };
            let place = field.value.span_of(Span::new(at, at + len), &alert.source);
            let mut finding = context
                .finding_at(
                    &ABOUT,
                    place,
                    "a label holds the value, so the alert is a new one at each change",
                )
                .note("the labels of an alert are its identity");
            if let Some(hold) = alert.places.for_duration.filter(|_| !alert.for_duration.is_zero())
            {
                finding = finding.label(hold, "never passes while the value changes");
            }
            findings.push(finding.help("put the value into an annotation"));
        }
    }
}

/// Whether the value is the same whenever the alert fires.
#[expect(clippy::float_cmp, reason = "a single number is one that equals itself")]
fn is_constant(context: &Context<'_>) -> bool {
    let bounds = bounds(context.expr());
    bounds.low == bounds.high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        cases(
            &ValueInLabel,
            &[
                (&["expr: a > 1\nlabels: {v: '{{ $value }}'}"], &["2:17 $value"]),
                (&["expr: a > 1\nlabels: {v: '{{ .Value | humanize }}'}"], &["2:17 .Value"]),
                (
                    &["expr: a > 1\nfor: 5m\nlabels: {v: '{{ printf \"%f\" $value }}'}"],
                    &["3:29 $value"],
                ),
                (&["expr: a > 1\nlabels: {v: '{{ if gt $value 5.0 }}a{{ else }}b{{ end }}'}"], &[]),
                (&["expr: a > 1\nlabels: {v: '{{ $labels.value }}'}"], &[]),
                (
                    &["expr: a > 1\nlabels: {v: '{{ range query \"a\" }}{{ .Value }}{{ end }}'}"],
                    &[],
                ),
                (&["expr: up == 0\nlabels: {v: '{{ $value }}'}"], &[]),
                (&["expr: a > 1\nannotations: {v: '{{ $value }}'}"], &[]),
                (&["expr: a > 1\nlabels: {v: '$value'}"], &[]),
            ],
        );
    }
}
