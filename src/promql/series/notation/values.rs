//! Sequences of values.

use std::sync::Arc;

use crate::diag::Span;
use crate::model::FloatHistogram;
use crate::promql::SyntaxError;
use crate::promql::series::notation::cursor::Cursor;
use crate::promql::series::notation::histogram::{Described, histogram};
use crate::promql::series::notation::{MAX_NUMBERS, MAX_VALUES, SequenceValue};
use crate::promql::series::{SampleValue, stale_marker, weight};

/// What a value may be.
const EXPECTED: &str = "a number, `stale`, `_` or a histogram in `{{…}}`";

/// The values up to the end.
pub(super) fn values(cursor: &mut Cursor<'_>) -> Result<Vec<Option<SequenceValue>>, SyntaxError> {
    let mut sequence = Sequence::default();
    cursor.skip_space();
    while !cursor.at_end() {
        sequence.item(cursor)?;
        if !cursor.at_end() && !cursor.at_space() {
            let error = cursor.unexpected("a space behind a value");
            return Err(error.help("repeat a value with x: 1x5; count up or down: 1+2x5, 10-1x5"));
        }
        cursor.skip_space();
    }
    Ok(sequence.values)
}

#[derive(Default)]
struct Sequence {
    values: Vec<Option<SequenceValue>>,
    numbers: usize,
}

impl Sequence {
    fn item(&mut self, cursor: &mut Cursor<'_>) -> Result<(), SyntaxError> {
        let start = cursor.at();
        if cursor.eat("_") {
            let count = times(cursor)?.unwrap_or(1);
            self.reserve(count, cursor.span_from(start))?;
            self.values.extend((0..count).map(|_| None));
            return Ok(());
        }
        if let Some(first) = histogram(cursor)? {
            return self.histograms(cursor, start, first);
        }
        let value = match cursor.number() {
            Some(number) => number?,
            None if cursor.eat("stale") => stale_marker(),
            None => return Err(cursor.unexpected(EXPECTED)),
        };
        self.numbers(cursor, start, value)
    }

    /// `1`, `1x3`, `1+2x3`. A value that is repeated stands once more than it is repeated.
    fn numbers(
        &mut self,
        cursor: &mut Cursor<'_>,
        start: usize,
        mut value: f64,
    ) -> Result<(), SyntaxError> {
        let step = cursor.number().transpose()?;
        let count = match (step, times(cursor)?) {
            (_, Some(times)) => times.saturating_add(1),
            (None, None) => 1,
            (Some(_), None) => return Err(missing_times(cursor, start)),
        };
        self.reserve(count, cursor.span_from(start))?;
        for _ in 0..count {
            self.values
                .push(Some(SequenceValue { value: SampleValue::Float(value), hint_given: false }));
            // The steps are added one by one, roundings included, as promtool does. Without a step
            // nothing is added, since that would make the marker of an end a plain NaN.
            if let Some(step) = step {
                value += step;
            }
        }
        Ok(())
    }

    /// `{{…}}`, `{{…}}x3`, `{{…}}+{{…}}x3`.
    fn histograms(
        &mut self,
        cursor: &mut Cursor<'_>,
        start: usize,
        first: Described,
    ) -> Result<(), SyntaxError> {
        let sign = cursor.sign();
        let step = match sign {
            None => None,
            Some(_) => match histogram(cursor)? {
                Some(step) => Some(step.histogram),
                None => return Err(cursor.unexpected("another histogram in `{{…}}`")),
            },
        };
        let count = match (&step, times(cursor)?) {
            (_, Some(times)) => times.saturating_add(1),
            (None, None) => 1,
            (Some(_), None) => return Err(missing_times(cursor, start)),
        };
        let span = cursor.span_from(start);
        self.reserve(count, span)?;
        let Described { histogram: mut current, hint_given } = first;
        let Some(step) = step else {
            let histogram = Arc::new(current);
            let value = SequenceValue { value: SampleValue::Histogram(histogram), hint_given };
            self.values.extend((0..count).map(|_| Some(value.clone())));
            return Ok(());
        };
        for i in 0..count {
            if i > 0 {
                combine(&mut current, sign, &step, span)?;
            }
            self.numbers += weight(&current);
            if self.numbers > MAX_NUMBERS {
                let message = format!("the histograms hold more than {MAX_NUMBERS} numbers");
                return Err(SyntaxError::new(span, message));
            }
            let value = SampleValue::Histogram(Arc::new(current.clone()));
            self.values.push(Some(SequenceValue { value, hint_given }));
        }
        Ok(())
    }

    /// Refuses more values than are allowed before there is memory for them.
    fn reserve(&mut self, count: usize, span: Span) -> Result<(), SyntaxError> {
        if self.values.len().saturating_add(count) > MAX_VALUES {
            let message = format!("the series has more than {MAX_VALUES} values");
            return Err(SyntaxError::new(span, message).help("repeat the values fewer times"));
        }
        Ok(())
    }
}

/// Adds or subtracts the step.
fn combine(
    current: &mut FloatHistogram,
    sign: Option<f64>,
    step: &FloatHistogram,
    span: Span,
) -> Result<(), SyntaxError> {
    if current.schema > step.schema {
        let (step, base) = (step.schema, current.schema);
        let message = format!("the step has schema {step}, which is lower than schema {base}");
        return Err(SyntaxError::new(span, message).help("give both the same schema"));
    }
    let done = match sign {
        Some(sign) if sign < 0.0 => current.sub(step),
        _ => current.add(step),
    };
    done.map(|_| ()).map_err(|error| SyntaxError::new(span, error.to_string()))
}

/// `x5`, if it is here.
fn times(cursor: &mut Cursor<'_>) -> Result<Option<usize>, SyntaxError> {
    let start = cursor.at();
    if !cursor.eat("x") {
        return Ok(None);
    }
    let digits = cursor.take_while(|c| c.is_ascii_digit());
    if digits.is_empty() {
        return Err(cursor.unexpected("how often to repeat, such as x5"));
    }
    match digits.parse() {
        Ok(times) => Ok(Some(times)),
        Err(_) => {
            let message = format!("the series has more than {MAX_VALUES} values");
            Err(SyntaxError::new(cursor.span_from(start), message))
        }
    }
}

fn missing_times(cursor: &Cursor<'_>, start: usize) -> SyntaxError {
    let error = SyntaxError::new(cursor.span_from(start), "a step without a count");
    error.help("say how often to take the step: 1+2x5; or put a space between two values")
}
