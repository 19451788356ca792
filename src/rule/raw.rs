//! The keys of a rule file and their types, before anything is known about their meaning.

use std::time::Duration;

use crate::diag::Span;
use crate::yaml::{Document, Fields, Node, Reader, Scalar};

/// Names and texts in the order of the file.
pub(super) type Texts<'n> = Vec<(&'n Scalar, &'n Scalar)>;

/// A group as it is written. What is absent or mistaken is `None`; a mistake has been noted.
pub(super) struct RawGroup<'n> {
    pub(super) span: Span,
    pub(super) name: Option<&'n Scalar>,
    pub(super) interval: Option<Duration>,
    pub(super) query_offset: Option<Duration>,
    pub(super) limit: Option<i64>,
    pub(super) labels: Texts<'n>,
    pub(super) rules: Vec<RawRule<'n>>,
}

/// A rule as it is written.
pub(super) struct RawRule<'n> {
    pub(super) span: Span,
    pub(super) record: Option<&'n Scalar>,
    pub(super) alert: Option<&'n Scalar>,
    pub(super) expr: Option<&'n Scalar>,
    pub(super) for_duration: Option<RawDuration>,
    pub(super) keep_firing_for: Option<RawDuration>,
    pub(super) labels: Texts<'n>,
    pub(super) annotations: Texts<'n>,
    /// The place of the key `annotations`.
    pub(super) annotations_key: Option<Span>,
}

/// A duration with the places of its key and value.
#[derive(Clone, Copy)]
pub(super) struct RawDuration {
    pub(super) key: Span,
    pub(super) span: Span,
    pub(super) value: Duration,
}

/// The groups of a file. A file that is empty has none, as in Prometheus.
pub(super) fn groups<'n>(document: &'n Document, reader: &mut Reader) -> &'n [Node] {
    if document.root.is_null() {
        return &[];
    }
    let Some(mut fields) = reader.mapping(&document.root, "the rule file") else { return &[] };
    let groups = fields.list(reader, "groups").unwrap_or_default();
    fields.finish(reader);
    groups
}

/// Reads a group.
pub(super) fn group<'n>(node: &'n Node, reader: &mut Reader) -> Option<RawGroup<'n>> {
    reader.set_rule(None);
    if reader.is_empty_item(node, "the group") {
        return None;
    }
    let mut fields = reader.mapping(node, "the group")?;
    let name = required(&mut fields, reader, "name");
    let group = RawGroup {
        span: fields.span(),
        name,
        interval: fields.duration(reader, "interval"),
        query_offset: fields.duration(reader, "query_offset"),
        limit: fields.integer(reader, "limit"),
        labels: texts(&mut fields, reader, "labels"),
        rules: Vec::new(),
    };
    let rules = fields.list(reader, "rules").unwrap_or_default();
    fields.finish(reader);
    let mut read = Vec::with_capacity(rules.len());
    read.extend(rules.iter().filter_map(|node| rule(node, reader)));
    reader.set_rule(None);
    Some(RawGroup { rules: read, ..group })
}

fn rule<'n>(node: &'n Node, reader: &mut Reader) -> Option<RawRule<'n>> {
    let name = ["alert", "record"].into_iter().find_map(|key| node.get(key)?.as_scalar());
    reader.set_rule(name.map(|name| name.text().to_string()));
    if reader.is_empty_item(node, "the rule") {
        return None;
    }
    let mut fields = reader.mapping(node, "the rule")?;
    let rule = RawRule {
        span: fields.span(),
        record: fields.scalar(reader, "record"),
        alert: fields.scalar(reader, "alert"),
        expr: required(&mut fields, reader, "expr"),
        for_duration: duration(&mut fields, reader, "for"),
        keep_firing_for: duration(&mut fields, reader, "keep_firing_for"),
        labels: texts(&mut fields, reader, "labels"),
        annotations: texts(&mut fields, reader, "annotations"),
        annotations_key: fields.key_span("annotations"),
    };
    fields.finish(reader);
    Some(rule)
}

/// A scalar that must be there and not empty.
fn required<'n>(
    fields: &mut Fields<'n>,
    reader: &mut Reader,
    key: &'static str,
) -> Option<&'n Scalar> {
    let node = fields.require(reader, key)?;
    let scalar = reader.scalar(node, &format_args!("`{key}`"))?;
    if scalar.text().is_empty() {
        reader.wrong_value(node, &format_args!("`{key}`"), "must not be empty");
        return None;
    }
    Some(scalar)
}

fn duration(
    fields: &mut Fields<'_>,
    reader: &mut Reader,
    key: &'static str,
) -> Option<RawDuration> {
    let node = fields.get(key)?;
    let value = reader.duration(node, &format_args!("`{key}`"))?;
    let key = fields.key_span(key).unwrap_or(node.span);
    Some(RawDuration { key, span: node.span, value })
}

fn texts<'n>(fields: &mut Fields<'n>, reader: &mut Reader, key: &'static str) -> Texts<'n> {
    let pairs = fields.string_map(reader, key).unwrap_or_default();
    pairs.into_iter().filter_map(|(key, node)| Some((key, node.as_scalar()?))).collect()
}
