//! What evaluations say of alerts, and how that reaches the groups.

use std::collections::BTreeSet;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::alerting::{AlertInstance, AlertState, Transition};
use crate::engine::dispatcher::group::Group;
use crate::engine::dispatcher::record::{joined, nobody};
use crate::engine::dispatcher::{Dispatcher, Routed, Source};
use crate::model::{Alert, Fingerprint, LabelSet, Now, RuleKey};
use crate::routing::AggregationGroup;
use crate::storage::{Change, GroupId, KnownAlert, StoredAlert};

/// How many changes an alert that begins to fire comes to: a storm is not to grow the list by
/// copying it again and again.
const CHANGES: usize = 6;

/// What one evaluation of one rule found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// The changes that are worth storing, in order.
    pub transitions: Vec<Transition>,
    /// The alerts that fire on and whose value or annotations are new.
    pub firing: Vec<AlertInstance>,
}

impl Dispatcher {
    /// Takes what an evaluation of `rule` found. `generator_url` is the link to the graph of the
    /// rule's expression.
    pub fn observe(
        &mut self,
        rule: &RuleKey,
        generator_url: &str,
        observation: Observation,
        now: Now,
    ) -> Vec<Change> {
        let mut changes = Vec::with_capacity(observation.transitions.len() * CHANGES);
        let generator_url = &Arc::from(generator_url);
        for transition in observation.transitions {
            changes
                .push(Change::AddTransition { rule: rule.clone(), transition: transition.clone() });
            self.apply(rule, generator_url, &transition, now, &mut changes);
        }
        for instance in &observation.firing {
            self.refresh(rule, self.alert(instance, generator_url));
        }
        changes
    }

    fn apply(
        &mut self,
        rule: &RuleKey,
        generator_url: &Arc<str>,
        transition: &Transition,
        now: Now,
        changes: &mut Vec<Change>,
    ) {
        let instance = &transition.instance;
        let alert = self.alert(instance, generator_url);
        let (labels, seen_at) = (alert.labels.clone(), transition.at);
        let instance_id = transition.fingerprint;
        changes.push(Change::PutKnown(KnownAlert { labels, instance: instance_id, seen_at }));
        let stored = |instance: &AlertInstance| {
            Change::PutAlert(StoredAlert {
                rule: rule.clone(),
                instance: instance.clone(),
                generator_url: Arc::clone(generator_url),
                routed: alert.labels.clone(),
            })
        };
        let delete = |resolved| Change::DeleteAlert {
            rule: rule.clone(),
            fingerprint: transition.fingerprint,
            resolved,
        };
        if transition.resolves() {
            let mut ended = instance.clone();
            ended.state = AlertState::Inactive;
            ended.resolved_at.get_or_insert(transition.at);
            let mut alert = alert.clone();
            alert.ends_at = ended.resolved_at;
            if let Some(known) = self.known(rule, &alert) {
                // A raised `for` has already cleared the time at which it fired.
                alert.starts_at = known.starts_at;
                ended.fired_at.get_or_insert(known.starts_at);
            }
            changes.push(delete(false));
            changes.push(stored(&ended));
            self.route(rule, instance.labels.clone(), alert, now, changes);
        }
        match transition.to {
            AlertState::Pending => changes.push(stored(instance)),
            AlertState::Firing => {
                changes.push(stored(instance));
                if transition.fires() {
                    // What a former firing still owed is part of this alert's story now.
                    changes.push(delete(true));
                }
                self.route(rule, instance.labels.clone(), alert.clone(), now, changes);
            }
            AlertState::Inactive if !transition.resolves() => changes.push(delete(false)),
            AlertState::Inactive => {}
        }
    }

    /// The alert as it is routed. Not meaningful for a pending one.
    pub(super) fn alert(&self, instance: &AlertInstance, generator_url: &Arc<str>) -> Alert {
        Alert {
            labels: self.setup.routed_labels(&instance.labels),
            annotations: instance.annotations.clone(),
            starts_at: instance.fired_at.unwrap_or(instance.active_at),
            ends_at: instance.resolved_at,
            generator_url: Arc::clone(generator_url),
            value: Some(instance.value),
        }
    }

