//! Matchers of one selector that exclude each other.

use crate::diag::{Severity, Span};
use crate::lint::shape::named;
use crate::lint::{About, Check, Context, Findings};
use crate::model::{MatchOp, Matcher};
use crate::promql::VectorSelector;

static ABOUT: About = About {
    id: "promql/impossible-selector",
    severity: Severity::Bug,
    title: "The matchers of a selector exclude each other",
    text: "\
All matchers of a selector must hold at once. Where one wants a value that another refuses, no series \
is ever picked, and an alert on it can never fire.

Two values of one label are alternatives: `job=~\"a|b\"`.",
    bad: "alert: Down\nexpr: up{job=\"a\", job=\"b\"} == 0\n",
    good: "alert: Down\nexpr: up{job=~\"a|b\"} == 0\n",
};

pub(in crate::lint) struct ImpossibleSelector;

impl Check for ImpossibleSelector {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for (_, selector) in named(context.parts()) {
            let Some((one, other)) = conflict(selector) else { continue };
            let (one, other) = if one.start < other.start { (one, other) } else { (other, one) };
            let finding = context
                .finding(&ABOUT, other, "these matchers exclude each other: no series is picked")
                .label(context.place(one), "with this");
            findings.push(finding.help("alternatives are one matcher: `label=~\"a|b\"`"));
        }
    }
}

/// The places of two matchers that exclude each other.
fn conflict(selector: &VectorSelector) -> Option<(Span, Span)> {
    let matchers = &selector.matchers;
    matchers.iter().enumerate().find_map(|(index, a)| {
        let others = matchers.get(index + 1..).unwrap_or_default();
        let other = others.iter().find(|b| exclude(&a.matcher, &b.matcher))?;
        Some((a.span, other.span))
    })
}

fn exclude(a: &Matcher, b: &Matcher) -> bool {
    if a.name() != b.name() {
        return false;
    }
    match (a.op(), b.op()) {
        (MatchOp::Equal, _) => !b.matches_value(a.value()),
        (_, MatchOp::Equal) => !a.matches_value(b.value()),
        (MatchOp::Regex, MatchOp::NotRegex) | (MatchOp::NotRegex, MatchOp::Regex) => {
            a.value() == b.value()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        cases(
            &ImpossibleSelector,
            &[
                (&["expr: up{job=\"a\", job=\"b\"} == 0"], &["1:19 job=\"b\""]),
                (&["expr: up{job=\"a\", job!=\"a\"} == 0"], &["1:19 job!=\"a\""]),
                (&["expr: up{job!~\"a|b\", job=\"b\"} == 0"], &["1:22 job=\"b\""]),
                (&["expr: rate(a{x=\"\", x=~\".+\"}[5m]) > 1"], &["1:20 x=~\".+\""]),
                (&["expr: up{x=~\"a.*\", x!~\"a.*\"} == 0"], &["1:20 x!~\"a.*\""]),
                (&["expr: up{job=\"a\", job=~\"a|b\"} == 0"], &[]),
                (&["expr: up{job!=\"a\", job!=\"b\"} == 0"], &[]),
                (&["expr: up{job=\"a\", x=\"b\"} == 0"], &[]),
                (&["expr: up{job=\"a\"} == 0 or up{job=\"b\"} == 0"], &[]),
            ],
        );
    }
}
