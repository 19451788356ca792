//! `route` and the routes under it.

use std::time::Duration;

use super::matchers::{MatcherKeys, read_matchers};
use crate::routing::{GroupBy, Located, RawRoute};
use crate::yaml::{Fields, Node, Reader};

const MATCHERS: MatcherKeys =
    MatcherKeys { matchers: "matchers", equal: "match", regex: "match_re" };

/// Group by every label.
const ALL_LABELS: &str = "...";

/// Reads the routing tree as written. `None` if the node is no mapping. YAML nests only so deep
/// ([`crate::yaml::MAX_DEPTH`]), and so does this.
pub fn read_route(reader: &mut Reader, node: &Node) -> Option<RawRoute> {
    let mut fields = reader.mapping(node, "a route")?;
    let (matchers, matchers_span) = read_matchers(reader, &mut fields, &MATCHERS);
    let raw = RawRoute {
        span: fields.span(),
        receiver: receiver(reader, &mut fields),
        matchers,
        matchers_span,
        continue_: located_bool(reader, &mut fields, "continue"),
        group_by: group_by(reader, &mut fields),
        group_wait: fields.duration(reader, "group_wait"),
        group_interval: positive(reader, &mut fields, "group_interval"),
        repeat_interval: positive(reader, &mut fields, "repeat_interval"),
        mute_time_intervals: names(reader, &mut fields, "mute_time_intervals"),
        active_time_intervals: names(reader, &mut fields, "active_time_intervals"),
        routes: fields
            .list(reader, "routes")
            .unwrap_or_default()
            .iter()
            .filter_map(|node| read_route(reader, node))
            .collect(),
    };
    fields.unsupported(reader, "labels", "they are templates that only notifications see");
    fields.finish(reader);
    Some(raw)
}

/// The receiver; an empty name is the same as none, as in Alertmanager.
fn receiver(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<Located<String>> {
    let node = fields.get("receiver")?;
    let value = reader.string(node, "`receiver`").filter(|name| !name.is_empty())?;
    Some(Located { value: value.to_string(), span: node.span })
}

fn located_bool(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
) -> Option<Located<bool>> {
    let value = fields.bool(reader, key)?;
    Some(Located { value, span: fields.key_span(key).unwrap_or_default() })
}

/// An interval that must not be zero: a group would be due all the time.
fn positive(reader: &mut Reader, fields: &mut Fields<'_>, key: &'static str) -> Option<Duration> {
    let node = fields.get(key)?;
    let duration = reader.duration(node, &format!("`{key}`"))?;
    if duration.is_zero() {
        reader.wrong_value(node, &format!("`{key}`"), "must not be zero");
        return None;
    }
    Some(duration)
}

fn names(reader: &mut Reader, fields: &mut Fields<'_>, key: &'static str) -> Vec<Located<String>> {
    let what = format!("an item of `{key}`");
    let nodes = fields.list(reader, key).unwrap_or_default();
    let name = |node: &Node| {
        let value = reader.string(node, &what)?.to_string();
        Some(Located { value, span: node.span })
    };
    nodes.iter().filter_map(name).collect()
}

fn group_by(reader: &mut Reader, fields: &mut Fields<'_>) -> Option<GroupBy> {
    let nodes = fields.list(reader, "group_by")?;
    let mut names: Vec<&str> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let Some(name) = reader.string(node, "an item of `group_by`") else { continue };
        if name.is_empty() {
            reader.wrong_value(node, "`group_by`", "a label name is empty");
        } else if names.contains(&name) {
            reader.wrong_value(node, "`group_by`", format!("label {name:?} stands here twice"));
        } else {
            names.push(name);
        }
        if names.len() > 1 && names.contains(&ALL_LABELS) {
            reader.wrong_value(node, "`group_by`", "`...` means all labels and stands alone");
            names.retain(|name| *name == ALL_LABELS);
        }
    }
    Some(if names.contains(&ALL_LABELS) { GroupBy::All } else { GroupBy::labels(names) })
}
