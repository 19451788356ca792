//! What is stored, and the changes to it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::alerting::{AlertInstance, Transition};
use crate::collect::CollectionChange;
use crate::model::{
    Fingerprint, GroupKey, IntegrationId, LabelSet, RuleKey, Silence, SilenceId, Timestamp,
};
use crate::outbox::{Attempt, EntryId, LaneKey, OutboxEntry, Told};

/// The identity of an aggregation group: two routes may share a key, their receivers differ.
/// Cloning copies a pointer: every routed alert names its groups.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupId(Arc<GroupPlace>);

/// What a [`GroupId`] consists of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupPlace {
    /// The group's key.
    pub key: GroupKey,
    /// The receiver of its route.
    pub receiver: Arc<str>,
}

impl GroupId {
    /// The group with this key of a route to this receiver.
    pub fn new(key: GroupKey, receiver: impl Into<Arc<str>>) -> Self {
        Self(Arc::new(GroupPlace { key, receiver: receiver.into() }))
    }

    /// Whether a lane tells of this group.
    pub fn has_lane(&self, lane: &LaneKey) -> bool {
        self.key == lane.group_key && self.receiver == lane.integration.receiver
    }

    /// The group that a lane tells of.
    pub fn of_lane(lane: &LaneKey) -> Self {
        Self::new(lane.group_key.clone(), Arc::clone(&lane.integration.receiver))
    }
}

impl Deref for GroupId {
    type Target = GroupPlace;

    fn deref(&self) -> &GroupPlace {
        &self.0
    }
}

/// One change of the stored state. `Put…` inserts or replaces, `Add…` appends history. The large ones
/// that are rare among them are boxed: a storm has a million changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// An alert of a rule. Its key is the rule, the fingerprint of the instance's labels and
    /// whether the instance has a `resolved_at`: an alert may be pending again while its last
    /// firing still has to be told as resolved, so both can be stored at once.
    PutAlert(StoredAlert),
    /// Removes an active alert that is over, or a resolved one of which everyone has been told.
    DeleteAlert {
        /// The rule.
        rule: RuleKey,
        /// The alert, by its instance's labels.
        fingerprint: Fingerprint,
        /// Whether the resolved one is meant, or the active one.
        resolved: bool,
    },
    /// Rules kept their alerts under new keys, from old to new. All move at once: two rules may
    /// have swapped keys. History keeps the old key.
    MoveRules(Vec<(RuleKey, RuleKey)>),
    /// An alert changed.
    AddTransition {
        /// The rule.
        rule: RuleKey,
        /// What happened.
        transition: Transition,
    },
    /// The labels of an alert, by which its history is found when it is gone.
    PutKnown(KnownAlert),
    /// A routing decision changed.
    AddDecision(Decision),
    /// An aggregation group and its next flush.
    PutGroup(StoredGroup),
    /// The group is empty and owes nothing.
    DeleteGroup(GroupId),
    /// A lane's notification log.
    PutLane(Box<StoredLane>),
    /// The lane is over.
    DeleteLane(LaneKey),
    /// Something to be delivered.
    PutEntry(Box<OutboxEntry>),
    /// It was delivered, superseded or given up.
    DeleteEntry(EntryId),
    /// A silence.
    PutSilence(Box<Silence>),
    /// A silence has been over for long enough.
    DeleteSilence(SilenceId),
    /// The outcome of an attempt.
    AddAttempt(Box<Attempt>),
    /// The program was alive at this time.
    Heartbeat(Timestamp),
    /// The program has taken up what is stored.
    AddStart(Start),
    /// Runs have been counted.
    Collect(CollectionChange),
}

impl Change {
    /// Something to be delivered.
    pub fn put_entry(entry: OutboxEntry) -> Self {
        Self::PutEntry(Box::new(entry))
    }

    /// A lane's notification log.
    pub fn put_lane(lane: StoredLane) -> Self {
        Self::PutLane(Box::new(lane))
    }

