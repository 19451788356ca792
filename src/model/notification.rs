//! What is to be said to one integration of one receiver about one group of alerts.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Alert, Fingerprint, LabelSet, Timestamp};

/// The identity of an aggregation group, in Alertmanager's form:
/// `{}/{severity="critical"}:{alertname="X"}`, the matchers of the routes on the way, then the
/// group's labels. PagerDuty's dedup_key and mail threads are derived from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupKey(pub Arc<str>);

impl fmt::Display for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One integration of one receiver, such as `mlflow-oncall/slack[0]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IntegrationId {
    /// The receiver's name.
    pub receiver: Arc<str>,
    /// The kind as Alertmanager names it: `email`, `slack`, `pagerduty`, `webhook`.
    pub kind: Arc<str>,
    /// Which of the receiver's integrations of this kind, from 0.
    pub index: u32,
}

impl fmt::Display for IntegrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}[{}]", self.receiver, self.kind, self.index)
    }
}

/// Why a notification goes out. The first five are Alertmanager's; the names are shown alike in
/// log, API and tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyReason {
    /// The group is told of for the first time.
    FirstNotification,
    /// An alert fires that the last notification did not name.
    NewAlertsInGroup,
    /// Some alerts of a group that goes on firing are resolved.
    NewResolvedAlerts,
    /// Nothing fires any more.
    AllAlertsResolved,
    /// The repeat interval is over and the group still fires.
    RepeatIntervalElapsed,
    /// The route changed: what was announced under the old group is resolved under it.
    RouteChanged,
}

impl NotifyReason {
    /// The name, as shown everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstNotification => "first_notification",
            Self::NewAlertsInGroup => "new_alerts_in_group",
            Self::NewResolvedAlerts => "new_resolved_alerts",
            Self::AllAlertsResolved => "all_alerts_resolved",
            Self::RepeatIntervalElapsed => "repeat_interval_elapsed",
            Self::RouteChanged => "route_changed",
        }
    }
}

/// Whether anything in a notification still fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NotificationStatus {
    /// At least one alert fires.
    Firing,
    /// Every alert is resolved.
    Resolved,
}

impl NotificationStatus {
    /// `firing` or `resolved`, as Alertmanager's payloads say.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// One alert inside a notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotifiedAlert {
    /// The alert as it was when the words were chosen, shared with routing: a storm has a hundred
    /// thousand of them.
    #[serde(flatten)]
    pub alert: Arc<Alert>,
    /// It fired and was resolved before its receiver could be told of it.
    #[serde(default)]
    pub missed: bool,
}

impl NotifiedAlert {
    /// `Firing` until the alert has an end.
    pub fn status(&self) -> NotificationStatus {
        if self.alert.is_resolved() {
            NotificationStatus::Resolved
        } else {
            NotificationStatus::Firing
        }
    }

    /// Puts alerts in the order of [`NotifiedAlert::order`]. Each label set is read once, not at each
    /// comparison: a message of a storm has many.
    pub fn sort(alerts: &mut Vec<Self>) {
        let keyed = alerts.iter().map(|alert| {
            let (is_resolved, starts_at, labels) = alert.order();
            ((is_resolved, starts_at, labels.iter().collect::<Vec<_>>()), alert)
        });
        let mut keyed: Vec<_> = keyed.collect();
        keyed.sort_by(|a, b| a.0.cmp(&b.0));
        // By reference: what is made of a list in its own memory keeps all of it.
        *alerts = keyed.iter().map(|(_, alert)| (*alert).clone()).collect();
    }

    /// What the alerts of a notification are sorted by: firing ones first, then by start and
    /// labels.
    pub fn order(&self) -> (bool, Timestamp, &LabelSet) {
        (self.alert.is_resolved(), self.alert.starts_at, &self.alert.labels)
    }
}

/// What is to be said. It holds words and identities, never an address or a key: those are put in
/// when it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// The group that is told of.
    pub group_key: GroupKey,
    /// Whom it goes to.
    pub integration: IntegrationId,
    /// The labels that the group's alerts share by `group_by`.
    pub group_labels: LabelSet,
    /// The alerts, firing ones first, then by start and labels.
    pub alerts: Vec<NotifiedAlert>,
    /// Why it goes out.
    pub reason: NotifyReason,
    /// When it was decided.
    pub created_at: Timestamp,
}

impl Notification {
    /// `Firing` while at least one alert fires.
    pub fn status(&self) -> NotificationStatus {
        if self.alerts.iter().any(|a| a.status() == NotificationStatus::Firing) {
            NotificationStatus::Firing
        } else {
            NotificationStatus::Resolved
        }
    }

    /// The alerts of one status.
    pub fn with_status(
        &self,
        status: NotificationStatus,
    ) -> impl Iterator<Item = &NotifiedAlert> + '_ {
        self.alerts.iter().filter(move |a| a.status() == status)
    }

    /// The labels that all alerts have with the same value.
    pub fn common_labels(&self) -> LabelSet {
        common(self.alerts.iter().map(|a| &a.alert.labels))
    }

    /// The annotations that all alerts have with the same value.
    pub fn common_annotations(&self) -> LabelSet {
        common(self.alerts.iter().map(|a| &a.alert.annotations))
    }

    /// The fingerprints of the alerts of one status.
    pub fn fingerprints(
        &self,
        status: NotificationStatus,
    ) -> impl Iterator<Item = Fingerprint> + '_ {
        self.with_status(status).map(|a| a.alert.fingerprint())
    }
}

fn common<'a>(mut sets: impl Iterator<Item = &'a LabelSet>) -> LabelSet {
    let Some(first) = sets.next() else { return LabelSet::new() };
    let mut shared: Vec<(&str, &str)> = first.iter().collect();
    for set in sets {
        if shared.is_empty() {
            break;
        }
        shared.retain(|(name, value)| set.get(name) == Some(*value));
    }
    first.filtered(|name| shared.iter().any(|(kept, _)| *kept == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_labels_are_those_that_all_share() {
        let sets = [
            LabelSet::from([("a", "1"), ("b", "2"), ("c", "3")]),
            LabelSet::from([("a", "1"), ("b", "x")]),
        ];
        assert_eq!(common(sets.iter()), LabelSet::from([("a", "1")]));
        assert_eq!(common([].iter()), LabelSet::new());
    }
}
