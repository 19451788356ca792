//! Functions of histograms: native ones, and classic ones, which are series of buckets with a
//! label `le`.

mod classic;
mod groups;
#[cfg(test)]
mod tests;
mod words;

use smallvec::SmallVec;

use crate::diag::Span;
use crate::model::histogram::NanObservations;
use crate::model::label::METRIC_NAME;
use crate::model::{FloatHistogram, LabelSet};
use crate::promql::eval::EvalError;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::functions::{Args, Site};
use crate::promql::eval::names::{merge_same_labels, without_name};
use crate::promql::eval::notes;
use crate::promql::eval::steps::{Output, Steps};
use crate::promql::eval::value::{Evaluated, Series, StepSample};
use crate::promql::series::{FloatPoint, SampleValue};
use groups::Groups;

/// A number of each native histogram; what is no histogram is left out, the name goes.
fn number(
    ev: &Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
    of: fn(&FloatHistogram) -> f64,
) -> Result<Evaluated, EvalError> {
    let late = ev.options.delayed_name_removal;
    let mut results = Vec::new();
    for series in args.vector(0)? {
        if series.histograms.is_empty() {
            continue;
        }
        // Type and unit stay, other than with functions of numbers.
        let labels = if late { series.labels } else { series.labels.without(METRIC_NAME) };
        let mut result = Series::new(labels, true);
        let points = series.histograms.iter();
        result.floats = points.map(|p| FloatPoint { at: p.at, value: of(&p.histogram) }).collect();
        results.push(result);
    }
    let results = if late { results } else { merge_same_labels(results, site.span)? };
    Ok(Evaluated::Vector(results))
}

/// `histogram_count(v)`
pub(super) fn count(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    args: Args,
) -> Result<Evaluated, EvalError> {
    number(ev, site, args, |h| h.count)
}

/// `histogram_sum(v)`
pub(super) fn sum(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    args: Args,
) -> Result<Evaluated, EvalError> {
    number(ev, site, args, |h| h.sum)
}

/// `histogram_avg(v)`
pub(super) fn avg(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    args: Args,
) -> Result<Evaluated, EvalError> {
    number(ev, site, args, FloatHistogram::avg)
}

/// `histogram_stddev(v)`
pub(super) fn stddev(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    args: Args,
) -> Result<Evaluated, EvalError> {
    number(ev, site, args, FloatHistogram::stddev)
}

/// `histogram_stdvar(v)`
pub(super) fn stdvar(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    args: Args,
) -> Result<Evaluated, EvalError> {
    number(ev, site, args, FloatHistogram::stdvar)
}

/// `histogram_quantile(q, v)`
pub(super) fn quantile(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
) -> Result<Evaluated, EvalError> {
    let wanted = Wanted { qs: vec![args.scalar(0)?], first: 0, label: None };
    quantiles_of(ev, site, &args.vector(1)?, &wanted, site.arg(1))
}

/// `histogram_quantiles(v, "label", q, q…)`
pub(super) fn quantiles(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
) -> Result<Evaluated, EvalError> {
    let series = args.vector(0)?;
    let label = Some(args.string(1)?);
    let qs = (2..args.len()).map(|index| args.scalar(index)).collect::<Result<_, _>>()?;
    quantiles_of(ev, site, &series, &Wanted { qs, first: 2, label }, site.arg(0))
}

/// The quantiles to compute.
struct Wanted {
    /// For each of them a number for each time.
    qs: Vec<SmallVec<[f64; 1]>>,
    /// The argument of the first one.
    first: usize,
    /// The label that tells the results apart.
    label: Option<String>,
}

fn quantiles_of(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    series: &[Series],
    wanted: &Wanted,
    place: Span,
) -> Result<Evaluated, EvalError> {
    let mut groups = Groups::new(series);
    let mut steps = Steps::new(series);
    let mut results = Results::new(ev, site);
    for (step, at) in site.times.iter().enumerate() {
        groups.fill(steps.at(at), ev, place);
        for (index, qs) in wanted.qs.iter().enumerate() {
            let q = qs.get(step).copied().unwrap_or(f64::NAN);
            if !(0.0..=1.0).contains(&q) {
                ev.notes.warn(site.arg(wanted.first + index), notes::invalid_quantile(q));
            }
            let label = wanted.label.as_deref().map(|label| (label, q));
            for (series, histogram) in groups.natives() {
                let quantile = histogram.quantile(q);
                if let Some(nan) = quantile.nan {
                    let message = nan_words(nan, results.metric(&series.labels));
                    ev.notes.info(place, message);
                }
                results.push(&series.labels, label, at, quantile.value)?;
            }
            for group in groups.classic() {
                let (value, forced) = classic::quantile(q, &mut group.buckets.clone());
                if let Some(forced) = forced {
                    let metric = results.metric(&group.labels);
                    ev.notes.forced_monotonicity(place, metric, at, forced);
                }
                results.push(&group.labels, label, at, value)?;
            }
        }
    }
    results.finish()
}

fn nan_words(nan: NanObservations, metric: &str) -> String {
    match nan {
        NanObservations::Result => words::nan_quantile(metric),
        NanObservations::Skew => words::skewed_quantile(metric),
    }
}

/// `histogram_fraction(lower, upper, v)`
pub(super) fn fraction(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
) -> Result<Evaluated, EvalError> {
    let (lower, upper) = (args.scalar(0)?, args.scalar(1)?);
    let series = args.vector(2)?;
    let mut groups = Groups::new(&series);
    let mut steps = Steps::new(&series);
    let mut results = Results::new(ev, site);
    for (step, at) in site.times.iter().enumerate() {
        groups.fill(steps.at(at), ev, site.arg(2));
        let bound = |bounds: &SmallVec<[f64; 1]>| bounds.get(step).copied().unwrap_or(f64::NAN);
        let (lower, upper) = (bound(&lower), bound(&upper));
        for (series, histogram) in groups.natives() {
            let fraction = histogram.fraction(lower, upper);
            if fraction.nan_observations {
                let message = words::nan_fraction(results.metric(&series.labels));
                ev.notes.info(site.arg(2), message);
            }
            results.push(&series.labels, None, at, fraction.value)?;
        }
        for group in groups.classic() {
            let value = classic::fraction(lower, upper, &mut group.buckets.clone());
            results.push(&group.labels, None, at, value)?;
        }
    }
    results.finish()
}

/// The results of a function of both kinds of histograms.
struct Results {
    output: Output,
    /// Whether names are removed only at the end.
    late: bool,
}

impl Results {
    fn new(ev: &Evaluator<'_>, site: &Site<'_>) -> Self {
        let late = ev.options.delayed_name_removal;
        Self { output: Output::new(site.times.is_instant(), late, site.span), late }
    }

    /// The name for remarks: where it has gone by now, there is none.
    fn metric<'s>(&self, labels: &'s LabelSet) -> &'s str {
        if self.late { labels.value(METRIC_NAME) } else { "" }
    }

    fn push(
        &mut self,
        labels: &LabelSet,
        label: Option<(&str, f64)>,
        at: i64,
        value: f64,
    ) -> Result<(), EvalError> {
        let mut labels = if self.late { labels.clone() } else { without_name(labels) };
        if let Some((name, q)) = label {
            let mut builder = labels.to_builder();
            builder.set(name, words::open_metrics(q));
            labels = builder.build();
        }
        let sample = StepSample { labels, drop_name: true, value: SampleValue::Float(value) };
        self.output.push(at, sample)
    }

    fn finish(self) -> Result<Evaluated, EvalError> {
        self.output.finish().map(Evaluated::Vector)
    }
}
