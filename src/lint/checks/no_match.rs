//! Two sides of an operator whose series never find each other.

use crate::diag::{Severity, Span};
use crate::lint::shape::selected;
use crate::lint::{About, Check, Context, Findings};
use crate::model::label::METRIC_NAME;
use crate::promql::flow::{Has, Labels, Removal};
use crate::promql::{Binary, BinaryOp, Expr, ExprKind, ValueType};

static ABOUT: About = About {
    id: "promql/no-match",
    severity: Severity::Bug,
    title: "The series of two sides of an operator never find each other",
    text: "\
Between two vectors an operator works on pairs of series whose labels agree: all of them, or those of \
`on (…)`. Where one side has lost a label that the other side has, no pair is ever found, the result is \
empty, and the alert can never fire. With `unless` nothing is ever taken away.

Say which labels count with `on (…)` or `ignoring (…)`; `and on () …` takes a side without labels as \
one condition for everything.",
    bad: "alert: SlowWithTraffic\nexpr: http_latency_seconds > 1 and sum(rate(http_requests_total[5m])) > 10\n",
    good: "alert: SlowWithTraffic\nexpr: http_latency_seconds > 1 and on () sum(rate(http_requests_total[5m])) > 10\n",
};

pub(in crate::lint) struct NoMatch;

impl Check for NoMatch {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for found in pairless(context) {
            match &found.why {
                Why::Lost(lost) => report(context, &found, lost, findings),
                Why::Differs(differs) => {
                    report_difference(context, found.binary, differs, findings)
                }
            }
        }
    }
}

/// Whether a label is missing only because a combination of two conditions, which is reported, finds
/// no pair: its left side may have it.
pub(in crate::lint) fn is_only_unpaired(context: &Context<'_>, label: &str) -> bool {
    let is_and = |binary: &Binary| binary.op == BinaryOp::And;
    let combines = |part: &Expr| matches!(&part.kind, ExprKind::Binary(binary) if is_and(binary));
    context.parts().any(combines)
        && pairless(context).iter().any(|found| {
            is_and(found.binary)
                && !matches!(found.lhs.has(label), Has::Never(_))
                && matches!(found.rhs.has(label), Has::Never(_))
        })
}

/// An operator that finds no pair.
struct Pairless<'e> {
    binary: &'e Binary,
    lhs: Labels,
    rhs: Labels,
    why: Why<'e>,
}

enum Why<'e> {
    Lost(Lost),
    Differs(Differs<'e>),
}

/// The operators that find no pair, apart from those that are built on one.
fn pairless<'e>(context: &Context<'e>) -> Vec<Pairless<'e>> {
    let mut found = Vec::new();
    let mut spans: Vec<Span> = Vec::new();
    let matched = context.parts().filter_map(|part| match &part.kind {
        ExprKind::Binary(binary) if is_matched(binary) => Some((part, binary.as_ref())),
        _ => None,
    });
    let matched: Vec<(&Expr, &Binary)> = matched.collect();
    // Parts first: what is empty already says nothing of what is built on it.
    for (part, binary) in matched.into_iter().rev() {
        let covers = |inner: &Span| part.span.start <= inner.start && inner.end <= part.span.end;
        if spans.iter().any(covers) {
            continue;
        }
        let (lhs, rhs) = (context.flow(&binary.lhs), context.flow(&binary.rhs));
        let lost = lost_label(binary, &lhs, &rhs).map(Why::Lost);
        let why = lost.or_else(|| differing_label(binary, &lhs, &rhs).map(Why::Differs));
        if let Some(why) = why {
            spans.push(part.span);
            found.push(Pairless { binary, lhs, rhs, why });
        }
    }
    found
}

fn is_matched(binary: &Binary) -> bool {
    let vector = |side: &Expr| side.value_type() == ValueType::Vector;
    let filled = binary.matching.fill_left.is_some() || binary.matching.fill_right.is_some();
    binary.op != BinaryOp::Or && !filled && vector(&binary.lhs) && vector(&binary.rhs)
}

/// A label that one side has and the other cannot have.
struct Lost {
    label: String,
    removal: Removal,
    from_left: bool,
}

fn lost_label(binary: &Binary, lhs: &Labels, rhs: &Labels) -> Option<Lost> {
    let matching = &binary.matching;
    let mut names: Vec<&str> = if matching.on {
        matching.labels.iter().map(String::as_str).collect()
    } else {
        let ignored = |name: &&str| matching.labels.iter().any(|label| label == name);
        lhs.likely().chain(rhs.likely()).filter(|name| !ignored(name)).collect()
    };
    names.retain(|name| *name != METRIC_NAME);
    // Whoever writes `on (x)` counts on x.
    let counted_on = |has: Has| has.is_likely() || (matching.on && has == Has::Maybe);
    names.into_iter().find_map(|name| match (lhs.has(name), rhs.has(name)) {
        (Has::Never(removal), has) if counted_on(has) => {
            Some(Lost { label: name.to_string(), removal, from_left: true })
        }
        (has, Has::Never(removal)) if counted_on(has) => {
            Some(Lost { label: name.to_string(), removal, from_left: false })
        }
        _ => None,
    })
}

