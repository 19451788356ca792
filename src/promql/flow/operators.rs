//! Label flow through binary operators.

use super::{Has, Known, Labels, Removal, flow};
use crate::diag::Span;
use crate::model::label::METRIC_NAME;
use crate::promql::{Binary, BinaryOp, Cardinality, ValueType, VectorMatching};

/// The labels of an operation's result (`resultMetric` of Prometheus' engine).
pub(super) fn binary(span: Span, binary: &Binary, known: &Known<'_>) -> Labels {
    let is_vector = |kind: ValueType| kind == ValueType::Vector;
    let (left, right) = (is_vector(binary.lhs.value_type()), is_vector(binary.rhs.value_type()));
    let keeps_name = binary.op.is_set() || (binary.op.is_comparison() && !binary.return_bool);
    let labels = match (left, right) {
        (true, true) => {
            let (lhs, rhs) = (flow(&binary.lhs, known), flow(&binary.rhs, known));
            vectors(binary, &lhs, &rhs)
        }
        (true, false) => flow(&binary.lhs, known),
        (false, true) => flow(&binary.rhs, known),
        (false, false) => Labels::none(Removal::new(span, "a number has no labels")),
    };
    if keeps_name { labels } else { labels.without_name(binary.op_span) }
}

fn vectors(binary: &Binary, lhs: &Labels, rhs: &Labels) -> Labels {
    let matching = &binary.matching;
    match (binary.op, matching.cardinality) {
        (BinaryOp::Or, _) => lhs.either(rhs),
        (BinaryOp::Unless, _) => lhs.clone(),
        (BinaryOp::And, _) => matched(lhs, rhs, matching),
        (_, Cardinality::OneToMany) => grouped(rhs, lhs, matching),
        (_, Cardinality::ManyToOne) => grouped(lhs, rhs, matching),
        _ => {
            let mut labels = matched(lhs, rhs, matching);
            // Which side stays when the other is filled in is not known.
            if matching.fill_left.is_some() || matching.fill_right.is_some() {
                labels = lhs.either(rhs);
            }
            if matching.on {
                let removal = Removal::new(binary.op_span, "only the labels of `on` are left");
                return labels.only(&matching.labels, removal);
            }
            let removal = Removal::new(binary.op_span, "`ignoring` removes it");
            for name in &matching.labels {
                labels.set(name, Has::Never(removal));
            }
            labels
        }
    }
}

/// The many side, with the labels that `group_left` takes from the one side.
fn grouped(many: &Labels, one: &Labels, matching: &VectorMatching) -> Labels {
    let mut labels = match (matching.fill_left, matching.fill_right) {
        (None, None) => matched(many, one, matching),
        _ => many.clone(),
    };
    for name in &matching.include {
        let has = match one.has(name) {
            Has::Maybe => Has::Expected,
            has => has,
        };
        labels.set(name, has);
    }
    labels
}

/// A side of which only series are left that agree with the other side in the labels that count.
fn matched(side: &Labels, other: &Labels, matching: &VectorMatching) -> Labels {
    if matching.on {
        let mut labels = side.clone();
        for name in &matching.labels {
            labels.set(name, side.has(name).both(other.has(name)));
        }
        return labels;
    }
    let mut labels = side.both(other);
    for name in matching.labels.iter().map(String::as_str).chain([METRIC_NAME]) {
        labels.set(name, side.has(name));
    }
    labels
}
