//! Bounds of values: between which numbers the samples of an expression must lie.
//!
//! Known without a server: `up` is 0 or 1, `count` is at least 1 where it is anything at all, a rate
//! is not negative. Samples that are NaN lie within no bounds; comparisons with them do not hold.

mod calls;

#[cfg(test)]
mod tests;

use crate::promql::{AggregateOp, Binary, BinaryOp, Expr, ExprKind, VectorSelector};

/// The numbers from `low` to `high`, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The smallest.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

/// Whether a comparison can come out one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds for no sample.
    Never,
    /// It holds for every sample that is a number.
    Always,
    /// It depends.
    Open,
}

impl Bounds {
    /// Any number.
    pub const ANY: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };
    /// Zero and above.
    pub const POSITIVE: Self = Self { low: 0.0, high: f64::INFINITY };
    /// One.
    pub const ONE: Self = Self { low: 1.0, high: 1.0 };

    /// The numbers from `low` to `high`.
    pub const fn new(low: f64, high: f64) -> Self {
        Self { low, high }
    }

    /// Whether there is no number in them.
    pub fn is_empty(self) -> bool {
        self.low > self.high
    }

    /// The numbers that are in both.
    #[must_use]
    pub fn both(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }

    /// All numbers of either and those between.
    fn either(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    fn of(values: [f64; 4]) -> Self {
        if values.iter().any(|v| v.is_nan()) {
            return Self::ANY;
        }
        let fold = |f: fn(f64, f64) -> f64, start| values.into_iter().fold(start, f);
        Self { low: fold(f64::min, f64::INFINITY), high: fold(f64::max, f64::NEG_INFINITY) }
    }

    /// How a comparison of numbers of these bounds with those of the others comes out.
    pub fn compare(self, op: BinaryOp, other: Self) -> Verdict {
        let (never, always) = match op {
            BinaryOp::Greater => (self.high <= other.low, self.low > other.high),
            BinaryOp::GreaterOrEqual => (self.high < other.low, self.low >= other.high),
            BinaryOp::Less => (self.low >= other.high, self.high < other.low),
            BinaryOp::LessOrEqual => (self.low > other.high, self.high <= other.low),
            BinaryOp::Equal => (self.both(other).is_empty(), self.is_same_point(other)),
            BinaryOp::NotEqual => (self.is_same_point(other), self.both(other).is_empty()),
            _ => (false, false),
        };
        match (never, always) {
            (true, _) => Verdict::Never,
            (_, true) => Verdict::Always,
            _ => Verdict::Open,
        }
    }

    #[expect(clippy::float_cmp, reason = "a single number is one that equals itself")]
    fn is_same_point(self, other: Self) -> bool {
        self.low == self.high && other.low == other.high && self.low == other.low
    }

    /// The numbers that a comparison with `other` lets pass. Open ends count as closed.
    #[must_use]
    pub fn passing(self, op: BinaryOp, other: Self) -> Self {
        match op {
            BinaryOp::Greater | BinaryOp::GreaterOrEqual => {
                self.both(Self::new(other.low, f64::INFINITY))
            }
            BinaryOp::Less | BinaryOp::LessOrEqual => {
                self.both(Self::new(f64::NEG_INFINITY, other.high))
            }
            BinaryOp::Equal => self.both(other),
            _ => self,
        }
    }
}

/// The bounds of an expression's samples. Recursion is bounded by [`crate::promql::MAX_HEIGHT`].
pub fn bounds(expr: &Expr) -> Bounds {
    match &expr.kind {
        ExprKind::NumberLiteral(value) if value.is_nan() => Bounds::ANY,
        ExprKind::NumberLiteral(value) => Bounds::new(*value, *value),
        ExprKind::StringLiteral(_) => Bounds::ANY,
        ExprKind::VectorSelector(selector) => of_selector(selector),
        ExprKind::MatrixSelector(matrix) => of_selector(&matrix.selector),
        ExprKind::Subquery(subquery) => bounds(&subquery.expr),
        ExprKind::Paren(inner) => bounds(inner),
        ExprKind::Unary(inner) => {
            let inner = bounds(inner);
            Bounds::new(-inner.high, -inner.low)
        }
        ExprKind::Binary(binary) => of_binary(binary),
        ExprKind::Aggregate(aggregate) => of_aggregate(aggregate.op, bounds(&aggregate.expr)),
        ExprKind::Call(call) => calls::of_call(call),
    }
}

