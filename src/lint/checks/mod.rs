//! The checks, one a file, each with its page and its table of cases.

pub(super) mod always_fires;
pub(super) mod counter_raw;
pub(super) mod duplicate;
pub(super) mod experimental;
pub(super) mod histogram_le;
pub(super) mod histogram_mixed;
pub(super) mod impossible_selector;
pub(super) mod missing_label;
pub(super) mod never_true;
pub(super) mod no_match;
pub(super) mod no_severity;
pub(super) mod no_summary;
pub(super) mod rate_of_sum;
pub(super) mod regex;
pub(super) mod short_range;
pub(super) mod slow_counter;
pub(super) mod value_in_label;
