//! Aggregations that make one sample of each group.

use std::sync::Arc;

use crate::model::kahan::KahanSum;
use crate::promql::AggregateOp;
use crate::promql::eval::aggregate::{Groups, Site};
use crate::promql::eval::annotations::Annotations;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::histograms::HistogramFold;
use crate::promql::eval::kahan::{Mean, Variance};
use crate::promql::eval::quantile::quantile;
use crate::promql::eval::steps::Steps;
use crate::promql::eval::value::Series;
use crate::promql::eval::{EvalError, notes};
use crate::promql::series::SampleValue;

/// What a group has come to at one time.
enum Fold {
    Sum(Both<KahanSum>),
    Avg(Both<Mean>),
    Count(f64),
    Min(f64),
    Max(f64),
    Group,
    Deviation(Variance),
    Quantile(Vec<f64>),
}

/// Numbers and histograms of a group: only one kind gives a result.
struct Both<F> {
    floats: Option<F>,
    histograms: Option<HistogramFold>,
}

/// Aggregates each group at all of the times. `params` has the quantile for each time.
pub(super) fn apply(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    params: &[f64],
    series: &[Series],
) -> Result<Vec<Series>, EvalError> {
    remark_on_quantiles(ev, site, params);
    let groups = Groups::new(series, &site.aggregate.grouping);
    let results = groups.labels.into_iter().map(|labels| Series::new(labels, false));
    let mut results: Vec<Series> = results.collect();
    let mut folds: Vec<Option<Fold>> = results.iter().map(|_| None).collect();
    let mut steps = Steps::new(series);
    for (step, at) in site.times.iter().enumerate() {
        for (index, one, value) in steps.at(at) {
            let Some(group) = groups.of.get(index).copied() else { continue };
            let Some(fold) = folds.get_mut(group) else { continue };
            if add(site, fold, one, &value, &mut ev.notes)
                && let Some(result) = results.get_mut(group)
            {
                result.drop_name |= one.drop_name;
            }
        }
        let param = params.get(step).copied().unwrap_or(f64::NAN);
        for (fold, result) in folds.iter_mut().zip(&mut results) {
            let Some(fold) = fold.take() else { continue };
            if let Some(value) = finish(site, fold, param, &mut ev.notes) {
                result.push(at, value);
            }
        }
    }
    results.retain(|result| !result.is_empty());
    Ok(results)
}

fn remark_on_quantiles(ev: &mut Evaluator<'_>, site: &Site<'_>, params: &[f64]) {
    let max = params.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let min = params.iter().copied().fold(f64::INFINITY, f64::min);
    if params.iter().any(|q| q.is_nan()) {
        ev.notes.warn(site.param(), notes::invalid_quantile(f64::NAN));
    }
    // Without any number the two are infinite the other way around.
    if max > 1.0 {
        ev.notes.warn(site.param(), notes::invalid_quantile(max));
    }
    if min < 0.0 {
        ev.notes.warn(site.param(), notes::invalid_quantile(min));
    }
}

/// Adds a sample to a group's fold; says whether it counts.
fn add(
    site: &Site<'_>,
    fold: &mut Option<Fold>,
    series: &Series,
    value: &SampleValue,
    remarks: &mut Annotations,
) -> bool {
    let op = site.aggregate.op;
    let takes_histograms =
        matches!(op, AggregateOp::Sum | AggregateOp::Avg | AggregateOp::Count | AggregateOp::Group);
    if !takes_histograms && value.histogram().is_some() {
        remarks.info(site.operand(), notes::ignored_in_aggregation(site.name()));
        return false;
    }
    let number = value.float().unwrap_or_default();
    match fold {
        None => *fold = begin(op, value),
        Some(Fold::Sum(both)) => {
            let add = |sum: &mut KahanSum| sum.add(number);
            add_both(site, both, series, value, KahanSum::of, add, remarks);
        }
        Some(Fold::Avg(both)) => {
            let add = |mean: &mut Mean| mean.add(number);
            add_both(site, both, series, value, Mean::of, add, remarks);
        }
        Some(Fold::Count(count)) => *count += 1.0,
        Some(Fold::Min(min)) => {
            if *min > number || min.is_nan() {
                *min = number;
            }
        }
        Some(Fold::Max(max)) => {
            if *max < number || max.is_nan() {
                *max = number;
            }
        }
        Some(Fold::Group) => {}
        Some(Fold::Deviation(variance)) => variance.add(number),
        Some(Fold::Quantile(numbers)) => numbers.push(number),
    }
    true
}

