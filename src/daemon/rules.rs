//! The running groups: start, reload, stop.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::alerting::{
    AlertState, Facts, RuleAlerts, RuleIdentity, RulePolicies, Step, carry_over,
};
use crate::clock::Clock;
use crate::daemon::builtin::is_builtin_group;
use crate::daemon::group::{GroupTask, GroupView, RuleView, Shared, lock};
use crate::daemon::restart::Leftover;
use crate::engine::{Away, DispatchHandle, Evaluator, Observation, SharedFacts};
use crate::model::{LabelSet, RuleKey};
use crate::rule::{Rule, RuleGroup};
use crate::telemetry::{GroupLabels, Metrics};

/// The groups as others see them.
#[derive(Clone, Default)]
pub struct RuleBoard(Arc<RwLock<Vec<Arc<Mutex<GroupView>>>>>);

impl RuleBoard {
    /// A copy of every group's present state, by file and name, the built-in one last.
    pub fn groups(&self) -> Vec<GroupView> {
        let groups = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut views: Vec<GroupView> = groups.iter().map(|view| lock(view).clone()).collect();
        views.sort_by(|a, b| order(&a.group).cmp(&order(&b.group)));
        views
    }

    /// How many alerts are pending.
    pub fn pending(&self) -> usize {
        let groups = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let of_group = |view: &Arc<Mutex<GroupView>>| -> usize {
            lock(view).rules.iter().map(|rule| rule.alerts.count(AlertState::Pending)).sum()
        };
        groups.iter().map(of_group).sum()
    }

    fn set(&self, groups: Vec<Arc<Mutex<GroupView>>>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = groups;
    }
}

fn order(group: &RuleGroup) -> (bool, &str, &str) {
    (is_builtin_group(group), &group.file, &group.name)
}

/// What all groups have in common.
#[derive(Clone)]
pub struct RuleSettings {
    /// Evaluates the rules.
    pub evaluator: Evaluator,
    /// The interval of groups that name none.
    pub evaluation_interval: Duration,
    /// The query offset of groups that name none.
    pub query_offset: Duration,
    /// What the evaluator was made of, in text: when it changes, every group starts anew.
    pub fingerprint: String,
    /// The built-in rules that are on.
    pub builtin: RuleGroup,
    /// What rules do without data or evaluation.
    pub policies: RulePolicies,
    /// What is observed of the program itself, from start to stop.
    pub facts: SharedFacts,
}

/// What a rule takes over: its alerts, and whether the datasource was away.
type RuleState = (Option<Away>, RuleAlerts);

impl RuleSettings {
    /// Notes the rules of these groups whose policy asks for an alert.
    fn watch(&self, groups: impl Iterator<Item = Arc<RuleGroup>>) {
        let groups: Vec<Arc<RuleGroup>> = groups.collect();
        let rules = groups.iter().flat_map(|group| &group.rules).filter_map(Rule::as_alerting);
        let watched = rules.filter(|rule| self.policies.of(rule).alerts());
        self.facts.with(|facts| facts.watch_rules(watched));
    }
}

pub(super) struct Running {
    pub(super) view: Arc<Mutex<GroupView>>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) task: JoinHandle<()>,
}

/// Starts, replaces and stops the tasks of rule groups.
pub struct RuleManager {
    dispatch: DispatchHandle,
    pub(super) clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    board: RuleBoard,
    running: Vec<Running>,
    pub(super) builtin: Option<Running>,
    fingerprint: String,
}

