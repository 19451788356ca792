//! One node of the routing tree, as written and as checked.

use std::time::Duration;

use serde::Serialize;

use crate::diag::Span;
use crate::model::{GroupKey, LabelSet, Matchers};

/// The place of a route in its tree: 0 is the root, the others follow depth-first in the order of
/// the file. Stable only as long as the configuration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct RouteId(pub usize);

impl RouteId {
    /// The root of every tree.
    pub const ROOT: Self = Self(0);
}

/// Which labels make a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// Every label: each alert is a group of its own (`group_by: ['...']`).
    All,
    /// These labels, sorted, none twice. The empty list makes one group of everything.
    Labels(Vec<String>),
}

impl GroupBy {
    /// Groups by these labels.
    pub fn labels<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        let mut names: Vec<String> = names.into_iter().map(Into::into).collect();
        names.sort_unstable();
        names.dedup();
        Self::Labels(names)
    }

    /// The labels of a set that make its group.
    pub fn group_labels(&self, labels: &LabelSet) -> LabelSet {
        match self {
            Self::All => labels.clone(),
            Self::Labels(names) => {
                labels.filtered(|name| names.binary_search_by(|n| n.as_str().cmp(name)).is_ok())
            }
        }
    }
}

/// A checked route. What a child leaves out is already filled in from its parent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Route {
    /// The route's place in the tree.
    pub id: RouteId,
    /// The route above; the root has none.
    pub parent: Option<RouteId>,
    /// Who is told.
    pub receiver: String,
    /// What an alert must match; the root's are empty. Sorted by label, value and operator, as
    /// Alertmanager sorts them.
    pub matchers: Matchers,
    /// Whether later siblings are tried although this route matched.
    #[serde(rename = "continue")]
    pub continue_: bool,
    /// Which labels make a group.
    pub group_by: GroupBy,
    /// How long a new group waits for further alerts.
    pub group_wait: Duration,
    /// How long a group waits between two looks at what changed.
    pub group_interval: Duration,
    /// How long an unchanged group waits before it is told again.
    pub repeat_interval: Duration,
    /// Names of the time intervals in which nothing is sent. Not inherited.
    pub mute_time_intervals: Vec<String>,
    /// Names of the time intervals outside of which nothing is sent; empty means always. Not
    /// inherited.
    pub active_time_intervals: Vec<String>,
    /// The route's part of a group key: the matchers of all routes from the root to this one, as
    /// Alertmanager writes them, such as `{}/{severity="critical"}`. Where a sibling before it has
    /// the same matchers, its index among the siblings follows (`{}/{severity="critical"}/1`, the
    /// form of Alertmanager's route ids), so that a key names one route.
    pub key: String,
    /// The routes below, in the order in which they are tried.
    pub children: Vec<RouteId>,
}

impl Route {
    /// The group that a label set belongs to in this route: its key and its group labels. The key
    /// has Alertmanager's form, `{}/{severity="critical"}:{alertname="X"}`.
    pub fn group_of(&self, labels: &LabelSet) -> (GroupKey, LabelSet) {
        let group = self.group_by.group_labels(labels);
        (self.key_of(&group), group)
    }

    /// The key of this route's group with these group labels.
    pub fn key_of(&self, group: &LabelSet) -> GroupKey {
        GroupKey(format!("{}:{group}", self.key).into())
    }
}

/// A value of the configuration with its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub span: Span,
}

/// A route as written: each setting checked by itself, none inherited, names not looked up.
#[derive(Clone, Debug, Default)]
pub struct RawRoute {
    /// The place of the route, for mistakes about what it lacks.
    pub span: Span,
    /// `receiver`.
    pub receiver: Option<Located<String>>,
    /// `matchers`, and the old `match` and `match_re`. With the place of each setting, for the
    /// root, which must not have any.
    pub matchers: Matchers,
    /// Where the first of the settings that hold matchers stands.
    pub matchers_span: Option<Span>,
    /// `continue`.
    pub continue_: Option<Located<bool>>,
    /// `group_by`; `Some` also for an explicit empty list.
    pub group_by: Option<GroupBy>,
    /// `group_wait`.
    pub group_wait: Option<Duration>,
    /// `group_interval`.
    pub group_interval: Option<Duration>,
    /// `repeat_interval`.
    pub repeat_interval: Option<Duration>,
    /// `mute_time_intervals`.
    pub mute_time_intervals: Vec<Located<String>>,
    /// `active_time_intervals`.
    pub active_time_intervals: Vec<Located<String>>,
    /// `routes`.
    pub routes: Vec<RawRoute>,
}
