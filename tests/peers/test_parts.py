"""The exporter, Prometheus against it, the checkers of rendered messages, and the pictures."""

import json
import os
import socket
import subprocess
import sys
import unittest
import urllib.parse

from peer_test import HERE, PeerTest, http, installed, wait_until

KEY = "0123456789abcdef0123456789abcdef"


class Exporter(PeerTest):
    def test_series_and_faults(self):
        ready, _ = self.start("exporter.py")
        url = f"http://127.0.0.1:{ready['port']}"
        self.assertEqual(http("PUT", f"{url}/series", '# TYPE a gauge\na{x="1"} 2\nb 3\n')[0], 204)
        http("POST", f"{url}/series", 'a{x="1"} 5\na{x="2"} NaN\n')
        self.assertEqual(http("GET", f"{url}/metrics")[2], '# TYPE a gauge\na{x="1"} 5\nb 3\na{x="2"} NaN\n')
        http("DELETE", f"{url}/series?name=b")
        self.assertNotIn("b 3", http("GET", f"{url}/metrics")[2])
        self.assertEqual(http("PUT", f"{url}/series", "a{ 2\n")[0], 400)
        self.fault(path="/metrics", action="status", status=503, count=1)
        self.assertEqual(http("GET", f"{url}/metrics")[0], 503)
        http("DELETE", f"{url}/series")
        self.assertEqual(http("GET", f"{url}/metrics")[2], "")

    @unittest.skipUnless(installed("prometheus"), "prometheus is not installed")
    def test_prometheus_scrapes_it(self):
        exporter, _ = self.start("exporter.py")
        http("PUT", f"http://127.0.0.1:{exporter['port']}/series", "watchbell_selftest 42\n")
        target = f"127.0.0.1:{exporter['port']}"
        ready, child = self.start("prometheus.sh", "--dir", f"{self.dir}/p", "--job", "other", "--target", target,
                                  "--job", "mlflow", "--target", target, "--target", f"localhost:{exporter['port']}")
        query = f"http://127.0.0.1:{ready['port']}/api/v1/query?query="

        def value(expression):
            found = http("GET", query + urllib.parse.quote(expression))[2]["data"]["result"]
            return found[0]["value"][1] if found else None

        wait_until(lambda: value('sum(watchbell_selftest{job="mlflow"})') == "84")
        wait_until(lambda: value("sum(up)") == "3")
        http("POST", f"{self.control}/listen", {"listening": False})
        wait_until(lambda: value("sum(up)") == "0")
        child.stdin.close()
        child.wait(20)
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", ready["port"]), 1).close()


class Checkers(PeerTest):
    def check(self, script, value, *options):
        with open(f"{self.dir}/x.json", "w", encoding="utf-8") as file:
            json.dump(value, file)
        command = [sys.executable, os.path.join(HERE, script), *options, f"{self.dir}/x.json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertIn("1 checked", done.stdout + done.stderr)
        return done.returncode

    def test_slack(self):
        try:
            import slack_sdk
            self.assertTrue(slack_sdk)
        except ImportError:
            self.skipTest("slack_sdk is not installed")
        text = {"type": "mrkdwn", "text": "words"}
        good = {"channel": "C1", "text": "t", "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "h", "emoji": True}},
            {"type": "section", "text": text, "fields": [text, text]},
            {"type": "context", "elements": [text]},
            {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Graph"}, "url": "http://localhost/g"}]},
            {"type": "divider"},
        ], "attachments": [{"color": "danger", "title": "a", "title_link": "http://localhost/", "text": "b", "fallback": "c",
                            "fields": [{"title": "a", "value": "b", "short": True}], "mrkdwn_in": ["text"]}]}
        self.assertEqual(self.check("check_slack.py", good), 0)
        self.assertEqual(self.check("check_slack.py", {**good, "blocks": good["blocks"] * 11}), 1)
        self.assertEqual(self.check("check_slack.py", {**good, "attachments": [{"text": "a", "colour": "x"}]}), 1)
        self.assertEqual(self.check("check_slack.py", {**good, "blok": 1}, "--webhook"), 1)

    def test_pagerduty(self):
        good = {"routing_key": KEY, "event_action": "resolve", "dedup_key": "k"}
        self.assertEqual(self.check("check_pagerduty.py", good), 0)
        self.assertEqual(self.check("check_pagerduty.py", {**good, "dedup_key": None}), 1)

    @unittest.skipUnless(installed("chromium"), "chromium is not installed")
    def test_render(self):
        with open(f"{self.dir}/m.html", "w", encoding="utf-8") as file:
            file.write('<body style="margin:0"><div style="height:777px;background:red">x</div>')
        command = [sys.executable, os.path.join(HERE, "render.py"), f"{self.dir}/m.html", "--out", self.dir]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=120)
        for width in (390, 800):
            with open(f"{self.dir}/m-{width}.png", "rb") as file:
                header = file.read(24)
            size = (int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big"))
            self.assertEqual(size, (width, 777))
