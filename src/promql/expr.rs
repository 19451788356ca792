//! The tree of an expression.

use std::time::Duration;

use smallvec::SmallVec;

use crate::diag::Span;
use crate::model::Timestamp;
use crate::promql::function::Function;
use crate::promql::op::{AggregateOp, BinaryOp, ValueType};
use crate::promql::selector::VectorSelector;

/// An expression and its place in the text that was parsed.
///
/// `&text[expr.span.range()]`, parsed alone, gives the same tree (only the second argument of
/// `info` may be a selector that is refused elsewhere). A unary plus means nothing and is
/// kept in the place only; a sign before a number belongs to the number.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands, modifiers included, in bytes.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `1.5`, `0x1f`, `Inf`, or a duration in seconds: `5m` is 300.
    NumberLiteral(f64),
    /// `"text"`, unescaped.
    StringLiteral(String),
    /// `up{job="x"} offset 5m`
    VectorSelector(Box<VectorSelector>),
    /// `up{job="x"}[5m]`
    MatrixSelector(Box<MatrixSelector>),
    /// `rate(up[5m])[1h:1m]`
    Subquery(Box<Subquery>),
    /// `-expr`
    Unary(Box<Expr>),
    /// `a + on (job) b`
    Binary(Box<Binary>),
    /// `sum by (job) (up)`
    Aggregate(Box<Aggregate>),
    /// `rate(up[5m])`
    Call(Call),
    /// `(expr)`
    Paren(Box<Expr>),
}

/// A fixed time to look at, behind `@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// `start()`: the start of the range query, or the time of the instant query.
    Start,
    /// `end()`: the end of the range query, or the time of the instant query.
    End,
    /// A point in time.
    Time(Timestamp),
}

/// A range of samples.
#[derive(Clone, Debug)]
pub struct MatrixSelector {
    /// The series. Its offset and `@` are those behind the range.
    pub selector: VectorSelector,
    /// The place of name and matchers, without the range.
    pub selector_span: Span,
    /// How far it reaches back; more than zero.
    pub range: Duration,
}

/// An expression evaluated at steps over a range.
#[derive(Clone, Debug)]
pub struct Subquery {
    /// What is evaluated; an instant vector.
    pub expr: Expr,
    /// How far it reaches back; more than zero.
    pub range: Duration,
    /// The distance of two evaluations; without it the global evaluation interval.
    pub step: Option<Duration>,
    /// How far to look back, in milliseconds; negative looks ahead.
    pub offset_ms: i64,
    /// The time to look at instead of the evaluation's.
    pub at: Option<At>,
}

/// A binary operation.
#[derive(Clone, Debug)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// The left operand.
    pub lhs: Expr,
    /// The right operand.
    pub rhs: Expr,
    /// How series find each other; without meaning where an operand is a scalar.
    pub matching: VectorMatching,
    /// `bool`: a comparison gives 0 or 1 instead of filtering.
    pub return_bool: bool,
    /// The place of the operator.
    pub op_span: Span,
}

/// How the series of two vectors find each other.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorMatching {
    /// `on`: only `labels` count. Otherwise all labels but those and `__name__` count.
    pub on: bool,
    /// The labels of `on` or `ignoring`.
    pub labels: Vec<String>,
    /// How many series of each side may match.
    pub cardinality: Cardinality,
    /// The labels of `group_left` or `group_right`, taken from the "one" side.
    pub include: Vec<String>,
    /// The value of a left series that is missing (`fill`, `fill_left`).
    pub fill_left: Option<f64>,
    /// The value of a right series that is missing (`fill`, `fill_right`).
    pub fill_right: Option<f64>,
}

/// How many series of each side may match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// One of each.
    OneToOne,
    /// `group_left`: many on the left.
    ManyToOne,
    /// `group_right`: many on the right.
    OneToMany,
    /// `and`, `or`, `unless`.
    ManyToMany,
}

/// An aggregation.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// The operator.
    pub op: AggregateOp,
    /// Which labels make a group.
    pub grouping: Grouping,
    /// The parameter, for the operators that take one (`topk`, `quantile`, `count_values` …).
    pub param: Option<Expr>,
    /// What is aggregated; an instant vector.
    pub expr: Expr,
    /// The place of the operator.
    pub op_span: Span,
}

/// Which labels make a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// These; with none, everything is one group.
    By(Vec<String>),
    /// All but these and `__name__`.
    Without(Vec<String>),
}

/// A call of a function.
#[derive(Clone, Debug)]
pub struct Call {
    /// The function.
    pub function: &'static Function,
    /// The arguments, as many and of the types that the function wants.
    pub args: Vec<Expr>,
    /// The place of the function's name.
    pub name_span: Span,
}

impl Expr {
    /// What the expression evaluates to.
    pub fn value_type(&self) -> ValueType {
        let mut expr = self;
        // A binary operation is a scalar when both sides are: every open side is looked at.
        let mut open: SmallVec<[&Expr; 4]> = SmallVec::new();
        loop {
            let found = match &expr.kind {
                ExprKind::Unary(inner) | ExprKind::Paren(inner) => {
                    expr = inner;
                    continue;
                }
                ExprKind::Binary(binary) => {
                    open.push(&binary.rhs);
                    expr = &binary.lhs;
                    // Below here only "scalar or not" counts.
                    continue;
                }
                ExprKind::NumberLiteral(_) => ValueType::Scalar,
                ExprKind::StringLiteral(_) => ValueType::String,
                ExprKind::VectorSelector(_) | ExprKind::Aggregate(_) => ValueType::Vector,
                ExprKind::MatrixSelector(_) | ExprKind::Subquery(_) => ValueType::Matrix,
                ExprKind::Call(call) => call.function.returns,
            };
            match open.pop() {
                Some(next) if found == ValueType::Scalar => expr = next,
                Some(_) => return ValueType::Vector,
                None => return found,
            }
        }
    }

