//! Rule policies that have no effect.

use crate::alerting::NoData;
use crate::config::Config;
use crate::diag::{Diagnostic, Severity};
use crate::promql::presence;
use crate::rule::{AlertingRule, Rule, RuleSet};

/// Policies that hold for no rule, and rules of which nobody can say when they have no data.
pub(super) fn findings(config: &Config, rules: &RuleSet) -> Vec<Diagnostic> {
    let all = rules.groups.iter().flat_map(|group| &group.rules);
    let all: Vec<(&Rule, &AlertingRule)> =
        all.filter_map(|rule| Some((rule, rule.as_alerting()?))).collect();
    let holds: Vec<Option<usize>> =
        all.iter().map(|(_, rule)| config.rule_policies.index_of(rule)).collect();
    let mut findings = Vec::new();
    for (index, policy) in config.rule_policies.0.iter().enumerate() {
        if holds.contains(&Some(index)) {
            continue;
        }
        let hidden = all.iter().any(|(_, rule)| config.rule_policies.matches(index, rule));
        let message = if hidden {
            "an earlier policy holds for every rule that this one matches"
        } else {
            "this policy matches no rule"
        };
        let (id, source) = ("config/no-effect", &config.source);
        let finding = Diagnostic::new(id, Severity::Warning, source, policy.span, message);
        findings.push(finding.help(if hidden {
            "move it before the others: the first that matches a rule holds for it"
        } else {
            "matchers see the labels as the rule file writes them, and alertname"
        }));
    }
    for (both, rule) in all {
        let no_data = config.rule_policies.of(rule).no_data;
        if no_data == NoData::Resolve {
            continue;
        }
        if let Err(undecided) = presence(&rule.expr, &rule.query) {
            let message = format!(
                "`no_data: {}` has no effect here: nobody can say when this expression lacks data",
                no_data.as_str()
            );
            let span = both.expr_span(undecided.span);
            let (id, source) = ("policy/undecided", &rule.source);
            let finding = Diagnostic::new(id, Severity::Warning, source, span, message);
            findings.push(finding.caret(undecided.reason).rule(&rule.name).help(
                "its alerts end when the expression no longer returns them, as in Prometheus",
            ));
        }
    }
    findings
}
