//! Lines such as `metric@st -1mx15`: when the counting began that led to each sample.

use crate::ruletest::script::ScriptError;
use crate::ruletest::script::parse::{Line, duration};

/// The most values that a line may stand for.
const MAX_VALUES: usize = 1_000_000;

/// For each value the time at which its counting began, in milliseconds relative to the sample.
pub(super) type Starts = Vec<Option<i64>>;

/// The series' text and the starts of a line that has `@st` behind the series, in milliseconds
/// relative to the samples; `None` for any other line.
pub(super) fn read<'t>(line: Line<'t>) -> Result<Option<(&'t str, Starts)>, ScriptError> {
    let Some((series, items)) = line.text.split_once([' ', '\t']) else { return Ok(None) };
    let Some(series) = series.strip_suffix("@st") else { return Ok(None) };
    let mut starts = Starts::new();
    for item in items.split_whitespace() {
        let (value, times) = match item.split_once('x') {
            Some((value, times)) => (value, Some(count(line, times)?)),
            None => (item, None),
        };
        add(line, &mut starts, value, times)?;
        if starts.len() > MAX_VALUES {
            return Err(line.error(format!("more than {MAX_VALUES} values")));
        }
    }
    Ok(Some((series, starts)))
}

fn count(line: Line<'_>, text: &str) -> Result<usize, ScriptError> {
    match text.parse() {
        Ok(count) if count <= MAX_VALUES => Ok(count),
        _ => Err(line.error(format!("bad count of repetitions: {text:?}"))),
    }
}

fn add(
    line: Line<'_>,
    starts: &mut Starts,
    value: &str,
    times: Option<usize>,
) -> Result<(), ScriptError> {
    if value == "_" {
        starts.extend(std::iter::repeat_n(None, times.unwrap_or(1)));
        return Ok(());
    }
    // A repeated value stands once more than it is repeated.
    let count = times.map_or(1, |times| times + 1);
    if value == "*" {
        let last = starts.iter().rev().find_map(|start| *start).unwrap_or_default();
        starts.extend(std::iter::repeat_n(Some(last), count));
        return Ok(());
    }
    let (sign, unsigned) = signed(value);
    let (base, step) = match unsigned.find(['+', '-']) {
        Some(place) => unsigned.split_at(place),
        None => (unsigned, ""),
    };
    let (step_sign, step) = signed(step);
    let mut start = sign * millis(line, base)?;
    let step = if step.is_empty() { 0 } else { step_sign * millis(line, step)? };
    for _ in 0..count {
        starts.push(Some(start));
        start = start.saturating_add(step);
    }
    Ok(())
}

fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn millis(line: Line<'_>, text: &str) -> Result<i64, ScriptError> {
    Ok(i64::try_from(duration(line, text)?.as_millis()).unwrap_or(i64::MAX))
}