impl RuleManager {
    /// A manager without groups.
    pub fn new(dispatch: DispatchHandle, clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Self {
        Self {
            dispatch,
            clock,
            metrics,
            board: RuleBoard::default(),
            running: Vec::new(),
            builtin: None,
            fingerprint: String::new(),
        }
    }

    /// The groups as others see them.
    pub fn board(&self) -> RuleBoard {
        self.board.clone()
    }

    /// Puts a set of groups in place. An equal group is left alone; the others take over the
    /// alerts of their former rules, or what a former process left. The alerts of rules that are
    /// gone are resolved.
    pub async fn apply(
        &mut self,
        groups: Vec<Arc<RuleGroup>>,
        settings: &RuleSettings,
        leftover: Option<Leftover>,
    ) {
        let (kept, old, fresh) = self.keep_equal(groups, settings).await;
        let (builtin, leftover) = leftover.map(Leftover::split).unzip();
        let states = match leftover {
            Some(leftover) => {
                // The datasource may have been away together with this program.
                let last_alive = Some(leftover.last_alive);
                let restored = self.restore(&fresh, settings, leftover, true).await.into_iter();
                restored.map(|alerts| (Some(Away::since(last_alive, &alerts)), alerts)).collect()
            }
            None => self.carry(old, &fresh, settings).await,
        };
        let shared = Arc::new(Shared {
            evaluator: settings.evaluator.clone(),
            dispatch: self.dispatch.clone(),
            clock: Arc::clone(&self.clock),
            metrics: Arc::clone(&self.metrics),
            facts: settings.facts.clone(),
        });
        settings.watch(
            kept.iter()
                .map(|running| Arc::clone(&lock(&running.view).group))
                .chain(fresh.iter().map(Arc::clone)),
        );
        self.running = kept;
        let mut states = states.into_iter();
        for group in fresh {
            let states: Vec<RuleState> = states.by_ref().take(group.rules.len()).collect();
            self.running.push(start(&shared, group, states, settings));
        }
        if !self.fingerprint.is_empty() && self.fingerprint != settings.fingerprint {
            settings.facts.with(Facts::datasource_changed);
        }
        self.fingerprint.clone_from(&settings.fingerprint);
        self.apply_builtin(&shared, settings, builtin).await;
        let running = self.running.iter().chain(&self.builtin);
        self.board.set(running.map(|running| Arc::clone(&running.view)).collect());
        let label = |running: &Running| {
            let view = lock(&running.view);
            (GroupLabels::new(format!("{};{}", view.group.file, view.group.name)), view.interval)
        };
        self.metrics.set_groups(&self.running.iter().map(label).collect::<Vec<_>>());
    }

    /// Stops every group after the round that it is in.
    pub async fn stop(&mut self) {
        for running in std::mem::take(&mut self.running).into_iter().chain(self.builtin.take()) {
            end(running).await;
        }
    }

    /// Splits the new groups into those that run already and those that have to be started, and
    /// stops what is no longer wanted. Gives the kept tasks with the stopped groups' last state.
    async fn keep_equal(
        &mut self,
        groups: Vec<Arc<RuleGroup>>,
        settings: &RuleSettings,
    ) -> (Vec<Running>, Vec<GroupView>, Vec<Arc<RuleGroup>>) {
        let same_settings = self.fingerprint == settings.fingerprint;
        let mut former = std::mem::take(&mut self.running);
        let (mut kept, mut fresh) = (Vec::new(), Vec::new());
        for group in groups {
            let interval = group.interval.unwrap_or(settings.evaluation_interval);
            let equal = |running: &Running| {
                let view = lock(&running.view);
                same_settings && view.group == group && view.interval == interval
            };
            match former.iter().position(equal) {
                Some(index) => kept.push(former.swap_remove(index)),
                None => fresh.push(group),
            }
        }
        // All are told before any is waited for.
        for running in &former {
            running.stop.send_replace(true);
        }
        let mut stopped = Vec::new();
        for running in former {
            stopped.push(end(running).await);
        }
        (kept, stopped, fresh)
    }

    /// Hands the alerts of stopped groups to the new ones.
    pub(super) async fn carry(
        &self,
        old: Vec<GroupView>,
        fresh: &[Arc<RuleGroup>],
        settings: &RuleSettings,
    ) -> Vec<RuleState> {
        let mut queries: HashMap<RuleKey, String> = HashMap::new();
        let mut away: HashMap<RuleKey, Away> = HashMap::new();
        let mut former = Vec::new();
        for view in old {
            for (rule, state) in view.group.rules.iter().zip(view.rules) {
                queries.insert(rule.key().clone(), rule.query().to_string());
                away.extend(state.away.map(|away| (rule.key().clone(), away)));
                former.push((identity(rule), state.alerts));
            }
        }
        let new: Vec<RuleIdentity> =
            fresh.iter().flat_map(|group| &group.rules).map(identity).collect();
        let carried = carry_over(former, &new, self.clock.now().wall);
        for removed in carried.removed {
            let query = queries.get(&removed.key).map_or("", String::as_str);
            self.tell(&removed.key, query, removed.step, settings).await;
        }
        let from: HashMap<RuleKey, RuleKey> =
            carried.moved.iter().map(|(old, new)| (new.clone(), old.clone())).collect();
        if !carried.moved.is_empty() && self.dispatch.rules_moved(carried.moved).await.is_err() {
            tracing::debug!("the dispatch loop has stopped");
        }
        // What is in doubt stays in doubt.
        let doubt = |rule: &RuleIdentity| away.get(from.get(&rule.key).unwrap_or(&rule.key));
        new.iter().map(|rule| doubt(rule).cloned()).zip(carried.alerts).collect()
    }

    pub(super) async fn tell(
        &self,
        rule: &RuleKey,
        query: &str,
        step: Step,
        settings: &RuleSettings,
    ) {
        let url: Arc<str> = settings.evaluator.generator_url(query).into();
        let observation = Observation { transitions: step.transitions, firing: Vec::new() };
        if self.dispatch.observe(rule, &url, observation).await.is_err() {
            tracing::debug!(rule = %rule, "the dispatch loop has stopped");
        }
    }
}

fn start(
    shared: &Arc<Shared>,
    group: Arc<RuleGroup>,
    states: Vec<RuleState>,
    settings: &RuleSettings,
) -> Running {
    let rule = |(away, alerts): RuleState| RuleView { away, alerts, ..RuleView::default() };
    let rules = states.into_iter().map(rule);
    let query_offset = group.query_offset.unwrap_or(settings.query_offset);
    let policy =
        |rule: &Rule| rule.as_alerting().map(|rule| settings.policies.of(rule)).unwrap_or_default();
    let policies = group.rules.iter().map(policy).collect();
    let interval = group.interval.unwrap_or(settings.evaluation_interval);
    let view = view(group, interval, rules.collect());
    let (stop, stopped) = watch::channel(false);
    let shared = Arc::clone(shared);
    let task = GroupTask { shared, view: Arc::clone(&view), query_offset, policies, stop: stopped };
    Running { view, stop, task: tokio::spawn(task.run()) }
}

/// A group that has not been evaluated yet.
pub(super) fn view(
    group: Arc<RuleGroup>,
    interval: Duration,
    rules: Vec<RuleView>,
) -> Arc<Mutex<GroupView>> {
    let (last_evaluation, evaluation_time) = (None, Duration::ZERO);
    Arc::new(Mutex::new(GroupView { interval, rules, last_evaluation, evaluation_time, group }))
}

/// Stops a group after the round that it is in, and gives its last state.
pub(super) async fn end(running: Running) -> GroupView {
    running.stop.send_replace(true);
    if running.task.await.is_err() {
        tracing::error!("the task of a rule group has failed");
    }
    lock(&running.view).clone()
}

/// What a rule is recognised by over a reload.
fn identity(rule: &Rule) -> RuleIdentity {
    let labels: LabelSet = match rule {
        Rule::Alerting(rule) => {
            rule.labels.iter().map(|(name, text)| (name.as_str(), text.text())).collect()
        }
        Rule::Recording(rule) => {
            rule.labels.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
        }
    };
    RuleIdentity { key: rule.key().clone(), labels }
}
