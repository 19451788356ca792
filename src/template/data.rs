//! The data of a message: everything that a good one needs, ready to be shown.

mod digest;
mod words;

use std::collections::HashSet;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::model::label::ALERT_NAME;
use crate::model::time::GO_ZERO_TIME;
use crate::model::{LabelSet, Notification, NotificationStatus, NotifiedAlert, Timestamp};
use crate::template::links;
use digest::{Listed, digest};
pub use words::{duration_text, time_text};

/// How many names of alerts are told.
const MAX_NAMES: usize = 100;

/// What a message needs beside the notification.
#[derive(Clone, Debug)]
pub struct MessageContext<'a> {
    /// The program's own address, for links that people open.
    pub external_url: &'a str,
    /// The zone in which times are shown.
    pub time_zone: &'a TimeZone,
    /// The time of rendering; durations of what still fires run up to it.
    pub now: Timestamp,
}

/// A notification as templates see it: one JSON object, the same for Go templates, Handlebars and
/// the webhook.
///
/// Beside Alertmanager's fields (`receiver`, `status`, `alerts`, `groupLabels`, `commonLabels`,
/// `commonAnnotations`, `externalURL`, `version`, `groupKey`, `truncatedAlerts`) it has `reason`,
/// `title`, `subject`, `severity`, `timeZone`, `now`, `startsAt` and `startsAtText` (the earliest
/// start), `names` (of the alerts that fire, or of all where none does, each once, 100 at most),
/// `firing`, `resolved`, `firingCount`, `resolvedCount`, `missedCount` (of the resolved ones) and
/// `alertCount`.
///
/// `silenceURL` is the form for a silence of the group, with its labels filled in (those that all
/// alerts share where it has none), `alertsURL` the list of the group's alerts. Both are null where
/// the program's own address is not known.
///
/// Of many alerts the lists hold the gravest 500 that fire and the gravest 500 that are
/// resolved; the counts are those of all. What a message says of more alerts than it can list is in
/// `digest`: `labels`, each with `name`, `values` (of which each has `value`, "" for alerts
/// without the label, `count` and `alertsURL`) and `others` (how many alerts have other values);
/// `alerts`, the gravest 10 of those that fire, or of all where none does; and `rest`, how many
/// alerts are not among these. `storm` says that the integration cannot list all alerts, and that
/// its message is the digest.
///
/// An alert has Alertmanager's `status`, `labels`, `annotations`, `startsAt`, `endsAt`,
/// `generatorURL`, `fingerprint`, and beside them `name`, `severity`, `value` (a number, or null
/// where it has none), `valueText`, `missed`, `startsAtText`, `endsAtText`, `durationSeconds`,
/// `durationText` and `silenceURL`, the form for a silence of this alert.
#[derive(Clone, Debug, PartialEq)]
pub struct TemplateData {
    json: Value,
}

impl TemplateData {
    /// The data of a notification.
    pub fn new(notification: &Notification, context: &MessageContext<'_>) -> Self {
        let listed = Listed::of(notification);
        let shown = |alerts: &[&NotifiedAlert]| -> Vec<Value> {
            alerts.iter().map(|notified| alert(notified, context)).collect()
        };
        let (firing, resolved) = (shown(&listed.firing), shown(&listed.resolved));
        let alerts: Vec<Value> = firing.iter().chain(&resolved).cloned().collect();
        let title = title(notification);
        let start = notification.alerts.iter().map(|a| a.alert.starts_at).min();
        let common = notification.common_labels();
        let group =
            if notification.group_labels.is_empty() { &common } else { &notification.group_labels };
        let receiver = &*notification.integration.receiver;
        let missed = notification.alerts.iter().filter(|alert| alert.missed).count();
        let json = json!({
            "version": "4",
            "receiver": receiver,
            "status": notification.status().as_str(),
            "reason": notification.reason.as_str(),
            "groupKey": notification.group_key.0,
            "groupLabels": notification.group_labels,
            "commonLabels": common,
            "commonAnnotations": notification.common_annotations(),
            "externalURL": context.external_url,
            "silenceURL": links::silence(context.external_url, group),
            "alertsURL": links::alerts(context.external_url, receiver, group),
            "truncatedAlerts": notification.alerts.len() - alerts.len(),
            "title": title,
            "subject": title,
            "severity": severity(notification),
            "names": names(notification),
            "timeZone": context.time_zone.iana_name().unwrap_or("UTC"),
            "now": context.now.rfc3339(),
            "startsAt": start.map(Timestamp::rfc3339),
            "startsAtText": start.map(|at| time_text(at, context.time_zone)),
            "firingCount": listed.firing_count,
            "resolvedCount": notification.alerts.len() - listed.firing_count,
            "missedCount": missed,
            "alertCount": notification.alerts.len(),
            "digest": digest(notification, &listed, group, context),
            "storm": false,
            "firing": firing,
            "resolved": resolved,
            "alerts": alerts,
        });
        Self { json }
    }

