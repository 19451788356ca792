//! What is remarked about classic histograms whose counts do not rise from bucket to bucket.

use crate::model::Timestamp;
use crate::model::float::general;
use crate::model::label::Quoted;

/// Counts that fell from one bucket to the next and were taken for the former one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::promql) struct Forced {
    /// The lowest bound of such a bucket.
    pub min_bucket: f64,
    /// The highest one.
    pub max_bucket: f64,
    /// The largest fall.
    pub max_diff: f64,
}

impl Forced {
    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            min_bucket: self.min_bucket.min(other.min_bucket),
            max_bucket: self.max_bucket.max(other.max_bucket),
            max_diff: self.max_diff.max(other.max_diff),
        }
    }
}

/// What happened to the histograms of a metric at all times.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ForcedMonotonicity {
    /// The first and the last time in milliseconds, and all that was forced.
    all: Option<(i64, i64, Forced)>,
    samples: usize,
}

impl ForcedMonotonicity {
    /// Takes in a histogram at a time.
    pub fn add(&mut self, at: i64, forced: Forced) {
        self.samples += 1;
        self.all = Some(match self.all {
            Some((first, last, all)) => (first.min(at), last.max(at), all.and(forced)),
            None => (at, at, forced),
        });
    }

    /// Prometheus' words.
    pub fn message(&self, metric: &str) -> String {
        let Some((first, last, forced)) = self.all else { return String::new() };
        let metric = match metric {
            "" => String::new(),
            _ => format!(" for metric name {}", Quoted(metric)),
        };
        let [first, last] = [first, last].map(seconds);
        format!(
            "input to histogram_quantile needed to be fixed for monotonicity (see \
             https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)\
             {metric}, from buckets {} to {}, with a max diff of {}, over {} samples from {first} to \
             {last}",
            general(forced.min_bucket),
            general(forced.max_bucket),
            two_digits(forced.max_diff),
            self.samples,
        )
    }
}

/// A time in RFC 3339 without what is behind the second.
fn seconds(at: i64) -> String {
    let mut text = Timestamp::from_millis(at - at % 1000).rfc3339();
    if let Some(point) = text.find('.') {
        text.replace_range(point.., "Z");
    }
    text
}

/// A number as Go's `%.2g` writes it.
fn two_digits(value: f64) -> String {
    let rounded: f64 = format!("{value:.1e}").parse().unwrap_or(value);
    if (100.0..1e6).contains(&rounded.abs()) {
        // `general` has an exponent only from 1e6 on.
        let text = format!("{rounded:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{digits}e+{exponent:0>2}");
    }
    general(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_histograms_of_a_metric_share_a_message() {
        let mut all = ForcedMonotonicity::default();
        all.add(61_500, Forced { min_bucket: 1.0, max_bucket: 5.0, max_diff: 2.0 });
        all.add(1_500, Forced { min_bucket: 0.5, max_bucket: f64::INFINITY, max_diff: 123.0 });
        let message = all.message("a");
        let end = message.split_once(") ").map(|(_, end)| end);
        assert_eq!(
            end,
            Some(
                "for metric name \"a\", from buckets 0.5 to +Inf, with a max diff of 1.2e+02, over \
                 2 samples from 1970-01-01T00:00:01Z to 1970-01-01T00:01:01Z"
            )
        );
        assert!(all.message("").contains("#histogram_quantile), from buckets"));
    }

    #[test]
    fn differences_have_two_digits() {
        for (value, text) in [
            (2.0, "2"),
            (10.0, "10"),
            (99.6, "1e+02"),
            (0.123, "0.12"),
            (1234.0, "1.2e+03"),
            (1.26e9, "1.3e+09"),
            (0.000_012_3, "1.2e-05"),
        ] {
            assert_eq!(two_digits(value), text);
        }
    }
}
