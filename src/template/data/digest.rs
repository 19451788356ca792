//! What a message says of more alerts than it can list. The work on a hundred thousand alerts is a
//! few passes over their labels, and what templates see of them is bounded.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::{MessageContext, alert, rank};
use crate::model::{LabelSet, Notification, NotificationStatus, NotifiedAlert, Tally};
use crate::template::links;

/// How many alerts of one status the lists hold.
const MAX_LISTED: usize = 500;
/// How many alerts a digest names.
const MAX_NAMED: usize = 10;
/// How many values of a label a digest counts.
const MAX_VALUES: usize = 6;

/// The alerts that templates see one by one.
pub(super) struct Listed<'a> {
    pub(super) firing: Vec<&'a NotifiedAlert>,
    pub(super) resolved: Vec<&'a NotifiedAlert>,
    /// How many fire in all.
    pub(super) firing_count: usize,
    /// The gravest ones of the main status.
    named: Vec<&'a NotifiedAlert>,
}

impl<'a> Listed<'a> {
    pub(super) fn of(notification: &'a Notification) -> Self {
        let (firing, resolved): (Vec<_>, Vec<_>) = notification
            .alerts
            .iter()
            .partition(|alert| alert.status() == NotificationStatus::Firing);
        let mut named = if firing.is_empty() { resolved.clone() } else { firing.clone() };
        named.sort_by_key(|alert| grave(alert));
        named.truncate(MAX_NAMED);
        let firing_count = firing.len();
        Self { firing: gravest(firing), resolved: gravest(resolved), firing_count, named }
    }
}

/// What is told first: what nobody knows of, and what is grave.
fn grave(notified: &NotifiedAlert) -> (Reverse<bool>, Reverse<u8>) {
    (Reverse(notified.missed), Reverse(rank(notified.alert.labels.value("severity"))))
}

/// Where there are too many alerts, the gravest, in the order in which they were.
fn gravest(alerts: Vec<&NotifiedAlert>) -> Vec<&NotifiedAlert> {
    if alerts.len() <= MAX_LISTED {
        return alerts;
    }
    let mut places: Vec<usize> = (0..alerts.len()).collect();
    places.sort_by_key(|place| alerts.get(*place).map(|alert| grave(alert)));
    places.truncate(MAX_LISTED);
    places.sort_unstable();
    places.into_iter().filter_map(|place| alerts.get(place).copied()).collect()
}

/// The digest of what fires, or of everything where nothing does.
pub(super) fn digest(
    notification: &Notification,
    listed: &Listed<'_>,
    group: &LabelSet,
    context: &MessageContext<'_>,
) -> Value {
    let status = notification.status();
    let alerts: Vec<&LabelSet> =
        notification.with_status(status).map(|notified| &notified.alert.labels).collect();
    let receiver = &notification.integration.receiver;
    let labels = Tally::telling(&alerts).into_iter().map(|tally| {
        let link = |value: &str| {
            let mut labels = group.to_builder();
            labels.set(tally.name, value);
            links::alerts(context.external_url, receiver, &labels.build())
        };
        counts(&tally, link)
    });
    let alerts = listed.named.iter().map(|notified| alert(notified, context));
    json!({
        "labels": labels.collect::<Vec<_>>(),
        "alerts": alerts.collect::<Vec<_>>(),
        "rest": notification.alerts.len() - listed.named.len(),
    })
}

/// The counts of one label: the most frequent values, of severities the gravest.
fn counts(tally: &Tally<'_>, link: impl Fn(&str) -> Option<String>) -> Value {
    let mut values = tally.values.clone();
    if tally.name == "severity" {
        values.sort_by_key(|(value, _)| Reverse(rank(value)));
    }
    let (told, rest) = values.split_at(values.len().min(MAX_VALUES));
    let told = told.iter().map(|(value, count)| {
        let url = Some(value).filter(|value| !value.is_empty()).and_then(|value| link(value));
        json!({ "value": value, "count": count, "alertsURL": url })
    });
    json!({
        "name": tally.name,
        "values": told.collect::<Vec<_>>(),
        "others": rest.iter().map(|(_, count)| count).sum::<usize>() + tally.others,
    })
}
