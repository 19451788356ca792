//! Functions: one table from the name to what does the work.

mod absent;
mod call;
mod changes;
mod clamp;
mod dates;
mod extrapolate;
mod histogram;
mod info;
mod instant_rate;
mod labels;
mod math;
mod over_time;
mod over_time_histograms;
mod query;
mod regression;
mod sort;
mod table;
#[cfg(test)]
mod tests;
mod timestamp;

pub(in crate::promql) use call::{Args, RangeCall, Site};

use crate::diag::Span;
use crate::promql::eval::EvalError;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::range::Window;
use crate::promql::eval::times::Times;
use crate::promql::eval::value::Evaluated;
use crate::promql::series::SampleValue;
use crate::promql::{Call, ExprKind};

/// What does the work of a function.
#[derive(Clone, Copy)]
enum Work {
    /// Numbers of an instant vector one by one; histograms are left out.
    Number(fn(f64) -> f64),
    /// A time of numbers in seconds, or of the evaluation where there is no argument.
    Date(fn(dates::Date) -> f64),
    /// The range of one series at one time. The name goes.
    Range(RangeWork),
    /// The same, but the name stays: what is returned are the series' own samples.
    RangeKeepingName(RangeWork),
    /// Everything else.
    General(GeneralWork),
}

/// `None` where a series has no result at a time.
type RangeWork = fn(&Window<'_>, &mut RangeCall<'_>) -> Result<Option<SampleValue>, EvalError>;
type GeneralWork = fn(&mut Evaluator<'_>, &Site<'_>, Args) -> Result<Evaluated, EvalError>;

/// Whether a function looks at an argument itself, so that it is not evaluated before: ranges, and
/// selectors of which more is wanted than values.
pub(super) fn evaluates_itself(call: &Call, index: usize) -> bool {
    let Some(arg) = call.args.get(index) else { return false };
    match &arg.without_parens().kind {
        ExprKind::MatrixSelector(_) | ExprKind::Subquery(_) => true,
        ExprKind::VectorSelector(_) => match call.function.name {
            "timestamp" | "start_timestamp" => true,
            "info" => index == 1,
            _ => false,
        },
        _ => false,
    }
}

/// Calls a function at all of the times. An argument that it looks at itself is `None`.
pub(super) fn apply(
    ev: &mut Evaluator<'_>,
    call: &Call,
    span: Span,
    times: Times,
    args: Vec<Option<Evaluated>>,
) -> Result<Evaluated, EvalError> {
    let site = Site { call, span, times };
    let args = Args::new(args, span);
    match table::work(call.function.name) {
        Some(Work::Number(work)) => math::each(ev, &site, args, work),
        Some(Work::Date(work)) => dates::each(ev, &site, args, work),
        Some(Work::Range(work)) => call::over_ranges(ev, &site, args, work, false),
        Some(Work::RangeKeepingName(work)) => call::over_ranges(ev, &site, args, work, true),
        Some(Work::General(work)) => work(ev, &site, args),
        None => {
            let message = format!("the function `{}` cannot be evaluated", call.function.name);
            Err(EvalError::new(call.name_span, message))
        }
    }
}
