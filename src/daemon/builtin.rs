//! The alerts about the program itself: their task, and how they come over reload and restart.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::alerting::{
    BUILTIN_FILE, BuiltinAlert, Look, RuleAlerts, evaluate_builtin, is_builtin, remember_builtin,
};
use crate::daemon::group::{GroupView, Health, RuleView, Shared, firing, lock, moved_along};
use crate::daemon::restart::Leftover;
use crate::daemon::rules::{RuleManager, RuleSettings, Running, end, view};
use crate::daemon::schedule::Schedule;
use crate::engine::Observation;
use crate::model::{Monotonic, Now, RuleKey, Timestamp};
use crate::rule::RuleGroup;
use crate::telemetry::BuiltinLabels;

/// How often the conditions are looked at, and a datasource in trouble is asked whether it is
/// there; more often where rules are evaluated more often.
const INTERVAL: Duration = Duration::from_secs(15);
/// A question that any Prometheus answers at once.
const PROBE: &str = "1";

/// Whether a group is that of the built-in rules.
pub fn is_builtin_group(group: &RuleGroup) -> bool {
    group.file == BUILTIN_FILE
}

impl RuleManager {
    /// Puts the built-in rules of a configuration in place of the former ones, which hand over
    /// their alerts, or takes up what a former process left.
    pub(super) async fn apply_builtin(
        &mut self,
        shared: &Arc<Shared>,
        settings: &RuleSettings,
        leftover: Option<Leftover>,
    ) {
        let group = Arc::new(settings.builtin.clone());
        let fresh = [Arc::clone(&group)];
        let former = match self.builtin.take() {
            Some(running) => vec![end(running).await],
            None => Vec::new(),
        };
        let alerts = match leftover {
            // The datasource knows nothing of these alerts.
            Some(leftover) => {
                let alerts = self.restore(&fresh, settings, leftover, false).await;
                remember(settings, &group, &alerts, self.clock.now().mono);
                alerts
            }
            None => {
                let carried = self.carry(former, &fresh, settings).await.into_iter();
                carried.map(|(_, alerts)| alerts).collect()
            }
        };
        let names = group.rules.iter().filter_map(|rule| BuiltinAlert::from_name(rule.name()));
        let names: Vec<&'static str> = names.map(BuiltinAlert::as_str).collect();
        shared.metrics.set_builtin(&names);
        let interval = INTERVAL.min(settings.evaluation_interval);
        let rules = alerts.into_iter().map(|alerts| RuleView { alerts, ..RuleView::default() });
        let view = view(group, interval, rules.collect());
        let (stop, stopped) = watch::channel(false);
        let task = BuiltinTask {
            shared: Arc::clone(shared),
            view: Arc::clone(&view),
            stop: stopped,
            probe: None,
        };
        self.builtin = Some(Running { view, stop, task: tokio::spawn(task.run()) });
    }
}

/// What restored alerts say goes on until it is observed anew.
fn remember(settings: &RuleSettings, group: &RuleGroup, alerts: &[RuleAlerts], now: Monotonic) {
    settings.facts.with(|facts| {
        for (rule, alerts) in group.rules.iter().zip(alerts) {
            for (_, alert) in alerts.active() {
                remember_builtin(facts, rule.key(), alert, now);
            }
        }
    });
}

impl Leftover {
    /// The built-in alerts, and the others.
    pub(super) fn split(self) -> (Self, Self) {
        let (builtin, others) = self.alerts.into_iter().partition(|a| is_builtin(&a.rule));
        let with = |alerts| Self { alerts, last_alive: self.last_alive };
        (with(builtin), with(others))
    }
}

/// Evaluates the built-in rules on schedule.
struct BuiltinTask {
    shared: Arc<Shared>,
    view: Arc<Mutex<GroupView>>,
    stop: watch::Receiver<bool>,
    /// The question that is on the way to the datasource.
    probe: Option<JoinHandle<()>>,
}

