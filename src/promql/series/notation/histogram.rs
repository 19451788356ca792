//! Native histograms: `{{schema:1 count:3 sum:2.5 z_bucket:1 buckets:[1 0 1]}}`.

use crate::diag::Span;
use crate::model::histogram::{
    BucketCount, CUSTOM_BUCKETS_SCHEMA, CounterResetHint, FloatHistogram, HistogramError,
    MAX_EXPONENTIAL_SCHEMA, MIN_EXPONENTIAL_SCHEMA,
};
use crate::promql::SyntaxError;
use crate::promql::series::notation::cursor::Cursor;

/// A histogram as it is written.
pub(super) struct Described {
    pub histogram: FloatHistogram,
    /// Whether there is a `counter_reset_hint`.
    pub hint_given: bool,
}

/// What may be said of a histogram.
const KEYS: [&str; 11] = [
    "schema",
    "sum",
    "count",
    "z_bucket",
    "z_bucket_w",
    "custom_values",
    "buckets",
    "offset",
    "n_buckets",
    "n_offset",
    "counter_reset_hint",
];

/// The values of `counter_reset_hint`.
const HINTS: [(&str, CounterResetHint); 4] = [
    ("unknown", CounterResetHint::Unknown),
    ("reset", CounterResetHint::CounterReset),
    ("not_reset", CounterResetHint::NotCounterReset),
    ("gauge", CounterResetHint::Gauge),
];

/// What has been read so far.
#[derive(Default)]
struct Parts {
    histogram: FloatHistogram,
    buckets: Vec<f64>,
    offset: i32,
    negative_buckets: Vec<f64>,
    negative_offset: i32,
    seen: Vec<&'static str>,
}

/// The histogram that begins here; `None` where something else does.
pub(super) fn histogram(cursor: &mut Cursor<'_>) -> Result<Option<Described>, SyntaxError> {
    let start = cursor.at();
    if !cursor.eat("{{") {
        return Ok(None);
    }
    let mut parts = Parts::default();
    loop {
        cursor.skip_space();
        if cursor.eat("}}") {
            break;
        }
        if cursor.at_end() {
            let error = SyntaxError::new(cursor.span_from(start), "unclosed histogram");
            return Err(error.help("close it with `}}`"));
        }
        part(cursor, &mut parts)?;
        if !cursor.at_space() && !cursor.at_end() && !cursor.rest().starts_with("}}") {
            return Err(cursor.unexpected("a space or `}}`"));
        }
    }
    let Parts { mut histogram, buckets, offset, negative_buckets, negative_offset, seen } = parts;
    histogram.positive = BucketCount::consecutive(offset, buckets);
    histogram.negative = BucketCount::consecutive(negative_offset, negative_buckets);
    Ok(Some(Described { histogram, hint_given: seen.contains(&"counter_reset_hint") }))
}

/// `key:value`.
fn part(cursor: &mut Cursor<'_>, parts: &mut Parts) -> Result<(), SyntaxError> {
    let start = cursor.at();
    let word = cursor.word(false);
    let place = cursor.span_from(start);
    let Some(key) = KEYS.iter().find(|key| word.eq_ignore_ascii_case(key)) else {
        let error = match word {
            "" => cursor.unexpected("a key such as `sum:`"),
            _ => SyntaxError::new(place, format!("a histogram has no `{word}`")),
        };
        return Err(error.help(format!("it has {}", KEYS.join(", "))));
    };
    if parts.seen.contains(key) {
        return Err(SyntaxError::new(place, format!("`{key}` is there twice")));
    }
    parts.seen.push(key);
    if !cursor.eat(":") {
        return Err(cursor.unexpected(&format!("`:` behind `{key}`")));
    }
    let histogram = &mut parts.histogram;
    match *key {
        "schema" => histogram.schema = schema(cursor)?,
        "sum" => histogram.sum = number(cursor)?,
        "count" => histogram.count = number(cursor)?,
        "z_bucket" => histogram.zero_count = number(cursor)?,
        "z_bucket_w" => histogram.zero_threshold = width(cursor)?,
        "custom_values" => histogram.custom_values = list(cursor)?.into(),
        "buckets" => parts.buckets = list(cursor)?,
        "offset" => parts.offset = integer(cursor)?,
        "n_buckets" => parts.negative_buckets = list(cursor)?,
        "n_offset" => parts.negative_offset = integer(cursor)?,
        _ => histogram.counter_reset_hint = hint(cursor)?,
    }
    Ok(())
}

fn number(cursor: &mut Cursor<'_>) -> Result<f64, SyntaxError> {
    cursor.number().unwrap_or_else(|| Err(cursor.unexpected("a number")))
}

/// The width of the zero bucket, which has no sign.
fn width(cursor: &mut Cursor<'_>) -> Result<f64, SyntaxError> {
    cursor.unsigned().unwrap_or_else(|| Err(cursor.unexpected("a number without a sign")))
}

fn integer(cursor: &mut Cursor<'_>) -> Result<i32, SyntaxError> {
    let start = cursor.at();
    let sign = if cursor.eat("-") { "-" } else { "" };
    let digits = cursor.take_while(|c| c.is_ascii_digit());
    if digits.is_empty() {
        return Err(cursor.unexpected("a whole number"));
    }
    format!("{sign}{digits}").parse().map_err(|_| {
        let message = format!("{sign}{digits} is out of range");
        SyntaxError::new(cursor.span_from(start), message)
    })
}

fn schema(cursor: &mut Cursor<'_>) -> Result<i32, SyntaxError> {
    let start = cursor.at();
    let schema = integer(cursor)?;
    let exponential = MIN_EXPONENTIAL_SCHEMA..=MAX_EXPONENTIAL_SCHEMA;
    if schema == CUSTOM_BUCKETS_SCHEMA || exponential.contains(&schema) {
        return Ok(schema);
    }
    let message = HistogramError::UnknownSchema(schema).to_string();
    Err(SyntaxError::new(cursor.span_from(start), message))
}

/// `[1 2.5 -3]`
fn list(cursor: &mut Cursor<'_>) -> Result<Vec<f64>, SyntaxError> {
    let start = cursor.at();
    if !cursor.eat("[") {
        return Err(cursor.unexpected("a list such as `[1 2 3]`"));
    }
    let mut numbers = Vec::new();
    loop {
        cursor.skip_space();
        if cursor.eat("]") {
            return Ok(numbers);
        }
        if cursor.at_end() {
            let span = Span::new(start, cursor.at());
            return Err(SyntaxError::new(span, "unclosed list").help("close it with `]`"));
        }
        numbers.push(number(cursor)?);
        if !cursor.at_space() && !cursor.at_end() && !cursor.rest().starts_with(']') {
            let error = cursor.unexpected("a space or `]`");
            return Err(error.help("numbers in a list have spaces between them: [1 2 3]"));
        }
    }
}

fn hint(cursor: &mut Cursor<'_>) -> Result<CounterResetHint, SyntaxError> {
    let start = cursor.at();
    let word = cursor.word(false);
    let known = HINTS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name));
    known.map(|(_, hint)| *hint).ok_or_else(|| {
        let error = if word.is_empty() {
            cursor.unexpected("a hint")
        } else {
            SyntaxError::new(cursor.span_from(start), format!("there is no hint `{word}`"))
        };
        error.help("use unknown, reset, not_reset or gauge")
    })
}
