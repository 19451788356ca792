//! An operator between the series of two vectors.

use std::collections::{HashMap, HashSet};

use crate::diag::Span;
use crate::model::LabelSet;
use crate::promql::eval::EvalError;
use crate::promql::eval::binary::element;
use crate::promql::eval::binary::matching::{MatchGroups, matched_labels};
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::names::{describes_metric, without_name};
use crate::promql::eval::steps::{Output, Steps};
use crate::promql::eval::times::Times;
use crate::promql::eval::value::Series;
use crate::promql::series::SampleValue;
use crate::promql::{Binary, Cardinality, VectorMatching};

pub(super) fn apply(
    ev: &mut Evaluator<'_>,
    binary: &Binary,
    span: Span,
    times: Times,
    lhs: &[Series],
    rhs: &[Series],
) -> Result<Vec<Series>, EvalError> {
    // The "one" side stands on the right; `group_right` is turned around.
    let swapped = binary.matching.cardinality == Cardinality::OneToMany;
    let (many, one) = if swapped { (rhs, lhs) } else { (lhs, rhs) };
    let groups = MatchGroups::new(many, one, &binary.matching);
    let late = ev.options.delayed_name_removal;
    let mut pairing = Pairing {
        binary,
        span,
        swapped,
        late,
        ones: vec![None; groups.count],
        matched: vec![false; groups.count],
        inserted: HashSet::new(),
        labels: HashMap::new(),
        output: Output::new(times.is_instant(), late, span),
    };
    let (mut many_steps, mut one_steps) = (Steps::new(many), Steps::new(one));
    for at in times.iter() {
        pairing.start(one_steps.at(at), &groups.rhs)?;
        for (index, series, value) in many_steps.at(at) {
            let group = groups.lhs.get(index).copied().unwrap_or_default();
            pairing.many(ev, at, group, Side { index: Some(index), series, value })?;
        }
        pairing.unmatched(ev, at)?;
    }
    pairing.output.finish()
}

/// A sample of one side.
#[derive(Clone)]
struct Side<'s> {
    /// The number of its series.
    index: Option<usize>,
    series: &'s Series,
    value: SampleValue,
}

/// The work of one operator.
struct Pairing<'s> {
    binary: &'s Binary,
    span: Span,
    swapped: bool,
    late: bool,
    /// The sample of the "one" side of each group at this time.
    ones: Vec<Option<Side<'s>>>,
    /// Whether the group has been matched at this time.
    matched: Vec<bool>,
    /// The groups and labels that there are at this time, where many may match.
    inserted: HashSet<(usize, LabelSet)>,
    /// The labels of the results by the numbers of the two series, and their places.
    labels: HashMap<(Option<usize>, Option<usize>), (LabelSet, usize)>,
    output: Output,
}

