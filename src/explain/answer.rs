//! What an explanation consists of. The names of its fields are those of the API.

use serde::{Deserialize, Serialize};

use crate::alerting::AlertState;
use crate::explain::times;
use crate::model::{Fingerprint, GroupKey, LabelSet, Timestamp};

/// What happened to some alerts, and whether someone was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The time for which the verdicts hold.
    #[serde(with = "times::field")]
    pub at: Timestamp,
    /// When the program was last known to be alive.
    #[serde(with = "times::optional")]
    pub last_alive: Option<Timestamp>,
    /// The alerts, the one that changed last first.
    pub alerts: Vec<Timeline>,
    /// Whether more alerts match.
    pub more: bool,
    /// What to know before anything else is believed.
    pub warnings: Vec<String>,
    /// Where nothing matches: what may have been meant.
    pub hint: Option<String>,
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// Its labels in routing.
    pub labels: LabelSet,
    /// Their fingerprint.
    pub fingerprint: Fingerprint,
    /// Where it stands now.
    pub state: AlertState,
    /// Since when.
    #[serde(with = "times::optional")]
    pub since: Option<Timestamp>,
    /// What people read of it.
    pub annotations: LabelSet,
    /// The rules that it comes from, as `file;group;name`.
    pub rules: Vec<String>,
    /// What happened, oldest first.
    pub events: Vec<Event>,
    /// How many events were left out because they were not asked for.
    pub omitted: usize,
    /// Whether there may be older history than what was read.
    pub truncated: bool,
    /// Whether someone was told.
    pub verdict: Verdict,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The program started.
    Start,
    /// The alert changed in its rule.
    Transition,
    /// A routing decision.
    Decision,
    /// An attempt at delivery.
    Attempt,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// When.
    #[serde(with = "times::field")]
    pub at: Timestamp,
    /// What kind of thing.
    pub kind: Kind,
    /// The named reason or outcome.
    pub reason: String,
    /// The alert's state after a transition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<AlertState>,
    /// The receiver that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// The receiver's integration, such as `slack[0]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
    /// The group that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupKey>,
    /// The number of the notification that was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification: Option<u64>,
    /// Which attempt at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The status code that answered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "times::optional")]
    pub next_attempt: Option<Timestamp>,
    /// The detail as stored; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The same in plain words.
    pub text: String,
}

/// Whether someone was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// Everyone who should be.
    Yes,
    /// Some of those who should be.
    Partly,
    /// Nobody yet, and it goes on.
    NotYet,
    /// Nobody.
    No,
}

/// Whether someone was told and if not, why not; and what comes next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The answer in a word.
    pub told: Told,
    /// The answer in a sentence.
    pub sentence: String,
    /// What happens next, the soonest first.
    pub next: Vec<Next>,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// An attempt at delivery.
    Attempt,
    /// The group is flushed.
    Flush,
}

/// Something that happens next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Next {
    /// When.
    #[serde(with = "times::field")]
    pub at: Timestamp,
    /// What.
    pub step: Step,
    /// The receiver that it concerns.
    pub receiver: String,
    /// Its integration, where it concerns one.
    pub integration: Option<String>,
    /// The group that it concerns.
    pub group: GroupKey,
}
