//! `info`: adds the labels of info series, such as `target_info`, to other series.

use std::collections::{HashMap, HashSet};

use crate::model::label::METRIC_NAME;
use crate::model::{LabelSet, Matcher};
use crate::promql::eval::EvalError;
use crate::promql::eval::evaluator::Evaluator;
use crate::promql::eval::functions::{Args, Site};
use crate::promql::eval::selector::Pick;
use crate::promql::eval::steps::{Output, Steps};
use crate::promql::eval::value::{Evaluated, Series, StepSample};
use crate::promql::{At, Expr, ExprKind};

/// The info series that are meant where no name is given.
const TARGET_INFO: &str = "target_info";
/// The labels by which a series finds its info series.
const IDENTIFYING: [&str; 2] = ["instance", "job"];

/// What the second argument asks for.
struct Wanted<'e> {
    /// The one name of the info series, where there is one.
    name: Option<&'e str>,
    names: Vec<&'e Matcher>,
    /// Matchers of labels to add; without any, all labels are added.
    data: Vec<&'e Matcher>,
}

impl<'e> Wanted<'e> {
    fn new(arg: Option<&'e Expr>) -> Self {
        let selector = match arg.map(|arg| &arg.without_parens().kind) {
            Some(ExprKind::VectorSelector(selector)) => Some(selector),
            _ => None,
        };
        let matchers = selector.map(|selector| selector.matchers.as_slice()).unwrap_or_default();
        let (names, data): (Vec<_>, Vec<_>) =
            matchers.iter().map(|m| &m.matcher).partition(|m| m.name() == METRIC_NAME);
        let named = selector.and_then(|selector| selector.metric_name());
        let name = if names.is_empty() { named.or(Some(TARGET_INFO)) } else { named };
        Self { name, names, data }
    }

    /// Whether a series is itself one of the info series.
    fn is_info(&self, labels: &LabelSet) -> bool {
        let name = labels.value(METRIC_NAME);
        self.name.is_none_or(|wanted| wanted == name)
            && self.names.iter().all(|m| m.matches_value(name))
    }

    /// Whether a label is to be added.
    fn wants(&self, label: &str) -> bool {
        label != METRIC_NAME
            && (self.data.is_empty() || self.data.iter().any(|m| m.name() == label))
    }

    /// Whether a series without info series is still wanted.
    fn allows_none(&self) -> bool {
        self.data.iter().all(|m| m.matches_value(""))
    }
}

/// The offsets and fixed times on the way to the first selector of the first argument: the info
/// series are looked at when that is.
fn reference(ev: &Evaluator<'_>, arg: &Expr) -> Vec<(Option<i64>, i64)> {
    let mut steps = Vec::new();
    let mut step = |at: Option<At>, offset: i64| steps.push((ev.fixed_time(at), offset));
    for part in arg.walk() {
        match &part.kind {
            ExprKind::Subquery(subquery) => step(subquery.at, subquery.offset_ms),
            ExprKind::VectorSelector(selector) => {
                step(selector.at, selector.offset_ms);
                break;
            }
            ExprKind::MatrixSelector(matrix) => {
                step(matrix.selector.at, matrix.selector.offset_ms);
                break;
            }
            _ => {}
        }
    }
    steps
}

pub(super) fn info(
    ev: &mut Evaluator<'_>,
    site: &Site<'_>,
    mut args: Args,
) -> Result<Evaluated, EvalError> {
    let series = args.vector(0)?;
    let wanted = Wanted::new(site.call.args.get(1));
    let way = match site.call.args.first() {
        Some(arg) => reference(ev, arg),
        None => Vec::new(),
    };
    let time = |at: i64| {
        way.iter().fold(at, |at, (fixed, offset)| fixed.unwrap_or(at).saturating_sub(*offset))
    };
    let identities: HashSet<LabelSet> = series
        .iter()
        .filter(|one| !wanted.is_info(&one.labels))
        .map(|one| identity(&one.labels))
        .filter(|identity| !identity.is_empty())
        .collect();
    let matchers = wanted.names.iter().chain(&wanted.data).copied().collect();
    let store = ev.store;
    let found = store.select_by(wanted.name, matchers);
    let found = found.filter(|one| identities.contains(&identity(one.labels)));
    let infos = ev.pick_from(found, site.times, time, Pick::InfoTime, site.span)?;
    join(ev, site, &wanted, &series, &infos).map(Evaluated::Vector)
}

fn identity(labels: &LabelSet) -> LabelSet {
    labels.filtered(|label| IDENTIFYING.contains(&label))
}

/// Adds to each series the labels of the info series with its identity, at each time.
fn join(
    ev: &Evaluator<'_>,
    site: &Site<'_>,
    wanted: &Wanted<'_>,
    series: &[Series],
    infos: &[Series],
) -> Result<Vec<Series>, EvalError> {
    let info_identities: Vec<LabelSet> = infos.iter().map(|one| identity(&one.labels)).collect();
    let late = ev.options.delayed_name_removal;
    let mut output = Output::new(site.times.is_instant(), late, site.span);
    let (mut base_steps, mut info_steps) = (Steps::new(series), Steps::new(infos));
    for at in site.times.iter() {
        // For each identity the info series, one of each name, and the times of their samples.
        let mut present: HashMap<&LabelSet, Vec<(&Series, f64)>> = HashMap::new();
        for (index, one, value) in info_steps.at(at) {
            let (Some(identity), Some(time)) = (info_identities.get(index), value.float()) else {
                continue;
            };
            take_newer(site, present.entry(identity).or_default(), one, time)?;
        }
        for (_, one, value) in base_steps.at(at) {
            let mut labels = one.labels.clone();
            if !wanted.is_info(&one.labels) {
                let found = present.get(&identity(&one.labels)).map(Vec::as_slice);
                match found.unwrap_or_default() {
                    [] if !wanted.allows_none() => continue,
                    infos => labels = enriched(site, wanted, &one.labels, infos)?,
                }
            }
            output.push(at, StepSample { labels, drop_name: one.drop_name, value })?;
        }
    }
    output.finish()
}

/// Of two info series with one name the one with the newer sample is taken.
fn take_newer<'s>(
    site: &Site<'_>,
    present: &mut Vec<(&'s Series, f64)>,
    one: &'s Series,
    time: f64,
) -> Result<(), EvalError> {
    let name = one.labels.value(METRIC_NAME);
    let same = present.iter_mut().find(|(other, _)| other.labels.value(METRIC_NAME) == name);
    match same {
        None => present.push((one, time)),
        Some((_, other)) if *other > time => {}
        Some(place) if place.1 < time => *place = (one, time),
        Some((other, _)) => {
            let message = format!(
                "found duplicate series for info metric: existing {} @ {time}, new {} @ {time}",
                other.labels, one.labels
            );
            return Err(EvalError::new(site.span, message));
        }
    }
    Ok(())
}

fn enriched(
    site: &Site<'_>,
    wanted: &Wanted<'_>,
    base: &LabelSet,
    infos: &[(&Series, f64)],
) -> Result<LabelSet, EvalError> {
    let mut added: HashMap<&str, &str> = HashMap::new();
    for (info, _) in infos {
        for (label, value) in info.labels.iter().filter(|(label, _)| wanted.wants(label)) {
            if added.get(label).is_some_and(|other| *other != value) {
                return Err(EvalError::new(site.span, format!("conflicting label: {label}")));
            }
            if base.get(label).is_none() {
                added.insert(label, value);
            }
        }
    }
    let mut builder = base.to_builder();
    for (label, value) in added {
        builder.set(label, value);
    }
    Ok(builder.build())
}
