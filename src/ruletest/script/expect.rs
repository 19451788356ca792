//! What a script says must come out.

use regex::Regex;

use crate::model::Timestamp;
use crate::model::regexp::compile_unanchored;
use crate::promql::series::notation;
use crate::promql::{ExprKind, parse};
use crate::ruletest::script::ScriptError;
use crate::ruletest::script::command::{Expected, ExpectedSeries, ExpectedValue, Remarks, Words};
use crate::ruletest::script::parse::{Line, check_range, duration, time};

/// What the old forms `eval_fail`, `eval_warn`, `eval_info` and `eval_ordered` expect.
pub(super) fn of_word(word: &str, expected: &mut Expected) {
    match word {
        "eval_fail" => expected.fail = Some(Words::Any),
        "eval_warn" => expected.warn = Remarks::Some(vec![Words::Any]),
        "eval_info" => expected.info = Remarks::Some(vec![Words::Any]),
        "eval_ordered" => expected.ordered = true,
        _ => {}
    }
}

/// Reads the lines behind an `eval`; says how many there are.
pub(super) fn read(
    lines: &[Line<'_>],
    is_instant: bool,
    expected: &mut Expected,
) -> Result<usize, ScriptError> {
    for (index, line) in lines.iter().copied().enumerate() {
        if let Some(message) = line.text.strip_prefix("expected_fail_message") {
            expected.fail = Some(Words::Exactly(message.trim().to_string()));
            return Ok(index + 1);
        }
        if let Some(pattern) = line.text.strip_prefix("expected_fail_regexp") {
            expected.fail = Some(Words::Matching(regex(line, pattern.trim())?));
            return Ok(index + 1);
        }
        if let Some(words) = line.text.strip_prefix("expect ") {
            expectation(line, words.trim(), expected)?;
        } else if let Some(number) = number(line.text) {
            expected.value = ExpectedValue::Scalar(number);
            return Ok(index + 1);
        } else {
            series(line, is_instant, expected)?;
        }
    }
    Ok(lines.len())
}

/// A whole number in any of Go's bases, or a float.
fn number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Rust reads `infinity` and `nan` in any case, as Go does.
    if unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || ["inf", "infinity", "nan"].iter().any(|word| unsigned.eq_ignore_ascii_case(word))
    {
        return text.parse().ok();
    }
    None
}

fn regex(line: Line<'_>, pattern: &str) -> Result<Regex, ScriptError> {
    compile_unanchored(pattern).map_err(|error| line.error(error.to_string()))
}

/// `expect fail msg: …`, `expect ordered`, `expect string "…"` and their like.
fn expectation(line: Line<'_>, words: &str, expected: &mut Expected) -> Result<(), ScriptError> {
    if let Some(text) = words.strip_prefix("string") {
        expected.value = ExpectedValue::String(string(line, text.trim())?);
        return Ok(());
    }
    if let Some(times) = words.strip_prefix("range vector") {
        let range = Some(range_vector(line, times)?);
        expected.value = ExpectedValue::Series { series: Vec::new(), range };
        return Ok(());
    }
    let (what, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let rest = rest.trim();
    let text = if rest.is_empty() {
        Words::Any
    } else if let Some(message) = rest.strip_prefix("msg:") {
        Words::Exactly(message.trim().to_string())
    } else if let Some(pattern) = rest.strip_prefix("regex:") {
        Words::Matching(regex(line, pattern.trim())?)
    } else {
        return Err(line.error("expected `msg:` or `regex:` behind what is expected"));
    };
    match what {
        "ordered" => expected.ordered = true,
        "fail" => expected.fail = Some(text),
        "warn" => add(line, &mut expected.warn, text)?,
        "info" => add(line, &mut expected.info, text)?,
        "no_warn" => none(line, &mut expected.warn)?,
        "no_info" => none(line, &mut expected.info)?,
        _ => {
            let message = format!(
                "unknown expectation `{what}`: use ordered, fail, warn, no_warn, info, no_info, string or range vector"
            );
            return Err(line.error(message));
        }
    }
    Ok(())
}

const BOTH: &str = "remarks are expected and excluded at once";

fn add(line: Line<'_>, remarks: &mut Remarks, words: Words) -> Result<(), ScriptError> {
    match remarks {
        Remarks::Whatever => *remarks = Remarks::Some(vec![words]),
        Remarks::Some(all) => all.push(words),
        Remarks::None => return Err(line.error(BOTH)),
    }
    Ok(())
}

fn none(line: Line<'_>, remarks: &mut Remarks) -> Result<(), ScriptError> {
    if matches!(remarks, Remarks::Some(_)) {
        return Err(line.error(BOTH));
    }
    *remarks = Remarks::None;
    Ok(())
}

/// A text in quotes, as PromQL writes it.
fn string(line: Line<'_>, text: &str) -> Result<String, ScriptError> {
    match parse(text).map(|expr| expr.kind) {
        Ok(ExprKind::StringLiteral(text)) => Ok(text),
        _ => Err(line.error("expected a text in quotes")),
    }
}

/// `from 10s to 1m step 10s`
fn range_vector(
    line: Line<'_>,
    text: &str,
) -> Result<(Timestamp, Timestamp, std::time::Duration), ScriptError> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let ["from", from, "to", to, "step", step] = words[..] else {
        return Err(line.error("expected `range vector from TIME to TIME step TIME`"));
    };
    let (from, to, step) = (time(line, from)?, time(line, to)?, duration(line, step)?);
    check_range(line, from, to, step)?;
    Ok((from, to, step))
}

/// A series and its values.
fn series(line: Line<'_>, is_instant: bool, expected: &mut Expected) -> Result<(), ScriptError> {
    let read = notation::parse(line.text);
    let read = read.map_err(|error| line.error_at(error.span, error.message))?;
    if !matches!(expected.value, ExpectedValue::Series { .. }) {
        expected.value = ExpectedValue::default();
    }
    let ExpectedValue::Series { series, range } = &mut expected.value else { return Ok(()) };
    if is_instant && range.is_none() && read.values.len() > 1 {
        let message = "an instant query gives one value for each series; for more write `expect range vector`";
        return Err(line.error(message));
    }
    // Of two lines for one series the later counts.
    series.retain(|other: &ExpectedSeries| other.labels != read.labels);
    series.push(ExpectedSeries { labels: read.labels, values: read.values });
    Ok(())
}
