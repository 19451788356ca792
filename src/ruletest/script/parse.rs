//! From lines to commands.

use std::time::Duration;

use crate::diag::Span;
use crate::model::{Timestamp, parse_duration};
use crate::ruletest::script::ScriptError;
use crate::ruletest::script::command::{Command, Eval, EvalTimes, Expected, Load};
use crate::ruletest::script::{expect, load};

/// A line without the white space around it; empty where it is a comment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'t> {
    pub text: &'t str,
    /// From 1.
    pub number: usize,
    /// Where the text stands in the script.
    pub start: usize,
}

impl<'t> Line<'t> {
    pub fn span(self) -> Span {
        Span::new(self.start, self.start + self.text.len())
    }

    pub fn error(self, message: impl Into<String>) -> ScriptError {
        ScriptError { span: self.span(), message: message.into() }
    }

    /// A mistake at a part of the line, by its place in it.
    pub fn error_at(self, place: Span, message: impl Into<String>) -> ScriptError {
        let span = Span::new(self.start + place.start, self.start + place.end);
        ScriptError { span, message: message.into() }
    }
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let lines = text.split('\n').enumerate().map(|(index, line)| {
        let at = start;
        start += line.len() + 1;
        let trimmed = line.trim();
        let before = line.len() - line.trim_start().len();
        let text = if trimmed.starts_with('#') { "" } else { trimmed };
        Line { text, number: index + 1, start: at + before }
    });
    lines.collect()
}

/// The commands of a script in order.
pub(super) fn commands(text: &str) -> Result<Vec<Command>, ScriptError> {
    let lines = lines(text);
    // A command reaches to the next empty line.
    let blocks = lines.split(|line| line.text.is_empty()).filter(|block| !block.is_empty());
    let mut commands = Vec::new();
    for block in blocks {
        let mut rest = block;
        while let Some((first, behind)) = rest.split_first() {
            let (command, used) = command(*first, behind)?;
            commands.push(command);
            rest = behind.get(used..).unwrap_or_default();
        }
    }
    Ok(commands)
}

/// The command of a line, and how many further lines belong to it.
fn command(line: Line<'_>, behind: &[Line<'_>]) -> Result<(Command, usize), ScriptError> {
    let word = line.text.split([' ', '\t']).next().unwrap_or_default().to_ascii_lowercase();
    match word.as_str() {
        "clear" => Ok((Command::Clear, 0)),
        "load" | "load_with_nhcb" => {
            let step = line.text.split_once([' ', '\t']).map_or("", |(_, step)| step.trim());
            let load = Load {
                step: duration(line, step)?,
                with_custom_buckets: word == "load_with_nhcb",
                series: load::series(behind)?,
                span: line.span(),
            };
            Ok((Command::Load(load), behind.len()))
        }
        "eval" | "eval_fail" | "eval_warn" | "eval_info" | "eval_ordered" => {
            let mut expected = Expected::default();
            expect::of_word(&word, &mut expected);
            let (times, expression) = times(line)?;
            let is_instant = matches!(times, EvalTimes::At(_));
            let used = expect::read(behind, is_instant, &mut expected)?;
            let expression = expression.to_string();
            let eval = Eval { line: line.number, expression, times, expected };
            Ok((Command::Eval(Box::new(eval)), used))
        }
        _ => Err(line.error("unknown command: expected `load`, `eval` or `clear`")),
    }
}

pub(super) fn duration(line: Line<'_>, text: &str) -> Result<Duration, ScriptError> {
    parse_duration(text).map_err(|error| line.error(error.to_string()))
}

pub(super) fn time(line: Line<'_>, text: &str) -> Result<Timestamp, ScriptError> {
    Ok(Timestamp::default() + duration(line, text)?)
}

/// The words of a line one by one.
struct Words<'t>(&'t str);

impl<'t> Words<'t> {
    fn next(&mut self) -> &'t str {
        let text = self.0.trim_start();
        let (word, rest) = text.split_once([' ', '\t']).unwrap_or((text, ""));
        self.0 = rest;
        word
    }
}

/// `eval instant at 5m expr` or `eval range from 0 to 10m step 1m expr`
fn times(line: Line<'_>) -> Result<(EvalTimes, &str), ScriptError> {
    let mut words = Words(line.text);
    words.next();
    let kind = words.next();
    let mut keyword = |expected: &str| {
        let word = words.next();
        if word == expected {
            return Ok(words.next());
        }
        Err(line.error(format!("expected `{expected}` and a time, found {word:?}")))
    };
    let times = match kind {
        "instant" => EvalTimes::At(time(line, keyword("at")?)?),
        "range" => {
            let start = time(line, keyword("from")?)?;
            let end = time(line, keyword("to")?)?;
            let step = duration(line, keyword("step")?)?;
            check_range(line, start, end, step)?;
            EvalTimes::Range { start, end, step }
        }
        _ => {
            let message = "expected `instant at TIME` or `range from TIME to TIME step TIME`";
            return Err(line.error(message));
        }
    };
    let expression = words.0.trim();
    if expression.is_empty() {
        return Err(line.error("the expression is missing"));
    }
    Ok((times, expression))
}

pub(super) fn check_range(
    line: Line<'_>,
    start: Timestamp,
    end: Timestamp,
    step: Duration,
) -> Result<(), ScriptError> {
    if end < start {
        return Err(line.error("the end lies before the start"));
    }
    if step.is_zero() {
        return Err(line.error("the step is zero"));
    }
    Ok(())
}
