//! Values to store: every kind, with the awkward ones among them.

use crate::alerting::{AlertInstance, AlertState, Transition, TransitionReason};
use crate::model::{
    Alert, Fingerprint, GroupKey, IntegrationId, LabelSet, Matchers, Notification, NotifiedAlert,
    NotifyReason, RuleKey, Silence, SilenceId, Timestamp, parse_matcher,
};
use crate::outbox::{Attempt, AttemptOutcome, EntryId, LaneKey, OutboxEntry, Told};
use crate::storage::{
    Change, Decision, GroupId, RecordedTransition, Snapshot, StoredAlert, StoredGroup, StoredLane,
};

/// The time `number` seconds after the epoch.
fn at(number: u64) -> Timestamp {
    Timestamp::from_secs(i64::try_from(number).unwrap())
}

/// Labels of which the values need care in JSON and SQL.
fn labels(number: u64) -> LabelSet {
    let awkward = format!("'; DROP TABLE alert; -- \"\\ \u{0}\n é {number}");
    LabelSet::from([("alertname", "Slow"), ("a.b", awkward.as_str())])
}

pub fn rule(name: &str, nth: u32) -> RuleKey {
    RuleKey::new("rules/a.yaml", "g", name, nth)
}

fn instance(number: u64) -> AlertInstance {
    AlertInstance {
        labels: labels(number),
        annotations: LabelSet::from([("summary", "is slow")]),
        state: AlertState::Pending,
        value: 0.1,
        active_at: at(number),
        fired_at: None,
        keep_firing_since: None,
        resolved_at: None,
    }
}

pub fn alert(rule: RuleKey, number: u64) -> StoredAlert {
    StoredAlert {
        rule,
        instance: instance(number),
        generator_url: "https://prometheus.example.com/graph?g0.expr=up".into(),
        routed: LabelSet::new(),
    }
}

pub fn transition(number: u64) -> Transition {
    Transition {
        fingerprint: Fingerprint(number),
        instance: AlertInstance {
            state: AlertState::Firing,
            value: f64::NEG_INFINITY,
            fired_at: Some(at(number)),
            ..instance(number)
        },
        from: AlertState::Pending,
        to: AlertState::Firing,
        reason: TransitionReason::HeldFor,
        at: at(number),
    }
}

pub fn recorded(number: u64) -> RecordedTransition {
    RecordedTransition { rule: rule("A", 0), transition: transition(number) }
}

fn integration(number: u64) -> IntegrationId {
    let index = u32::try_from(number % 3).unwrap();
    IntegrationId { receiver: "team".into(), kind: "slack".into(), index }
}

fn group_id(number: u64) -> GroupId {
    GroupId::new(GroupKey(format!("{{}}:{{n=\"{number:05}\"}}").into()), "team")
}

/// A decision about a whole group where `number` is even, about one integration where it is odd.
pub fn decision(number: u64) -> Decision {
    Decision {
        at: at(number),
        fingerprint: Fingerprint(number),
        group: group_id(number),
        integration: (number % 2 == 1).then(|| integration(number)),
        reason: "inhibited".into(),
        detail: "".into(),
    }
}

pub fn group(number: u64) -> StoredGroup {
    StoredGroup {
        id: group_id(number),
        labels: labels(number),
        next_flush: at(number),
        has_flushed: number % 2 == 1,
    }
}

pub fn told(number: u64) -> Told {
    Told {
        firing: [Fingerprint(number), Fingerprint(u64::MAX)].into(),
        resolved: [Fingerprint(0)].into(),
        at: at(number),
    }
}

pub fn lane(number: u64) -> StoredLane {
    StoredLane {
        key: LaneKey { group_key: group_id(number).key.clone(), integration: integration(number) },
        enqueued: Some(told(number)),
        delivered: None,
        receiver_state: Some(serde_json::json!({"channel": "C1", "ts": ["1.5", null]})),
        unlearned: [Fingerprint(number), Fingerprint(u64::MAX)].into(),
    }
}

pub fn entry(number: u64) -> OutboxEntry {
    let routed = |number, value, ends_at| {
        std::sync::Arc::new(Alert {
            labels: labels(number),
            annotations: LabelSet::new(),
            starts_at: at(1),
            ends_at,
            generator_url: "".into(),
            value,
        })
    };
    OutboxEntry {
        id: EntryId(number),
        idempotency_key: format!("key-{number}"),
        notification: Notification {
            group_key: group_id(number).key.clone(),
            integration: integration(number),
            group_labels: LabelSet::from([("alertname", "Slow")]),
            alerts: vec![
                NotifiedAlert { alert: routed(1, Some(f64::INFINITY), None), missed: false },
                NotifiedAlert { alert: routed(2, None, Some(at(2))), missed: true },
            ],
            reason: NotifyReason::NewAlertsInGroup,
            created_at: at(number),
        },
        untold: [Fingerprint(1), Fingerprint(u64::MAX)].into(),
        attempts: 3,
        next_attempt: at(number + 1),
        last_error: Some("answered 503".into()),
    }
}

/// An attempt that names the alert `number` and the one before it.
pub fn attempt(number: u64) -> Attempt {
    let outcomes = [AttemptOutcome::Delivered, AttemptOutcome::Retry, AttemptOutcome::Permanent];
    Attempt {
        entry: EntryId(number),
        group_key: group_id(number).key.clone(),
        integration: integration(number),
        number: 1,
        at: at(number),
        outcome: outcomes[usize::try_from(number % 3).unwrap()],
        status: number.is_multiple_of(2).then_some(503),
        error: (number % 2 == 1).then(|| "timed out".to_string()),
        reason: NotifyReason::AllAlertsResolved,
        alerts: vec![Fingerprint(number), Fingerprint(number - 1)],
        resolved: vec![Fingerprint(number - 1)],
        next_attempt: number.is_multiple_of(2).then(|| at(number + 1)),
    }
}

pub fn silence(number: u8) -> Silence {
    let matchers = ["a.b=~\"x|\\\\d+\"", "pod!=\"\""].map(|text| parse_matcher(text).unwrap());
    Silence {
        id: SilenceId::from_random([number; 16]),
        matchers: Matchers(matchers.to_vec()),
        starts_at: at(1),
        ends_at: Timestamp::from_millis(2_001),
        updated_at: at(0),
        created_by: "ann; '".to_string(),
        comment: format!("disk \"{number}\"\n\u{0}é"),
    }
}

/// A state with two of everything, sorted as a store returns it.
pub fn snapshot() -> Snapshot {
    let mut firing = alert(rule("A", 1), 1);
    firing.instance.state = AlertState::Firing;
    firing.instance.value = f64::NAN;
    firing.instance.fired_at = Some(at(2));
    firing.instance.keep_firing_since = Some(Timestamp::from_millis(3_001));
    firing.routed = firing.instance.labels.to_builder().set("cluster", "c").clone().build();
    let mut bare = lane(2);
    (bare.enqueued, bare.receiver_state) = (None, None);
    Snapshot {
        alerts: vec![alert(rule("A", 0), 2), firing],
        groups: vec![group(1), group(2)],
        lanes: vec![lane(1), bare],
        entries: vec![entry(1), OutboxEntry { last_error: None, ..entry(2) }],
        silences: vec![silence(1), silence(2)],
        heartbeat: Some(at(4)),
        last_entry: 2,
    }
}

/// The changes that bring an empty store to a state.
pub fn puts(snapshot: &Snapshot) -> Vec<Change> {
    snapshot.clone().into_changes()
}
