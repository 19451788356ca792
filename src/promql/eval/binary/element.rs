//! An operator between two values.

use std::sync::Arc;

use crate::diag::Span;
use crate::model::histogram::{CounterResetHint, FloatHistogram};
use crate::promql::BinaryOp;
use crate::promql::eval::annotations::Annotations;
use crate::promql::eval::notes::{self, HistogramWork};
use crate::promql::series::SampleValue;

/// What an operator makes of two values.
pub(super) struct Outcome {
    /// The result; of a comparison the left value.
    pub value: SampleValue,
    /// Whether a comparison holds; always for other operators.
    pub keep: bool,
}

/// Two numbers; a comparison gives 0 or 1.
pub(super) fn scalar(op: BinaryOp, lhs: f64, rhs: f64) -> f64 {
    match compared(op, lhs, rhs) {
        Some(holds) => f64::from(u8::from(holds)),
        None => computed(op, lhs, rhs),
    }
}

fn computed(op: BinaryOp, lhs: f64, rhs: f64) -> f64 {
    match op {
        BinaryOp::Add => lhs + rhs,
        BinaryOp::Sub => lhs - rhs,
        BinaryOp::Mul => lhs * rhs,
        BinaryOp::Div => lhs / rhs,
        BinaryOp::Mod => lhs % rhs,
        BinaryOp::Pow => lhs.powf(rhs),
        BinaryOp::Atan2 => lhs.atan2(rhs),
        // Comparisons are told before, sets are not made of numbers.
        _ => f64::NAN,
    }
}

fn compared(op: BinaryOp, lhs: f64, rhs: f64) -> Option<bool> {
    Some(match op {
        BinaryOp::Equal => lhs == rhs,
        BinaryOp::NotEqual => lhs != rhs,
        BinaryOp::Less => lhs < rhs,
        BinaryOp::LessOrEqual => lhs <= rhs,
        BinaryOp::Greater => lhs > rhs,
        BinaryOp::GreaterOrEqual => lhs >= rhs,
        _ => return None,
    })
}

/// Two values of series. `None` where the operator means nothing for their kinds, which is noted.
pub(super) fn apply(
    op: BinaryOp,
    lhs: &SampleValue,
    rhs: &SampleValue,
    span: Span,
    remarks: &mut Annotations,
) -> Option<Outcome> {
    let kept = |histogram: FloatHistogram| {
        let value = SampleValue::Histogram(Arc::new(histogram));
        Some(Outcome { value, keep: true })
    };
    let kinds = match (lhs, rhs) {
        (SampleValue::Float(lhs), SampleValue::Float(rhs)) => {
            return Some(match compared(op, *lhs, *rhs) {
                Some(keep) => Outcome { value: SampleValue::Float(*lhs), keep },
                None => Outcome { value: SampleValue::Float(computed(op, *lhs, *rhs)), keep: true },
            });
        }
        (SampleValue::Float(factor), SampleValue::Histogram(h))
        | (SampleValue::Histogram(h), SampleValue::Float(factor))
            if op == BinaryOp::Mul =>
        {
            let mut result = FloatHistogram::clone(h);
            result.mul(*factor);
            result.compact();
            return kept(result);
        }
        (SampleValue::Histogram(h), SampleValue::Float(divisor)) if op == BinaryOp::Div => {
            let mut result = FloatHistogram::clone(h);
            result.div(*divisor);
            result.compact();
            return kept(result);
        }
        (SampleValue::Histogram(lhs), SampleValue::Histogram(rhs)) => match op {
            BinaryOp::Add | BinaryOp::Sub => {
                return combined(op, lhs, rhs, span, remarks).and_then(kept);
            }
            BinaryOp::Equal | BinaryOp::NotEqual => {
                let keep = (lhs == rhs) == (op == BinaryOp::Equal);
                return Some(Outcome { value: SampleValue::Histogram(lhs.clone()), keep });
            }
            _ => ("histogram", "histogram"),
        },
        (SampleValue::Float(_), SampleValue::Histogram(_)) => ("float", "histogram"),
        (SampleValue::Histogram(_), SampleValue::Float(_)) => ("histogram", "float"),
    };
    remarks.info(span, notes::incompatible_types(kinds.0, op.as_str(), kinds.1));
    None
}

/// The sum or difference of two histograms.
fn combined(
    op: BinaryOp,
    lhs: &FloatHistogram,
    rhs: &FloatHistogram,
    span: Span,
    remarks: &mut Annotations,
) -> Option<FloatHistogram> {
    let mut result = lhs.clone();
    let (done, work) = match op {
        BinaryOp::Add => (result.add(rhs), HistogramWork::Addition),
        _ => (result.sub(rhs), HistogramWork::Subtraction),
    };
    let Ok(done) = done else {
        remarks.warn(span, notes::incompatible_buckets(op.as_str()));
        return None;
    };
    if op == BinaryOp::Sub {
        result.counter_reset_hint = CounterResetHint::Gauge;
    }
    if done.counter_reset_collision {
        remarks.warn(span, notes::counter_reset_collision(work));
    }
    if done.custom_bounds_reconciled {
        remarks.info(span, notes::custom_buckets_reconciled(work));
    }
    result.compact();
    Some(result)
}