/// What names say. Only what Prometheus itself or the naming rules for metrics promise.
fn of_selector(selector: &VectorSelector) -> Bounds {
    match selector.metric_name() {
        Some("up" | "probe_success") => Bounds::new(0.0, 1.0),
        Some("ALERTS") => Bounds::ONE,
        Some(name) if is_counter(name) => Bounds::POSITIVE,
        _ => Bounds::ANY,
    }
}

/// Whether a name is that of a counter or of a part of a histogram, by the rules for naming metrics
/// (<https://prometheus.io/docs/practices/naming/>). A name with a colon is a recorded one.
pub fn is_counter(name: &str) -> bool {
    let counts = ["_total", "_bucket"].iter().any(|ending| name.ends_with(ending));
    counts && !name.contains(':')
}

fn of_aggregate(op: AggregateOp, inner: Bounds) -> Bounds {
    match op {
        AggregateOp::Count | AggregateOp::CountValues => Bounds::new(1.0, f64::INFINITY),
        AggregateOp::Group => Bounds::ONE,
        AggregateOp::Stddev | AggregateOp::Stdvar => Bounds::POSITIVE,
        AggregateOp::Sum => summed(inner),
        // A quantile outside of 0 to 1 is infinite; nobody asks for one.
        _ => inner,
    }
}

/// The bounds of a sum of any number of such numbers, at least one.
fn summed(inner: Bounds) -> Bounds {
    let low = if inner.low >= 0.0 { inner.low } else { f64::NEG_INFINITY };
    let high = if inner.high <= 0.0 { inner.high } else { f64::INFINITY };
    Bounds::new(low, high)
}

fn of_binary(binary: &Binary) -> Bounds {
    let (a, b) = (bounds(&binary.lhs), bounds(&binary.rhs));
    let each = |f: fn(f64, f64) -> f64| {
        Bounds::of([f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)])
    };
    let matching = &binary.matching;
    if matching.fill_left.is_some() || matching.fill_right.is_some() {
        return Bounds::ANY;
    }
    match binary.op {
        op if op.is_comparison() && binary.return_bool => Bounds::new(0.0, 1.0),
        op if op.is_comparison() => of_filter(binary, a, b),
        BinaryOp::And | BinaryOp::Unless => a,
        BinaryOp::Or => a.either(b),
        BinaryOp::Add => {
            Bounds::of([a.low + b.low, a.high + b.high, a.low + b.low, a.high + b.high])
        }
        BinaryOp::Sub => {
            Bounds::of([a.low - b.high, a.high - b.low, a.low - b.high, a.high - b.low])
        }
        BinaryOp::Mul => each(|x, y| if x == 0.0 || y == 0.0 { 0.0 } else { x * y }),
        // 0 / 0 is no number, and a positive number through 0 is infinite: still not negative.
        BinaryOp::Div if a.low >= 0.0 && b.low >= 0.0 => {
            let low = if b.high.is_finite() && b.high > 0.0 { a.low / b.high } else { 0.0 };
            let high = if b.low > 0.0 { a.high / b.low } else { f64::INFINITY };
            Bounds::new(low, if high.is_nan() { f64::INFINITY } else { high })
        }
        BinaryOp::Div if b.low > 0.0 || b.high < 0.0 => each(|x, y| x / y),
        _ => Bounds::ANY,
    }
}

/// A comparison that filters gives the samples of its left side, or of the vector if the other side
/// is a number.
fn of_filter(binary: &Binary, a: Bounds, b: Bounds) -> Bounds {
    use crate::promql::ValueType::Scalar;
    if binary.lhs.value_type() == Scalar && binary.rhs.value_type() != Scalar {
        return b.passing(mirrored(binary.op), a);
    }
    a.passing(binary.op, b)
}

/// The comparison with its sides exchanged.
pub fn mirrored(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterOrEqual => BinaryOp::LessOrEqual,
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessOrEqual => BinaryOp::GreaterOrEqual,
        op => op,
    }
}
