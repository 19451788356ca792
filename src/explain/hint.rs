//! Nothing matches: what may have been meant.

use std::collections::BTreeSet;

use crate::diag::nearest;
use crate::model::label::{ALERT_NAME, Quoted};
use crate::model::{LabelSet, MatchOp, Matcher, Matchers};

/// How many values are named.
const SHOWN: usize = 8;

/// Says what is near to matchers that match nothing. `nearby` are the labels of known alerts,
/// `rules` the names of the alerting rules that are loaded, where they are known.
pub fn hint(matchers: &Matchers, nearby: &[LabelSet], rules: &[String]) -> String {
    let exact = |m: &&Matcher| m.op() == MatchOp::Equal && !m.value().is_empty();
    let exact: Vec<&Matcher> = matchers.0.iter().filter(exact).collect();
    for matcher in &exact {
        let known = nearby.iter().any(|labels| matcher.matches(labels));
        if matcher.name() == ALERT_NAME && !known && rules.iter().any(|r| r == matcher.value()) {
            let name = matcher.value();
            return format!(
                "the rule {name} is loaded, and has returned nothing as far as history goes back: \
                 `watchbell eval --rule {name}` shows what it returns now"
            );
        }
    }
    if nearby.is_empty() {
        return "the store knows of no alert yet: `watchbell eval` shows what the rules return now"
            .to_string();
    }
    let unknown = exact.iter().find(|m| !nearby.iter().any(|labels| m.matches(labels)));
    match unknown {
        Some(matcher) => unknown_label(matcher, nearby, rules),
        None => "each of these labels is known, but no alert matches them all".to_string(),
    }
}

fn unknown_label(matcher: &Matcher, nearby: &[LabelSet], rules: &[String]) -> String {
    let (name, value) = (matcher.name(), matcher.value());
    let mut values: BTreeSet<&str> = nearby.iter().filter_map(|labels| labels.get(name)).collect();
    if values.is_empty() {
        let names: BTreeSet<&str> =
            nearby.iter().flat_map(LabelSet::iter).map(|(name, _)| name).collect();
        return match nearest(name, names.iter().copied()) {
            Some(near) => format!("no alert has a label {name}, did you mean {near}?"),
            None => format!("no alert has a label {name}, there are {}", list(names.into_iter())),
        };
    }
    if name == ALERT_NAME {
        values.extend(rules.iter().map(String::as_str));
    }
    let no = format!("no alert has {name}={}", Quoted(value));
    match nearest(value, values.iter().copied()) {
        Some(near) => format!("{no}, did you mean {}?", Quoted(near)),
        None => format!("{no}, there are {}", list(values.into_iter())),
    }
}

fn list<'a>(values: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = values.len().saturating_sub(SHOWN);
    let mut shown: Vec<String> = values.take(SHOWN).map(|v| Quoted(v).to_string()).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::parse_matchers;

    #[test]
    fn a_slip_is_named() {
        let labels = |node: &str| {
            LabelSet::from([("alertname", "NodeDown"), ("node", node), ("severity", "critical")])
        };
        let nearby = [labels("a"), labels("node-17")];
        let rules = ["NodeDown".to_string(), "DiskFull".to_string()];
        for (matchers, expected) in [
            (
                "alertname=DiskFull",
                "the rule DiskFull is loaded, and has returned nothing as far as history goes \
                 back: `watchbell eval --rule DiskFull` shows what it returns now",
            ),
            (
                "alertname=NodeDwon",
                "no alert has alertname=\"NodeDwon\", did you mean \"NodeDown\"?",
            ),
            ("alertname=DiskFul", "no alert has alertname=\"DiskFul\", did you mean \"DiskFull\"?"),
            ("node=node-71", "no alert has node=\"node-71\", did you mean \"node-17\"?"),
            ("node=xyz", "no alert has node=\"xyz\", there are \"a\", \"node-17\""),
            ("severty=critical", "no alert has a label severty, did you mean severity?"),
            ("pod=x", "no alert has a label pod, there are \"alertname\", \"node\", \"severity\""),
            (
                "node=a, severity!=critical",
                "each of these labels is known, but no alert matches them all",
            ),
        ] {
            let matchers = parse_matchers(matchers).unwrap();
            assert_eq!(hint(&matchers, &nearby, &rules), expected);
        }
        let none = parse_matchers("node=a").unwrap();
        assert!(hint(&none, &[], &[]).contains("knows of no alert yet"));
    }
}
