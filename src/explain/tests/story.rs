//! Records about one alert, made step by step.

use crate::alerting::{AlertInstance, AlertState, Transition, TransitionReason};
use crate::model::{
    Alert, GroupKey, IntegrationId, LabelSet, Notification, NotifiedAlert, NotifyReason, RuleKey,
    Timestamp,
};
use crate::outbox::{Attempt, AttemptOutcome, EntryId, LaneKey, OutboxEntry, Told};
use crate::storage::{
    Case, Decision, Dossier, GroupId, RecordedTransition, Start, StoredAlert, StoredGroup,
    StoredLane,
};

/// Seconds after 2026-01-05 10:00 UTC.
pub fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_767_607_200 + secs)
}

/// The alert `NodeDown`, its group of the receiver `ops` and the lane of `slack[0]`.
pub struct Story {
    case: Case,
    starts: Vec<Start>,
    instance: AlertInstance,
    integration: IntegrationId,
}

impl Story {
    pub fn new() -> Self {
        let labels = LabelSet::from([("alertname", "NodeDown")]);
        let instance = AlertInstance {
            labels: labels.clone(),
            annotations: LabelSet::new(),
            state: AlertState::Inactive,
            value: 1.0,
            active_at: at(0),
            fired_at: None,
            keep_firing_since: None,
            resolved_at: None,
        };
        let (receiver, kind) = ("ops".into(), "slack".into());
        let integration = IntegrationId { receiver, kind, index: 0 };
        Self { case: Case { labels, ..Case::default() }, starts: Vec::new(), instance, integration }
    }

    pub fn dossier(&self) -> Dossier {
        let (cases, starts) = (vec![self.case.clone()], self.starts.clone());
        Dossier { cases, starts, ..Dossier::default() }
    }

    fn rule() -> RuleKey {
        RuleKey::new("a.yaml", "g", "NodeDown", 0)
    }

    fn group(receiver: &str) -> GroupId {
        GroupId::new(GroupKey("{}:{}".into()), receiver)
    }

    fn moves(mut self, secs: i64, to: AlertState, reason: TransitionReason) -> Self {
        let from = std::mem::replace(&mut self.instance.state, to);
        let transition = Transition {
            fingerprint: self.instance.fingerprint(),
            instance: self.instance.clone(),
            from,
            to,
            reason,
            at: at(secs),
        };
        let record = RecordedTransition { rule: Self::rule(), transition };
        self.case.history.transitions.push(record);
        let stored = StoredAlert {
            rule: Self::rule(),
            instance: self.instance.clone(),
            generator_url: "".into(),
            routed: self.case.labels.clone(),
        };
        self.case.current.alerts = match to {
            AlertState::Inactive => Vec::new(),
            _ => vec![stored],
        };
        self
    }

    pub fn pending(mut self, secs: i64) -> Self {
        self.instance.active_at = at(secs);
        self.moves(secs, AlertState::Pending, TransitionReason::BecameActive)
    }

    pub fn vanishes(self, secs: i64) -> Self {
        self.moves(secs, AlertState::Inactive, TransitionReason::Vanished)
    }

    pub fn fires(mut self, secs: i64) -> Self {
        self.instance.fired_at = Some(at(secs));
        self.instance.resolved_at = None;
        let reason = match self.instance.state {
            AlertState::Pending => TransitionReason::HeldFor,
            _ => TransitionReason::BecameActive,
        };
        self.moves(secs, AlertState::Firing, reason)
    }

    pub fn resolves(mut self, secs: i64) -> Self {
        self.instance.resolved_at = Some(at(secs));
        self.moves(secs, AlertState::Inactive, TransitionReason::Absent)
    }

    pub fn started(mut self, secs: i64, last_alive: Option<i64>) -> Self {
        self.starts.push(Start { at: at(secs), last_alive: last_alive.map(at) });
        self
    }

    fn records(mut self, secs: i64, receiver: &str, to: bool, reason: &str, detail: &str) -> Self {
        self.case.history.decisions.push(Decision {
            at: at(secs),
            fingerprint: self.case.labels.fingerprint(),
            group: Self::group(receiver),
            integration: to.then(|| self.integration.clone()),
            reason: reason.to_string().into(),
            detail: detail.into(),
        });
        self
    }

    /// It joins the group, which is flushed ten seconds later.
    pub fn grouped(self, secs: i64) -> Self {
        let detail = format!("route {{}}, flushed at {}", at(secs + 10));
        self.records(secs, "ops", false, "grouped", &detail).flushed_next(secs + 10)
    }

