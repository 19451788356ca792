//! `sort`, `sort_desc`, `sort_by_label` and `sort_by_label_desc`.

use std::cmp::Ordering;

use crate::model::LabelSet;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::functions::{Args, Site};
use crate::promql::eval::value::{Evaluated, Series};
use crate::promql::eval::{EvalError, notes};

/// By value, NaN last. Histograms are left out.
pub(super) fn sort(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    args: Args,
) -> Result<Evaluated, EvalError> {
    by_value(ev, site, args, |a, b| a.partial_cmp(&b))
}

/// By value from the highest on, NaN last. Histograms are left out.
pub(super) fn sort_desc(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    args: Args,
) -> Result<Evaluated, EvalError> {
    by_value(ev, site, args, |a, b| b.partial_cmp(&a))
}

fn by_value(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
    order: fn(f64, f64) -> Option<Ordering>,
) -> Result<Evaluated, EvalError> {
    let mut series = args.vector(0)?;
    for one in &mut series {
        one.histograms.clear();
    }
    series.retain(|one| !one.is_empty());
    if order_matters(ev, site) {
        let value = |one: &Series| one.floats.first().map_or(f64::NAN, |point| point.value);
        series.sort_by(|a, b| {
            let (a, b) = (value(a), value(b));
            a.is_nan().cmp(&b.is_nan()).then(order(a, b).unwrap_or(Ordering::Equal))
        });
    }
    Ok(Evaluated::Vector(series))
}

/// By labels, numbers in their values by size; what is equal in all by the whole label set.
pub(super) fn sort_by_label(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    args: Args,
) -> Result<Evaluated, EvalError> {
    by_labels(ev, site, args, |order| order)
}

/// The same the other way around.
pub(super) fn sort_by_label_desc(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    args: Args,
) -> Result<Evaluated, EvalError> {
    by_labels(ev, site, args, Ordering::reverse)
}

fn by_labels(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
    direction: fn(Ordering) -> Ordering,
) -> Result<Evaluated, EvalError> {
    let mut series = args.vector(0)?;
    let names: Vec<String> = (1..args.len()).map(|i| args.string(i)).collect::<Result<_, _>>()?;
    if order_matters(ev, site) {
        let order = |a: &LabelSet, b: &LabelSet| {
            let differ = names.iter().map(|name| natural(a.value(name), b.value(name)));
            differ.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| a.cmp(b))
        };
        series.sort_by(|a, b| direction(order(&a.labels, &b.labels)));
    }
    Ok(Evaluated::Vector(series))
}

/// Whether anyone will see the order: the result of a range query has its own.
fn order_matters(ev: &mut Evaluator<'_>, site: &Site<'_>) -> bool {
    if !ev.query.is_instant() {
        ev.notes.warn(site.span, notes::sort_in_range());
    }
    site.times.is_instant()
}

/// Texts in the order in which people count: runs of digits by their number.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !a.is_empty() && !b.is_empty() {
        let (run_a, run_b) = (run(a), run(b));
        let order = match (run_a.parse::<i64>(), run_b.parse::<i64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            _ => run_a.cmp(run_b),
        };
        if order.is_ne() {
            return order;
        }
        a = a.get(run_a.len()..).unwrap_or_default();
        b = b.get(run_b.len()..).unwrap_or_default();
    }
    a.len().cmp(&b.len())
}

/// The digits, or the other characters, with which a text begins.
fn run(text: &str) -> &str {
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_count_as_numbers() {
        let sorted = ["", "4m5", "4m600", "4m1000", "10", "a", "a2b", "a10a", "a10b", "b"];
        for (i, a) in sorted.iter().enumerate().skip(5) {
            for b in &sorted[i + 1..] {
                assert_eq!(natural(a, b), Ordering::Less, "{a} {b}");
                assert_eq!(natural(b, a), Ordering::Greater, "{b} {a}");
            }
        }
        assert_eq!(natural("1.2.3", "1.11.3"), Ordering::Less);
        assert_eq!(natural("4m600", "4m1000"), Ordering::Less);
        assert_eq!(natural("x", "x1"), Ordering::Less);
        assert_eq!(natural("99999999999999999999", "99999999999999999998"), Ordering::Greater);
        assert_eq!(natural("", ""), Ordering::Equal);
    }
}
