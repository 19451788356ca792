//! Whole expressions: trees, places, mistakes, real rules.

mod corpus;
mod limits;
mod mistakes;
mod trees;

use crate::promql::{Expr, ExprKind, SyntaxError, parse};

/// The tree in brackets, so that a table can show who binds whom.
fn shape(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Binary(b) => format!("[{} {} {}]", shape(&b.lhs), b.op, shape(&b.rhs)),
        ExprKind::Unary(inner) => format!("[- {}]", shape(inner)),
        ExprKind::Paren(inner) => format!("({})", shape(inner)),
        _ => expr.to_string(),
    }
}

/// Checks that each part's place holds a text that gives that part, and that the printed form
/// gives the same tree.
fn check_places(text: &str, expr: &Expr) {
    let printed = expr.to_string();
    let again = parse(&printed).unwrap_or_else(|e| panic!("{text}\nprinted {printed}: {e}"));
    assert!(again.same_as(expr), "{text}\nprinted {printed}");
    for part in expr.walk() {
        let Some(own) = text.get(part.span.range()) else { panic!("{text}\n{part:?}") };
        let again = parse(own).unwrap_or_else(|e| panic!("{text}\npart {own}: {e}"));
        assert!(again.same_as(part), "{text}\npart {own} is {again}, was {part}");
        assert_eq!(again.value_type(), part.value_type(), "{own}");
    }
}

/// The mistake in a text, with carets under its place.
fn drawn(text: &str) -> String {
    let Err(SyntaxError { span, message, help }) = parse(text) else {
        return format!("{text}\nis accepted\n");
    };
    let before = text.get(..span.start).map_or(0, |t| t.chars().count());
    let carets = text.get(span.range()).map_or(0, |t| t.chars().count()).max(1);
    let help = help.map(|h| format!("\nhelp: {h}")).unwrap_or_default();
    format!("{text}\n{}{} {message}{help}\n", " ".repeat(before), "^".repeat(carets))
}
