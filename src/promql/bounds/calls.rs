//! Bounds of the results of functions.

use super::{Bounds, bounds, summed};
use crate::promql::{Call, Expr};

/// The bounds of a function's result, by its documentation
/// (<https://prometheus.io/docs/prometheus/latest/querying/functions/>).
pub(super) fn of_call(call: &Call) -> Bounds {
    let arg = |index: usize| call.args.get(index).map_or(Bounds::ANY, bounds);
    let within = |low, high| Bounds::new(low, high);
    match call.function.name {
        "absent" | "absent_over_time" | "present_over_time" => Bounds::ONE,
        "vector" | "scalar" => arg(0),
        "count_over_time" => within(1.0, f64::INFINITY),
        "rate" | "irate" | "increase" | "changes" | "resets" | "stddev_over_time"
        | "stdvar_over_time" | "mad_over_time" | "time" | "histogram_count" => Bounds::POSITIVE,
        "avg_over_time" | "min_over_time" | "max_over_time" | "last_over_time"
        | "first_over_time" | "sort" | "sort_desc" | "sort_by_label" | "sort_by_label_desc"
        | "label_replace" | "label_join" => arg(0),
        "quantile_over_time" => arg(1),
        "sum_over_time" => summed(arg(0)),
        "abs" => absolute(arg(0)),
        "sqrt" | "exp" => Bounds::POSITIVE,
        "ceil" => within(arg(0).low.ceil(), arg(0).high.ceil()),
        "floor" => within(arg(0).low.floor(), arg(0).high.floor()),
        "sgn" => within(-1.0, 1.0).both(within(sign(arg(0).low), sign(arg(0).high))),
        "clamp" => clamped(arg(0), call.args.get(1), call.args.get(2)),
        "clamp_min" => clamped(arg(0), call.args.get(1), None),
        "clamp_max" => clamped(arg(0), None, call.args.get(1)),
        "day_of_month" => within(1.0, 31.0),
        "day_of_week" => within(0.0, 6.0),
        "day_of_year" => within(1.0, 366.0),
        "days_in_month" => within(28.0, 31.0),
        "hour" => within(0.0, 23.0),
        "minute" => within(0.0, 59.0),
        "month" => within(1.0, 12.0),
        "histogram_fraction" => within(0.0, 1.0),
        _ => Bounds::ANY,
    }
}

fn absolute(inner: Bounds) -> Bounds {
    if inner.low >= 0.0 {
        inner
    } else if inner.high <= 0.0 {
        Bounds::new(-inner.high, -inner.low)
    } else {
        Bounds::new(0.0, inner.high.max(-inner.low))
    }
}

fn sign(value: f64) -> f64 {
    if value == 0.0 { 0.0 } else { value.signum() }
}

fn clamped(inner: Bounds, least: Option<&Expr>, most: Option<&Expr>) -> Bounds {
    let least = least.map_or(Bounds::new(f64::NEG_INFINITY, f64::NEG_INFINITY), bounds);
    let most = most.map_or(Bounds::new(f64::INFINITY, f64::INFINITY), bounds);
    let low = inner.low.max(least.low).min(most.low);
    let high = inner.high.max(least.high).min(most.high);
    if low > high { Bounds::ANY } else { Bounds::new(low, high) }
}
