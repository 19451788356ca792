//! The table of checks: one line each.

use crate::lint::Check;
use crate::lint::checks;

/// Every check, sorted by id.
pub static CHECKS: &[&dyn Check] = &[
    &checks::always_fires::AlwaysFires,
    &checks::no_severity::NoSeverity,
    &checks::no_summary::NoSummary,
    &checks::counter_raw::CounterRaw,
    &checks::experimental::Experimental,
    &checks::histogram_le::HistogramLe,
    &checks::histogram_mixed::HistogramMixed,
    &checks::impossible_selector::ImpossibleSelector,
    &checks::never_true::NeverTrue,
    &checks::no_match::NoMatch,
    &checks::rate_of_sum::RateOfSum,
    &checks::regex::RegexMatcher,
    &checks::short_range::ShortRange,
    &checks::slow_counter::SlowCounter,
    &checks::duplicate::Duplicate,
    &checks::missing_label::MissingLabel,
    &checks::value_in_label::ValueInLabel,
];