    /// The same data, for a message that cannot list all alerts.
    #[must_use]
    pub fn as_storm(mut self) -> Self {
        if let Some(storm) = self.json.get_mut("storm") {
            *storm = Value::Bool(true);
        }
        self
    }

    /// The same data with every text in it passed through a function: to take the meaning from
    /// characters that a message format gives one.
    #[must_use]
    pub fn map_texts(&self, map: &dyn Fn(&str) -> String) -> Self {
        Self { json: map_texts(&self.json, map) }
    }

    /// The object.
    pub fn as_json(&self) -> &Value {
        &self.json
    }
}

/// The data nests six levels deep at most.
fn map_texts(value: &Value, map: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(map(text)),
        Value::Array(items) => items.iter().map(|item| map_texts(item, map)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (map(name), map_texts(value, map))).collect()
        }
        other => other.clone(),
    }
}

fn alert(notified: &NotifiedAlert, context: &MessageContext<'_>) -> Value {
    let alert = &notified.alert;
    let end = alert.ends_at;
    let duration = end.unwrap_or(context.now).since(alert.starts_at);
    json!({
        "status": notified.status().as_str(),
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": alert.starts_at.rfc3339(),
        "endsAt": end.map_or_else(|| GO_ZERO_TIME.to_string(), Timestamp::rfc3339),
        "generatorURL": alert.generator_url,
        "fingerprint": alert.fingerprint(),
        "silenceURL": links::silence_alert(context.external_url, &alert.labels),
        "name": alert.labels.alertname(),
        "severity": alert.labels.value("severity"),
        "value": alert.value,
        "valueText": alert.value.map(words::value_text),
        "missed": notified.missed,
        "startsAtText": time_text(alert.starts_at, context.time_zone),
        "endsAtText": end.map(|at| time_text(at, context.time_zone)),
        "durationSeconds": duration.as_secs_f64(),
        "durationText": duration_text(duration),
    })
}

/// Label values with that of `alertname` in front, then by name, as Alertmanager's `SortedPairs`.
fn values(labels: &LabelSet) -> Vec<&str> {
    let name = labels.get(ALERT_NAME).into_iter();
    name.chain(labels.iter().filter(|(n, _)| *n != ALERT_NAME).map(|(_, v)| v)).collect()
}

/// `[FIRING:2] <group label values> (<other common values>)`, without space at its end.
fn title(notification: &Notification) -> String {
    let status = match notification.status() {
        NotificationStatus::Firing => {
            let count = notification.with_status(NotificationStatus::Firing).count();
            format!("[FIRING:{count}]")
        }
        NotificationStatus::Resolved => "[RESOLVED]".to_string(),
    };
    let group = &notification.group_labels;
    let common = notification.common_labels().filtered(|name| group.get(name).is_none());
    let mut parts = vec![status];
    parts.extend(values(group).into_iter().map(str::to_string));
    if !common.is_empty() {
        parts.push(format!("({})", values(&common).join(" ")));
    }
    parts.join(" ")
}

/// The names of the alerts that fire, or of all where none does, each once.
fn names(notification: &Notification) -> Vec<&str> {
    let mut seen = HashSet::new();
    let alerts = notification.with_status(notification.status());
    let names = alerts.map(|notified| notified.alert.labels.alertname());
    names.filter(|name| seen.insert(*name)).take(MAX_NAMES).collect()
}

/// How grave a value of the label `severity` is, 5 at most. The words are those in use in public
/// rules.
pub fn rank(severity: &str) -> u8 {
    match severity.to_ascii_lowercase().as_str() {
        "critical" | "page" | "emergency" | "disaster" | "fatal" => 5,
        "error" | "major" | "high" => 4,
        "warning" | "warn" | "minor" | "average" | "medium" => 3,
        "info" | "information" | "notice" | "low" => 2,
        "" => 0,
        _ => 1,
    }
}