    /// A decision of the group.
    pub fn held(self, secs: i64, reason: &str, detail: &str) -> Self {
        self.records(secs, "ops", false, reason, detail)
    }

    /// A decision about the integration.
    pub fn decided(self, secs: i64, reason: &str, detail: &str) -> Self {
        self.records(secs, "ops", true, reason, detail)
    }

    /// A second receiver that has nobody.
    pub fn has_nobody(self, secs: i64) -> Self {
        self.records(secs, "none", false, "grouped", "route {}").records(
            secs,
            "none",
            false,
            "no_integrations",
            "",
        )
    }

    pub fn flushed_next(mut self, secs: i64) -> Self {
        self.case.current.groups = vec![StoredGroup {
            id: Self::group("ops"),
            labels: LabelSet::new(),
            next_flush: at(secs),
            has_flushed: true,
        }];
        self
    }

    fn attempts(mut self, secs: i64, entry: u64, number: u32, over: bool) -> Self {
        let fingerprint = self.case.labels.fingerprint();
        self.case.history.attempts.push(Attempt {
            entry: EntryId(entry),
            group_key: Self::group("ops").key.clone(),
            integration: self.integration.clone(),
            number,
            at: at(secs),
            outcome: AttemptOutcome::Delivered,
            status: Some(200),
            error: None,
            reason: NotifyReason::FirstNotification,
            alerts: vec![fingerprint],
            resolved: if over { vec![fingerprint] } else { Vec::new() },
            next_attempt: None,
        });
        self
    }

    /// It is told, and known as long as it fires.
    pub fn delivers(mut self, secs: i64, entry: u64, number: u32, over: bool) -> Self {
        let fingerprint = self.case.labels.fingerprint();
        let mut told = Told { at: at(secs), ..Told::default() };
        if over { &mut told.resolved } else { &mut told.firing }.insert(fingerprint);
        self = self.lane(Some(told));
        self.case.current.entries.clear();
        self.attempts(secs, entry, number, over)
    }

    fn lane(mut self, delivered: Option<Told>) -> Self {
        let group_key = Self::group("ops").key.clone();
        let key = LaneKey { group_key, integration: self.integration.clone() };
        let lane = StoredLane {
            key,
            enqueued: None,
            delivered,
            receiver_state: None,
            unlearned: Default::default(),
        };
        self.case.current.lanes = vec![lane];
        self
    }

    pub fn fails(mut self, secs: i64, entry: u64, number: u32, next: i64) -> Self {
        self = self.attempts(secs, entry, number, false);
        if let Some(attempt) = self.case.history.attempts.last_mut() {
            attempt.outcome = AttemptOutcome::Retry;
            attempt.status = Some(503);
            attempt.error = Some("answered 503".to_string());
            attempt.next_attempt = Some(at(next));
        }
        self.waits(secs, entry, number, next)
    }

    pub fn refuses(mut self, secs: i64) -> Self {
        self = self.attempts(secs, 9, 1, false).lane(None);
        if let Some(attempt) = self.case.history.attempts.last_mut() {
            attempt.outcome = AttemptOutcome::Permanent;
            attempt.status = Some(400);
            attempt.error = Some("answered 400".to_string());
        }
        self
    }

    /// Something that names it waits.
    pub fn waits(mut self, secs: i64, entry: u64, attempts: u32, next: i64) -> Self {
        let instance = &self.instance;
        let alert = Alert {
            labels: self.case.labels.clone(),
            annotations: LabelSet::new(),
            starts_at: instance.fired_at.unwrap(),
            ends_at: instance.resolved_at,
            generator_url: "".into(),
            value: None,
        };
        self.case.current.entries = vec![OutboxEntry {
            id: EntryId(entry),
            idempotency_key: String::new(),
            notification: Notification {
                group_key: Self::group("ops").key.clone(),
                integration: self.integration.clone(),
                group_labels: LabelSet::new(),
                alerts: vec![NotifiedAlert { alert: alert.into(), missed: false }],
                reason: NotifyReason::FirstNotification,
                created_at: at(secs),
            },
            untold: [self.case.labels.fingerprint()].into(),
            attempts,
            next_attempt: at(next),
            last_error: (attempts > 0).then(|| "answered 503".to_string()),
        }];
        self
    }
}
