//! `load`: series and their samples.

use std::time::Duration;

use crate::diag::Span;
use crate::model::{LabelSet, Timestamp};
use crate::promql::series::notation;
use crate::promql::series::{AppendError, SeriesStore};
use crate::ruletest::script::command::{Load, LoadedSeries};
use crate::ruletest::script::parse::Line;
use crate::ruletest::script::{ScriptError, classic, starts};

/// The series of a `load`. Of two lines for one series the later counts.
pub(super) fn series(lines: &[Line<'_>]) -> Result<Vec<LoadedSeries>, ScriptError> {
    let mut loaded: Vec<LoadedSeries> = Vec::new();
    let mut common = Vec::new();
    let mut pending: Option<(Line<'_>, LabelSet, starts::Starts)> = None;
    for line in lines.iter().copied() {
        if let Some((series, starts)) = starts::read(line)? {
            if series.is_empty() {
                common = starts;
            } else {
                let labels = read(line, &format!("{series} _"))?.labels;
                pending = Some((line, labels, starts));
            }
            continue;
        }
        let read = read(line, line.text)?;
        let starts = match pending.take() {
            None => common.iter().cycle().take(read.values.len()).copied().collect(),
            Some((_, labels, starts))
                if labels == read.labels && starts.len() == read.values.len() =>
            {
                starts
            }
            Some((line, ..)) => {
                let message = "the next line must have the same series and as many values";
                return Err(line.error(message));
            }
        };
        loaded.retain(|other| other.labels != read.labels);
        let (labels, values) = (read.labels, read.values);
        loaded.push(LoadedSeries { labels, values, starts, span: line.span() });
    }
    match pending {
        Some((line, ..)) => Err(line.error("the line with the samples is missing")),
        None => Ok(loaded),
    }
}

fn read(line: Line<'_>, text: &str) -> Result<notation::SeriesLine, ScriptError> {
    notation::parse(text).map_err(|error| line.error_at(error.span, error.message))
}

/// Appends the samples of a `load`.
pub(super) fn into_store(load: &Load, store: &mut SeriesStore) -> Result<(), ScriptError> {
    let refused = |span: Span, index: usize, error: AppendError| ScriptError {
        span,
        message: format!("sample {}: {error}", index + 1),
    };
    for series in &load.series {
        let id = store.series(&series.labels);
        for (index, value) in series.values.iter().enumerate() {
            let Some(value) = value else { continue };
            let at = time(load.step, index);
            let start = series.starts.get(index).copied().flatten();
            let start = start.map(|start| at.millis().saturating_add(start));
            let start = start.map(Timestamp::from_millis);
            let appended = store.append_to(id, at, value.value.clone(), start);
            appended.map_err(|error| refused(series.span, index, error))?;
        }
    }
    if load.with_custom_buckets {
        let converted = classic::converted(&load.series);
        let converted = converted.map_err(|message| ScriptError { span: load.span, message })?;
        for (labels, histograms) in converted {
            for (index, histogram) in histograms {
                let appended = store.append(&labels, time(load.step, index), histogram);
                appended.map_err(|error| refused(load.span, index, error))?;
            }
        }
    }
    Ok(())
}

/// The time of the sample with that index.
fn time(step: Duration, index: usize) -> Timestamp {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    Timestamp::default() + step.saturating_mul(index)
}
