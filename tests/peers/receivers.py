#!/usr/bin/env python3
"""Strict local receivers: Slack, PagerDuty Events v2 and a webhook of Alertmanager's shape.

  /services/T…/B…/…                       Slack incoming webhook
  /api/chat.postMessage, /api/chat.update Slack with a bot token
  /v2/enqueue                             PagerDuty
  /webhook/*                              Alertmanager's webhook, version 4

Control (see peer.py) and beyond it:
  POST /_control/slack     {"tokens": […], "channels": {"C0ALERTS": "alerts"}, "webhooks": ["/services/…"]}
  POST /_control/pagerduty {"routing_keys": […]}
  GET  /_control/state     messages, incidents, and what no correct sender does, under "anomalies"
"""

import json
import re
import time

import pagerduty_rules
import peer
import slack_rules
import webhook_rules

TEXT, JSON = "text/plain; charset=utf-8", "application/json; charset=utf-8"
# Slack's status for a webhook's error code; all others are 400.
WEBHOOK_STATUS = {"channel_not_found": 404, "no_service": 404, "action_prohibited": 403, "invalid_token": 403}


class Receivers(peer.Peer):
    def __init__(self, options):
        super().__init__("receivers", log=options.log)
        self.validator = pagerduty_rules.schema_validator(options.pagerduty_schema)
        self.tokens, self.channels, self.webhooks = {"xoxb-test-token"}, {"C0ALERTS": "alerts"}, None
        self.routing_keys = None
        self.messages, self.incidents, self.anomalies, self.last_ts = [], {}, [], 0

    def configure(self, what, spec):
        settings = {"slack": ("tokens", "channels", "webhooks"), "pagerduty": ("routing_keys",)}.get(what)
        if settings is None or not set(spec) <= set(settings):
            raise ValueError(f"cannot set {sorted(spec)} of {what}")
        for key, value in spec.items():
            setattr(self, key, value)

    def state(self):
        return {"messages": self.messages, "incidents": list(self.incidents.values()), "anomalies": self.anomalies}

    def anomaly(self, what, **details):
        self.anomalies.append({"what": what, "time": time.time(), **details})

    def next_ts(self):
        self.last_ts = max(self.last_ts + 1, int(time.time() * 1_000_000))
        return f"{self.last_ts // 1_000_000}.{self.last_ts % 1_000_000:06}"

    def keep_message(self, channel, value):
        kept = {"channel": channel, "ts": self.next_ts(), "thread_ts": value.get("thread_ts"), "edits": 0,
                "message": value, "mentions": slack_rules.mentions(value)}
        self.messages.append(kept)
        return kept

    # Slack, incoming webhook -----------------------------------------------------------------

    def slack_webhook(self, path, value):
        if not re.fullmatch(r"/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]+", path):
            raise slack_rules.Refusal("no_service", "no such webhook")
        if self.webhooks is not None and path not in self.webhooks:
            raise slack_rules.Refusal("no_service", "no such webhook")
        if value is None:
            raise slack_rules.Refusal("invalid_payload", "no JSON with a JSON content type")
        slack_rules.message(value, slack_rules.WEBHOOK, "invalid_payload")
        if value.get("channel") and self.channel_id(value["channel"]) is None:
            raise slack_rules.Refusal("channel_not_found", value["channel"])
        if value.get("thread_ts"):
            self.thread(None, value["thread_ts"])
        self.keep_message(None, value)

    # Slack, Web API --------------------------------------------------------------------------

    def channel_id(self, channel):
        for ident, name in self.channels.items():
            if channel in (ident, name, f"#{name}"):
                return ident
        return None

    def thread(self, channel, ts):
        """Refuses a thread that hangs below no message of the channel, or below a reply."""
        parents = [m for m in self.messages if m["ts"] == ts and m["channel"] == channel]
        if not parents or parents[0]["thread_ts"]:
            self.anomaly("slack: thread_ts is no parent message", thread_ts=ts, channel=channel)
            raise slack_rules.Refusal("cannot_reply_to_message", f"thread_ts {ts} is no parent message")

    def slack_api(self, method, authorization, value):
        if method not in ("chat.postMessage", "chat.update"):
            raise slack_rules.Refusal("unknown_method", method)
        if not authorization:
            raise slack_rules.Refusal("not_authed", "no Authorization header")
        if authorization not in {f"Bearer {token}" for token in self.tokens}:
            raise slack_rules.Refusal("invalid_auth", "unknown token")
        if not isinstance(value, dict):
            raise slack_rules.Refusal("invalid_json", "no JSON object with a JSON content type")
        update = method == "chat.update"
        fields = slack_rules.UPDATE if update else slack_rules.MESSAGE
        # chat.update knows channels by their id only.
        channel = self.channel_id(value.get("channel"))
        if channel is None or (update and channel != value["channel"]):
            raise slack_rules.Refusal("channel_not_found", str(value.get("channel")))
        slack_rules.message(value, fields, "invalid_arguments")
        if update:
            kept = next((m for m in self.messages if (m["channel"], m["ts"]) == (channel, value.get("ts"))), None)
            if kept is None:
                raise slack_rules.Refusal("message_not_found", str(value.get("ts")))
            kept.update(message=value, edits=kept["edits"] + 1, mentions=slack_rules.mentions(value))
            return {"ok": True, "channel": channel, "ts": kept["ts"], "text": value.get("text", "")}
        if value.get("thread_ts"):
            self.thread(channel, value["thread_ts"])
        kept = self.keep_message(channel, value)
        message = {"type": "message", "text": value.get("text", ""), "ts": kept["ts"]}
        if kept["thread_ts"]:
            message["thread_ts"] = kept["thread_ts"]
        return {"ok": True, "channel": channel, "ts": kept["ts"], "message": message}

    # PagerDuty -------------------------------------------------------------------------------

    def pagerduty(self, event, size):
        """The problems of an event, or its dedup key after it changed its incident."""
        if event is None:
            return ["JSON parse error"], None
        found = pagerduty_rules.problems(event, size, self.validator)
        if not found and self.routing_keys is not None and event["routing_key"] not in self.routing_keys:
            found = ["Invalid routing key"]
        if found:
            return found, None
        key = event.get("dedup_key") or f"generated-{self.next_ts()}"
        action, place = event["event_action"], (event["routing_key"], key)
        incident = self.incidents.get(place)
        if action == "trigger":
            if incident is None:
                incident = {"dedup_key": key, "service": event["routing_key"][-4:], "status": "", "opened": 0, "events": []}
                self.incidents[place] = incident
            if incident["status"] in ("", "resolved"):
                incident["opened"] += 1
            incident["status"], incident["summary"] = "triggered", event["payload"]["summary"]
        elif incident is None or incident["status"] == "resolved":
            self.anomaly(f"pagerduty: {action} without an open incident", dedup_key=key)
        else:
            incident["status"] = {"resolve": "resolved", "acknowledge": "acknowledged"}[action]
        if incident:
            incident["events"].append(action)
        return [], key