/// The fold of a group's first sample.
fn begin(op: AggregateOp, value: &SampleValue) -> Option<Fold> {
    let float = value.float();
    let number = float.unwrap_or_default();
    let histograms = |mean| value.histogram().map(|h| HistogramFold::of(h, mean));
    Some(match op {
        AggregateOp::Sum => {
            Fold::Sum(Both { floats: float.map(KahanSum::of), histograms: histograms(false) })
        }
        AggregateOp::Avg => {
            Fold::Avg(Both { floats: float.map(Mean::of), histograms: histograms(true) })
        }
        AggregateOp::Count => Fold::Count(1.0),
        AggregateOp::Min => Fold::Min(number),
        AggregateOp::Max => Fold::Max(number),
        AggregateOp::Group => Fold::Group,
        AggregateOp::Stddev | AggregateOp::Stdvar => {
            let mut variance = Variance::default();
            variance.add(number);
            Fold::Deviation(variance)
        }
        AggregateOp::Quantile => Fold::Quantile(vec![number]),
        _ => return None,
    })
}

fn add_both<F>(
    site: &Site<'_>,
    both: &mut Both<F>,
    series: &Series,
    value: &SampleValue,
    of: impl Fn(f64) -> F,
    add: impl Fn(&mut F),
    remarks: &mut Annotations,
) {
    match (value, &mut both.floats, &mut both.histograms) {
        (SampleValue::Float(_), Some(floats), _) => add(floats),
        (SampleValue::Float(value), floats, _) => *floats = Some(of(*value)),
        (SampleValue::Histogram(histogram), _, Some(fold)) => {
            if fold.add(histogram) {
                let metric = series.labels.value(crate::model::label::METRIC_NAME);
                remarks.warn(site.operand(), notes::mixed_exponential_custom(metric));
            }
        }
        (SampleValue::Histogram(histogram), _, fold) => {
            *fold = Some(HistogramFold::of(histogram, site.aggregate.op == AggregateOp::Avg));
        }
    }
}

fn finish(
    site: &Site<'_>,
    fold: Fold,
    param: f64,
    remarks: &mut Annotations,
) -> Option<SampleValue> {
    Some(SampleValue::Float(match fold {
        Fold::Sum(both) => return finish_both(site, both, KahanSum::total, remarks),
        Fold::Avg(both) => return finish_both(site, both, Mean::value, remarks),
        Fold::Count(count) => count,
        Fold::Min(value) | Fold::Max(value) => value,
        Fold::Group => 1.0,
        Fold::Deviation(variance) if site.aggregate.op == AggregateOp::Stddev => {
            variance.value().sqrt()
        }
        Fold::Deviation(variance) => variance.value(),
        Fold::Quantile(mut numbers) => quantile(param, &mut numbers),
    }))
}

fn finish_both<F>(
    site: &Site<'_>,
    both: Both<F>,
    value: impl Fn(F) -> f64,
    remarks: &mut Annotations,
) -> Option<SampleValue> {
    match (both.floats, both.histograms) {
        (Some(_), Some(_)) => {
            remarks.warn(site.operand(), notes::mixed_floats_histograms_aggregation());
            None
        }
        (Some(floats), None) => Some(SampleValue::Float(value(floats))),
        (None, Some(fold)) => {
            let mut histogram = fold.finish(site.operand(), remarks)?;
            histogram.compact();
            Some(SampleValue::Histogram(Arc::new(histogram)))
        }
        (None, None) => None,
    }
}