/// A label that has another value on each side.
struct Differs<'e> {
    label: &'e str,
    left: &'e str,
    right: &'e str,
}

fn differing_label<'e>(binary: &'e Binary, lhs: &Labels, rhs: &Labels) -> Option<Differs<'e>> {
    let matching = &binary.matching;
    let named = |label: &str| matching.labels.iter().any(|other| other == label);
    let of_left = binary.lhs.selectors().flat_map(|selector| &selector.matchers);
    let mut labels = of_left.map(|m| m.matcher.name()).filter(|label| {
        let counts = named(label) == matching.on && *label != METRIC_NAME;
        counts && lhs.has(label) == Has::Always && rhs.has(label) == Has::Always
    });
    labels.find_map(|label| {
        let (left, right) = (selected(&binary.lhs, label)?, selected(&binary.rhs, label)?);
        (left != right).then_some(Differs { label, left, right })
    })
}

fn report_difference(
    context: &Context<'_>,
    binary: &Binary,
    Differs { label, left, right }: &Differs<'_>,
    findings: &mut Findings,
) {
    let (op, unless) = (binary.op, binary.op == BinaryOp::Unless);
    let message = if unless {
        format!("`unless` never takes anything away: the sides differ in `{label}`")
    } else {
        format!("`{op}` never finds a pair: the sides differ in `{label}`")
    };
    let mut finding = context
        .finding(&ABOUT, binary.op_span, message)
        .label(context.place(binary.lhs.span), format!("{label}={left:?}"))
        .label(context.place(binary.rhs.span), format!("{label}={right:?}"))
        .note("series are paired where their labels agree");
    if unless {
        finding.severity = Severity::Warning;
    }
    findings.push(finding.help(match binary.matching.on {
        true => format!("take `{label}` out of `on`"),
        false => format!("leave it out: `{op} ignoring ({label})`, or sum it away first"),
    }));
}

fn report(
    context: &Context<'_>,
    Pairless { binary, lhs, rhs, .. }: &Pairless<'_>,
    lost: &Lost,
    findings: &mut Findings,
) {
    let label = &lost.label;
    let side = if lost.from_left { "left" } else { "right" };
    let (op, unless) = (binary.op, binary.op == BinaryOp::Unless);
    let message = if unless {
        format!("`unless` never takes anything away: its {side} side has no label `{label}`")
    } else {
        format!("`{op}` never finds a pair: its {side} side has no label `{label}`")
    };
    let (without, with) =
        if lost.from_left { (&binary.lhs, &binary.rhs) } else { (&binary.rhs, &binary.lhs) };
    let mut finding = context
        .finding(&ABOUT, binary.op_span, message)
        .label(context.place(lost.removal.span), lost.removal.why);
    if lost.removal.span != without.span {
        finding = finding.label(context.place(with.span), format!("has `{label}`"));
    }
    if unless {
        finding.severity = Severity::Warning;
    }
    let help = remedy(binary, lhs, rhs, lost);
    findings.push(finding.note("series are paired where their labels agree").help(help));
}

