//! A notification that does not come from a rule: to check templates, and to try a receiver.

use std::time::Duration;

use crate::model::{
    Alert, GroupKey, IntegrationId, LabelSet, Notification, NotifiedAlert, NotifyReason, Timestamp,
};

/// A sample notification: one alert that fires and, where `resolved` is set, one that is resolved.
/// Its labels say that it is a test, and hold characters that every format has to escape.
pub fn sample(integration: &IntegrationId, resolved: bool, now: Timestamp) -> Notification {
    let labels = |instance: &str| {
        LabelSet::from([
            ("alertname", "WatchbellTest"),
            ("instance", instance),
            ("note", "quotes \" and <angles> & ampersands"),
            ("severity", "info"),
        ])
    };
    let alert = |instance: &str, ends_at: Option<Timestamp>| NotifiedAlert {
        alert: Alert {
            labels: labels(instance),
            annotations: LabelSet::from([
                ("summary", "This is a test of Watchbell's notifications"),
                ("description", "Nothing is wrong. Someone tried whether messages arrive here."),
            ]),
            starts_at: now - Duration::from_secs(300),
            ends_at,
            generator_url: "".into(),
            value: Some(1.0),
        }
        .into(),
        missed: false,
    };
    let mut alerts = vec![alert("test-1", None)];
    if resolved {
        alerts.push(alert("test-2", Some(now)));
    }
    Notification {
        group_key: GroupKey("{}:{alertname=\"WatchbellTest\"}".into()),
        integration: integration.clone(),
        group_labels: LabelSet::from([("alertname", "WatchbellTest")]),
        alerts,
        reason: NotifyReason::FirstNotification,
        created_at: now,
    }
}
