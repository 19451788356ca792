//! What rules write: recorded series, `ALERTS` and `ALERTS_FOR_STATE`, with the markers of their
//! ends. As Prometheus' group does it after every rule.

use std::collections::HashMap;

use crate::alerting::RuleAlerts;
use crate::model::label::METRIC_NAME;
use crate::model::{LabelSet, Timestamp};
use crate::promql::series::{SampleValue, SeriesId, SeriesStore, stale_marker};
use crate::promql::{Expr, VectorSelector};
use crate::rule::{AlertingRule, Rule, RuleGroup};
use crate::ruletest::unit::Case;

/// The series that one rule wrote at its last evaluation.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    written: HashMap<LabelSet, SeriesId>,
}

impl Recorder {
    /// Whether nothing was written last, so that nothing has to be ended.
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// Appends samples, and ends the series that the rule no longer gives. A sample that the
    /// series cannot take is left out, as Prometheus does with a line in its log.
    pub(super) fn write(
        &mut self,
        store: &mut SeriesStore,
        samples: Vec<(LabelSet, SampleValue)>,
        at: Timestamp,
    ) {
        let mut before = std::mem::take(&mut self.written);
        for (labels, value) in samples {
            let id = before.remove(&labels).unwrap_or_else(|| store.series(&labels));
            if store.append_to(id, at, value, None).is_ok() {
                self.written.insert(labels, id);
            }
        }
        for id in before.into_values() {
            // A series that another rule went on with has a sample at this time already.
            let _ = store.append_to(id, at, SampleValue::Float(stale_marker()), None);
        }
    }
}

/// The series of every alert.
const OF_ALERTS: [&str; 2] = ["ALERTS", "ALERTS_FOR_STATE"];

/// Whether anything in a test may look at the series of alerts, or feeds such itself. A query of a
/// template is not looked at closely.
pub(super) fn are_alerts_read(groups: &[&RuleGroup], case: &Case) -> bool {
    let reads = |expr: &Expr| {
        let mut names = expr.selectors().map(VectorSelector::metric_name);
        names.any(|name| name.is_none_or(|name| OF_ALERTS.contains(&name)))
    };
    let asks = |rule: &Rule| {
        let templates = rule.as_alerting().into_iter().flat_map(AlertingRule::templates);
        templates.map(|(_, template)| template.text()).any(|text| text.contains("query"))
    };
    let mut rules = groups.iter().flat_map(|group| &group.rules);
    let mut fed = case.input_series.iter().map(|series| series.labels.value(METRIC_NAME));
    rules.any(|rule| reads(rule.expr()) || asks(rule))
        || case.exprs.iter().any(|test| reads(&test.expr))
        || fed.any(|name| OF_ALERTS.contains(&name))
}

/// `ALERTS` and `ALERTS_FOR_STATE` of the alerts that are pending or fire.
pub(super) fn alert_series(alerts: &RuleAlerts) -> Vec<(LabelSet, SampleValue)> {
    let mut samples = Vec::new();
    for (_, alert) in alerts.active() {
        let mut labels = alert.labels.to_builder();
        labels.set(METRIC_NAME, OF_ALERTS[0]).set("alertstate", alert.state.as_str());
        samples.push((labels.build(), SampleValue::Float(1.0)));
        let mut labels = alert.labels.to_builder();
        labels.set(METRIC_NAME, OF_ALERTS[1]);
        // Prometheus counts in whole seconds.
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit for ages")]
        let since = alert.active_at.millis().div_euclid(1000) as f64;
        samples.push((labels.build(), SampleValue::Float(since)));
    }
    samples
}
