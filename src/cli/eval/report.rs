//! What an evaluation means: for each alert, who would be told and why someone would not.

use serde_json::{Value, json};

use crate::alerting::{AlertInstance, AlertState, RuleAlerts};
use crate::cli::eval::policy::Found;
use crate::cli::output::value;
use crate::cli::route::held_back_json;
use crate::config::Config;
use crate::daemon::routing_setup;
use crate::engine::RoutingSetup;
use crate::model::{Alert, Fingerprint, LabelSet, Timestamp};
use crate::routing::{Inhibitor, MuteReason, mute_reason};
use crate::rule::AlertingRule;

/// What came of one rule.
pub(super) struct Evaluated<'a> {
    pub(super) rule: &'a AlertingRule,
    pub(super) alerts: RuleAlerts,
    pub(super) error: Option<String>,
    pub(super) warnings: Vec<String>,
    /// The policy that holds for it.
    pub(super) policy: Option<Found>,
}

/// What came of all rules.
pub(super) struct Report<'a> {
    pub(super) at: Timestamp,
    pub(super) rules: usize,
    pub(super) failed: usize,
    /// The alerts that are pending or fire, firing ones first, then in the order of the rules.
    pub(super) alerts: Vec<Active<'a>>,
    /// Rules with an error or warnings.
    pub(super) problems: Vec<Problem<'a>>,
    /// Rules for which a policy holds.
    pub(super) policies: Vec<(&'a AlertingRule, Found)>,
    /// Whether there are routes at all.
    pub(super) routed: bool,
}

/// An alert that is pending or fires.
pub(super) struct Active<'a> {
    pub(super) rule: &'a AlertingRule,
    pub(super) alert: AlertInstance,
    /// Its labels as they are routed, external ones included.
    pub(super) labels: LabelSet,
    pub(super) ways: Vec<Way>,
}

/// A route at which an alert ends.
pub(super) struct Way {
    pub(super) receiver: String,
    pub(super) integrations: Vec<String>,
    pub(super) group_key: String,
    pub(super) held_back: Option<HeldBack>,
}

/// Why nobody is told.
pub(super) enum HeldBack {
    /// By a firing alert, through a rule with this name or number.
    Inhibited {
        rule: String,
        source: LabelSet,
    },
    Muted(MuteReason),
}

/// A rule that could not be evaluated, or only with warnings.
pub(super) struct Problem<'a> {
    pub(super) rule: &'a AlertingRule,
    pub(super) error: Option<String>,
    pub(super) warnings: Vec<String>,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        evaluated: Vec<Evaluated<'a>>,
        config: Option<&Config>,
        at: Timestamp,
    ) -> Self {
        let setup = config.map(routing_setup);
        let mut report = Self {
            at,
            rules: evaluated.len(),
            failed: evaluated.iter().filter(|done| done.error.is_some()).count(),
            alerts: Vec::new(),
            problems: Vec::new(),
            policies: Vec::new(),
            routed: setup.is_some(),
        };
        for done in evaluated {
            for (_, alert) in done.alerts.active() {
                let labels = setup
                    .as_ref()
                    .map_or_else(|| alert.labels.clone(), |s| s.routed_labels(&alert.labels));
                let alert = alert.clone();
                report.alerts.push(Active { rule: done.rule, alert, labels, ways: Vec::new() });
            }
            if let Some(policy) = done.policy {
                report.policies.push((done.rule, policy));
            }
            if done.error.is_some() || !done.warnings.is_empty() {
                let Evaluated { rule, error, warnings, .. } = done;
                report.problems.push(Problem { rule, error, warnings });
            }
        }
        report.alerts.sort_by_key(|active| active.alert.state != AlertState::Firing);
        if let Some(setup) = setup {
            report.route(&setup);
        }
        report
    }

    /// Finds the ways of all alerts. Only firing alerts hold others back, as in the daemon.
    fn route(&mut self, setup: &RoutingSetup) {
        let mut inhibitor = Inhibitor::new(setup.inhibit_rules.clone());
        let mut sources = std::collections::HashMap::new();
        for active in self.alerts.iter().filter(|a| a.alert.state == AlertState::Firing) {
            inhibitor.set(&active.as_alert());
            sources.insert(active.labels.fingerprint(), active.labels.clone());
        }
        for active in &mut self.alerts {
            active.ways = ways(&active.labels, setup, &inhibitor, &sources, self.at);
        }
    }

    pub(super) fn count(&self, state: AlertState) -> usize {
        self.alerts.iter().filter(|active| active.alert.state == state).count()
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "time": self.at.rfc3339(),
            "rules": self.rules,
            "failed_rules": self.failed,
            "alerts": self.alerts.iter().map(Active::json).collect::<Vec<_>>(),
            "policies": self.policies.iter().map(policy_json).collect::<Vec<_>>(),
            "problems": self.problems.iter().map(Problem::json).collect::<Vec<_>>(),
        })
    }
}

