//! The text of a `/metrics` page, as Prometheus' text format and OpenMetrics have it
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::collections::BTreeMap;

use crate::lint::schema::{Label, Schema, SchemaError};
use crate::model::LabelSet;

/// The labels that Prometheus adds to every series that it scrapes.
const ADDED: [&str; 2] = ["instance", "job"];

/// The endings that the series of a family have beside its name.
const ENDINGS: [&str; 6] = ["_bucket", "_count", "_created", "_info", "_sum", "_total"];

/// Reads a page. `job` and `instance`, which Prometheus adds, may be missing in it and have any value
/// then.
pub(super) fn read(text: &str) -> Result<Schema, SchemaError> {
    let mut schema = Schema::new();
    let mut kinds: BTreeMap<&str, &str> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            let mut words = comment.split_whitespace();
            if let (Some("TYPE"), Some(name), Some(kind)) =
                (words.next(), words.next(), words.next())
            {
                kinds.insert(name, kind);
            }
        } else if !line.is_empty() {
            let (name, labels) =
                series(line).map_err(|reason| SchemaError::Line { line: number + 1, reason })?;
            schema.add_series(name, &labels);
        }
    }
    for (name, metric) in &mut schema.metrics {
        let family = ENDINGS.iter().filter_map(|end| name.strip_suffix(end));
        let mut families = std::iter::once(name.as_str()).chain(family);
        metric.kind = families.find_map(|family| kinds.get(family)).map(|kind| (*kind).to_string());
        for label in ADDED {
            let series = metric.series;
            let any = || Label { series, more: true, ..Label::default() };
            metric.labels.entry(label.to_string()).or_insert_with(any);
        }
    }
    Ok(schema)
}

/// Name and labels of a line.
fn series(line: &str) -> Result<(&str, LabelSet), &'static str> {
    let end = line.find(['{', ' ', '\t']).ok_or("it has no value")?;
    let (name, mut rest) = line.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit() || c == '<') {
        return Err("it does not begin with a name");
    }
    let mut labels = LabelSet::new().to_builder();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside.trim_start();
        while !rest.starts_with('}') {
            let (label, behind) = rest.split_once('=').ok_or("a label has no value")?;
            let quoted = behind.trim_start().strip_prefix('"').ok_or("a value has no quotes")?;
            let (value, behind) = value(quoted).ok_or("a value is not closed")?;
            labels.set(label.trim(), value);
            let behind = behind.trim_start();
            rest = behind.strip_prefix(',').unwrap_or(behind).trim_start();
            if rest.is_empty() {
                return Err("the labels are not closed");
            }
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    let number = rest.split_whitespace().next().ok_or("it has no value")?;
    // `+Inf`, `-Inf` and `NaN` are numbers here too.
    number.parse::<f64>().map_err(|_| "its value is no number")?;
    Ok((name, labels.build()))
}

/// A quoted value behind its first quote, and what follows.
fn value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            c => value.push(c),
        }
    }
    None
}
