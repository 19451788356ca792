"""What PagerDuty's Events API v2 refuses in an event.

Its own OpenAPI schema is applied too where it is at hand; it lets through a trigger without
payload, a resolve without dedup_key and every length, which are checked here.
"""

import json
import os
import re

MAX_EVENT = 512 * 1024
EVENT = {"routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links", "images"}
PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)")


def schema_validator(path=None):
    """A validator of PagerDuty's schema, or None where the schema or the library is missing."""
    here = os.path.dirname(os.path.abspath(__file__))
    path = path or os.path.join(here, "../../../shared/schemas/pagerduty-events-v2.openapi.json")
    try:
        import jsonschema
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except (ImportError, OSError):
        return None
    operation = document["paths"]["/enqueue"]["post"]
    schema = dict(operation["requestBody"]["content"]["application/json"]["schema"])
    schema["components"] = document["components"]
    return jsonschema.Draft4Validator(schema)


def problems(event, size, validator=None):
    """Everything that is wrong with an event of `size` bytes."""
    if not isinstance(event, dict):
        return ["the event is no JSON object"]
    found = []
    if size > MAX_EVENT:
        found.append(f"the event has {size} bytes, the limit is {MAX_EVENT}")
    found += [f"unknown field '{key}'" for key in event if key not in EVENT]
    if not isinstance(event.get("routing_key"), str) or len(event["routing_key"]) != 32:
        found.append("Length of 'routing_key' is incorrect (should be 32 characters)")
    action = event.get("event_action")
    if action not in ("trigger", "acknowledge", "resolve"):
        found.append("'event_action' is not one of trigger, acknowledge, resolve")
    key = event.get("dedup_key")
    if action in ("acknowledge", "resolve") and not key:
        found.append(f"'dedup_key' is missing or blank for {action}")
    if key is not None and (not isinstance(key, str) or not 1 <= len(key) <= 255):
        found.append("'dedup_key' must be a string of 1 to 255 characters")
    if action == "trigger" and "payload" not in event:
        found.append("'payload' is missing")
    if "payload" in event:
        found += payload_problems(event["payload"])
    for name in ("client", "client_url"):
        if name in event and not isinstance(event[name], str):
            found.append(f"'{name}' must be a string")
    if event.get("client_url") and not re.match(r"https?://", str(event["client_url"])):
        found.append("'client_url' must be a URL")
    for name, fields, needed in (("links", {"href", "text"}, "href"), ("images", {"src", "href", "alt"}, "src")):
        for item in event.get(name, []) if isinstance(event.get(name, []), list) else [None]:
            strings = isinstance(item, dict) and all(isinstance(value, str) for value in item.values())
            if not strings or not set(item) <= fields or not re.match(r"https?://\S+$", item.get(needed, "")):
                found.append(f"'{name}' holds something else than {sorted(fields)} with a URL as {needed}")
    if validator:
        found += [f"schema: {error.message[:200]}" for error in validator.iter_errors(event)]
    return found


def payload_problems(payload):
    if not isinstance(payload, dict):
        return ["'payload' must be an object"]
    found = [f"unknown field 'payload.{key}'" for key in payload if key not in PAYLOAD]
    for name in ("summary", "source", "severity"):
        if not isinstance(payload.get(name), str) or not payload[name]:
            found.append(f"'payload.{name}' is missing or blank")
    if len(str(payload.get("summary", ""))) > 1024:
        found.append("'payload.summary' is longer than 1024 characters")
    if payload.get("severity") not in ("critical", "error", "warning", "info"):
        found.append("'payload.severity' is not one of critical, error, warning, info")
    for name in ("component", "group", "class"):
        if not isinstance(payload.get(name, ""), str):
            found.append(f"'payload.{name}' must be a string")
    if "timestamp" in payload and not RFC3339.fullmatch(str(payload["timestamp"])):
        found.append("'payload.timestamp' is not in RFC 3339")
    if not isinstance(payload.get("custom_details", {}), dict):
        found.append("'payload.custom_details' must be an object")
    return found