/// The gravest `severity` of the alerts that fire, or of all where none does; "" without any.
fn severity(notification: &Notification) -> String {
    let status = notification.status();
    let severities = notification.with_status(status).map(|a| a.alert.labels.value("severity"));
    severities.max_by_key(|s| rank(s)).unwrap_or("").to_string()
}

#[cfg(test)]
pub(in crate::template) mod tests {
    use super::*;
    use crate::model::{Alert, GroupKey, IntegrationId, NotifyReason};

    fn notified(labels: &[(&str, &str)], ends_at: Option<i64>) -> NotifiedAlert {
        let labels = labels.iter().copied().collect();
        let annotations =
            LabelSet::from([("summary", "Disk <full>"), ("runbook_url", "https://r/1")]);
        let alert = Alert {
            labels,
            annotations,
            starts_at: Timestamp::from_secs(1_700_000_000),
            ends_at: ends_at.map(Timestamp::from_secs),
            generator_url: "http://prom/graph?g0.expr=up".into(),
            value: Some(1234.5),
        };
        NotifiedAlert { alert: alert.into(), missed: false }
    }

    /// Two alerts of one group, the second resolved if `resolved`.
    pub(in crate::template) fn notification(first_end: Option<i64>) -> Notification {
        Notification {
            group_key: GroupKey("{}:{alertname=\"DiskFull\"}".into()),
            integration: IntegrationId {
                receiver: "on call".into(),
                kind: "slack".into(),
                index: 0,
            },
            group_labels: LabelSet::from([("alertname", "DiskFull"), ("aa", "x")]),
            alerts: vec![
                notified(
                    &[
                        ("alertname", "DiskFull"),
                        ("aa", "x"),
                        ("instance", "a"),
                        ("severity", "warning"),
                        ("zone", "z1"),
                    ],
                    first_end,
                ),
                notified(
                    &[
                        ("alertname", "DiskFull"),
                        ("aa", "x"),
                        ("instance", "b"),
                        ("severity", "critical"),
                        ("zone", "z1"),
                    ],
                    Some(1_700_000_090),
                ),
            ],
            reason: NotifyReason::FirstNotification,
            created_at: Timestamp::from_secs(1_700_003_600),
        }
    }

    pub(in crate::template) fn data(first_end: Option<i64>) -> TemplateData {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = Timestamp::from_secs(1_700_011_520);
        let context =
            MessageContext { external_url: "https://bell.example.com", time_zone: &zone, now };
        TemplateData::new(&notification(first_end), &context)
    }

    #[test]
    fn a_message_has_what_people_need() {
        let data = data(None);
        let json = data.as_json();
        assert_eq!(json["title"], "[FIRING:1] DiskFull x (z1)");
        assert_eq!(json["severity"], "warning", "the critical one is resolved");
        assert_eq!(json["firingCount"], 1);
        assert_eq!(json["names"], json!(["DiskFull"]));
        assert_eq!(json["alerts"][0]["startsAtText"], "2023-11-14 23:13:20 CET");
        assert_eq!(json["alerts"][0]["durationText"], "3h 12m");
        assert_eq!(json["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
        assert_eq!(json["alerts"][0]["valueText"], "1.234k");
        assert_eq!(json["resolved"][0]["labels"]["instance"], "b");
        assert_eq!(json["resolved"][0]["durationText"], "1m 30s");
        assert_eq!(json["commonLabels"], json!({"alertname": "DiskFull", "aa": "x", "zone": "z1"}));
    }

    #[test]
    fn a_resolved_group_says_so() {
        let data = data(Some(1_700_000_010));
        assert_eq!(data.as_json()["title"], "[RESOLVED] DiskFull x (z1)");
        assert_eq!(data.as_json()["severity"], "critical");
    }

    #[test]
    fn every_text_can_be_mapped() {
        let upper = data(None).map_texts(&str::to_uppercase);
        assert_eq!(upper.as_json()["ALERTS"][0]["LABELS"]["INSTANCE"], "A");
        assert_eq!(upper.as_json()["FIRINGCOUNT"], 1);
    }
}