    fn known(&self, rule: &RuleKey, alert: &Alert) -> Option<Arc<Alert>> {
        let routed = self.alerts.get(&alert.fingerprint())?;
        let source = routed.sources.iter().find(|source| source.rule == *rule)?;
        Some(Arc::clone(&source.alert))
    }

    /// Takes newer annotations and a newer value of an alert that goes on firing. Nothing is
    /// stored: the next evaluation after a start brings them again.
    fn refresh(&mut self, rule: &RuleKey, alert: Alert) {
        let fingerprint = alert.fingerprint();
        let Some(routed) = self.alerts.get_mut(&fingerprint) else { return };
        let Some(known) = routed.sources.iter_mut().find(|source| source.rule == *rule) else {
            return;
        };
        if known.alert.annotations == alert.annotations && known.alert.value == alert.value {
            return;
        }
        known.alert = Arc::new(alert);
        routed.merge(rule);
        for id in &routed.groups {
            if let Some(group) = self.groups.get_mut(id) {
                group.core.alerts.insert(fingerprint, Arc::clone(&routed.merged));
            }
        }
    }

    /// Notes what a rule says of an alert; returns the alert as all rules together say.
    pub(super) fn add_source(
        &mut self,
        rule: RuleKey,
        instance: LabelSet,
        alert: Arc<Alert>,
    ) -> Arc<Alert> {
        let routed = self.alerts.entry(alert.fingerprint()).or_insert_with(|| {
            let merged = Arc::clone(&alert);
            Box::new(Routed { sources: SmallVec::new(), merged, groups: SmallVec::new() })
        });
        match routed.sources.iter_mut().find(|source| source.rule == rule) {
            Some(known) => known.alert = alert,
            None => routed.sources.push(Source { rule: rule.clone(), instance, alert }),
        }
        routed.merge(&rule);
        Arc::clone(&routed.merged)
    }

    /// Puts an alert, or its new state, into its groups.
    fn route(
        &mut self,
        rule: &RuleKey,
        instance: LabelSet,
        alert: Alert,
        now: Now,
        changes: &mut Vec<Change>,
    ) {
        let fingerprint = alert.fingerprint();
        let merged = self.add_source(rule.clone(), instance, Arc::new(alert));
        self.inhibitor.set(&merged);
        if merged.is_resolved() {
            self.resolve_in_groups(fingerprint, &merged, now, changes);
        } else {
            self.fire_in_groups(fingerprint, &merged, now, changes);
        }
    }

    fn resolve_in_groups(
        &mut self,
        fingerprint: Fingerprint,
        alert: &Arc<Alert>,
        now: Now,
        changes: &mut Vec<Change>,
    ) {
        let Some(routed) = self.alerts.get(&fingerprint) else { return };
        if routed.groups.is_empty() {
            // Nobody holds it, so nobody has to be told.
            self.forget(fingerprint, changes);
            return;
        }
        for id in routed.groups.clone() {
            if let Some(group) = self.groups.get_mut(&id) {
                let route = Arc::clone(&group.route);
                group.core.insert(&route, Arc::clone(alert), now);
                self.time_flush(&id, now, changes);
            }
        }
    }

    /// Sets the timer of a group's next flush, where that has changed.
    fn time_flush(&mut self, id: &GroupId, now: Now, changes: &mut Vec<Change>) {
        let Some(group) = self.groups.get_mut(id) else { return };
        if group.flush_at != Some(group.core.next_flush) {
            self.timers.set_flush(id, &mut group.flush_at, Some(group.core.next_flush));
            changes.push(group.stored(now));
        }
    }

