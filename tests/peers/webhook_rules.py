"""Alertmanager's webhook message, version 4: its exact shape and what its parts owe each other."""

import re

MESSAGE = {
    "version": str, "groupKey": str, "truncatedAlerts": int, "status": str, "receiver": str, "groupLabels": dict,
    "commonLabels": dict, "commonAnnotations": dict, "externalURL": str, "alerts": list,
}
# What a sender may add: readers of the format ignore what they do not know.
ADDITIONS = {"notificationReason": str}
ALERT = {
    "status": str, "labels": dict, "annotations": dict, "startsAt": str, "endsAt": str, "generatorURL": str,
    "fingerprint": str,
}
# Since 0.32.
OPTIONAL = {"notification_reason": str}
NO_END = "0001-01-01T00:00:00Z"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def shape(value, fields, where):
    if not isinstance(value, dict):
        return [f"{where} is no object"]
    found = [f"{where}: unknown field {key}" for key in value if key not in fields and key not in ADDITIONS]
    for key, kind in (fields | ADDITIONS).items():
        if key not in value and key in ADDITIONS:
            continue
        if key not in value:
            found.append(f"{where}: {key} is missing")
        elif not isinstance(value[key], kind) or isinstance(value[key], bool):
            found.append(f"{where}: {key} is no {kind.__name__}")
        elif kind is dict and not all(isinstance(v, str) for v in value[key].values()):
            found.append(f"{where}: {key} holds something else than strings")
    return found


def problems(message):
    """Everything that is wrong with a message."""
    optional = {key: kind for key, kind in OPTIONAL.items() if isinstance(message, dict) and key in message}
    found = shape(message, MESSAGE | optional, "message")
    if found:
        return found
    alerts = message["alerts"]
    for i, alert in enumerate(alerts):
        found += shape(alert, ALERT, f"alerts[{i}]")
    if found:
        return found
    for i, alert in enumerate(alerts):
        found += alert_problems(alert, f"alerts[{i}]")
    if message["version"] != "4":
        found.append("version is not 4")
    if not alerts or not message["groupKey"] or not message["receiver"] or message["truncatedAlerts"] < 0:
        found.append("alerts, groupKey or receiver is empty, or truncatedAlerts negative")
    if len({alert["fingerprint"] for alert in alerts}) != len(alerts):
        found.append("two alerts have one fingerprint")
    firing = any(alert["status"] == "firing" for alert in alerts)
    complete = message["truncatedAlerts"] == 0
    if message["status"] not in ("firing", "resolved") or (complete and firing != (message["status"] == "firing")):
        found.append(f"status is {message['status']} while firing alerts are {'' if firing else 'not '}there")
    for common, part in (("commonLabels", "labels"), ("commonAnnotations", "annotations")):
        shared = set.intersection(*(set(alert[part].items()) for alert in alerts)) if alerts else set()
        said = set(message[common].items())
        if not said <= shared or (complete and said != shared):
            found.append(f"{common} is not what all {part} share")
    if not set(message["groupLabels"].items()) <= set(message["commonLabels"].items()):
        found.append("groupLabels are not among commonLabels")
    if message["externalURL"] and not re.match(r"https?://", message["externalURL"]):
        found.append("externalURL is no URL")
    return found


def alert_problems(alert, where):
    found = []
    if alert["status"] not in ("firing", "resolved"):
        found.append(f"{where}: status {alert['status']}")
    if not alert["labels"] or any(not value for value in alert["labels"].values()):
        found.append(f"{where}: a label without a value")
    if not re.fullmatch(r"[0-9a-f]{16}", alert["fingerprint"]):
        found.append(f"{where}: the fingerprint is not 16 hex digits")
    for key in ("startsAt", "endsAt"):
        if not RFC3339.fullmatch(alert[key]):
            found.append(f"{where}: {key} is not in RFC 3339")
    if alert["startsAt"] == NO_END:
        found.append(f"{where}: startsAt is unset")
    if (alert["status"] == "firing") != (alert["endsAt"] == NO_END):
        found.append(f"{where}: status {alert['status']} with endsAt {alert['endsAt']}")
    return found
