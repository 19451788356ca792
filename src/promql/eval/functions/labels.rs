//! `label_replace` and `label_join`.

use crate::model::label::METRIC_NAME;
use crate::model::regexp::memo;
use crate::promql::eval::EvalError;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::functions::{Args, Site};
use crate::promql::eval::names::merge_same_labels;
use crate::promql::eval::value::{Evaluated, Series};

/// Refuses an empty name; any other text may name a label.
fn check_name(site: &Site<'_>, arg: usize, what: &str, name: &str) -> Result<(), EvalError> {
    if !name.is_empty() {
        return Ok(());
    }
    let function = site.call.function.name;
    let message = format!("invalid {what} label name in {function}(): {name}");
    Err(EvalError::new(site.arg(arg), message))
}

fn set(one: &mut Series, label: &str, value: &str) {
    let mut builder = one.labels.to_builder();
    builder.set(label, value);
    one.labels = builder.build();
    // A name that is set is one to keep.
    one.drop_name &= label != METRIC_NAME;
}

pub(super) fn label_replace(
    _: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
) -> Result<Evaluated, EvalError> {
    let mut series = args.vector(0)?;
    let (label, replacement) = (args.string(1)?, args.string(2)?);
    let (source, pattern) = (args.string(3)?, args.string(4)?);
    let regex = memo::anchored(&pattern).map_err(|_| {
        let message = format!("invalid regular expression in label_replace(): {pattern}");
        EvalError::new(site.arg(4), message)
    })?;
    check_name(site, 1, "destination", &label)?;
    for one in &mut series {
        let value = one.labels.value(&source);
        if let Some(found) = regex.captures(value) {
            let mut text = String::new();
            found.expand(&replacement, &mut text);
            set(one, &label, &text);
        }
    }
    merge_same_labels(series, site.span).map(Evaluated::Vector)
}

pub(super) fn label_join(
    _: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
) -> Result<Evaluated, EvalError> {
    let mut series = args.vector(0)?;
    let (label, separator) = (args.string(1)?, args.string(2)?);
    let mut sources = Vec::new();
    for index in 3..args.len() {
        let source = args.string(index)?;
        check_name(site, index, "source", &source)?;
        sources.push(source);
    }
    check_name(site, 1, "destination", &label)?;
    for one in &mut series {
        let values: Vec<&str> = sources.iter().map(|source| one.labels.value(source)).collect();
        let joined = values.join(&separator);
        set(one, &label, &joined);
    }
    merge_same_labels(series, site.span).map(Evaluated::Vector)
}