    /// The expression inside any parentheses around it.
    pub fn without_parens(&self) -> &Self {
        let mut expr = self;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// The direct parts in source order.
    pub fn children(&self) -> impl DoubleEndedIterator<Item = &Expr> {
        let (first, second, rest) = self.parts();
        first.into_iter().chain(second).chain(rest)
    }

    /// The same as it stands: one part, another, and a list.
    fn parts(&self) -> (Option<&Expr>, Option<&Expr>, &[Expr]) {
        match &self.kind {
            ExprKind::NumberLiteral(_)
            | ExprKind::StringLiteral(_)
            | ExprKind::VectorSelector(_)
            | ExprKind::MatrixSelector(_) => (None, None, &[]),
            ExprKind::Unary(inner) | ExprKind::Paren(inner) => (Some(inner), None, &[]),
            ExprKind::Subquery(subquery) => (Some(&subquery.expr), None, &[]),
            ExprKind::Binary(binary) => (Some(&binary.lhs), Some(&binary.rhs), &[]),
            ExprKind::Aggregate(agg) => (agg.param.as_ref(), Some(&agg.expr), &[]),
            ExprKind::Call(call) => (None, None, &call.args),
        }
    }

    /// This expression and every part of it, each before its own parts, in source order. Works
    /// without recursion.
    pub fn walk(&self) -> impl Iterator<Item = &Expr> {
        let mut open: SmallVec<[&Self; 8]> = SmallVec::new();
        open.push(self);
        std::iter::from_fn(move || {
            let next = open.pop()?;
            // Walks are what checks of rules mostly do, and most parts have no parts of their own.
            match next.parts() {
                (None, None, []) => {}
                (first, second, rest) => {
                    rest.iter().rev().for_each(|part| open.push(part));
                    second.into_iter().for_each(|part| open.push(part));
                    first.into_iter().for_each(|part| open.push(part));
                }
            }
            Some(next)
        })
    }

    /// The selectors of the expression in source order, those of ranges included.
    pub fn selectors(&self) -> impl Iterator<Item = &VectorSelector> {
        self.walk().filter_map(|expr| match &expr.kind {
            ExprKind::VectorSelector(selector) => Some(selector.as_ref()),
            ExprKind::MatrixSelector(matrix) => Some(&matrix.selector),
            _ => None,
        })
    }

    /// Equality apart from places. Two NaN literals are the same.
    pub fn same_as(&self, other: &Self) -> bool {
        let (mut left, mut right) = (self.walk(), other.walk());
        // Two trees are the same when their nodes are, in order, each with as many parts.
        loop {
            match (left.next(), right.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if same_node(a, b) => {}
                _ => return false,
            }
        }
    }
}

/// Equality of two nodes apart from places and from what their parts hold.
fn same_node(a: &Expr, b: &Expr) -> bool {
    match (&a.kind, &b.kind) {
        (ExprKind::NumberLiteral(a), ExprKind::NumberLiteral(b)) => same_number(*a, *b),
        (ExprKind::StringLiteral(a), ExprKind::StringLiteral(b)) => a == b,
        (ExprKind::VectorSelector(a), ExprKind::VectorSelector(b)) => a.same_as(b),
        (ExprKind::MatrixSelector(a), ExprKind::MatrixSelector(b)) => {
            a.range == b.range && a.selector.same_as(&b.selector)
        }
        (ExprKind::Subquery(a), ExprKind::Subquery(b)) => {
            (a.range, a.step, a.offset_ms, a.at) == (b.range, b.step, b.offset_ms, b.at)
        }
        (ExprKind::Binary(a), ExprKind::Binary(b)) => {
            (a.op, a.return_bool) == (b.op, b.return_bool)
                && same_matching(&a.matching, &b.matching)
        }
        (ExprKind::Aggregate(a), ExprKind::Aggregate(b)) => {
            (a.op, &a.grouping, a.param.is_some()) == (b.op, &b.grouping, b.param.is_some())
        }
        (ExprKind::Call(a), ExprKind::Call(b)) => {
            a.function.name == b.function.name && a.args.len() == b.args.len()
        }
        (ExprKind::Unary(_), ExprKind::Unary(_)) | (ExprKind::Paren(_), ExprKind::Paren(_)) => true,
        _ => false,
    }
}

fn same_number(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

fn same_matching(a: &VectorMatching, b: &VectorMatching) -> bool {
    let same_fill = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => same_number(a, b),
        _ => a.is_none() && b.is_none(),
    };
    (a.on, &a.labels, a.cardinality, &a.include) == (b.on, &b.labels, b.cardinality, &b.include)
        && same_fill(a.fill_left, b.fill_left)
        && same_fill(a.fill_right, b.fill_right)
}
