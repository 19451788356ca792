//! What has to be asked to know whether an expression has data, apart from what it finds.

use crate::diag::Span;
use crate::promql::{AggregateOp, Binary, BinaryOp, Expr, ExprKind, ValueType};

/// How the data behind an expression is told from its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Nothing in the expression filters: what is missing in its result has no data.
    Result,
    /// What is in no result of these expressions has no data.
    Queries(Vec<String>),
}

/// Why a missing result says nothing of the data, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided {
    /// The part of the expression that leaves it open.
    pub span: Span,
    /// Why, for people.
    pub reason: &'static str,
}

/// A change of the text: what stands at `span` becomes `text`.
struct Edit {
    span: Span,
    text: &'static str,
}

/// Derives what has to be asked: the expression with every comparison taken as `bool`, so that it
/// gives the same label sets whatever the values are. What an `unless` takes away is left out, and
/// the sides of an `or` are asked apart, since one would hide the other.
///
/// `text` is what `expr` was parsed from.
///
/// # Errors
/// Where label sets come and go for other reasons than their data: `absent`, selections by value
/// such as `topk`, and `or` with `on` or `ignoring` below another operator.
pub fn presence(expr: &Expr, text: &str) -> Result<Presence, Undecided> {
    let mut queries = Vec::new();
    let mut filters = false;
    for side in sides(expr) {
        let edits = edits(side)?;
        filters |= !edits.is_empty();
        queries.push(edited(text, side.span, &edits));
    }
    Ok(if filters { Presence::Queries(queries) } else { Presence::Result })
}

/// The sides of an `or` on top, without the parentheses around it.
fn sides(expr: &Expr) -> Vec<&Expr> {
    let mut open = vec![expr];
    let mut sides = Vec::new();
    while let Some(expr) = open.pop() {
        match &expr.without_parens().kind {
            ExprKind::Binary(binary) if binary.op == BinaryOp::Or => {
                open.push(&binary.rhs);
                open.push(&binary.lhs);
            }
            _ => sides.push(expr),
        }
    }
    sides
}

/// What has to be changed in one side.
fn edits(expr: &Expr) -> Result<Vec<Edit>, Undecided> {
    let mut edits = Vec::new();
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        if let Some(reason) = undecided(expr) {
            return Err(Undecided { span: expr.span, reason });
        }
        if let ExprKind::Binary(binary) = &expr.kind {
            if binary.op == BinaryOp::Unless {
                let gone = Span::new(binary.lhs.span.end, expr.span.end);
                edits.push(Edit { span: gone, text: "" });
                open.push(&binary.lhs);
                continue;
            }
            if filters(binary) {
                edits.push(Edit { span: Span::at(binary.op_span.end), text: " bool" });
            }
        }
        open.extend(expr.children());
    }
    Ok(edits)
}

/// Whether a comparison drops the samples for which it does not hold.
fn filters(binary: &Binary) -> bool {
    let is_vector = |side: &Expr| side.value_type() == ValueType::Vector;
    let has_vector = is_vector(&binary.lhs) || is_vector(&binary.rhs);
    binary.op.is_comparison() && !binary.return_bool && has_vector
}

/// Why the label sets of a part do not depend on its data alone.
fn undecided(expr: &Expr) -> Option<&'static str> {
    match &expr.kind {
        ExprKind::Call(call) if call.function.name.starts_with("absent") => {
            Some("it holds where there is no data, so its end is no lack of data")
        }
        ExprKind::Aggregate(aggregate) => match aggregate.op {
            AggregateOp::Topk
            | AggregateOp::Bottomk
            | AggregateOp::Limitk
            | AggregateOp::LimitRatio => {
                Some("it picks some of its series, so that one which is missing may have data")
            }
            AggregateOp::CountValues => {
                Some("it makes labels of values, so that a missing one may have data")
            }
            _ => None,
        },
        ExprKind::Binary(binary) if binary.op == BinaryOp::Or => {
            let matching = &binary.matching;
            (matching.on || !matching.labels.is_empty())
                .then_some("one side hides series of the other, whether they have data or not")
        }
        _ => None,
    }
}

