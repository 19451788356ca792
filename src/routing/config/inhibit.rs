//! `inhibit_rules`.

use super::matchers::{MatcherKeys, read_matchers};
use crate::routing::InhibitRule;
use crate::yaml::{Node, Reader};

const SOURCE: MatcherKeys =
    MatcherKeys { matchers: "source_matchers", equal: "source_match", regex: "source_match_re" };

const TARGET: MatcherKeys =
    MatcherKeys { matchers: "target_matchers", equal: "target_match", regex: "target_match_re" };

/// Reads the inhibit rules.
pub fn read_inhibit_rules(reader: &mut Reader, node: &Node) -> Vec<InhibitRule> {
    let nodes = reader.list(node, "`inhibit_rules`").unwrap_or_default();
    nodes.iter().filter_map(|node| read_rule(reader, node)).collect()
}

fn read_rule(reader: &mut Reader, node: &Node) -> Option<InhibitRule> {
    let mut fields = reader.mapping(node, "an inhibit rule")?;
    let name = fields.string(reader, "name").unwrap_or_default().to_string();
    let (source, _) = read_matchers(reader, &mut fields, &SOURCE);
    let (target, _) = read_matchers(reader, &mut fields, &TARGET);
    let mut equal: Vec<String> = Vec::new();
    for node in fields.list(reader, "equal").unwrap_or_default() {
        match reader.string(node, "an item of `equal`") {
            Some("") => reader.wrong_value(node, "`equal`", "a label name is empty"),
            Some(label) if !equal.iter().any(|e| e == label) => equal.push(label.to_string()),
            _ => {}
        }
    }
    fields.finish(reader);
    Some(InhibitRule { name, source, target, equal })
}
