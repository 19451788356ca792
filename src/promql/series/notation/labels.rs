//! The series: a name, labels in braces, or both.

use crate::model::label::METRIC_NAME;
use crate::model::{LabelSet, LabelSetBuilder};
use crate::promql::SyntaxError;
use crate::promql::series::notation::cursor::Cursor;

/// `up`, `up{job="api"}`, `{job="api"}`, `{"a name with spaces", "a.label"="value"}` or `{}`.
pub(super) fn series(cursor: &mut Cursor<'_>) -> Result<LabelSet, SyntaxError> {
    let name = cursor.word(true);
    let mut labels = LabelSetBuilder::default();
    if !name.is_empty() {
        labels.set(METRIC_NAME, name);
    }
    // Two braces begin a histogram.
    let braces = !cursor.rest().starts_with("{{") && cursor.eat("{");
    if braces {
        in_braces(cursor, &mut labels)?;
    } else if name.is_empty() {
        let error = cursor.unexpected("a series");
        return Err(
            error.help("begin with a metric name or with labels in braces: up{job=\"api\"}")
        );
    }
    Ok(labels.build())
}

fn in_braces(cursor: &mut Cursor<'_>, labels: &mut LabelSetBuilder) -> Result<(), SyntaxError> {
    loop {
        skip_blanks(cursor);
        if cursor.eat("}") {
            return Ok(());
        }
        label(cursor, labels)?;
        skip_blanks(cursor);
        if !cursor.eat(",") && !cursor.rest().starts_with('}') {
            return Err(cursor.unexpected("`,` or `}`"));
        }
    }
}

fn label(cursor: &mut Cursor<'_>, labels: &mut LabelSetBuilder) -> Result<(), SyntaxError> {
    let start = cursor.at();
    let quoted = cursor.string().transpose()?;
    let is_quoted = quoted.is_some();
    let name = quoted.unwrap_or_else(|| cursor.word(false).to_string());
    if name.is_empty() && !is_quoted {
        return Err(cursor.unexpected("the name of a label or `}`"));
    }
    let place = cursor.span_from(start);
    skip_blanks(cursor);
    if is_quoted && cursor.rest().starts_with([',', '}']) {
        if labels.contains(METRIC_NAME) {
            return Err(SyntaxError::new(place, "the series has two names"));
        }
        labels.set(METRIC_NAME, name);
        return Ok(());
    }
    if !cursor.eat("=") {
        return Err(cursor.unexpected("`=`"));
    }
    skip_blanks(cursor);
    let value = match cursor.string() {
        Some(value) => value?,
        None => return Err(cursor.unexpected("the label's value in quotes")),
    };
    if labels.contains(&name) {
        let message = format!("the label `{name}` is there twice");
        return Err(SyntaxError::new(place, message));
    }
    labels.set(name, value);
    Ok(())
}

/// White space, and comments to the end of their line.
fn skip_blanks(cursor: &mut Cursor<'_>) {
    loop {
        cursor.skip_space();
        if !cursor.eat("#") {
            return;
        }
        cursor.take_while(|c| c != '\n' && c != '\r');
    }
}
