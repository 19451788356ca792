//! Regular expressions that say more than they need.

use crate::diag::{Severity, Span};
use crate::lint::shape::named;
use crate::lint::{About, Check, Context, Findings};
use crate::model::MatchOp;
use crate::promql::LabelMatcher;

static ABOUT: About = About {
    id: "promql/regex",
    severity: Severity::Info,
    title: "A matcher's regular expression is needless, or needlessly anchored",
    text: "\
The regular expressions of matchers are anchored at both ends, so `^` and `$` there say nothing, and one \
without any special character is an equality. As such it says what it means, and is faster.",
    bad: "alert: Down\nexpr: up{job=~\"^mlflow$\"} == 0\n",
    good: "alert: Down\nexpr: up{job=\"mlflow\"} == 0\n",
};

pub(in crate::lint) struct RegexMatcher;

impl Check for RegexMatcher {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for matcher in named(context.parts()).flat_map(|(_, selector)| &selector.matchers) {
            let Some(better) = better(matcher, context.text(matcher.span)) else { continue };
            let (op, value) = (matcher.matcher.op().as_str(), matcher.matcher.value());
            let message = match better.equality {
                true => format!("`{op}` with {value:?} is an equality"),
                false => format!("the anchors in {value:?} say nothing"),
            };
            let mut finding = context
                .finding(&ABOUT, matcher.span, message)
                .note("regular expressions of matchers are anchored at both ends");
            if let Some(span) = context.exact_place(matcher.span) {
                finding = finding.fix(format!("write `{}`", better.text), span, better.text);
            }
            findings.push(finding);
        }
    }
}

/// The same matcher in a simpler form.
struct Better {
    text: String,
    equality: bool,
}

fn better(matcher: &LabelMatcher, written: &str) -> Option<Better> {
    let op = matcher.matcher.op();
    let plain = match op {
        MatchOp::Regex => "=",
        MatchOp::NotRegex => "!=",
        MatchOp::Equal | MatchOp::NotEqual => return None,
    };
    let value = matcher.matcher.value();
    let inner = value.strip_prefix('^').unwrap_or(value);
    let escaped = inner.ends_with("\\$");
    let inner = if escaped { inner } else { inner.strip_suffix('$').unwrap_or(inner) };
    let special = |c: char| r"\.+*?()|[]{}^$".contains(c);
    let equality = !inner.contains(special);
    if inner.is_empty() || (inner.len() == value.len() && !equality) {
        return None;
    }
    let (name, quoted) = written.split_at_checked(written.find(op.as_str())?)?;
    let quoted = quoted.strip_prefix(op.as_str())?;
    let spaces = Span::new(0, quoted.len() - quoted.trim_start().len());
    let literal = quoted.get(spaces.end..)?;
    let quote = literal.chars().next()?;
    // What is written must be the value itself but for the anchors.
    let body = literal.strip_prefix(quote)?.strip_suffix(quote)?;
    let body = body.strip_prefix('^').unwrap_or(body);
    let body = if escaped { body } else { body.strip_suffix('$').unwrap_or(body) };
    let op = if equality { plain } else { op.as_str() };
    let blank = quoted.get(spaces.range())?;
    Some(Better { text: format!("{name}{op}{blank}{quote}{body}{quote}"), equality })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{cases, file, run};
    use crate::lint::{Project, Settings};

    #[test]
    fn cases_hold() {
        cases(
            &RegexMatcher,
            &[
                (&["expr: up{job=~\"a\"} == 0"], &["1:10 job=~\"a\""]),
                (&["expr: up{job!~\"^a|b$\"} == 0"], &["1:10 job!~\"^a|b$\""]),
                (&["expr: rate(a{x=~\"b.*$\"}[5m]) > 1"], &["1:14 x=~\"b.*$\""]),
                (&["expr: up{job=~\"a.*\"} == 0"], &[]),
                (&["expr: up{job=~\"a|b\"} == 0"], &[]),
                (&["expr: up{job=~\"\"} == 0"], &[]),
                (&["expr: up{job=\"^a$\"} == 0"], &[]),
            ],
        );
    }

    #[test]
    fn the_change_means_the_same() {
        for (matcher, expected) in [
            ("job=~'a'", Some("job='a'")),
            ("job =~ \"a\"", Some("job = \"a\"")),
            ("job!~\"^a$\"", Some("job!=\"a\"")),
            ("job=~\"^a.*$\"", Some("job=~\"a.*\"")),
            ("job=~\"^a|b$\"", Some("job=~\"a|b\"")),
            ("job=~\"^a\\\\$\"", Some("job=~\"a\\\\$\"")),
            ("job=~\"a\\\\.b\"", None),
        ] {
            let rule = format!("expr: |\n  up{{{matcher}}} == 0");
            let project = Project::new(vec![file(&[&rule])], Settings::default());
            let found = run(&RegexMatcher, &project);
            let fix =
                found.first().and_then(|f| f.fix.as_ref()).map(|fix| fix.edits[0].text.clone());
            assert_eq!(fix.as_deref(), expected, "{matcher}");
        }
    }
}