impl BuiltinTask {
    async fn run(mut self) {
        let (group, interval) = {
            let view = lock(&self.view);
            (Arc::clone(&view.group), view.interval)
        };
        let clock = Arc::clone(&self.shared.clock);
        let mut before = clock.now().mono;
        let mut schedule = Schedule::new(&group.file, &group.name, interval, clock.now());
        loop {
            tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => break,
                () = clock.sleep_until(schedule.due()) => {}
            }
            let now = clock.now();
            let slot = schedule.take(now);
            for (index, rule) in group.rules.iter().enumerate() {
                if let Some(moved) = moved_along(&self.view, index, slot.jumped, slot.at) {
                    self.tell(rule.key(), rule.query(), moved).await;
                }
            }
            self.ask(now);
            self.round(&group, before, Now { wall: slot.at, mono: now.mono }).await;
            before = now.mono;
        }
        if let Some(probe) = self.probe {
            probe.abort();
        }
    }

    /// Asks the datasource whether it is there, where rules do not tell. The answer is noted by the
    /// querier.
    fn ask(&mut self, now: Now) {
        let is_asked = self.probe.as_ref().is_some_and(|probe| !probe.is_finished());
        if !is_asked && self.shared.facts.with(|facts| facts.wants_probe(now.mono)) {
            let querier = Arc::clone(&self.shared.evaluator.querier);
            self.probe = Some(tokio::spawn(async move {
                if let Err(error) = querier.instant(PROBE, now.wall).await {
                    tracing::debug!(%error, "the datasource does not answer");
                }
            }));
        }
    }

    async fn round(&self, group: &RuleGroup, before: Monotonic, now: Now) {
        let facts = self.shared.facts.with(|facts| facts.clone());
        let evaluator = &self.shared.evaluator;
        let look = Look {
            facts: &facts,
            before,
            now,
            external_labels: &evaluator.external_labels,
            external_url: &evaluator.external_url,
        };
        let mut news = Vec::new();
        for (index, rule) in group.rules.iter().enumerate() {
            if let Some(rule) = rule.as_alerting() {
                let observation = self.evaluate(rule, index, &look);
                let idle = observation.transitions.is_empty() && observation.firing.is_empty();
                if !idle {
                    news.push(self.tell(&rule.key, &rule.query, observation));
                }
            }
        }
        {
            let mut view = lock(&self.view);
            view.last_evaluation = Some(now.wall);
            view.evaluation_time = self.shared.clock.now().mono.since(now.mono);
        }
        // All at once: a store that hangs is waited for once.
        join_all(news).await;
    }

    fn evaluate(
        &self,
        rule: &crate::rule::AlertingRule,
        index: usize,
        look: &Look<'_>,
    ) -> Observation {
        let mut view = lock(&self.view);
        let Some(known) = view.rules.get_mut(index) else { return Observation::default() };
        let step = evaluate_builtin(rule, &mut known.alerts, look);
        set_health(known, &step.error.as_ref().map(ToString::to_string), look.now.wall);
        let labels = BuiltinAlert::from_name(&rule.name)
            .map(|alert| BuiltinLabels { alertname: alert.as_str() });
        if let Some(labels) = labels {
            let holds = i64::try_from(known.alerts.active().count()).unwrap_or(i64::MAX);
            self.shared.metrics.rules.builtin_conditions.get_or_create(&labels).set(holds);
        }
        Observation { transitions: step.transitions, firing: firing(&known.alerts) }
    }

    async fn tell(&self, rule: &RuleKey, query: &str, observation: Observation) {
        let url: Arc<str> = self.shared.evaluator.generator_url(query).into();
        if self.shared.dispatch.observe(rule, &url, observation).await.is_err() {
            tracing::debug!(%rule, "the dispatch loop has stopped");
        }
    }
}

fn set_health(view: &mut RuleView, error: &Option<String>, at: Timestamp) {
    view.health = if error.is_some() { Health::Err } else { Health::Ok };
    view.last_error = error.clone().unwrap_or_default();
    view.last_evaluation = Some(at);
}