/// The change that lets an operator find pairs.
fn remedy(binary: &Binary, lhs: &Labels, rhs: &Labels, lost: &Lost) -> String {
    let op = binary.op;
    let group = if lost.from_left { "group_right" } else { "group_left" };
    if !binary.matching.on && lhs.is_open() && rhs.is_open() {
        // Each side has more labels than are known, which go on to count.
        let (with, many) = if lost.from_left { (rhs, &binary.rhs) } else { (lhs, &binary.lhs) };
        let without = if lost.from_left { lhs } else { rhs };
        let one_sided = with.likely().filter(|name| without.has(name).removal().is_some());
        let mut labels: Vec<&str> = binary.matching.labels.iter().map(String::as_str).collect();
        labels.extend(one_sided);
        let is_one = labels.iter().all(|label| selected(many, label).is_some());
        let group = if op.is_set() || is_one { String::new() } else { format!(" {group} ()") };
        let labels = labels.join(", ");
        return format!("say which labels do not count: `{op} ignoring ({labels}){group}`");
    }
    let common: Vec<&str> = lhs.likely().filter(|name| rhs.has(name).is_likely()).collect();
    let on = common.join(", ");
    let is_bare = |labels: &Labels| labels.likely().next().is_none();
    // What one `on` leaves of the result lacks what the text of the alert may use.
    if op.is_set() || (is_bare(lhs) && is_bare(rhs)) {
        format!("say which labels count: `{op} on ({on})`")
    } else if common.is_empty() && !is_bare(lhs) && !is_bare(rhs) {
        "aggregate both sides by the same labels".to_string()
    } else {
        format!("say which labels count, and on which side are more: `{op} on ({on}) {group} ()`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{advised, cases};

    #[test]
    fn cases_hold() {
        cases(
            &NoMatch,
            &[
                (&["expr: up == 0 and sum(b) > 1"], &["1:15 and"]),
                (&["expr: sum(b) > 1 and up == 0"], &["1:18 and"]),
                (&["expr: a > 1 and hour() > 8"], &["1:13 and"]),
                (&["expr: sum by (job) (a) / sum by (pod) (b) > 1"], &["1:24 /"]),
                (&["expr: a * on (pod) group_left sum by (node) (b) > 1"], &["1:9 *"]),
                (&["expr: a{x=\"1\"} / b{x=\"\"} > 1"], &["1:16 /"]),
                (&["expr: a > 1 unless absent(b)"], &["1:13 unless"]),
                (&["expr: (sum(a) / sum by (pod) (b)) * sum(c) > 1"], &["1:15 /"]),
                (&["expr: a > on (x) b and on () sum(b) > 1"], &[]),
                (&["expr: a > 1 and on () sum(b) > 1"], &[]),
                (&["expr: a > 1 and on (job) sum by (job) (b) > 1"], &[]),
                (&["expr: sum(a) / sum(b) > 1"], &[]),
                (&["expr: sum(a) > 1 or b > 1"], &[]),
                (&["expr: a / ignoring (x) b{x=\"\"} > 1"], &[]),
                (&["expr: a * on (job) group_left (x) sum by (job, x) (b) > 1"], &[]),
                (&["expr: job:a:sum / sum(b) > 1"], &[]),
                (&["expr: a > scalar(sum(b))"], &[]),
            ],
        );
    }

    #[test]
    fn a_label_with_another_value_on_each_side_pairs_nothing() {
        let (bad, good) = ("a_total{code=\"500\"}", "a_total{code=\"200\"}");
        for (expr, column) in [
            (format!("{bad} / {good} > 1"), Some(27)),
            (format!("sum by (code) ({bad}) / sum by (code) ({good}) > 1"), Some(43)),
            (format!("{bad} and on (code) {good}"), Some(27)),
            (format!("{bad} unless {good}"), Some(27)),
            (format!("{bad} / ignoring (code) {good} > 1"), None),
            (format!("{bad} / on (job) {good} > 1"), None),
            (format!("sum({bad}) / sum({good}) > 1"), None),
            (format!("{bad} / {bad} > 1"), None),
            (format!("({bad} or {good}) / {good} > 1"), None),
            (format!("{bad} or {good}"), None),
        ] {
            let rule = format!("expr: {expr}");
            let op =
                ["/", "and", "unless"].into_iter().find(|op| expr.contains(&format!(" {op} ")));
            let expected = column.map(|column| format!("1:{column} {}", op.unwrap_or_default()));
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            cases(&NoMatch, &[(&[&rule], &expected)]);
        }
    }

    #[test]
    fn what_is_advised_helps() {
        advised(
            &NoMatch,
            &[
                (
                    "a{x=\"1\"} / ignoring (x) b > 1 and a{x=\"1\"} > 0",
                    "`and ignoring (x)`",
                    "a{x=\"1\"} / ignoring (x) b > 1 and ignoring (x) a{x=\"1\"} > 0",
                ),
                (
                    "a{x=\"1\"} / (a{x=\"1\"} + ignoring (x) a{x=\"2\"}) > 1",
                    "`/ ignoring (x)`",
                    "a{x=\"1\"} / ignoring (x) (a{x=\"1\"} + ignoring (x) a{x=\"2\"}) > 1",
                ),
                (
                    "a / sum without (instance) (b) > 1",
                    "`/ ignoring (instance) group_left ()`",
                    "a / ignoring (instance) group_left () sum without (instance) (b) > 1",
                ),
                (
                    "sum by (job) (a) / b > 1",
                    "`/ on (job) group_right ()`",
                    "sum by (job) (a) / on (job) group_right () b > 1",
                ),
                (
                    "a > 1 and sum by (job) (b) > 1",
                    "`and on (job)`",
                    "a > 1 and on (job) sum by (job) (b) > 1",
                ),
            ],
        );
    }

    #[test]
    fn a_recorded_series_has_what_its_rule_gives() {
        let record = "record: job:a:sum\nexpr: sum by (job) (a)";
        cases(
            &NoMatch,
            &[
                (&[record, "expr: job:a:sum / sum(b) > 1"], &["3:17 /"]),
                (&[record, "expr: job:a:sum / sum by (job) (b) > 1"], &[]),
                (&["record: total\nexpr: sum(a)", "expr: total / sum(b) > 1"], &[]),
            ],
        );
    }
}
