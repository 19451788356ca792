//! The message's data under Go's names.

use gotmpl::Value;
use serde_json::Value as Json;

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
            ("Alerts", list(json["alerts"].as_array().into_iter().flatten().map(alert))),
            ("NotificationReason", string(json, "reason")),
            ("GroupLabels", labels(json, "groupLabels")),
            ("CommonLabels", labels(json, "commonLabels")),
            ("CommonAnnotations", labels(json, "commonAnnotations")),
            ("ExternalURL", string(json, "externalURL")),
        ],
    )
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
