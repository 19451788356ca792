//! A division whose NaN or infinity changes the verdict.

use crate::diag::{Diagnostic, Severity};
use crate::lint::shape::{Threshold, aggregated, number_of, selector};
use crate::lint::{About, Check, Context, Findings};
use crate::promql::{Aggregate, AggregateOp, Binary, BinaryOp, Expr, ExprKind, ValueType};

static ABOUT: About = About {
    id: "promql/nan-trap",
    severity: Severity::Warning,
    title: "A division by zero changes what an alert says",
    text: "\
Without traffic a ratio is 0/0, which is NaN: no comparison with it holds, so a plain ratio above a \
threshold stays silent, as it should. Three shapes do not:

- `a / b != 1` holds for NaN.
- A sum or mean of ratios is NaN as soon as one of them is, and so hides all others.
- A limit that is 0 where there is none, as `container_spec_memory_limit_bytes`, makes a ratio infinite, \
which is above every threshold.

Divide sums instead of summing ratios, and leave out what is 0: `a / (b > 0)`.",
    bad: "alert: Errors\nexpr: avg(rate(errors_total[5m]) / rate(requests_total[5m])) > 0.1\n",
    good: "alert: Errors\nexpr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.1\n",
};

/// Limits that are 0 where there is none.
const ZERO_LIMITS: [&str; 2] = ["container_spec_memory_limit_bytes", "container_spec_cpu_quota"];

pub(in crate::lint) struct NanTrap;

impl Check for NanTrap {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn rule(&self, context: &Context<'_>, findings: &mut Findings) {
        for (part, threshold) in context.thresholds() {
            if let Some(finding) = compared(context, part, threshold) {
                findings.push(finding);
            }
        }
        for part in context.parts() {
            if let ExprKind::Aggregate(all) = &part.kind
                && let Some(finding) = spoiled(context, all)
            {
                findings.push(finding);
            }
        }
    }
}

/// What a ratio of nothing makes of a comparison.
fn compared(context: &Context<'_>, part: &Expr, threshold: &Threshold<'_>) -> Option<Diagnostic> {
    let (message, place, why) = if threshold.op == BinaryOp::NotEqual
        && let Some(ratio) = ratio(threshold.vector)
    {
        let message = "NaN is not equal to anything, so this holds for it";
        (message, ratio.rhs.span, "where this is 0, the ratio may be NaN")
    } else if above(threshold.op) {
        let limit = zero_limit(&scaled_ratio(threshold.vector)?.rhs)?;
        let message = "holds for everything that has no limit";
        (message, limit.span, "0 where there is no limit: the ratio is infinite")
    } else {
        return None;
    };
    let finding = context.finding(&ABOUT, part.span, message).label(context.place(place), why);
    Some(finding.help("leave out what is 0: `a / (b > 0)`"))
}

/// What a ratio of nothing makes of an aggregation.
fn spoiled(context: &Context<'_>, all: &Aggregate) -> Option<Diagnostic> {
    if !matches!(all.op, AggregateOp::Sum | AggregateOp::Avg | AggregateOp::Stddev) {
        return None;
    }
    let ratio = ratio(&all.expr)?;
    let message = format!("one series without traffic makes the whole `{}` NaN", all.op);
    let finding = context
        .finding(&ABOUT, all.op_span, message)
        .label(context.place(ratio.rhs.span), "where this is 0, the ratio may be NaN")
        .note("no comparison with NaN holds, so the alert stays silent");
    Some(finding.help("divide the sums, or leave out what is 0: `a / (b > 0)`"))
}

fn above(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Greater | BinaryOp::GreaterOrEqual)
}

/// A division by rates or increases, which are 0 where nothing happens.
fn ratio(expr: &Expr) -> Option<&Binary> {
    let binary = division(expr)?;
    let rated = |side: &Expr| {
        let call = crate::lint::shape::call(side);
        call.is_some_and(|call| crate::lint::shape::OF_COUNTERS.contains(&call.function.name))
    };
    rated(&binary.rhs).then_some(binary)
}

/// A division of two vectors.
fn division(expr: &Expr) -> Option<&Binary> {
    match &expr.without_parens().kind {
        ExprKind::Binary(binary)
            if binary.op == BinaryOp::Div && binary.rhs.value_type() == ValueType::Vector =>
        {
            Some(binary)
        }
        _ => None,
    }
}

/// The same, maybe multiplied by a number.
fn scaled_ratio(expr: &Expr) -> Option<&Binary> {
    let inner = match &expr.without_parens().kind {
        ExprKind::Binary(b) if b.op == BinaryOp::Mul && number_of(&b.rhs).is_some() => &b.lhs,
        ExprKind::Binary(b) if b.op == BinaryOp::Mul && number_of(&b.lhs).is_some() => &b.rhs,
        _ => expr,
    };
    division(inner)
}

/// A limit that is 0 where there is none, as it is or summed.
fn zero_limit(expr: &Expr) -> Option<&Expr> {
    let part = aggregated(expr, |_| true);
    let name = selector(part)?.metric_name()?;
    ZERO_LIMITS.contains(&name).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::cases;

    #[test]
    fn cases_hold() {
        let ratio = "rate(a[5m]) / rate(b[5m])";
        let limit = "container_spec_memory_limit_bytes";
        for (expr, expected) in [
            (format!("avg({ratio}) > 1"), Some("1:7 avg".to_string())),
            (format!("sum by (x) ({ratio}) > 1"), Some("1:7 sum".to_string())),
            (format!("{ratio} != 1"), Some(format!("1:7 {ratio} != 1"))),
            (format!("a / {limit} > 0.9"), Some(format!("1:7 a / {limit} > 0.9"))),
            (format!("(a / {limit}) * 100 > 90"), Some(format!("1:7 (a / {limit}) * 100 > 90"))),
            (format!("{ratio} > 0.1"), None),
            (format!("max({ratio}) > 0.1"), None),
            (format!("1 - {ratio} > 0.1"), None),
            ("sum(rate(a[5m])) / sum(rate(b[5m])) > 0.1".to_string(), None),
            (format!("a / ({limit} > 0) > 0.9"), None),
            (format!("a / {limit} < 0.9"), None),
            ("avg(a / b) > 1".to_string(), None),
        ] {
            let rule = format!("expr: {expr}");
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            cases(&NanTrap, &[(&[&rule], &expected)]);
        }
    }
}
