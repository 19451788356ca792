//! Which names Prometheus 3 accepts.

use crate::model::label::METRIC_NAME;

/// What is wrong with a label or annotation name, if anything is. Prometheus 3 takes any UTF-8 text
/// but the empty one; `__name__` is refused for labels alone.
pub(super) fn label_name(name: &str, is_label: bool) -> Option<&'static str> {
    if name.is_empty() {
        return Some("the name is empty");
    }
    (is_label && name == METRIC_NAME).then_some("it is set by `record`, or removed from an alert")
}

/// What is wrong with the name that a recording rule gives, if anything is. Braces are refused
/// although UTF-8 would allow them: what has them is a selector, not a name.
pub(super) fn metric_name(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("the name is empty");
    }
    name.contains(['{', '}']).then_some("a name has no braces; labels go into `labels`")
}