fn ways(
    labels: &LabelSet,
    setup: &RoutingSetup,
    inhibitor: &Inhibitor,
    sources: &std::collections::HashMap<Fingerprint, LabelSet>,
    at: Timestamp,
) -> Vec<Way> {
    let inhibited = inhibitor.inhibited_by(labels);
    let routes = setup.tree.matches(labels).into_iter().filter_map(|id| setup.tree.get(id));
    let way = |route: &crate::routing::Route| {
        let integrations = setup.receivers.get(&route.receiver).map_or(&[][..], Vec::as_slice);
        let held_back = match &inhibited {
            Some(by) => Some(HeldBack::Inhibited {
                rule: if by.name.is_empty() {
                    format!("#{}", by.rule + 1)
                } else {
                    by.name.clone()
                },
                source: sources.get(&by.source).cloned().unwrap_or_default(),
            }),
            None => mute_reason(route, &setup.intervals, at).map(HeldBack::Muted),
        };
        Way {
            receiver: route.receiver.clone(),
            integrations: integrations
                .iter()
                .map(|(id, _)| format!("{}[{}]", id.kind, id.index))
                .collect(),
            group_key: route.group_of(labels).0.to_string(),
            held_back,
        }
    };
    routes.map(way).collect()
}

impl Active<'_> {
    fn as_alert(&self) -> Alert {
        Alert {
            labels: self.labels.clone(),
            annotations: self.alert.annotations.clone(),
            starts_at: self.alert.active_at,
            ends_at: None,
            generator_url: "".into(),
            value: Some(self.alert.value),
        }
    }

    fn json(&self) -> Value {
        json!({
            "state": self.alert.state,
            "name": self.rule.name,
            "rule": place(self.rule),
            "for_seconds": self.rule.for_duration.as_secs_f64(),
            // JSON has no NaN and no infinity; Prometheus writes all values as text.
            "value": value(self.alert.value),
            "labels": self.labels,
            "annotations": self.alert.annotations,
            "routes": self.ways.iter().map(Way::json).collect::<Vec<_>>(),
        })
    }
}

impl Way {
    fn json(&self) -> Value {
        let held_back = self.held_back.as_ref().map(|reason| match reason {
            HeldBack::Inhibited { rule, source } => {
                json!({"reason": "inhibited", "rule": rule, "by": source})
            }
            HeldBack::Muted(reason) => held_back_json(reason),
        });
        json!({
            "receiver": self.receiver,
            "integrations": self.integrations,
            "group_key": self.group_key,
            "held_back": held_back,
        })
    }
}

impl Problem<'_> {
    fn json(&self) -> Value {
        json!({
            "name": self.rule.name,
            "rule": place(self.rule),
            "error": self.error,
            "warnings": self.warnings,
        })
    }
}

fn policy_json((rule, policy): &(&AlertingRule, Found)) -> Value {
    json!({"name": rule.name, "rule": place(rule), "policy": policy.json()})
}

fn place(rule: &AlertingRule) -> Value {
    json!({"file": rule.key.file, "group": rule.key.group, "line": rule.line})
}