class Handler(peer.Handler):
    def fault_body(self, path, status):
        if status == 429 and path.startswith("/api/"):
            return '{"ok":false,"error":"ratelimited"}'
        return "rate_limited" if status == 429 and path.startswith("/services/") else super().fault_body(path, status)

    def answer(self, path, body, entry):
        is_json = self.headers.get("Content-Type", "").split(";")[0].strip().lower() == "application/json"
        value = entry["json"] if is_json else None
        for prefix, service in (("/services/", self.slack_webhook), ("/api/", self.slack_api),
                                ("/v2/enqueue", self.pagerduty), ("/webhook/", self.webhook)):
            if path.startswith(prefix):
                if self.command != "POST":
                    return 405, "method not allowed", TEXT, {"Allow": "POST"}
                return service(path, value, body, entry)
        return 404, f"nothing at {path}", TEXT, {}

    def slack_webhook(self, path, value, _body, entry):
        try:
            self.peer.slack_webhook(path, value)
        except slack_rules.Refusal as refusal:
            entry["problems"] = [str(refusal)]
            return WEBHOOK_STATUS.get(refusal.code, 400), refusal.code, TEXT, {}
        return 200, "ok", TEXT, {}

    def slack_api(self, path, value, _body, entry):
        try:
            answer = self.peer.slack_api(path.removeprefix("/api/"), self.headers.get("Authorization"), value)
        except slack_rules.Refusal as refusal:
            entry["problems"], entry["ok"] = [str(refusal)], False
            answer = {"ok": False, "error": refusal.code}
            if refusal.code.startswith("invalid_"):
                answer["errors"] = [refusal.detail]
                answer["response_metadata"] = {"messages": [f"[ERROR] {refusal.detail}"]}
        return 200, json.dumps(answer), JSON, {}

    def pagerduty(self, path, value, body, entry):
        if path != "/v2/enqueue":
            return 404, f"nothing at {path}", TEXT, {}
        found, key = self.peer.pagerduty(value, len(body))
        if found:
            entry["problems"] = found
            refused = {"status": "invalid event", "message": "Event object is invalid", "errors": found}
            return 400, json.dumps(refused), JSON, {}
        accepted = {"status": "success", "message": "Event processed", "dedup_key": key}
        return 202, json.dumps(accepted), JSON, {}

    def webhook(self, _path, value, _body, entry):
        found = webhook_rules.problems(value) if value is not None else ["no JSON with a JSON content type"]
        if found:
            entry["problems"] = found
            return 400, "\n".join(found), TEXT, {}
        return 200, "", TEXT, {}


def main():
    parser = peer.arguments(__doc__)
    parser.add_argument("--pagerduty-schema", help="PagerDuty's OpenAPI file; by default beside the repository")
    options = parser.parse_args()
    Handler.peer = Receivers(options)
    listener = peer.Listener(options.port, Handler, peer.tls_context(options))
    Handler.peer.set_listening = listener.set_listening
    control = peer.Listener(options.control_port, Handler)
    schema = Handler.peer.validator is not None
    peer.run(options, port=listener.port, control_port=control.port, pagerduty_schema=schema)


if __name__ == "__main__":
    main()