    /// The outcome of an attempt.
    pub fn add_attempt(attempt: Attempt) -> Self {
        Self::AddAttempt(Box::new(attempt))
    }

    /// A silence.
    pub fn put_silence(silence: Silence) -> Self {
        Self::PutSilence(Box::new(silence))
    }
}

/// An alert of a rule as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredAlert {
    /// The rule.
    pub rule: RuleKey,
    /// The alert's state in its rule. Its labels are the identity within the rule.
    pub instance: AlertInstance,
    /// Link to the graph of the rule's expression.
    pub generator_url: Arc<str>,
    /// External labels included: the identity in routing, where the alert has fired.
    pub routed: LabelSet,
}

/// An alert by the labels that people know. It is kept as long as there is any history of the
/// alert, and ties that history together: transitions are about the alert within its rule,
/// decisions and attempts about the alert in routing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAlert {
    /// The labels in routing, external labels included.
    pub labels: LabelSet,
    /// The alert within its rule.
    pub instance: Fingerprint,
    /// When it last changed.
    pub seen_at: Timestamp,
}

/// A start of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// When it was.
    pub at: Timestamp,
    /// When the process before was last known to be alive; `None` where there was none.
    pub last_alive: Option<Timestamp>,
}

/// A routing decision about one alert in one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// When it was taken.
    pub at: Timestamp,
    /// The alert, by its routed labels.
    pub fingerprint: Fingerprint,
    /// The group.
    pub group: GroupId,
    /// The integration, where the decision is about one.
    pub integration: Option<IntegrationId>,
    /// The named reason, such as `first_notification` or `inhibited`.
    pub reason: Cow<'static, str>,
    /// What else is to be said of it, such as the inhibiting alert; may be empty. Alerts that come
    /// together share it.
    pub detail: Arc<str>,
}

/// An aggregation group as it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredGroup {
    /// Its identity.
    pub id: GroupId,
    /// The labels that its alerts share by `group_by`.
    pub labels: LabelSet,
    /// When it is flushed next.
    pub next_flush: Timestamp,
    /// Whether it has been flushed before.
    pub has_flushed: bool,
}

/// A lane's notification log as it is stored; its entries are stored beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredLane {
    /// Its identity.
    pub key: LaneKey,
    /// What was last decided to be said.
    pub enqueued: Option<Told>,
    /// What the receiver is known to have.
    pub delivered: Option<Told>,
    /// What the integration remembers of the group.
    pub receiver_state: Option<serde_json::Value>,
    /// The firings that attempts without a known outcome may have told of.
    pub unlearned: BTreeSet<Fingerprint>,
}

/// The whole current state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The alerts of all rules.
    pub alerts: Vec<StoredAlert>,
    /// The aggregation groups.
    pub groups: Vec<StoredGroup>,
    /// The notification logs.
    pub lanes: Vec<StoredLane>,
    /// What is still to be delivered.
    pub entries: Vec<OutboxEntry>,
    /// The silences, those that are over among them.
    pub silences: Vec<Silence>,
    /// When the program was last known to be alive.
    pub heartbeat: Option<Timestamp>,
    /// The highest number that an entry ever had; 0 for none.
    pub last_entry: u64,
}

impl Snapshot {
    /// The changes that make an empty store hold this.
    pub fn into_changes(self) -> Vec<Change> {
        let Self { alerts, groups, lanes, entries, silences, heartbeat, last_entry: _ } = self;
        let mut changes: Vec<Change> = alerts.into_iter().map(Change::PutAlert).collect();
        changes.extend(groups.into_iter().map(Change::PutGroup));
        changes.extend(lanes.into_iter().map(Change::put_lane));
        changes.extend(entries.into_iter().map(Change::put_entry));
        changes.extend(silences.into_iter().map(Change::put_silence));
        changes.extend(heartbeat.map(Change::Heartbeat));
        changes
    }
}