impl<'s> Pairing<'s> {
    fn matching(&self) -> &'s VectorMatching {
        &self.binary.matching
    }

    /// Begins a step with the samples of the "one" side.
    fn start(
        &mut self,
        ones: impl Iterator<Item = (usize, &'s Series, SampleValue)>,
        groups: &[usize],
    ) -> Result<(), EvalError> {
        self.ones.fill(None);
        self.matched.fill(false);
        self.inserted.clear();
        for (index, series, value) in ones {
            let group = groups.get(index).copied().unwrap_or_default();
            let Some(place) = self.ones.get_mut(group) else { continue };
            if let Some(first) = place {
                let first = first.series;
                return Err(self.duplicate(&first.labels, &series.labels));
            }
            *place = Some(Side { index: Some(index), series, value });
        }
        Ok(())
    }

    fn duplicate(&self, a: &LabelSet, b: &LabelSet) -> EvalError {
        let group = matched_labels(a, self.matching());
        let side = if self.swapped { "left" } else { "right" };
        let (first, second) = (a.min(b), a.max(b));
        EvalError::new(
            self.span,
            format!(
                "found duplicate series for the match group {group} on the {side} hand-side of the operation: [{first}, {second}];many-to-many matching not allowed: matching labels must be unique on one side"
            ),
        )
    }

    /// The fill values of the "many" and of the "one" side. Under `group_right` it is as in Prometheus
    /// the left one that fills the "many" side, which stands on the right.
    fn fills(&self) -> (Option<f64>, Option<f64>) {
        (self.matching().fill_left, self.matching().fill_right)
    }

    /// Takes a sample of the "many" side.
    fn many(
        &mut self,
        ev: &mut Evaluator<'_>,
        at: i64,
        group: usize,
        many: Side<'_>,
    ) -> Result<(), EvalError> {
        if let Some(one) = self.ones.get(group).cloned().flatten() {
            return self.pair(ev, at, group, many, one);
        }
        let (_, Some(fill)) = self.fills() else { return Ok(()) };
        let series = self.filled(many.series);
        let one = Side { index: None, series: &series, value: SampleValue::Float(fill) };
        self.pair(ev, at, group, many, one)
    }

    /// Fills the "many" side of the groups that had none.
    fn unmatched(&mut self, ev: &mut Evaluator<'_>, at: i64) -> Result<(), EvalError> {
        let (Some(fill), _) = self.fills() else { return Ok(()) };
        for group in 0..self.ones.len() {
            if self.matched.get(group).copied().unwrap_or(false) {
                continue;
            }
            let Some(one) = self.ones.get(group).cloned().flatten() else { continue };
            let series = self.filled(one.series);
            let many = Side { index: None, series: &series, value: SampleValue::Float(fill) };
            self.pair(ev, at, group, many, one)?;
        }
        Ok(())
    }

    /// The series that a fill value stands for.
    fn filled(&self, other: &Series) -> Series {
        Series::new(matched_labels(&other.labels, self.matching()), false)
    }

    fn pair(
        &mut self,
        ev: &mut Evaluator<'_>,
        at: i64,
        group: usize,
        many: Side<'_>,
        one: Side<'_>,
    ) -> Result<(), EvalError> {
        let binary = self.binary;
        let (lhs, rhs) = match self.swapped {
            false => (&many.value, &one.value),
            true => (&one.value, &many.value),
        };
        let outcome = element::apply(binary.op, lhs, rhs, self.span, &mut ev.notes);
        let Some(outcome) = outcome else { return Ok(()) };
        let drops = binary.return_bool || !binary.op.is_comparison();
        let drop_name = drops || many.series.drop_name;
        let (labels, place) = self.result(&many, &one, drop_name);
        self.note_match(group, labels)?;
        let value = match binary.return_bool {
            true => SampleValue::Float(f64::from(u8::from(outcome.keep))),
            false => outcome.value,
        };
        if outcome.keep || binary.return_bool {
            return match place {
                Some(place) => self.output.push_at(place, at, value),
                None => {
                    let (labels, _) = self.result(&many, &one, drop_name);
                    let place = self.output.place(&labels, drop_name);
                    self.remember(&many, &one, labels, place);
                    self.output.push_at(place, at, value)
                }
            };
        }
        Ok(())
    }

    /// Refuses a second match of a group, or of the same labels in it.
    fn note_match(&mut self, group: usize, labels: LabelSet) -> Result<(), EvalError> {
        let message = if self.matching().cardinality == Cardinality::OneToOne {
            let again = self.matched.get(group).copied().unwrap_or(false);
            again.then_some("many-to-one matching must be explicit (group_left/group_right)")
        } else {
            let first = self.inserted.insert((group, labels));
            (!first).then_some("grouping labels must ensure unique matches")
        };
        if let Some(message) = message {
            let message = format!("multiple matches for labels: {message}");
            return Err(EvalError::new(self.span, message));
        }
        if let Some(matched) = self.matched.get_mut(group) {
            *matched = true;
        }
        Ok(())
    }

    /// The labels of a result, and its place if it has one already.
    fn result(
        &self,
        many: &Side<'_>,
        one: &Side<'_>,
        drop_name: bool,
    ) -> (LabelSet, Option<usize>) {
        if let Some((labels, place)) = self.labels.get(&(many.index, one.index)) {
            return (labels.clone(), Some(*place));
        }
        let labels = result_labels(self.binary, &many.series.labels, &one.series.labels);
        let now = drop_name && !self.late && self.binary.return_bool;
        (if now { without_name(&labels) } else { labels }, None)
    }

    /// A place is the same at all times where both series are; fill values have no number.
    fn remember(&mut self, many: &Side<'_>, one: &Side<'_>, labels: LabelSet, place: usize) {
        if many.index.is_some() && one.index.is_some() {
            self.labels.insert((many.index, one.index), (labels, place));
        }
    }
}

/// The labels of the "many" side as the matching and the operator leave them, with those that
/// `group_left` or `group_right` take from the "one" side.
fn result_labels(binary: &Binary, many: &LabelSet, one: &LabelSet) -> LabelSet {
    let matching = &binary.matching;
    let named = |label: &str| matching.labels.iter().any(|name| name == label);
    let one_to_one = matching.cardinality == Cardinality::OneToOne;
    let renames = !binary.op.is_comparison();
    let kept = many.filtered(|label| {
        (!renames || !describes_metric(label)) && (!one_to_one || named(label) == matching.on)
    });
    if matching.include.is_empty() {
        return kept;
    }
    let mut builder = kept.to_builder();
    for label in &matching.include {
        builder.set(label, one.value(label));
    }
    builder.build()
}
