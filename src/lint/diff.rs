//! What a change touches: its rules, and those that depend on them.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::diag::{Diagnostic, Span};
use crate::lint::{Project, RuleFile};
use crate::rule::{Rule, RuleGroup};

/// Keeps the findings that a change from `base` touches: those in rules that are new or changed, in
/// rules that use what such a rule records (or one that is gone recorded), and those of no rule in
/// files that changed.
pub fn only_changed(project: &Project, base: &[RuleFile], findings: &mut Vec<Diagnostic>) {
    let before: HashSet<String> = all(base).map(|(group, rule)| identity(group, rule)).collect();
    let after: HashSet<String> = project.rules().map(|(g, r)| identity(g, r)).collect();
    let changed = |group: &RuleGroup, rule: &Rule| !before.contains(&identity(group, rule));
    let mut names: BTreeSet<String> = BTreeSet::new();
    let gone = all(base).filter(|(group, rule)| !after.contains(&identity(group, rule)));
    let new = project.rules().filter(|(group, rule)| changed(group, rule));
    for (_, rule) in gone.chain(new) {
        names.extend(rule.as_recording().map(|rule| rule.name.clone()));
    }
    depend(project, &mut names);
    let touched: Vec<(&Rule, Span)> = project
        .rules()
        .filter(|(group, rule)| changed(group, rule) || uses(rule, &names))
        .map(|(_, rule)| (rule, rule.places().rule))
        .collect();
    let same_text = |finding: &Diagnostic| {
        base.iter().any(|file| {
            let (a, b) = (&file.source, &finding.source);
            a.path() == b.path() && a.text() == b.text()
        })
    };
    findings.retain(|finding| {
        let in_rule = |(rule, span): &(&Rule, Span)| {
            let at = finding.span.start;
            Arc::ptr_eq(rule.source(), &finding.source) && span.start <= at && at < span.end
        };
        touched.iter().any(in_rule) || (finding.rule.is_none() && !same_text(finding))
    });
}

fn all(files: &[RuleFile]) -> impl Iterator<Item = (&RuleGroup, &Rule)> {
    let groups = files.iter().flat_map(|file| &file.groups);
    groups.flat_map(|group| group.rules.iter().map(move |rule| (group, rule)))
}

/// Adds the names of the recording rules that use one of these, and so on.
fn depend(project: &Project, names: &mut BTreeSet<String>) {
    loop {
        let recording = project.rules().filter_map(|(_, rule)| Some((rule, rule.as_recording()?)));
        let more: Vec<String> = recording
            .filter(|(rule, recording)| !names.contains(&recording.name) && uses(rule, names))
            .map(|(_, recording)| recording.name.clone())
            .collect();
        if more.is_empty() {
            return;
        }
        names.extend(more);
    }
}

fn uses(rule: &Rule, names: &BTreeSet<String>) -> bool {
    let mut selectors = rule.expr().selectors();
    selectors.any(|selector| selector.metric_name().is_some_and(|name| names.contains(name)))
}

/// Everything that a rule does, wherever it stands in its group.
fn identity(group: &RuleGroup, rule: &Rule) -> String {
    let places = rule.places();
    let fields = places.labels.iter().chain(&places.annotations);
    let fields: Vec<(&str, &str)> = fields.map(|f| (f.name.text(), f.text())).collect();
    let times = rule.as_alerting().map(|alert| (alert.for_duration, alert.keep_firing_for));
    format!(
        "{:?}",
        (
            &group.file,
            &group.name,
            group.interval,
            group.query_offset,
            rule.name(),
            rule.query(),
            times,
            fields
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::file;
    use crate::lint::{Settings, lint};

    /// The rules that are still reported when the first became the second.
    fn reported(before: &[&str], after: &[&str]) -> Vec<String> {
        let project = Project::new(vec![file(after)], Settings::default());
        let mut findings = lint(&project, 1);
        only_changed(&project, &[file(before)], &mut findings);
        let mut rules: Vec<String> = findings.into_iter().filter_map(|f| f.rule).collect();
        rules.dedup();
        rules
    }

    #[test]
    fn only_what_changed_and_what_depends_on_it_is_reported() {
        let (a, b) = ("alert: A\nexpr: x_total > 5", "alert: B\nexpr: y_total > 5");
        let nothing: [&str; 0] = [];
        assert_eq!(reported(&[a, b], &[a, b]), nothing);
        assert_eq!(reported(&[a], &[a, b]), ["B"]);
        assert_eq!(reported(&[b, a], &[a, b]), nothing, "moved");
        assert_eq!(reported(&[a, b], &[a, "alert: B\nexpr: y_total > 6"]), ["B"]);
        assert_eq!(reported(&[a], &["alert: A\nexpr: x_total > 5\nfor: 1m"]), ["A"]);
        let uses = "alert: C\nexpr: job:x:sum > 5";
        let via = "record: job:y:sum\nexpr: job:x:sum";
        let end = "alert: D\nexpr: job:y:sum > 5";
        let record = "record: job:x:sum\nexpr: sum by (job) (x)";
        let other = "record: job:x:sum\nexpr: sum by (job) (z)";
        assert_eq!(reported(&[record, uses, a], &[other, uses, a]), ["C"]);
        assert_eq!(reported(&[record, via, end], &[other, via, end]), ["D"]);
        assert_eq!(reported(&[record, uses], &[uses]), ["C"], "what it used is gone");
    }
}
