//! The notation of series in unit tests and test scripts:
//! `http_requests_total{job="api"} 1 2 _ 5+10x3 stale {{schema:1 count:2 sum:3 buckets:[1 1]}}x4`.
//!
//! It is that of promtool, as Prometheus' `promql/parser` reads it, with two additions: `stale`,
//! `Inf` and `NaN` may be repeated like any number, and lists of buckets may be empty.

mod cursor;
mod histogram;
mod labels;
#[cfg(test)]
mod tests;
mod values;

use crate::diag::Span;
use crate::model::LabelSet;
use crate::promql::SyntaxError;
use crate::promql::series::SampleValue;
use cursor::Cursor;

/// Longer texts are refused, in bytes.
pub const MAX_LENGTH: usize = 1_000_000;
/// The most values that one series may have.
pub const MAX_VALUES: usize = 2_000_000;
/// The most numbers that the histograms of one series may hold together, where each is another one.
pub const MAX_NUMBERS: usize = 4_000_000;

/// A value in a sequence.
#[derive(Clone, Debug)]
pub struct SequenceValue {
    /// The number or histogram.
    pub value: SampleValue,
    /// Whether the text says what is known about counter resets. A test compares the hint only
    /// then.
    pub hint_given: bool,
}

/// A series and its values.
#[derive(Clone, Debug)]
pub struct SeriesLine {
    /// The labels, `__name__` among them.
    pub labels: LabelSet,
    /// One value for each step; `None` where there is no sample.
    pub values: Vec<Option<SequenceValue>>,
}

/// Reads a series and the values behind it. Histograms are not validated, since a test may expect
/// what cannot be stored, such as negative counts.
///
/// # Errors
/// The first mistake with its place, or that a cap is exceeded.
pub fn parse(text: &str) -> Result<SeriesLine, SyntaxError> {
    let mut cursor = start(text)?;
    let labels = labels::series(&mut cursor)?;
    if !cursor.at_end() && !cursor.at_space() {
        let error = cursor.unexpected("a space between the series and its values");
        return Err(error.help("write the values behind the series: `up{job=\"api\"} 1 2 3`"));
    }
    Ok(SeriesLine { labels, values: values::values(&mut cursor)? })
}

/// Reads a series without values.
///
/// # Errors
/// The first mistake with its place.
pub fn parse_series(text: &str) -> Result<LabelSet, SyntaxError> {
    let mut cursor = start(text)?;
    let labels = labels::series(&mut cursor)?;
    cursor.skip_space();
    if !cursor.at_end() {
        return Err(cursor.unexpected("nothing behind the series"));
    }
    Ok(labels)
}

/// Reads values without a series.
///
/// # Errors
/// As for [`parse`].
pub fn parse_values(text: &str) -> Result<Vec<Option<SequenceValue>>, SyntaxError> {
    values::values(&mut start(text)?)
}

fn start(text: &str) -> Result<Cursor<'_>, SyntaxError> {
    if text.len() > MAX_LENGTH {
        let message =
            format!("the text has {} bytes, at most {MAX_LENGTH} are allowed", text.len());
        return Err(SyntaxError::new(Span::at(0), message));
    }
    let mut cursor = Cursor::new(text);
    cursor.skip_space();
    Ok(cursor)
}
