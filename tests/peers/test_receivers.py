"""The receivers take what the real services take, refuse what they refuse, and fail on demand."""

import json
import ssl
import time
import urllib.error
import urllib.request

from peer_test import PeerTest, http

KEY = "0123456789abcdef0123456789abcdef"
TOKEN = "Bearer xoxb-test-token"


class Receivers(PeerTest):
    def setUp(self):
        super().setUp()
        ready, self.child = self.start("receivers.py", "--log", f"{self.dir}/log.jsonl")
        self.url = f"http://127.0.0.1:{ready['port']}"

    def post(self, path, value, headers=None, **options):
        return http("POST", self.url + path, value, headers, **options)

    def received(self, more=""):
        return http("GET", f"{self.control}/received{more}")[2]

    def slack(self, value, method="chat.postMessage", token=TOKEN):
        return self.post(f"/api/{method}", value, {"Authorization": token} if token else {})[2]

    def test_slack_webhook_is_strict(self):
        path = "/services/T000/B000/secret"
        section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}
        self.assertEqual(self.post(path, {"text": "hi", "blocks": [section]})[::2], (200, "ok"))
        bad = [
            ({"txt": "hi"}, 400, "invalid_payload"),
            ({}, 400, "no_text"),
            ("{", 400, "invalid_payload"),
            ({"text": "x" * 40001}, 400, "msg_too_long"),
            ({"text": "a", "channel": "#nowhere"}, 404, "channel_not_found"),
            ({"attachments": [{"text": "a"}] * 101}, 400, "too_many_attachments"),
            ({"attachments": [{"text": "a", "colour": "good"}]}, 400, "invalid_attachments"),
            ({"blocks": [{"type": "divider"}] * 51}, 400, "invalid_blocks"),
            ({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}, 400, "invalid_blocks"),
            ({"blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]}, 400, "invalid_blocks"),
            ({"blocks": [{**section, "text": {"type": "mrkdwn", "text": "x" * 3001}}]}, 400, "invalid_blocks"),
            ({"blocks": [{**section, "text": {"type": "mrkdwn", "text": ""}}]}, 400, "invalid_blocks"),
            ({"blocks": [{**section, "color": "red"}]}, 400, "invalid_blocks"),
            ({"blocks": [{"type": "section", "fields": [section["text"]] * 11}]}, 400, "invalid_blocks"),
        ]
        for value, status, code in bad:
            self.assertEqual(self.post(path, value)[::2], (status, code), str(value)[:200])
        self.assertEqual(self.post("/services/nope", {"text": "a"})[::2], (404, "no_service"))
        self.assertEqual(len(http("GET", f"{self.control}/state")[2]["messages"]), 1)
        self.assertEqual([r["accepted"] for r in self.received()], [True] + [False] * (len(bad) + 1))

    def test_slack_api_keeps_threads(self):
        first = self.slack({"channel": "#alerts", "text": "down <!channel>"})
        self.assertTrue(first["ok"])
        self.assertEqual(first["channel"], "C0ALERTS")
        reply = self.slack({"channel": "C0ALERTS", "text": "still", "thread_ts": first["ts"]})
        self.assertEqual(reply["message"]["thread_ts"], first["ts"])
        edit = {"channel": "C0ALERTS", "ts": first["ts"], "text": "up"}
        self.assertTrue(self.slack(edit, "chat.update")["ok"])
        for value, method, token, code in [
            ({"channel": "C0ALERTS", "text": "a"}, "chat.postMessage", None, "not_authed"),
            ({"channel": "C0ALERTS", "text": "a"}, "chat.postMessage", "Bearer xoxb-other", "invalid_auth"),
            ({"channel": "C9", "text": "a"}, "chat.postMessage", TOKEN, "channel_not_found"),
            ({"channel": "C0ALERTS"}, "chat.postMessage", TOKEN, "no_text"),
            ({"channel": "C0ALERTS", "text": "a", "thread_ts": "1.2"}, "chat.postMessage", TOKEN, "cannot_reply_to_message"),
            ({"channel": "C0ALERTS", "text": "a", "thread_ts": reply["ts"]}, "chat.postMessage", TOKEN, "cannot_reply_to_message"),
            ({**edit, "channel": "#alerts"}, "chat.update", TOKEN, "channel_not_found"),
            ({**edit, "ts": "1.2"}, "chat.update", TOKEN, "message_not_found"),
            ({"channel": "C0ALERTS", "blocks": [{"type": "x"}]}, "chat.postMessage", TOKEN, "invalid_blocks"),
        ]:
            self.assertEqual(self.slack(value, method, token).get("error"), code)
        state = http("GET", f"{self.control}/state")[2]
        self.assertEqual([m["edits"] for m in state["messages"]], [1, 0])
        self.assertEqual(len(state["anomalies"]), 2)
        with open(f"{self.dir}/log.jsonl", encoding="utf-8") as log:
            shown = json.dumps(self.received()) + log.read()
        self.assertNotIn("xoxb-", shown)
        self.assertIn(TOKEN, json.dumps(self.received("?secrets=1")))

    def test_pagerduty_keeps_incidents(self):
        payload = {"summary": "s", "source": "here", "severity": "critical", "timestamp": "2026-01-02T03:04:05.6Z"}
        event = {"routing_key": KEY, "event_action": "trigger", "dedup_key": "k", "payload": payload}
        done = {"routing_key": KEY, "event_action": "resolve", "dedup_key": "k"}
        self.assertEqual(self.post("/v2/enqueue", done)[0], 202)
        self.assertEqual(self.post("/v2/enqueue", event)[2]["dedup_key"], "k")
        self.assertEqual(self.post("/v2/enqueue", event)[0], 202)
        self.assertEqual(self.post("/v2/enqueue", done)[0], 202)
        state = http("GET", f"{self.control}/state")[2]
        self.assertEqual([a["dedup_key"] for a in state["anomalies"]], ["k"], "resolve before trigger")
        (incident,) = state["incidents"]
        self.assertEqual((incident["status"], incident["opened"], len(incident["events"])), ("resolved", 1, 3))
        without = {key: value for key, value in event.items() if key != "payload"}
        bad = [
            without, {**done, "dedup_key": ""}, {**event, "routing_key": "short"}, {**event, "extra": 1},
            {**event, "event_action": "fire"}, {**event, "links": [{"text": "no href"}]}, {**event, "dedup_key": "k" * 256},
            *({**event, "payload": {**payload, **change}} for change in (
                {"summary": "x" * 1025}, {"summary": ""}, {"severity": "page"}, {"source": ""}, {"colour": "red"},
                {"timestamp": "yesterday"}, {"custom_details": "text"}, {"custom_details": {"x": "y" * 600_000}})),
        ]
        for value in bad:
            self.assertEqual(self.post("/v2/enqueue", value)[0], 400, str(value)[:200])
        http("POST", f"{self.control}/pagerduty", {"routing_keys": ["x" * 32]})
        self.assertEqual(self.post("/v2/enqueue", event)[2]["errors"], ["Invalid routing key"])

    def test_webhook_is_strict(self):
        alert = {
            "status": "firing", "labels": {"alertname": "A", "pod": "p"}, "annotations": {}, "generatorURL": "",
            "startsAt": "2026-01-02T03:04:05.678Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "0123456789abcdef",
        }
        good = {
            "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "r",
            "groupLabels": {"alertname": "A"}, "commonLabels": alert["labels"], "commonAnnotations": {},
            "externalURL": "http://localhost", "alerts": [alert],
        }
        self.assertEqual(self.post("/webhook/a", good)[0], 200)
        for change in (
            {"version": "3"}, {"extra": 1}, {"truncatedAlerts": "0"}, {"status": "resolved"}, {"alerts": []},
            {"commonLabels": {"alertname": "A"}}, {"groupLabels": {"alertname": "B"}}, {"alerts": [alert, alert]},
            {"alerts": [{**alert, "endsAt": alert["startsAt"]}]}, {"alerts": [{**alert, "status": "resolved"}]},
            {"alerts": [{**alert, "fingerprint": "xyz"}]}, {"alerts": [{**alert, "startsAt": "now"}]},
        ):
            self.assertEqual(self.post("/webhook/a", {**good, **change})[0], 400, change)
        self.assertEqual(self.post("/webhook/a", {k: v for k, v in good.items() if k != "groupKey"})[0], 400)

    def test_faults(self):
        path, value = "/services/T0/B0/x", {"text": "hi"}
        self.fault(path=path, action="status", status=429, retry_after=7, count=2)
        for _ in range(2):
            status, headers, body = self.post(path, value)
            self.assertEqual((status, headers["Retry-After"], body), (429, "7", "rate_limited"))
        self.assertEqual(self.post(path, value)[0], 200, "the count is used up")
        for action in ("drop_before", "drop_after", "process_drop"):
            self.fault(path="/services/*", action=action, count=1)
            with self.assertRaises((OSError, ConnectionError)):
                self.post(path, value)
        self.assertEqual([r["accepted"] for r in self.received()], [False, False, True, False, False, True])
        self.assertEqual(len(http("GET", f"{self.control}/state")[2]["messages"]), 2)
        self.fault(path="*", action="hang")
        with self.assertRaises(TimeoutError):
            self.post(path, value, timeout=0.2)
        self.fault(path="/v2/*", action="status", status=500)
        http("DELETE", f"{self.control}/faults")
        self.assertEqual(self.post(path, value)[0], 200)
        self.fault(path=path, action="delay", seconds=0.3, count=1)
        start = time.monotonic()
        self.assertEqual(self.post(path, value)[0], 200)
        self.assertGreaterEqual(time.monotonic() - start, 0.3)
        self.assertEqual(http("POST", f"{self.control}/faults", {"action": "explode"})[0], 400)

    def test_refused_connections(self):
        http("POST", f"{self.control}/listen", {"listening": False})
        with self.assertRaises(urllib.error.URLError):
            self.post("/services/T0/B0/x", {"text": "a"})
        http("POST", f"{self.control}/listen", {"listening": True})
        self.assertEqual(self.post("/services/T0/B0/x", {"text": "a"})[0], 200)

    def test_tls_with_client_certificate(self):
        certs = self.certs()
        ready, _ = self.start("receivers.py", "--tls-cert", f"{certs}/server.pem", "--tls-key", f"{certs}/server.key",
                              "--tls-client-ca", f"{certs}/ca.pem")
        context = ssl.create_default_context(cafile=f"{certs}/ca.pem")
        request = urllib.request.Request(f"https://localhost:{ready['port']}/services/T0/B0/x", b'{"text":"a"}',
                                         {"Content-Type": "application/json"})
        with self.assertRaises(OSError):
            urllib.request.urlopen(request, context=context, timeout=5).read()
        context.load_cert_chain(f"{certs}/client.pem", f"{certs}/client.key")
        with urllib.request.urlopen(request, context=context, timeout=5) as answer:
            self.assertEqual(answer.read(), b"ok")

    def test_ends_with_its_parent(self):
        self.child.stdin.close()
        self.assertEqual(self.child.wait(5), 0)
