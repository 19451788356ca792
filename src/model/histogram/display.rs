//! Histograms as text.

use std::fmt;

use crate::model::float::general;
use crate::model::histogram::{Bucket, BucketCount, CounterResetHint, FloatHistogram};

/// `(0.5,1]:3`, as in Prometheus.
impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.lower_inclusive { '[' } else { '(' };
        let close = if self.upper_inclusive { ']' } else { ')' };
        let [lower, upper, count] = [self.lower, self.upper, self.count].map(general);
        write!(f, "{open}{lower},{upper}{close}:{count}")
    }
}

/// `{count:4, sum:5, [-0.001,0.001]:1, (0.5,1]:3}`: what holds something, as in Prometheus.
impl fmt::Display for FloatHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{count:{}, sum:{}", general(self.count), general(self.sum))?;
        let zero = self.zero_bucket();
        let all = self.negative_buckets().rev().chain([zero]).chain(self.positive_buckets());
        for bucket in all.filter(|bucket| bucket.count != 0.0) {
            write!(f, ", {bucket}")?;
        }
        f.write_str("}")
    }
}

/// A histogram in the notation of unit tests, as Prometheus writes it:
/// `{{schema:1 count:4 sum:5 buckets:[1 2 1]}}`. Gaps are filled with zeros, since the notation has
/// no others; a side that needs more than [`TestExpression::MAX_BUCKETS`] is cut off with `…`.
#[derive(Clone, Copy, Debug)]
pub struct TestExpression<'a>(pub &'a FloatHistogram);

impl TestExpression<'_> {
    /// The most buckets of a side that are written.
    pub const MAX_BUCKETS: usize = 10_000;
}

impl fmt::Display for TestExpression<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let h = self.0;
        let mut parts = Vec::new();
        if h.schema != 0 {
            parts.push(format!("schema:{}", h.schema));
        }
        for (name, value) in [
            ("count", h.count),
            ("sum", h.sum),
            ("z_bucket", h.zero_count),
            ("z_bucket_w", h.zero_threshold),
        ] {
            if value != 0.0 {
                parts.push(format!("{name}:{}", general(value)));
            }
        }
        if h.uses_custom_buckets() {
            parts.push(format!("custom_values:[{}]", list(h.custom_values.iter().copied())));
        }
        if let Some(hint) = hint(h.counter_reset_hint) {
            parts.push(format!("counter_reset_hint:{hint}"));
        }
        parts.extend(side("", &h.positive));
        parts.extend(side("n_", &h.negative));
        write!(f, "{{{{{}}}}}", parts.join(" "))
    }
}

fn hint(hint: CounterResetHint) -> Option<&'static str> {
    match hint {
        CounterResetHint::Unknown => None,
        CounterResetHint::CounterReset => Some("reset"),
        CounterResetHint::NotCounterReset => Some("not_reset"),
        CounterResetHint::Gauge => Some("gauge"),
    }
}

fn list(values: impl Iterator<Item = f64>) -> String {
    values.map(general).collect::<Vec<_>>().join(" ")
}

/// `offset:1 buckets:[1 0 2]`, or nothing where all buckets are empty.
fn side(prefix: &str, buckets: &[BucketCount]) -> Option<String> {
    let mut filled = buckets.iter().filter(|bucket| bucket.count != 0.0).peekable();
    let first = filled.peek()?.index;
    let mut counts = Vec::new();
    let mut next = first;
    let mut cut = false;
    for bucket in filled {
        let gap = usize::try_from(bucket.index.saturating_sub(next)).unwrap_or_default();
        cut = counts.len().saturating_add(gap) >= TestExpression::MAX_BUCKETS;
        if cut {
            break;
        }
        counts.resize(counts.len() + gap, 0.0);
        counts.push(bucket.count);
        next = bucket.index.saturating_add(1);
    }
    let offset = if first == 0 { String::new() } else { format!("{prefix}offset:{first} ") };
    let end = if cut { " …" } else { "" };
    Some(format!("{offset}{prefix}buckets:[{}{end}]", list(counts.into_iter())))
}
