//! Whether a counter was reset between two histograms of a series.

use std::cmp::Ordering;

use crate::model::histogram::cells::{Cell, beyond, cells, reduced, widened};
use crate::model::histogram::{CounterResetHint, FloatHistogram, custom};
use crate::model::kahan::KahanSum;

impl FloatHistogram {
    /// Whether the counter was reset between a histogram and this one: its hint says so, or a
    /// count has fallen, or the layout has changed in a way that only a restart explains (more
    /// resolution, a smaller zero bucket, a zero bucket that cuts a former bucket).
    pub fn detect_reset(&self, previous: &Self) -> bool {
        match self.counter_reset_hint {
            CounterResetHint::CounterReset => return true,
            CounterResetHint::NotCounterReset => return false,
            // A gauge should not get here, but PromQL lets one ask.
            CounterResetHint::Unknown | CounterResetHint::Gauge => {}
        }
        if self.count < previous.count {
            return true;
        }
        match (self.uses_custom_buckets(), previous.uses_custom_buckets()) {
            (true, true) => self.custom_reset(previous),
            (false, false) => self.exponential_reset(previous),
            _ => true,
        }
    }

    fn custom_reset(&self, previous: &Self) -> bool {
        if self.custom_values == previous.custom_values {
            return fallen(&cells(&self.positive), &cells(&previous.positive));
        }
        let common = custom::common_bounds(&self.custom_values, &previous.custom_values);
        let now = custom::mapped(cells(&self.positive), &self.custom_values, &common);
        let then = custom::mapped(cells(&previous.positive), &previous.custom_values, &common);
        fallen(&now, &then)
    }

    fn exponential_reset(&self, previous: &Self) -> bool {
        let threshold = self.zero_threshold;
        if self.schema > previous.schema || threshold < previous.zero_threshold {
            return true;
        }
        let mut zero_count = previous.zero_count;
        if threshold > previous.zero_threshold {
            let sides = (&*previous.positive, &*previous.negative);
            let before = KahanSum::of(previous.zero_count);
            let (count, raised) = widened(before, sides, previous.schema, threshold);
            if raised != threshold {
                return true;
            }
            zero_count = count.sum;
        }
        let beyond = |side, schema| reduced(beyond(side, schema, threshold), schema, self.schema);
        self.zero_count < zero_count
            || fallen(
                &beyond(&self.positive, self.schema),
                &beyond(&previous.positive, previous.schema),
            )
            || fallen(
                &beyond(&self.negative, self.schema),
                &beyond(&previous.negative, previous.schema),
            )
    }
}

/// Whether a bucket holds less than before. An empty bucket may go.
fn fallen(now: &[Cell], then: &[Cell]) -> bool {
    let mut now = now.iter().peekable();
    then.iter().any(|before| {
        while now.next_if(|cell| cell.index < before.index).is_some() {}
        match now.peek().map(|cell| (cell.index.cmp(&before.index), cell.count.sum)) {
            Some((Ordering::Equal, count)) => count < before.count.sum,
            _ => before.count.sum != 0.0,
        }
    })
}
