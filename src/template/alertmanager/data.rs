//! The message's data under Go's names.

use gotmpl::Value;
use serde_json::{Value as Json, json};

use crate::template::go::time;
use crate::template::go::value::{list, object, string_map, text};

/// The kind of an alert.
pub(super) const ALERT: &str = "Alert";
/// The kind of the whole.
pub(super) const DATA: &str = "Data";

/// The root that dot starts at.
pub(super) fn root(json: &Json) -> Value {
    object(
        DATA,
        [
            ("Receiver", string(json, "receiver")),
            ("Status", string(json, "status")),
            ("Alerts", alerts(json)),
            ("NotificationReason", string(json, "reason")),
            ("GroupLabels", labels(json, "groupLabels")),
            ("CommonLabels", labels(json, "commonLabels")),
            ("CommonAnnotations", labels(json, "commonAnnotations")),
            ("ExternalURL", string(json, "externalURL")),
            ("SilenceURL", string(json, "silenceURL")),
            ("AlertsURL", string(json, "alertsURL")),
        ],
    )
}

/// All alerts, so that a template counts right. Of many only the gravest are in the data; of the
/// others a template sees what is true of all of them, one value that is shared.
fn alerts(json: &Json) -> Value {
    let of = |listed: &str, count: &str| {
        let listed = json[listed].as_array().map(Vec::as_slice).unwrap_or_default();
        let count = json[count].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let status = listed.first().map_or(Json::Null, |alert| alert["status"].clone());
        let other = alert(&json!({
            "status": status,
            "labels": json["commonLabels"],
            "annotations": json["commonAnnotations"],
            "startsAt": json["startsAt"],
        }));
        let others = count.saturating_sub(listed.len());
        listed.iter().map(alert).chain(std::iter::repeat_n(other, others)).collect::<Vec<_>>()
    };
    let mut alerts = of("firing", "firingCount");
    alerts.extend(of("resolved", "resolvedCount"));
    list(alerts)
}

fn alert(json: &Json) -> Value {
    object(
        ALERT,
        [
            ("Status", string(json, "status")),
            ("Labels", labels(json, "labels")),
            ("Annotations", labels(json, "annotations")),
            ("StartsAt", instant(json, "startsAt")),
            ("EndsAt", instant(json, "endsAt")),
            ("GeneratorURL", string(json, "generatorURL")),
            ("Fingerprint", string(json, "fingerprint")),
            ("SilenceURL", string(json, "silenceURL")),
        ],
    )
}

fn string(json: &Json, field: &str) -> Value {
    text(json[field].as_str().unwrap_or(""))
}

fn instant(json: &Json, field: &str) -> Value {
    let written = json[field].as_str().unwrap_or("");
    time::parse(written).unwrap_or_else(|| time::time(time::ZERO_SECONDS, 0))
}

fn labels(json: &Json, field: &str) -> Value {
    let entries = json[field].as_object().into_iter().flatten();
    string_map(entries.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or(""))))
}
