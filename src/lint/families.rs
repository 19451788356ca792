//! What is known of the metrics of widely used exporters.

use crate::diag::Span;
use crate::promql::{Expr, ExprKind, VectorSelector};

/// Labels that a family of metrics once had under another name.
struct Family {
    /// How the names begin.
    prefixes: &'static [&'static str],
    /// The label that is no more, and what it is called now.
    renamed: &'static [(&'static str, &'static str)],
    /// Since when.
    why: &'static str,
}

const NAMES_OF_PODS: &[(&str, &str)] =
    &[("pod_name", "pod"), ("container_name", "container"), ("namespace_name", "namespace")];

const FAMILIES: &[Family] = &[
    Family {
        prefixes: &[
            "container_cpu_",
            "container_fs_",
            "container_last_seen",
            "container_memory_",
            "container_network_",
            "container_spec_",
            "container_start_time_seconds",
        ],
        renamed: NAMES_OF_PODS,
        why: "since Kubernetes 1.16 cAdvisor's metrics have `pod` and `container` instead",
    },
    Family {
        prefixes: &["kube_pod_", "kube_job_", "kube_deployment_", "kube_node_"],
        renamed: NAMES_OF_PODS,
        why: "kube-state-metrics calls these labels `pod`, `container` and `namespace`",
    },
];

/// A label that a metric has under another name.
pub(super) struct Renamed {
    /// The metric's place in the expression.
    pub(super) span: Span,
    /// The name that it has.
    pub(super) instead: &'static str,
    /// Why, for people.
    pub(super) why: &'static str,
}

/// Whether all series of an expression are of families that have a label under another name.
pub(super) fn renamed(expr: &Expr, label: &str) -> Option<Renamed> {
    let mut found = None;
    for part in expr.walk() {
        let selector = match &part.kind {
            ExprKind::VectorSelector(selector) => selector.as_ref(),
            ExprKind::MatrixSelector(matrix) => &matrix.selector,
            _ => continue,
        };
        let (instead, why) = renamed_of(selector, label)?;
        found.get_or_insert(Renamed { span: part.span, instead, why });
    }
    found
}

fn renamed_of(selector: &VectorSelector, label: &str) -> Option<(&'static str, &'static str)> {
    let name = selector.metric_name()?;
    let of_family = |family: &&Family| family.prefixes.iter().any(|p| name.starts_with(p));
    let family = FAMILIES.iter().find(of_family)?;
    let (_, instead) = family.renamed.iter().find(|(old, _)| *old == label)?;
    Some((instead, family.why))
}