    pub(super) fn fire_in_groups(
        &mut self,
        fingerprint: Fingerprint,
        alert: &Arc<Alert>,
        now: Now,
        changes: &mut Vec<Change>,
    ) {
        let setup = Arc::clone(&self.setup);
        for route in setup.tree.matches(&alert.labels) {
            let Some(route) = self.routes.get(route.0).map(Arc::clone) else { continue };
            let labels = route.group_by.group_labels(&alert.labels);
            let id = self.ids.of(&route, &labels);
            let group = self.groups.entry(id).or_insert_with_key(|id| {
                let core = AggregationGroup::new(&route, id.key.clone(), labels, now);
                Group::new(id.clone(), core, Arc::clone(&route))
            });
            // The group's own, so that its alerts share the text.
            let id = group.id();
            let known = group.core.alerts.get(&fingerprint);
            let (is_member, is_new) = (known.is_some(), known.is_none_or(|a| a.is_resolved()));
            group.core.insert(&route, Arc::clone(alert), now);
            if let Some(routed) = self.alerts.get_mut(&fingerprint)
                && !routed.groups.contains(&id)
            {
                routed.groups.push(id.clone());
            }
            if !is_member {
                changes.push(Change::AddDecision(joined(fingerprint, group, now)));
                if setup.integrations(&route.receiver).is_empty() {
                    changes.push(nobody(fingerprint, &id, now));
                }
            }
            if is_new {
                for lane in &mut group.lanes {
                    lane.noted.remove(&fingerprint);
                }
            }
            group.left.remove(&fingerprint);
            self.time_flush(&id, now, changes);
        }
    }

    /// Drops the alerts that a group has settled, where no other group holds them.
    pub(super) fn release(
        &mut self,
        id: &GroupId,
        settled: &BTreeSet<Fingerprint>,
        changes: &mut Vec<Change>,
    ) {
        for fingerprint in settled {
            let Some(routed) = self.alerts.get_mut(fingerprint) else { continue };
            routed.groups.retain(|group| *group != *id);
            if routed.groups.is_empty() && routed.merged.is_resolved() {
                self.forget(*fingerprint, changes);
            }
        }
    }

    pub(super) fn forget(&mut self, fingerprint: Fingerprint, changes: &mut Vec<Change>) {
        let Some(routed) = self.alerts.remove(&fingerprint) else { return };
        self.inhibitor.remove(fingerprint);
        changes.extend(routed.sources.into_iter().map(|source| Change::DeleteAlert {
            rule: source.rule,
            fingerprint: source.instance.fingerprint(),
            resolved: true,
        }));
    }
}

impl Routed {
    /// Makes one alert of the sources. While any fires, the alert fires, since the earliest start
    /// of those that do; `newest` names the source whose words are the latest. As Alertmanager
    /// merges overlapping alerts.
    pub(super) fn merge(&mut self, newest: &RuleKey) {
        let any_fires = self.sources.iter().any(|s| !s.alert.is_resolved());
        let relevant = || self.sources.iter().filter(move |s| s.alert.is_resolved() != any_fires);
        let latest = relevant().find(|s| s.rule == *newest).or_else(|| relevant().next());
        let Some(words) = latest.map(|source| &source.alert) else { return };
        let ends_at =
            if any_fires { None } else { relevant().filter_map(|s| s.alert.ends_at).max() };
        // Of those that are over, only the last ones and what they overlap with are this alert.
        let mut spans: Vec<_> = relevant().map(|s| (s.alert.ends_at, s.alert.starts_at)).collect();
        spans.sort_unstable_by(|a, b| b.cmp(a));
        let starts_at = spans.iter().fold(None, |start, (end, begin)| match start {
            Some(start) if end.is_some_and(|end| end < start) => Some(start),
            Some(start) => Some(*begin.min(&start)),
            None => Some(*begin),
        });
        let starts_at = starts_at.unwrap_or(words.starts_at);
        self.merged = if (words.starts_at, words.ends_at) == (starts_at, ends_at) {
            Arc::clone(words)
        } else {
            Arc::new(Alert { starts_at, ends_at, ..Alert::clone(words) })
        };
    }
}
