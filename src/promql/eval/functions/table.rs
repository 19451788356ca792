//! The table of functions.

use super::Work::{self, Date, General, Number, Range, RangeKeepingName};
use super::{
    absent, changes, clamp, dates, extrapolate, histogram, info, instant_rate, labels, math,
    over_time, query, regression, sort, timestamp,
};

/// Sorted by name.
const TABLE: &[(&str, Work)] = &[
    ("abs", Number(f64::abs)),
    ("absent", General(absent::absent)),
    ("absent_over_time", General(absent::absent_over_time)),
    ("acos", Number(f64::acos)),
    ("acosh", Number(f64::acosh)),
    ("asin", Number(f64::asin)),
    ("asinh", Number(f64::asinh)),
    ("atan", Number(f64::atan)),
    ("atanh", Number(f64::atanh)),
    ("avg_over_time", Range(over_time::avg)),
    ("ceil", Number(f64::ceil)),
    ("changes", Range(changes::changes)),
    ("clamp", General(clamp::clamp)),
    ("clamp_max", General(clamp::clamp_max)),
    ("clamp_min", General(clamp::clamp_min)),
    ("cos", Number(f64::cos)),
    ("cosh", Number(f64::cosh)),
    ("count_over_time", Range(over_time::count)),
    ("day_of_month", Date(dates::day_of_month)),
    ("day_of_week", Date(dates::day_of_week)),
    ("day_of_year", Date(dates::day_of_year)),
    ("days_in_month", Date(dates::days_in_month)),
    ("deg", Number(math::deg)),
    ("delta", Range(extrapolate::delta)),
    ("deriv", Range(regression::deriv)),
    ("double_exponential_smoothing", Range(regression::double_exponential_smoothing)),
    ("end", General(query::end)),
    ("exp", Number(f64::exp)),
    ("first_over_time", RangeKeepingName(over_time::first)),
    ("floor", Number(f64::floor)),
    ("histogram_avg", General(histogram::avg)),
    ("histogram_count", General(histogram::count)),
    ("histogram_fraction", General(histogram::fraction)),
    ("histogram_quantile", General(histogram::quantile)),
    ("histogram_quantiles", General(histogram::quantiles)),
    ("histogram_stddev", General(histogram::stddev)),
    ("histogram_stdvar", General(histogram::stdvar)),
    ("histogram_sum", General(histogram::sum)),
    ("hour", Date(dates::hour)),
    ("idelta", Range(instant_rate::idelta)),
    ("increase", Range(extrapolate::increase)),
    ("info", General(info::info)),
    ("irate", Range(instant_rate::irate)),
    ("label_join", General(labels::label_join)),
    ("label_replace", General(labels::label_replace)),
    ("last_over_time", RangeKeepingName(over_time::last)),
    ("ln", Number(f64::ln)),
    ("log10", Number(f64::log10)),
    ("log2", Number(f64::log2)),
    ("mad_over_time", Range(over_time::mad)),
    ("max_of", General(math::max_of)),
    ("max_over_time", Range(over_time::max)),
    ("min_of", General(math::min_of)),
    ("min_over_time", Range(over_time::min)),
    ("minute", Date(dates::minute)),
    ("month", Date(dates::month)),
    ("pi", General(dates::pi)),
    ("predict_linear", Range(regression::predict_linear)),
    ("present_over_time", Range(over_time::present)),
    ("quantile_over_time", Range(over_time::quantile_over_time)),
    ("rad", Number(math::rad)),
    ("range", General(query::range)),
    ("rate", Range(extrapolate::rate)),
    ("resets", Range(changes::resets)),
    ("round", General(clamp::round)),
    ("scalar", General(query::scalar)),
    ("sgn", Number(math::sgn)),
    ("sin", Number(f64::sin)),
    ("sinh", Number(f64::sinh)),
    ("sort", General(sort::sort)),
    ("sort_by_label", General(sort::sort_by_label)),
    ("sort_by_label_desc", General(sort::sort_by_label_desc)),
    ("sort_desc", General(sort::sort_desc)),
    ("sqrt", Number(f64::sqrt)),
    ("start", General(query::start)),
    ("start_timestamp", General(timestamp::start_timestamp)),
    ("stddev_over_time", Range(over_time::stddev)),
    ("stdvar_over_time", Range(over_time::stdvar)),
    ("step", General(query::step)),
    ("sum_over_time", Range(over_time::sum)),
    ("tan", Number(f64::tan)),
    ("tanh", Number(f64::tanh)),
    ("time", General(dates::time)),
    ("timestamp", General(timestamp::timestamp)),
    ("ts_of_first_over_time", Range(over_time::ts_of_first)),
    ("ts_of_last_over_time", Range(over_time::ts_of_last)),
    ("ts_of_max_over_time", Range(over_time::ts_of_max)),
    ("ts_of_min_over_time", Range(over_time::ts_of_min)),
    ("vector", General(query::vector)),
    ("year", Date(dates::year)),
];

/// What does the work of the function of that name.
pub(super) fn work(name: &str) -> Option<Work> {
    let index = TABLE.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    TABLE.get(index).map(|(_, work)| *work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::function_names;

    #[test]
    fn every_function_of_the_parser_is_in_the_table() {
        assert!(TABLE.is_sorted_by(|(a, _), (b, _)| a < b));
        let missing: Vec<&str> = function_names().filter(|name| work(name).is_none()).collect();
        // What it computes is not settled in Prometheus (pull request 14440).
        assert_eq!(missing, ["integral"]);
    }
}