/// The text of a part with its changes.
fn edited(text: &str, part: Span, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out = String::new();
    let mut at = part.start;
    for edit in edits {
        out.push_str(text.get(at..edit.span.start).unwrap_or_default());
        out.push_str(edit.text);
        at = edit.span.end;
    }
    out.push_str(text.get(at..part.end).unwrap_or_default());
    out.trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::parse;

    fn derived(text: &str) -> String {
        match presence(&parse(text).unwrap(), text) {
            Ok(Presence::Result) => "result".to_string(),
            Ok(Presence::Queries(queries)) => {
                for query in &queries {
                    parse(query).unwrap();
                }
                queries.join(" | ")
            }
            Err(undecided) => format!("? {}", text.get(undecided.span.range()).unwrap()),
        }
    }

    #[test]
    fn comparisons_become_bool() {
        for (text, expected) in [
            ("up == 0", "up == bool 0"),
            ("((up == 0))", "((up == bool 0))"),
            ("5 < up", "5 < bool up"),
            ("a > on (job) group_left (x) b", "a > bool on (job) group_left (x) b"),
            ("a>b", "a> bool b"),
            ("rate(a[5m]) / rate(b[5m]) > 0.05", "rate(a[5m]) / rate(b[5m]) > bool 0.05"),
            ("(a > 5) * 100", "(a > bool 5) * 100"),
            // Health: nothing is down, so nothing is counted.
            ("count(up == 0) > 2", "count(up == bool 0) > bool 2"),
            ("max_over_time((up == 0)[5m:]) > 0", "max_over_time((up == bool 0)[5m:]) > bool 0"),
            ("a > 1 and b > 2", "a > bool 1 and b > bool 2"),
            ("a > 1 and on (job) b", "a > bool 1 and on (job) b"),
            ("sum by (job) (a or b) > 1", "sum by (job) (a or b) > bool 1"),
            ("time() - a > (1 < bool 2)", "time() - a > bool (1 < bool 2)"),
        ] {
            assert_eq!(derived(text), expected, "{text}");
        }
    }

    #[test]
    fn what_does_not_filter_is_asked_nothing() {
        for text in ["up", "(a)", "a > bool 5", "sum(a) / sum(b)", "vector(1)", "a or b", "1"] {
            assert_eq!(derived(text), "result", "{text}");
        }
    }

    #[test]
    fn an_exception_does_not_count_and_alternatives_are_asked_apart() {
        for (text, expected) in [
            ("a > 1 unless b > 2", "a > bool 1"),
            ("(a > 1 unless on (x) absent(b)) and c", "(a > bool 1) and c"),
            ("a unless b == 1", "a"),
            ("a > 1 or b > 2", "a > bool 1 | b > bool 2"),
            ("(a > 1 or on (x) b) or (c)", "a > bool 1 | b | (c)"),
            ("a > 1 unless b unless c", "a > bool 1"),
        ] {
            assert_eq!(derived(text), expected, "{text}");
        }
    }

    #[test]
    fn what_comes_and_goes_for_other_reasons_is_left_open() {
        for (text, part) in [
            ("absent(up)", "absent(up)"),
            ("absent_over_time(up[5m]) == 1", "absent_over_time(up[5m])"),
            ("up == 0 or absent(up)", "absent(up)"),
            ("topk(3, a) > 1", "topk(3, a)"),
            ("limitk(3, a)", "limitk(3, a)"),
            (r#"count_values("v", a) > 1"#, r#"count_values("v", a)"#),
            ("sum(a or on (x) b) > 1", "a or on (x) b"),
        ] {
            assert_eq!(derived(text), format!("? {part}"), "{text}");
        }
    }
}
