//! Tests of the routing decision as a whole.

mod groups;
mod inhibit;
mod interval;
mod silences;
mod tree;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::diag::{Diagnostic, SourceFile};
use crate::model::{Alert, LabelSet, Monotonic, Now, Timestamp};
use crate::yaml::{self, Reader};

/// Reads a configuration's routing sections. The receivers are `a` to `e`.
pub(super) fn read(
    text: &str,
) -> (Option<RoutingTree>, Vec<InhibitRule>, TimeIntervals, Vec<Diagnostic>) {
    let source = Arc::new(SourceFile::new("watchbell.yml", text));
    let document = yaml::load(&source).unwrap_or_else(|e| panic!("{e:?}"));
    let mut reader = Reader::new(&document);
    let mut fields = reader.mapping(&document.root, "the configuration").unwrap();
    let intervals = read_time_intervals(
        &mut reader,
        fields.get("time_intervals"),
        fields.get("mute_time_intervals"),
    );
    let rules = fields
        .get("inhibit_rules")
        .map_or(Vec::new(), |node| read_inhibit_rules(&mut reader, node));
    let route = fields.get("route").and_then(|node| read_route(&mut reader, node));
    let receivers = BTreeSet::from(["a", "b", "c", "d", "e"]);
    let known = KnownNames { receivers: &receivers, intervals: &intervals };
    let tree = route.and_then(|route| RoutingTree::build(&route, known, &mut reader));
    fields.finish(&mut reader);
    (tree, rules, intervals, reader.into_diagnostics())
}

/// A configuration without mistakes.
fn good(text: &str) -> (RoutingTree, Vec<InhibitRule>, TimeIntervals) {
    let (tree, rules, intervals, findings) = read(text);
    assert!(
        findings.is_empty(),
        "{}",
        findings.iter().map(|f| format!("{f}\n")).collect::<String>()
    );
    (tree.unwrap(), rules, intervals)
}

fn tree(text: &str) -> RoutingTree {
    good(text).0
}

fn alert(labels: LabelSet, starts_at: i64, ends_at: Option<i64>) -> Alert {
    Alert {
        labels,
        annotations: LabelSet::new(),
        starts_at: Timestamp::from_secs(starts_at),
        ends_at: ends_at.map(Timestamp::from_secs),
        generator_url: "".into(),
        value: None,
    }
}

/// Wall clock and monotonic clock at second `secs` of a test. They differ by far.
fn at(secs: i64) -> Now {
    Now { wall: Timestamp::from_secs(secs), mono: Monotonic::from_millis(secs * 1000 - 7_000_000) }
}
