//! What functions are called with.

use smallvec::SmallVec;

use crate::diag::Span;
use crate::model::label::METRIC_NAME;
use crate::promql::Call;
use crate::promql::eval::annotations::Annotations;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::functions::RangeWork;
use crate::promql::eval::names::{TYPE_LABEL, merge_same_labels, without_name};
use crate::promql::eval::range::{Cutter, RangeSeries};
use crate::promql::eval::times::Times;
use crate::promql::eval::value::{Evaluated, Series};
use crate::promql::eval::{EvalError, notes};

/// A call and the times of its evaluation.
pub(in crate::promql) struct Site<'s> {
    pub call: &'s Call,
    /// The place of the whole call.
    pub span: Span,
    pub times: Times,
}

impl Site<'_> {
    /// The place of an argument, without parentheses around it.
    pub fn arg(&self, index: usize) -> Span {
        self.call.args.get(index).map_or(self.span, |arg| arg.without_parens().span)
    }
}

/// The evaluated arguments of a call.
pub(in crate::promql) struct Args {
    values: Vec<Option<Evaluated>>,
    span: Span,
}

impl Args {
    pub fn new(values: Vec<Option<Evaluated>>, span: Span) -> Self {
        Self { values, span }
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    fn take(&mut self, index: usize) -> Option<Evaluated> {
        self.values.get_mut(index).and_then(Option::take)
    }

    /// Takes out a vector.
    pub fn vector(&mut self, index: usize) -> Result<Vec<Series>, EvalError> {
        match self.take(index) {
            Some(Evaluated::Vector(series)) => Ok(series),
            _ => Err(EvalError::unexpected(self.span)),
        }
    }

    /// Takes out a scalar: a number for each time.
    pub fn scalar(&mut self, index: usize) -> Result<SmallVec<[f64; 1]>, EvalError> {
        match self.take(index) {
            Some(Evaluated::Scalar(numbers)) => Ok(numbers),
            _ => Err(EvalError::unexpected(self.span)),
        }
    }

    /// Takes out a text.
    pub fn string(&mut self, index: usize) -> Result<String, EvalError> {
        match self.take(index) {
            Some(Evaluated::String(text)) => Ok(text),
            _ => Err(EvalError::unexpected(self.span)),
        }
    }

    /// The scalars among the arguments, in order.
    fn scalars(&mut self) -> Vec<SmallVec<[f64; 1]>> {
        let found = self.values.iter_mut().filter_map(Option::take);
        let scalars = found.filter_map(|value| match value {
            Evaluated::Scalar(numbers) => Some(numbers),
            _ => None,
        });
        scalars.collect()
    }
}

/// What a function over a range is called with beside the range.
pub(in crate::promql) struct RangeCall<'c> {
    /// The scalars among the arguments at this time, in order.
    pub args: &'c [f64],
    /// The time of the evaluation, in milliseconds.
    pub at: i64,
    /// The length of the range, in milliseconds.
    pub range: i64,
    /// The metric's name, for remarks.
    pub metric: &'c str,
    /// The place of the first argument, where remarks stand.
    pub place: Span,
    pub remarks: &'c mut Annotations,
}

/// Calls a function for the range of each series at each time.
pub(super) fn over_ranges(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
    work: RangeWork,
    keeps_name: bool,
) -> Result<Evaluated, EvalError> {
    let scalars = args.scalars();
    let range =
        site.call.args.iter().find(|arg| arg.value_type() == crate::promql::ValueType::Matrix);
    let range = range.ok_or_else(|| EvalError::unexpected(site.span))?;
    let ranges = ev.ranges(range, site.times)?;
    let late = ev.options.delayed_name_removal;
    let mut results = Vec::with_capacity(ranges.series.len());
    let mut weight = 0usize;
    let mut numbers: SmallVec<[f64; 3]> = SmallVec::new();
    for series in &ranges.series {
        let mut cutter = Cutter::new(series);
        let mut result: Option<Series> = None;
        for (step, at) in site.times.iter().enumerate() {
            let window = cutter.cut(ranges.bounds(at));
            let samples = window.floats.len() + window.histograms.len();
            if samples == 0 {
                continue;
            }
            ev.limits.read(samples, site.span)?;
            numbers.clear();
            numbers.extend(scalars.iter().filter_map(|numbers| numbers.get(step).copied()));
            let mut call = RangeCall {
                args: &numbers,
                at,
                range: ranges.range,
                metric: series.labels.value(METRIC_NAME),
                place: site.arg(0),
                remarks: &mut ev.notes,
            };
            if let Some(value) = work(&window, &mut call)? {
                let new = || new_result(series, keeps_name, late);
                result.get_or_insert_with(new).push(at, value);
            }
        }
        if let Some(result) = result {
            remark_on_counter(ev, site, series, &result);
            weight = weight.saturating_add(result.weight());
            ev.limits.fit(weight, site.span)?;
            results.push(result);
        }
    }
    let results = if late { results } else { merge_same_labels(results, site.span)? };
    Ok(Evaluated::Vector(results))
}

fn new_result(series: &RangeSeries<'_>, keeps_name: bool, late: bool) -> Series {
    if keeps_name {
        return Series::new(series.labels.clone(), series.drop_name);
    }
    let labels = if late { series.labels.clone() } else { without_name(&series.labels) };
    Series::new(labels, true)
}

/// Remarks where `rate` or `increase` are taken of what does not look like a counter.
fn remark_on_counter(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    series: &RangeSeries<'_>,
    result: &Series,
) {
    let metric = series.labels.value(METRIC_NAME);
    let counts = matches!(site.call.function.name, "rate" | "increase");
    if !counts || metric.is_empty() || result.floats.is_empty() {
        return;
    }
    if ev.options.type_and_unit_labels {
        let kind = series.labels.value(TYPE_LABEL);
        if !matches!(kind, "counter" | "histogram") {
            ev.notes.info(site.arg(0), notes::possible_non_counter_label(metric, kind));
        }
    } else if !["_total", "_sum", "_count", "_bucket"].iter().any(|end| metric.ends_with(end)) {
        ev.notes.info(site.arg(0), notes::possible_non_counter(metric));
    }
}
