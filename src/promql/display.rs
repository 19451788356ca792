//! Expressions as text, in the form in which Prometheus prints them.

use std::fmt::{self, Write};

use crate::model::format_duration;
use crate::model::label::{METRIC_NAME, Quoted, is_legacy_label_name};
use crate::promql::expr::{
    Aggregate, At, Binary, Cardinality, Expr, ExprKind, Grouping, VectorMatching,
};
use crate::promql::selector::VectorSelector;

/// The canonical text. Parsed again it gives the same tree.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::NumberLiteral(value) => write_number(f, *value),
            ExprKind::StringLiteral(text) => write!(f, "{}", Quoted(text)),
            ExprKind::VectorSelector(selector) => {
                write_series(f, selector)?;
                write_time(f, selector.offset_ms, selector.at)
            }
            ExprKind::MatrixSelector(matrix) => {
                write_series(f, &matrix.selector)?;
                write!(f, "[{}]", format_duration(matrix.range))?;
                write_time(f, matrix.selector.offset_ms, matrix.selector.at)
            }
            ExprKind::Subquery(subquery) => {
                let step = subquery.step.map(format_duration).unwrap_or_default();
                write!(f, "{}[{}:{step}]", subquery.expr, format_duration(subquery.range))?;
                write_time(f, subquery.offset_ms, subquery.at)
            }
            ExprKind::Unary(inner) => write!(f, "-{inner}"),
            ExprKind::Paren(inner) => write!(f, "({inner})"),
            ExprKind::Binary(_) => write_chain(f, self),
            ExprKind::Aggregate(aggregate) => write_aggregate(f, aggregate),
            ExprKind::Call(call) => {
                write!(f, "{}(", call.function.name)?;
                for (i, arg) in call.args.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{arg}")?;
                }
                f.write_char(')')
            }
        }
    }
}

/// A number as Go's `FormatFloat(value, 'f', -1, 64)` writes it.
fn write_number(f: &mut fmt::Formatter<'_>, value: f64) -> fmt::Result {
    if value.is_infinite() {
        f.write_str(if value > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        write!(f, "{value}")
    }
}

fn write_series(f: &mut fmt::Formatter<'_>, selector: &VectorSelector) -> fmt::Result {
    let legacy = |name: &str| is_legacy_label_name(&name.replace(':', "_"));
    // Another one beside it is good only where both stand in the braces.
    let is_matched = selector.matchers.iter().any(|m| m.matcher.name() == METRIC_NAME);
    let mut quoted = None;
    match selector.name.as_deref() {
        Some(name) if legacy(name) && !is_matched => f.write_str(name)?,
        name => quoted = name,
    }
    if quoted.is_none() && selector.matchers.is_empty() && selector.name.is_some() {
        return Ok(());
    }
    f.write_char('{')?;
    if let Some(name) = quoted {
        write!(f, "{}", Quoted(name))?;
    }
    for (i, matcher) in selector.matchers.iter().enumerate() {
        if i > 0 || quoted.is_some() {
            f.write_char(',')?;
        }
        write!(f, "{}", matcher.matcher)?;
    }
    f.write_char('}')
}

fn write_time(f: &mut fmt::Formatter<'_>, offset_ms: i64, at: Option<At>) -> fmt::Result {
    match at {
        None => {}
        Some(At::Start) => f.write_str(" @ start()")?,
        Some(At::End) => f.write_str(" @ end()")?,
        Some(At::Time(time)) => {
            let millis = time.millis();
            let sign = if millis < 0 { "-" } else { "" };
            let millis = millis.unsigned_abs();
            write!(f, " @ {sign}{}.{:03}", millis / 1000, millis % 1000)?;
        }
    }
    if offset_ms == 0 {
        return Ok(());
    }
    let sign = if offset_ms < 0 { "-" } else { "" };
    let offset = std::time::Duration::from_millis(offset_ms.unsigned_abs());
    write!(f, " offset {sign}{}", format_duration(offset))
}

/// A chain of operators leans to the left: it is written without recursion.
fn write_chain(f: &mut fmt::Formatter<'_>, expr: &Expr) -> fmt::Result {
    let mut chain: Vec<&Binary> = Vec::new();
    let mut first = expr;
    while let ExprKind::Binary(binary) = &first.kind {
        chain.push(binary);
        first = &binary.lhs;
    }
    write!(f, "{first}")?;
    for binary in chain.into_iter().rev() {
        write!(f, " {}", binary.op)?;
        if binary.return_bool {
            f.write_str(" bool")?;
        }
        write_matching(f, &binary.matching)?;
        write!(f, " {}", binary.rhs)?;
    }
    Ok(())
}

fn write_matching(f: &mut fmt::Formatter<'_>, matching: &VectorMatching) -> fmt::Result {
    let group = match matching.cardinality {
        Cardinality::ManyToOne => Some("group_left"),
        Cardinality::OneToMany => Some("group_right"),
        Cardinality::OneToOne | Cardinality::ManyToMany => None,
    };
    if matching.on || !matching.labels.is_empty() || group.is_some() {
        f.write_str(if matching.on { " on (" } else { " ignoring (" })?;
        write_labels(f, &matching.labels)?;
        f.write_char(')')?;
    }
    if let Some(group) = group {
        write!(f, " {group} (")?;
        write_labels(f, &matching.include)?;
        f.write_char(')')?;
    }
    let sides = [("fill_left", matching.fill_left), ("fill_right", matching.fill_right)];
    for (word, value) in sides {
        if let Some(value) = value {
            write!(f, " {word} (")?;
            write_number(f, value)?;
            f.write_char(')')?;
        }
    }
    Ok(())
}

fn write_labels(f: &mut fmt::Formatter<'_>, labels: &[String]) -> fmt::Result {
    for (i, label) in labels.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        // Outside of braces two of these are numbers, and `without` is no label.
        let words = ["inf", "nan", "without"];
        let taken = words.iter().any(|word| label.eq_ignore_ascii_case(word));
        if is_legacy_label_name(label) && !taken {
            f.write_str(label)?;
        } else {
            write!(f, "{}", Quoted(label))?;
        }
    }
    Ok(())
}

fn write_aggregate(f: &mut fmt::Formatter<'_>, aggregate: &Aggregate) -> fmt::Result {
    write!(f, "{}", aggregate.op)?;
    match &aggregate.grouping {
        Grouping::By(labels) if labels.is_empty() => {}
        Grouping::By(labels) => {
            f.write_str(" by (")?;
            write_labels(f, labels)?;
            f.write_str(") ")?;
        }
        Grouping::Without(labels) => {
            f.write_str(" without (")?;
            write_labels(f, labels)?;
            f.write_str(") ")?;
        }
    }
    f.write_char('(')?;
    if let Some(param) = &aggregate.param {
        write!(f, "{param}, ")?;
    }
    write!(f, "{})", aggregate.expr)
}
